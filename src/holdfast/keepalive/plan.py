"""Which flow keeps which connections alive, how often, and what it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.inventory import Connection, Environment
from holdfast.core.plan import Accepted, Declined, Plan, PlannedStep, Show, label, saga_id
from holdfast.keepalive.eligibility import QUERY, SQL, Answer, Case, Kind, Target, eligibility
from holdfast.reading.witnesses import last_refresh

KIND: Final = "keepalive"
SOONEST: Final = timedelta(minutes=30)
"""The first run is not before the flow can be on."""

MARGIN: Final = timedelta(days=7)
"""How long before its horizon a connection is used at the latest, where there is so much time left."""


COST: Final = (
    "SQL is a premium connector: whoever owns the flow needs a licence for it (not looked at), an application a Process"
    " licence, without which the platform turns it off after 14 days; a serverless database wakes up for each run and does"
    " not pause around it (not looked at: --serverless SERVER/DATABASE leaves it alone)"
)


FAILING_LIMIT: Final = timedelta(days=14)
"""How long a flow may fail before the platform switches it off (power-automate-docs limits-and-config)."""


class Cadence(StrEnum):
    """How often a keep-alive flow runs."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def period(self) -> timedelta:
        """Between two runs. A month is four weeks: a day that not every month has would leave gaps."""
        return timedelta(weeks=1) if self is Cadence.WEEKLY else timedelta(weeks=4)

    @property
    def risk(self) -> str:
        """What can still go wrong, in numbers: with one run in five failing."""
        tries = REFRESH_TOKEN_IDLE_LIMIT // self.period
        lost, given_up = 0.2**tries, FAILING_LIMIT // self.period + (1 if self is Cadence.WEEKLY else 2)
        return (
            f"{tries} runs within 90 days; where one in five fails, all of them fail once in {round(1 / lost):,} windows;"
            f" the platform switches a flow off that failed for 14 days, which {given_up} failing runs in a row are"
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose, and who holdfast is.

    Attributes:
        draw: from 0 up to 1: where in its period the plan's flows run; drawn once, kept in the plan.
        operator: object id of the operator's identity in the tenant, with whom owners share; `operator_name` for people.
    """

    plan: str
    tenant: str
    tenant_name: str
    now: datetime
    cadence: Cadence
    draw: float
    operator: str
    operator_name: str
    accepted: tuple[Accepted, ...] = ()


def plan_keepalive(cases: Sequence[Case], choices: Choices) -> Plan:
    """One flow per owner and environment, with a branch for each of the owner's connections there."""
    answers = [(case, eligibility(case)) for case in cases]
    together: dict[tuple[str, str], list[Case]] = {}
    for case, answer in answers:
        if answer.kind is Kind.YES:
            owner = case.connection.owner
            together.setdefault((case.environment.id, owner.id if owner else ""), []).append(case)
    steps: list[PlannedStep] = []
    for number, group in enumerate(together.values(), 1):
        steps += _saga(saga_id(choices.plan, number), group, choices, number)
    return Plan(
        kind=KIND,
        id=choices.plan,
        tenant=choices.tenant,
        tenant_name=choices.tenant_name,
        made_at=choices.now,
        steps=tuple(steps),
        declined=tuple(_declined(case, answer) for case, answer in answers if answer.kind is not Kind.YES),
        choices={
            "cadence": choices.cadence.value,
            "draw": choices.draw,
            "operator": choices.operator,
            "requests_per_year": sum(map(len, together.values())) * requests_per_year(choices.cadence),
        },
        accepted=choices.accepted,
    )


def _declined(case: Case, answer: Answer) -> Declined:
    reason = answer.reason if answer.kind is Kind.CANNOT_HELP else f"{answer.kind.value}:{answer.reason}"
    return Declined(case.connection.id, case.environment.id, reason, answer.says)


def _saga(saga: str, group: Sequence[Case], choices: Choices, number: int) -> list[PlannedStep]:
    environment = group[0].environment
    owner = group[0].connection.owner
    who = (owner.display_name or owner.user_principal_name or owner.id) if owner else "its owner"
    steps = [_shared(saga, case, who, choices) for case in group]
    steps.append(_solution(saga, group))
    steps += [_reference(saga, case, index) for index, case in enumerate(group)]
    start = first_run(group, choices, number)
    branches = [
        {
            "connection": case.connection.id,
            "name": case.connection.display_name,
            "connector": case.connection.connector,
            "reference": logical_name(saga, index),
            "target": list(case.target or ()),
        }
        for index, case in enumerate(group)
    ]
    flow = {"owner": owner.id if owner else "", "start_at": start.isoformat(), "branches": branches}
    arguments = {
        **flow,
        "cadence": choices.cadence.value,
        "place": environment.display_name,
        "name": label(saga, f"keeps alive for {who}")[:256],
    }
    made = PlannedStep(
        saga,
        "flow",
        f"Makes a flow in {environment.display_name!r} that uses {_counted(len(group))} {choices.cadence.value}, first"
        f" {start:%Y-%m-%d %H:%M} UTC",
        None if len(group) > 1 else group[0].connection.id,
        environment.id,
        arguments,
        risk=choices.cadence.risk,
        cost=_cost(len(group), choices.cadence),
        undo="Removes the flow",
    )
    on = PlannedStep(
        saga,
        "switch_on",
        "Switches the flow on; where that is refused, hands it to its owner and waits until it is on",
        made.connection,
        environment.id,
        {"owner": arguments["owner"], "who": who},
        undo="Switches the flow off",
    )
    return [*steps, PlannedStep(**{**_fields(made), "shows": shows_of(made)}), on]


def _fields(step: PlannedStep) -> dict[str, Any]:
    return {name: getattr(step, name) for name in PlannedStep.__slots__}


def _counted(connections: int) -> str:
    return "1 connection" if connections == 1 else f"each of {connections} connections"


def _cost(branches: int, cadence: Cadence) -> str:
    return f"{branches * requests_per_year(cadence)} requests a year; {COST}"


def requests_per_year(cadence: Cadence) -> int:
    """Of one connection."""
    return round(timedelta(days=365) / cadence.period)


def _shared(saga: str, case: Case, who: str, choices: Choices) -> PlannedStep:
    connection = case.connection
    return PlannedStep(
        saga,
        f"shared:{connection.id}",
        f"Checks that {connection.display_name!r} is still shared with {choices.operator_name!r}"
        if case.is_shared
        else f"Waits until {who} has shared {connection.display_name!r} with {choices.operator_name!r} (Can use)",
        connection.id,
        case.environment.id,
        {
            "connector": connection.connector,
            "owner": connection.owner.id if connection.owner else "",
            "who": who,
            "operator": choices.operator,
            "operator_name": choices.operator_name,
            "link": portal_link(case.environment, connection),
            "is_shared": bool(case.is_shared),
        },
        by="" if case.is_shared else who,
    )


def portal_link(environment: Environment, connection: Connection) -> str:
    """Where its owner finds the connection."""
    return (
        f"https://make.powerautomate.com/environments/{environment.id}/connections/"
        f"{connection.connector}/{connection.id}/details"
    )


def _solution(saga: str, group: Sequence[Case]) -> PlannedStep:
    environment = group[0].environment
    return PlannedStep(
        saga,
        "solution",
        f"Makes the solution 'holdfast' in {environment.display_name!r} where it is not there",
        None if len(group) > 1 else group[0].connection.id,
        environment.id,
        {"name": label(saga, "keep-alive flows")},
        undo="Removes the solution once nothing of holdfast's is in it",
    )


def _reference(saga: str, case: Case, index: int) -> PlannedStep:
    connection = case.connection
    return PlannedStep(
        saga,
        f"reference:{connection.id}",
        f"Makes a connection reference bound to {connection.display_name!r}",
        connection.id,
        case.environment.id,
        {
            "connector": connection.connector,
            "logical_name": logical_name(saga, index),
            "display_name": label(saga, connection.display_name)[:200],
        },
        undo="Removes the connection reference",
    )


def logical_name(saga: str, index: int) -> str:
    """Of the reference to a saga's connection, in the form that Dataverse allows."""
    return f"new_holdfast_{saga.replace('-', '_')}_{index}"


def first_run(group: Sequence[Case], choices: Choices, number: int) -> datetime:
    """When the flow runs first: spread over one period, early enough for the nearest horizon.

    The spread only makes it earlier than a period from now, never later.

    Args:
        number: of the flow within its plan; each falls far from the others.
    """
    latest = choices.now + choices.cadence.period
    for case in group:
        refreshed = last_refresh(case.judgement.witnesses) if case.judgement else None
        if refreshed is None:
            latest = choices.now + SOONEST
            continue
        ends = refreshed.earliest + REFRESH_TOKEN_IDLE_LIMIT
        latest = min(latest, max(ends - MARGIN, choices.now + SOONEST))
    spread = max(latest - choices.now - SOONEST, timedelta(0))
    # Steps of the golden section fill a period evenly, however many there are; the draw moves them all.
    where = (choices.draw + number * 0.6180339887498949) % 1.0
    return (latest - spread * where).replace(microsecond=0)


def shows_of(step: PlannedStep) -> tuple[Show, ...]:
    """A step's JSON, rendered from its arguments."""
    if step.name != "flow":
        return ()
    return (Show("The flow's definition", "json", clientdata_of(step.arguments, indent=2)),)


def clientdata_of(arguments: Mapping[str, Any], indent: int | None = None) -> str:
    """The keep-alive flow as Dataverse takes it: a recurrence, and one branch per connection, side by side."""
    branches = arguments["branches"]
    references = {
        _key(index): {
            "runtimeSource": "embedded",
            "connection": {"connectionReferenceLogicalName": branch["reference"]},
            "api": {"name": connector_of(branch)},
        }
        for index, branch in enumerate(branches)
    }
    definition = {
        "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "$connections": {"defaultValue": {}, "type": "Object"},
            "$authentication": {"defaultValue": {}, "type": "SecureObject"},
        },
        "triggers": {"Recurrence": _trigger(arguments)},
        "actions": {
            f"Keep_alive_{index + 1}": _action(index, connector_of(branch), Target(*branch["target"]))
            for index, branch in enumerate(branches)
        },
    }
    content = {
        "properties": {"connectionReferences": references, "definition": definition},
        "schemaVersion": "1.0.0.0",
    }
    return json.dumps(content, indent=indent, ensure_ascii=True)


