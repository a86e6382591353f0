"""The steps about a connection: it gets the new credential, is proven, and where it is not ours is replaced."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import CloudError, MissingError, RefusedError
from holdfast.core.inventory import (
    Connection,
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    EnvironmentId,
)
from holdfast.core.making import Share, WantedConnection
from holdfast.core.secret import Secret
from holdfast.lending import Loan, bind_back
from holdfast.ports import Operator
from holdfast.rotation.due import SETS
from holdfast.rotation.world import GONE, Planned
from holdfast.saga import Past

REDIRECT: Final = "https://global.consent.azure-apim.net/redirect/sql"
PROOF: Final = "SELECT 1 AS holdfast"

BROKEN_BEFORE: Final = timedelta(minutes=20)
"""So long after the switch, what was broken before it is not waited for: other connections need the new one too."""

GIVES_UP: Final = timedelta(hours=1)
"""So long after the switch, a connection that worked before and does not now needs a person."""


class _OfConnection(Planned):
    """A step about one connection."""

    @property
    def _where(self) -> tuple[EnvironmentId, ConnectorId]:
        return EnvironmentId(self._planned.environment or ""), ConnectorId(self._arguments["connector"])

    @property
    def _id(self) -> ConnectionId:
        return ConnectionId(self._planned.connection or "")

    @property
    def _environment(self) -> Environment:
        id = self._where[0]
        return self._world.environments.get(id) or Environment(id, id)

    def _switched(self, past: Past) -> Mapping[str, Any]:
        return past[f"switch:{self._planned.connection}"].facts

    async def _seen(self, id: ConnectionId) -> Connection | None:
        """The connection as the operator sees it; None where it is gone, or somebody else's."""
        try:
            return await self._world.operator.connection(*self._where, id)
        except (RefusedError, MissingError):
            return None

    def _is_of_application(self, found: Connection) -> bool:
        """Whether it still signs in as the application, and was not given another by somebody."""
        client_id = str(self._arguments["client_id"]).casefold()
        same_way = SETS.get(found.sign_in) == self._arguments.get("sign_in", "oauthSP")
        # Where the platform does not tell the application, the way to sign in has to do.
        return same_way and (found.client_id is None or found.client_id.casefold() == client_id)

    def _now(self) -> str:
        return self._world.clock.now().isoformat()


