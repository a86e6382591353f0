"""One occurrence of a flow's trigger, really done: connections used, SQL asked, runs written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from itertools import takewhile
from typing import Any

from holdfast.sandbox import connection_use
from holdfast.sandbox.flows.definitions import Definition, DefinitionError, Operation, read_definition
from holdfast.sandbox.flows.execution import Execution, Setting
from holdfast.sandbox.flows.expressions import evaluate
from holdfast.sandbox.flows.sql_connector import Trace, ask
from holdfast.sandbox.flows.sql_operations import sql_call
from holdfast.sandbox.flows.steps import Step
from holdfast.sandbox.flows.values import ExpressionError, Json
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.records.platform import Connection, ConnectionReference, Flow
from holdfast.sandbox.records.runs import FAILED, SUCCEEDED, ActionRecord, Look, RunRecord, Use
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

SQL_CONNECTORS = ("shared_sql", "sql")
TICKS_END = 2**63 - 1
YEAR_ONE = datetime(1, 1, 1)  # noqa: DTZ001 - ticks have no zone
POLLS = {"frequency": "Minute", "interval": 3}

OTHER_CONNECTORS = Rule(
    "other_connectors_succeed",
    "An action of a connector that is not SQL succeeds with an empty answer, whatever it would have done.",
    Mark.ABSENT,
    "the sandbox plays SQL only",
)
DEFAULT_POLLING = Rule(
    "polling_every_three_minutes",
    "A polling trigger without a recurrence looks every three minutes.",
    Mark.ASSUMED,
    "intervals depend on the plan: power-automate-docs limits-and-config",
)
RULES = (OTHER_CONNECTORS, DEFAULT_POLLING)


@dataclass(slots=True)
class Doing:
    """What an occurrence has come to so far."""

    runs: list[RunRecord] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    is_ok: bool = True
    found_items: bool = False


def definition_of(world: World, flow: Flow) -> Definition:
    """The flow's definition taken apart, once for each time it was changed.

    Raises:
        DefinitionError: it cannot be run.
    """
    kept: dict[str, tuple[datetime, Definition]] = memo_of(world).setdefault("definitions", {})
    if flow.id not in kept or kept[flow.id][0] != flow.modified_at:
        kept[flow.id] = (flow.modified_at, read_definition(flow.definition))
    return kept[flow.id][1]


def recurrence_of(world: World, flow: Flow) -> Mapping[str, Any] | None:
    """How often the flow's trigger comes round; None for one that waits to be called."""
    try:
        trigger = definition_of(world, flow).trigger
    except DefinitionError:
        return None
    if isinstance(trigger.recurrence, Mapping):
        return trigger.recurrence
    if trigger.type == "Recurrence":
        inner = trigger.written.get("inputs")
        return inner if isinstance(inner, Mapping) else None
    return (
        POLLS
        if trigger.operation is not None and trigger.type in ("OpenApiConnection", "ApiConnection")
        else None
    )


def bound(world: World, flow: Flow, key: str) -> Connection | None:
    """The connection that a key of the definition stands for now."""
    named = flow.connections.get(key)
    if named is None:
        return None
    connection_id = named.pinned or named.connection_id
    if named.reference is not None and named.pinned is None:
        reference = reference_of(world, flow.environment_id, named.reference)
        connection_id = reference.connection_id if reference else None
    return world.connections.get(connection_id or "")


def reference_of(world: World, environment_id: str, logical_name: str) -> ConnectionReference | None:
    """A connection reference by its logical name in one environment; None if there is none."""
    kept: dict[tuple[str, str], ConnectionReference] = memo_of(world).setdefault("references", {})
    key = (environment_id, logical_name.casefold())
    known = kept.get(key)
    if known is not None and world.references.get(known.id) is known:
        return known
    for one in world.references.values():
        if (one.environment_id, one.logical_name.casefold()) == key:
            kept[key] = one
            return one
    return None


def run_name(world: World, flow: Flow, at: datetime, nth: int = 0) -> str:
    """The id of a run that started at `at`: newer ones sort first, as recorded ones do.

    `nth` tells runs of one instant apart: a clock that stands still may see several.
    """
    ticks = (at.replace(tzinfo=None) - YEAR_ONE) // timedelta(microseconds=1) * 10
    drawn = int(10**12 * world.draw("run", flow.id, at.isoformat(), *([nth] if nth else ())))
    return f"{TICKS_END - ticks:020d}{drawn:012d}CU{drawn % 40:02d}"


def _new_name(world: World, flow: Flow, at: datetime) -> str:
    same = [
        run
        for run in takewhile(lambda run: run.started_at >= at, reversed(flow.runs))
        if run.started_at == at
    ]
    return run_name(world, flow, at, len(same))