def connector_of(branch: Mapping[str, Any]) -> str:
    """Of a branch's connection; plans of before told none, and were for one connector only."""
    return str(branch.get("connector", SQL))


def _key(index: int) -> str:
    return SQL if index == 0 else f"{SQL}_{index}"


def _trigger(arguments: Mapping[str, Any]) -> dict[str, Any]:
    start = datetime.fromisoformat(arguments["start_at"])
    weeks = Cadence(arguments["cadence"]).period // timedelta(weeks=1)
    return {
        "type": "Recurrence",
        "recurrence": {
            "frequency": "Week",
            "interval": weeks,
            "startTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "timeZone": "UTC",
        },
    }


def _action(index: int, connector: str, target: Target) -> dict[str, Any]:
    parameters = {"server": target.server, "database": target.database}
    if target.table is None:
        # Without a name of its own the column has none, which the connector does not take.
        parameters["query/query"] = "SELECT 1 AS holdfast"
        operation = QUERY
    else:
        parameters |= {"table": target.table, "$top": "1"}
        operation = "GetItems_V2"
    return {
        "type": "OpenApiConnection",
        "runAfter": {},
        "inputs": {
            "host": {
                "apiId": f"/providers/Microsoft.PowerApps/apis/{connector}",
                "connectionName": _key(index),
                "operationId": operation,
            },
            "parameters": parameters,
            "authentication": "@parameters('$authentication')",
        },
    }