class Switch(_OfConnection):
    """The connection holds the new credential; where it is not ours to change, one beside it does."""

    async def clear(self, past: Past) -> None:
        """Remove the connection that an interrupted attempt made beside it; nothing is bound to it yet."""
        label = self._arguments["label"]
        async for found in self._world.operator.own_connections(*self._where):
            if found.display_name == label:
                await self._world.operator.delete_connection(*self._where, found.id)

    async def do(self, past: Past) -> Outcome:
        """Put it in; where that is refused, make a connection beside it."""
        credential = await self._new(past)
        found = await self._seen(self._id)
        if found is None:
            return await self._beside(credential, is_usable=False)
        if not self._is_of_application(found):
            return self._left("It signs in as something else by now: left alone.")
        before = await trouble_of(self._world.operator, found, self._arguments["target"])
        try:
            await self._world.operator.put_connection(self._wanted(self._id, credential, found.display_name))
        except (RefusedError, MissingError):
            return await self._beside(credential, is_usable=True)
        return done(
            f"It holds the new {self._kind}.", mode="put", connection=self._id, at=self._now(), before=before
        )

    def _left(self, says: str) -> Outcome:
        return done(says, mode="left", connection=self._id, at=self._now())

    def _wanted(self, id: ConnectionId, credential: Secret, name: str) -> WantedConnection:
        arguments = self._arguments
        values = {
            "token": REDIRECT,
            "token:TenantId": arguments["tenant_id"],
            "token:clientId": arguments["client_id"],
        }
        place, set_name = self._where, arguments.get("sign_in", "oauthSP")
        if self._kind == "certificate":
            hidden = {"token:clientCertificateSecret": credential}
            return WantedConnection(id, *place, name, set_name, values, objects=hidden)
        return WantedConnection(id, *place, name, set_name, values, {"token:clientSecret": credential})

    async def _beside(self, credential: Secret, *, is_usable: bool) -> Outcome:
        if not self._arguments["references"]:
            return refused(
                f"It is gone, or belongs to somebody else, and no reference can be bound to another: share"
                f" {self._arguments['display_name']!r} with holdfast's operator, or plan again"
            )
        # The id is the saga's own, so that a second attempt meets the same connection.
        id = ConnectionId(beside_id(self._planned.saga, self._id))
        await self._world.operator.put_connection(self._wanted(id, credential, self._arguments["label"]))
        if self._arguments["owner"]:
            share = Share(self._arguments["owner"], "User", "CanView")
            await self._world.operator.share(*self._where, id, share)
        return done(
            f"One beside it holds the new {self._kind}.",
            mode="beside",
            connection=id,
            at=self._now(),
            lent=not is_usable and bool(self._world.principal),  # whenever something is bound to it again
        )

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Put the previous one back, where it lies in our store and still works; remove the connection beside it."""
        mode = outcome.facts["mode"] if outcome is not None else "put"
        if mode == "left":
            return done("It was left alone.")
        if outcome is not None and mode == "beside":
            await self._world.operator.delete_connection(
                *self._where, ConnectionId(outcome.facts["connection"])
            )
            return done("The connection beside it is removed.")
        found = await self._seen(self._id)
        if found is None or not self._is_of_application(found):
            return done("It is not ours to change, or no longer of this application.")
        if await self._application() is None:
            return done("The application is gone: no credential of it helps.")
        return await self._put_back(found)

    async def _put_back(self, found: Connection) -> Outcome:
        previous = self._arguments["previous"]
        text = await self._world.secrets.read(previous) if previous else None
        if text is None:
            return refused(
                f"It may hold the new {self._kind}, and the previous one is not in the secret store, so the new one stays:"
                " finish the rotation with `apply`, or put one in by hand"
            )
        said = await self._signs_in(text)
        if said:
            return refused(
                f"The previous {self._kind} does not sign in any more ({said.rstrip('.')}), so the new one stays: finish the"
                " rotation with `apply`"
            )
        await self._world.operator.put_connection(self._wanted(self._id, text, found.display_name))
        return done(f"It holds the previous {self._kind} again.")


class Bind(_OfConnection):
    """Where a connection was made beside, the references are bound to it."""

    async def do(self, past: Past) -> Outcome:
        """Bind those that are still bound to the old one, noting them."""
        switched = self._switched(past)
        if switched["mode"] != "beside":
            return done("Nothing to bind: the connection kept its id.", before={}, at=switched["at"])
        new = ConnectionId(switched["connection"])
        bound = {each["id"]: await self._binding(each["id"]) for each in self._arguments["references"]}
        # Of an interrupted attempt some are bound already. Whatever somebody bound elsewhere meanwhile stays there.
        before = {id: self._id for id, connection in bound.items() if connection in (self._id, new)}
        for id in before:
            await self._bind(id, new)
        return done(f"{len(before)} bound.", before=before, at=self._now())

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Bind those that are still bound to ours as they were before."""
        switched = self._switched(past)
        if switched["mode"] != "beside":
            return done()
        # Journals of earlier versions do not tell whether it was lent; then nothing that somebody shared is taken away.
        noted = {"lent": False} | dict(outcome.facts if outcome else {}) | dict(switched)
        for each in self._arguments["references"]:
            back = await bind_back(
                self._world.operator,
                self._environment,
                ConnectionReferenceId(each["id"]),
                switched["connection"],
                Loan(
                    self._world.operator,
                    self._world.principal,
                    (*self._where, self._id),
                    is_needed=noted["lent"],
                ),
            )
            if not back.is_done:
                return back
        return done("Bound as before.")

    async def _binding(self, reference: str) -> str | None:
        found = await self._world.operator.reference(self._environment, ConnectionReferenceId(reference))
        return found.connection

    async def _bind(self, reference: str, connection: ConnectionId) -> None:
        await self._world.operator.bind(self._environment, ConnectionReferenceId(reference), connection)


class ProveConnection(_OfConnection):
    """A query runs through the connection with the new credential."""

    async def do(self, past: Past) -> Outcome:
        """Run it; wait while it does not work."""
        switched = self._switched(past)
        if switched["mode"] == "left":
            return done("It was left alone.")
        found = await self._seen(ConnectionId(switched["connection"]))
        if found is None and switched["mode"] == "put":
            return done("It is gone: somebody deleted it.")
        if found is None:
            return refused("Somebody deleted the connection that was made beside it: undo, and plan again.")
        said = await trouble_of(self._world.operator, found, self._arguments["target"])
        if not said:
            return done("It works.")
        since = self._world.clock.now() - datetime.fromisoformat(switched["at"])
        if switched.get("before") and since >= BROKEN_BEFORE:
            return done(f"It does not work, as it did not before the switch: {said}", works=False)
        if await self._application() is None:
            return refused(GONE)
        if since >= GIVES_UP:
            return refused(f"It worked before the switch and does not now: {said}")
        return waiting(f"It does not work yet: {said}")


def beside_id(saga: str, connection: str) -> str:
    """The id of the connection that a saga makes beside another: the same at every attempt."""
    return hashlib.sha256(f"{saga} {connection}".encode()).hexdigest()[:32]


async def trouble_of(operator: Operator, connection: Connection, target: Any) -> str:
    """Why a connection does not work; empty where it does. A query uses it, its state only tells of the last use."""
    if target is None:
        return connection.fault.message if connection.fault is not None else ""
    try:
        await operator.query(connection, target[0], target[1], PROOF)
    except CloudError as error:
        return str(error)
    return ""
