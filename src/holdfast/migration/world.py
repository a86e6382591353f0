"""What the steps of a migration reach, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from holdfast.core.deed import Outcome, done
from holdfast.core.errors import ConflictError
from holdfast.core.inventory import Environment, EnvironmentId
from holdfast.core.plan import PlannedStep
from holdfast.core.secret import Secret
from holdfast.ports import (
    Applications,
    Certify,
    Clock,
    Directory,
    Operator,
    Platform,
    Registry,
    Runs,
    SecretStore,
    SignsIn,
    SqlServer,
    Starter,
)
from holdfast.saga import Past

SqlAs = Callable[[str, Secret, str], AbstractAsyncContextManager[SqlServer]]
"""Databases as an application sees them that signs in with a client id and a credential of a kind."""

REDIRECT: Final = "https://global.consent.azure-apim.net/redirect/sql"
NOT_ASSIGNED: Final = ("AADSTS501051", "AADSTS50105")
"""Azure SQL Database demands in this tenant that who signs in to it is assigned to it."""

PROOF: Final = "SELECT 1 AS holdfast"


@dataclass(frozen=True, slots=True)
class World:
    """What the steps reach.

    Attributes:
        registry: None where nobody of ours administers applications; `sql_admin` likewise for databases.
        platform: as the reader; `directory` and `applications` likewise.
        sql_as: databases as the new application sees them.
        principal: object id of the operator's identity in the tenant; empty for a person, to whom nothing can be lent.
        starter: of flows, where the operator is a person; `runs` tells at once what was started.
        clock: tells the cloud's time.
    """

    operator: Operator
    platform: Platform
    directory: Directory
    applications: Applications
    secrets: SecretStore
    signs_in: SignsIn
    sql_as: SqlAs
    principal: str
    clock: Clock
    environments: Mapping[str, Environment]
    certify: Certify
    registry: Registry | None = None
    sql_admin: Callable[[], AbstractAsyncContextManager[SqlServer]] | None = None
    starter: Starter | None = None
    runs: Runs | None = None


class Planned:
    """A step with its arguments and the world."""

    def __init__(self, planned: PlannedStep, world: World) -> None:
        self.name = planned.name
        self._planned = planned
        self._world = world

    @property
    def _arguments(self) -> Mapping[str, Any]:
        return self._planned.arguments

    @property
    def _saga(self) -> str:
        return self._planned.saga

    @property
    def _environment(self) -> Environment:
        id = EnvironmentId(self._planned.environment or "")
        return self._world.environments.get(id) or Environment(id, id)

    async def clear(self, past: Past) -> None:
        """Nothing to remove."""

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Nothing to undo."""
        return done()

    async def _secret(self, past: Past) -> Secret:
        """The application's secret or certificate. Raises ConflictError where the store has lost it."""
        name = credential_facts(past)["stored"]
        found = await self._world.secrets.read(name)
        if found is None:
            raise ConflictError(
                f"The secret store no longer has {name!r}: undo this plan and plan again.", "secrets", "read"
            )
        return found

    def _now(self) -> str:
        return self._world.clock.now().isoformat()


def kind_of(past: Past) -> str:
    """What the application signs in with: "secret" or "certificate", which is the name of the step that made it."""
    return "certificate" if "certificate" in past else "secret"


def credential_facts(past: Past) -> Mapping[str, Any]:
    """What is known of the application's credential: `key_id`, and under which name it is `stored`."""
    return past[kind_of(past)].facts


def to_assign(application: str, said: str) -> str:
    """What an administrator has to do first, where Entra said so; empty for anything else."""
    if not any(number in said for number in NOT_ASSIGNED):
        return ""
    return (
        f"An administrator has to assign {application!r} to Azure SQL Database (Entra admin center > Enterprise"
        " applications > Azure SQL Database > Users and groups), which demands assignment. "
    )