def started_at(run_id: str) -> datetime | None:
    """The instant inside a run's id, without its zone; None for a text that is none."""
    if len(run_id) != 36 or not run_id[:20].isdecimal():
        return None
    try:
        return YEAR_ONE + timedelta(microseconds=(TICKS_END - int(run_id[:20])) // 10)
    except OverflowError:
        return None


def occur(world: World, flow: Flow, at: datetime) -> Doing:
    """Do one occurrence of the trigger: start a run, or look for what would start one."""
    try:
        definition = definition_of(world, flow)
    except DefinitionError as error:
        doing = Doing(is_ok=False)
        doing.runs.append(_stillborn(world, flow, at, str(error)))
        return doing
    if definition.trigger.operation is not None and definition.trigger.type != "Recurrence":
        return _poll(world, flow, definition, at)
    doing = Doing()
    start(world, flow, definition, at, None, doing)
    return doing


def start(
    world: World, flow: Flow, definition: Definition, at: datetime, outputs: Json, doing: Doing
) -> RunRecord:
    """One run from beginning to end."""
    run_id = _new_name(world, flow, at)
    setting = Setting(
        run_id=run_id,
        started_at=at,
        trigger_outputs=outputs,
        workflow=_workflow(flow, run_id),
        operate=partial(_operate, world, flow, at, doing),
        draw=partial(world.draw, "action", flow.id),
    )
    record = Execution(definition, setting, at).run()
    doing.runs.append(record)
    doing.is_ok &= record.status != FAILED
    doing.trace.is_volatile |= record.is_volatile
    return record


def _operate(
    world: World,
    flow: Flow,
    begun: datetime,
    doing: Doing,
    operation: Operation,
    parameters: Mapping[str, Json],
    at: datetime,
) -> Step:
    connection = bound(world, flow, operation.key)
    if connection is None and operation.connector not in SQL_CONNECTORS:
        return _step(200, {}, parameters)
    used = connection_use.use(world, connection, at)
    code = used.code if isinstance(used, connection_use.Failure) else connection_use.FINE
    doing.uses.append(Use(connection_id=connection.id if connection else "", offset=at - begun, code=code))
    if isinstance(used, connection_use.Failure):
        doing.trace.failed += 1
        return _step(used.status, used.body, parameters)
    if connection is None or operation.connector not in SQL_CONNECTORS:
        return _step(200, {}, parameters)
    call = sql_call(operation)
    if call is None:
        return _step(404, {"error": {"code": 404, "message": "Operation not found."}}, parameters)
    told = ask(world, connection, used, call, at, doing.trace)
    doing.trace.failed += told.status >= 400
    return _step(told.status, told.body, parameters)


def _step(status: int, body: Any, inputs: Any) -> Step:
    code = HTTPStatus(status).phrase.replace(" ", "").replace("-", "")
    outputs = {
        "statusCode": status,
        "headers": {"Content-Type": "application/json; charset=utf-8"},
        "body": body,
    }
    return Step(SUCCEEDED if status < 400 else FAILED, code, inputs={"parameters": inputs}, outputs=outputs)


def _poll(world: World, flow: Flow, definition: Definition, at: datetime) -> Doing:
    doing = Doing()
    operation = definition.trigger.operation
    if operation is None:
        return doing
    connection = bound(world, flow, operation.key)
    used = connection_use.use(world, connection, at)
    code = used.code if isinstance(used, connection_use.Failure) else connection_use.FINE
    doing.uses.append(Use(connection_id=connection.id if connection else "", offset=timedelta(), code=code))
    if isinstance(used, connection_use.Failure) or connection is None:
        doing.trace.failed += 1
        doing.is_ok = False
        return doing
    call = sql_call(_evaluated(operation, definition)) if operation.connector in SQL_CONNECTORS else None
    if call is None:
        return doing
    told = ask(world, connection, used, call._replace(values={"mark": flow.poll_mark}), at, doing.trace)
    if told.status >= 400:
        doing.trace.failed += 1
        doing.is_ok = False
        return doing
    doing.found_items = told.body["mark"] != flow.poll_mark
    flow.poll_mark = told.body["mark"]
    splits = "splitOn" in definition.trigger.written
    items = told.body["value"]
    for turn, body in enumerate(items if splits else [{"value": items}] if items else []):
        outputs = {"statusCode": 200, "headers": {}, "body": body}
        start(world, flow, definition, at + timedelta(milliseconds=turn), outputs, doing)
    return doing


def _evaluated(operation: Operation, definition: Definition) -> Operation:
    references = {"parameters": lambda name: definition.parameters.get(name)}
    try:
        return operation._replace(
            parameters=evaluate(dict(operation.parameters), references),
            path=evaluate(operation.path, references),
            queries=evaluate(dict(operation.queries), references),
        )
    except ExpressionError:
        return operation


def _workflow(flow: Flow, run_id: str) -> dict[str, Any]:
    path = f"/providers/Microsoft.ProcessSimple/environments/{flow.environment_id}/flows/{flow.id}"
    return {
        "id": path,
        "name": flow.id,
        "type": "Microsoft.ProcessSimple/environments/flows",
        "tags": {
            "flowDisplayName": flow.display_name,
            "environmentName": flow.environment_id,
            "xrmWorkflowId": flow.workflow_id,
        },
        "run": {
            "id": f"{path}/runs/{run_id}",
            "name": run_id,
            "type": "Microsoft.ProcessSimple/environments/flows/runs",
        },
    }


def _stillborn(world: World, flow: Flow, at: datetime, message: str) -> RunRecord:
    error = {"code": "InvalidTemplate", "message": message}
    actions: list[ActionRecord] = []
    return RunRecord(
        id=_new_name(world, flow, at),
        started_at=at,
        ended_at=at,
        status=FAILED,
        code="InvalidTemplate",
        error=error,
        trigger_name="",
        trigger_outputs=None,
        actions=actions,
    )


def look_of(doing: Doing, at: datetime) -> Look:
    """What an occurrence came to, for deciding whether the next one would come to the same."""
    return Look(
        at=at,
        is_ok=doing.is_ok,
        run_ids=[run.id for run in doing.runs],
        uses=doing.uses,
        touched=list(doing.trace.touched),
        repeats=not (doing.trace.is_volatile or doing.trace.wrote or doing.found_items),
        turns_at=doing.trace.turns_at,
        failed=doing.trace.failed,
    )
