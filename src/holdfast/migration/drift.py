"""What has moved away from where a migration put it: by a deployment, most often."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import (
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    EnvironmentId,
    FlowId,
)
from holdfast.core.plan import Plan, PlannedStep
from holdfast.migration.definitions import fingerprint
from holdfast.migration.names import connection_id
from holdfast.ports import Operator


class Drift(NamedTuple):
    """One thing that is not as the migration left it.

    Attributes:
        what: "binding", "definition" or "connection".
    """

    plan: str
    saga: str
    environment: str
    connection: str
    what: str
    name: str
    says: str


async def drifted(
    plan: Plan,
    stands: Mapping[str, Collection[str]],
    operator: Operator,
    environments: Mapping[str, Environment],
) -> list[Drift]:
    """Look at everything that stands of a plan.

    Args:
        stands: by saga, the steps that are done and not undone.
        environments: by id, as they are now.
    """
    found = []
    for step in plan.steps:
        if step.name not in stands.get(step.saga, ()):
            continue
        id = EnvironmentId(step.environment or "")
        environment = environments.get(id) or Environment(id, id)
        kind = step.name.partition(":")[0]
        look = {"bind": _binding, "define": _definition, "connection": _connection}.get(kind)
        said = await look(step, operator, environment) if look is not None else None
        if said is not None:
            old = step.connection or ""
            found.append(Drift(plan.id, step.saga, id, old, WORDS[kind], _name(step), said))
    return found


WORDS = {"bind": "binding", "define": "definition", "connection": "connection"}


def _name(step: PlannedStep) -> str:
    for key in ("flow_name", "name", "display_name"):
        if key in step.arguments:
            return str(step.arguments[key])
    return step.name


async def _binding(step: PlannedStep, operator: Operator, environment: Environment) -> str | None:
    new = connection_id(step.saga, step.connection or "")
    try:
        found = await operator.reference(environment, ConnectionReferenceId(step.arguments["reference"]))
    except MissingError:
        return "The connection reference is gone."
    if found.connection == new:
        return None
    if found.connection == step.connection:
        return (
            "Bound to the old connection again, most often by a deployment: put the new one into its settings"
            " (`holdfast migrate after`), then bind it."
        )
    return f"Bound to another connection ({found.connection or 'none'})."


async def _definition(step: PlannedStep, operator: Operator, environment: Environment) -> str | None:
    try:
        row = await operator.flow(environment, FlowId(step.arguments["flow"]))
    except MissingError:
        return "The flow is gone."
    now = fingerprint(row.clientdata)
    if now == step.arguments["becomes"]:
        return None
    if now == step.arguments["sha256"]:
        return "The old definition stands there again, on the old connection."
    return "It was edited since; see that it still uses the new connection."


async def _connection(step: PlannedStep, operator: Operator, environment: Environment) -> str | None:
    new = ConnectionId(connection_id(step.saga, step.connection or ""))
    try:
        found = await operator.connection(environment.id, ConnectorId(step.arguments["connector"]), new)
    except (MissingError, RefusedError):
        return "The new connection is gone."
    return f"The new connection is broken: {found.fault.message}" if found.fault is not None else None
