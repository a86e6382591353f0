"""What the steps of a rotation reach, and what they have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holdfast.core.deed import Outcome, done
from holdfast.core.errors import ConflictError, MissingError
from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.inventory import Environment
from holdfast.core.plan import PlannedStep
from holdfast.core.secret import Secret
from holdfast.ports import Certify, Clock, Directory, Operator, Registry, SecretStore, SignsIn
from holdfast.saga import Past

UnderWay = Callable[[str, str, str], Awaitable[str]]
"""The saga of another rotation of an application and kind that is not over, apart from the one named last; or empty."""


@dataclass(frozen=True, slots=True)
class World:
    """What the steps reach.

    Attributes:
        directory: as the reader; for the sign-in log.
        principal: object id of the operator's identity in the tenant; empty for a person, to whom nothing can be lent.
        clock: tells the cloud's time: ends and sign-ins are told in it.
    """

    registry: Registry
    operator: Operator
    directory: Directory
    secrets: SecretStore
    signs_in: SignsIn
    principal: str
    clock: Clock
    environments: Mapping[str, Environment]
    under_way: UnderWay
    certify: Certify


def secret_name(client_id: str, key_id: str) -> str:
    """Under which the secret store keeps the text of a credential that holdfast made."""
    return f"app/{client_id}/{key_id}"


GONE: Final = "The application is gone: somebody deleted it, and restores it or undoes this plan."


class Planned:
    """A step as planned, bound to the world; nothing to clear and nothing to undo unless it says so."""

    def __init__(self, planned: PlannedStep, world: World) -> None:
        self.name = planned.name
        self._planned = planned
        self._world = world

    @property
    def _arguments(self) -> Mapping[str, Any]:
        return self._planned.arguments

    @property
    def _kind(self) -> str:
        """ "secret" or "certificate"; plans of earlier versions name none."""
        return str(self._arguments.get("kind", "secret"))

    async def clear(self, past: Past) -> None:
        """Nothing to remove."""

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Nothing to undo."""
        return done()

    async def _new(self, past: Past) -> Secret:
        """The new credential. Raises ConflictError where the store has lost it."""
        stored = past["add"].facts["stored"]
        found = await self._world.secrets.read(stored)
        if found is None:
            raise ConflictError(
                f"The secret store no longer has {stored!r}: undo this plan and plan again.",
                "secrets",
                "read",
            )
        return found

    async def _signs_in(self, credential: Secret) -> str:
        return await self._world.signs_in(self._arguments["client_id"], credential, self._kind)

    async def _application(self) -> ServicePrincipal | None:
        """The application as it is now; None where somebody deleted it."""
        try:
            return await self._world.registry.application(self._arguments["application"])
        except MissingError:
            return None

    def _of_kind(self, app: ServicePrincipal) -> list[ClientSecret]:
        return [each for each in app.secrets if each.kind == self._kind]


async def remove_credential(world: World, arguments: Mapping[str, Any], key_id: str) -> None:
    """Remove one credential of the application, then its text from our store."""
    if arguments.get("kind", "secret") == "certificate":
        await world.registry.remove_certificate(arguments["application"], key_id)
    else:
        await world.registry.remove_secret(arguments["application"], key_id)
    await world.secrets.delete(secret_name(arguments["client_id"], key_id))
