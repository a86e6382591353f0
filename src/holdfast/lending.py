"""Somebody's connection in the operator's hands for a moment: only who may use a connection may bind a flow to it."""

from __future__ import annotations

from types import TracebackType

from holdfast.core.deed import Outcome, done, waiting
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import (
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    EnvironmentId,
)
from holdfast.ports import Operator

Where = tuple[EnvironmentId, ConnectorId, ConnectionId]


async def is_usable(operator: Operator, where: Where) -> bool:
    """Whether the operator may use the connection: it is its own, or shared with it."""
    try:
        await operator.connection(*where)
    except (RefusedError, MissingError):
        return False
    return True


class Loan:
    """Within it `use` lends the connection; at its end it is taken back, also what an interrupted attempt had lent.

    So whatever a step finds, it opens the loan first: a killed process takes nothing back, the next one does.

    Args:
        principal: object id of the operator's identity in the tenant.
        is_needed: whether the operator could not use the connection before anything was lent, as an earlier step noted.
            A look now could not tell what an interrupted attempt lent from a share that somebody gave it.
    """

    def __init__(self, operator: Operator, principal: str, where: Where, *, is_needed: bool) -> None:
        self.where = where
        self._operator, self._principal, self._is_needed = operator, principal, is_needed
        self._was_used = False

    async def __aenter__(self) -> Loan:
        return self

    async def use(self) -> None:
        """Lend it, where that is needed."""
        if self._is_needed:
            await self._operator.lend(*self.where, self._principal)
            self._was_used = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_needed:
            return
        try:
            await self._operator.take_back(*self.where, self._principal)
        except RefusedError:
            # Both are one call: whoever may not take back could not lend either.
            if self._was_used:
                raise


async def bind_back(
    operator: Operator, environment: Environment, reference: ConnectionReferenceId, new: str, old: Loan
) -> Outcome:
    """Bind a reference to the old connection again, if it is still bound to the new one, which is ours."""
    async with old:
        if (await operator.reference(environment, reference)).connection != new:
            return done("It is not bound to ours.")
        try:
            await old.use()
            await operator.bind(environment, reference, old.where[2])
        except RefusedError as refusal:
            place = f"https://make.powerautomate.com/environments/{environment.id}/solutions"
            return waiting(
                "Only the owner of the old connection may bind to it here: let the owner choose it in the connection reference"
                f" {reference} ({place}); undo then goes on ({refusal})"
            )
        return done("Bound as before.")
