"""Actions that are neither containers nor calls of a connector: variables, data operations, responses, waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from holdfast.sandbox.flows.definitions import Action
from holdfast.sandbox.flows.functions import FUNCTIONS
from holdfast.sandbox.flows.steps import Running, Step
from holdfast.sandbox.flows.values import ExpressionError, Json, as_text, is_number
from holdfast.sandbox.records.runs import FAILED

EMPTY: dict[str, Json] = {
    "string": "",
    "integer": 0,
    "float": 0.0,
    "boolean": False,
    "array": [],
    "object": {},
}


def _initialize(run: Running, action: Action) -> Step:
    for declared in _inputs(action).get("variables") or []:
        name, kind = declared.get("name"), str(declared.get("type", "string")).lower()
        value = run.evaluated(declared.get("value")) if "value" in declared else None
        run.variables[name] = EMPTY.get(kind) if value is None else value
    return Step(inputs=action.written.get("inputs"))


def _set(run: Running, action: Action) -> Step:
    name, value = _named(run, action)
    run.variables[name] = value
    return Step(inputs={"name": name, "value": value}, outputs={"body": {"name": name, "value": value}})


def _changed(by: Callable[[Json, Json], Json]) -> Callable[[Running, Action], Step]:
    def change(run: Running, action: Action) -> Step:
        name, value = _named(run, action)
        run.variables[name] = by(run.variables[name], 1 if value is None else value)
        told = {"name": name, "value": run.variables[name]}
        return Step(inputs={"name": name, "value": value}, outputs={"body": told})

    return change


def _named(run: Running, action: Action) -> tuple[str, Json]:
    inputs = _inputs(action)
    name = inputs.get("name")
    if not isinstance(name, str) or name not in run.variables:
        raise ExpressionError(f"The variable '{name}' is not initialized.")
    return name, run.evaluated(inputs.get("value"))


def _inputs(action: Action) -> dict[str, Any]:
    inputs = action.written.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _increment(before: Json, by: Json) -> Json:
    if not is_number(before) or not is_number(by):
        raise ExpressionError("Only a number can be incremented.")
    return before + by


def _decrement(before: Json, by: Json) -> Json:
    if not is_number(before) or not is_number(by):
        raise ExpressionError("Only a number can be decremented.")
    return before - by


def _append(before: Json, value: Json) -> Json:
    if not isinstance(before, list):
        raise ExpressionError("The variable to append to is not an array.")
    return [*before, value]


def _append_text(before: Json, value: Json) -> Json:
    return FUNCTIONS["concat"]("concat", [before, value])


def _compose(run: Running, action: Action) -> Step:
    value = run.evaluated(action.written.get("inputs"))
    return Step(inputs=value, outputs=value)


def _parse_json(run: Running, action: Action) -> Step:
    content = run.evaluated(_inputs(action).get("content"))
    # The schema is not checked: nothing that breaks a connection shows there.
    value = FUNCTIONS["json"]("json", [content]) if isinstance(content, str) else content
    return Step(inputs={"content": content}, outputs={"body": value})


def _over(run: Running, action: Action, each: Callable[[Json], Json]) -> list[Json]:
    source = run.evaluated(_inputs(action).get("from"))
    if not isinstance(source, list):
        raise ExpressionError("The 'from' property value must be an array.")
    results = []
    for item in source:
        run.items.append((action.name, item))
        try:
            results.append(each(item))
        finally:
            run.items.pop()
    return results


def _select(run: Running, action: Action) -> Step:
    template = _inputs(action).get("select")
    return Step(outputs={"body": _over(run, action, lambda item: run.evaluated(template))})


def _query(run: Running, action: Action) -> Step:
    where = _inputs(action).get("where")
    kept = _over(run, action, lambda item: (run.evaluated(where) is True, item))
    return Step(outputs={"body": [item for is_kept, item in kept if is_kept]})


def _join(run: Running, action: Action) -> Step:
    between = run.evaluated(_inputs(action).get("joinWith"))
    return Step(outputs={"body": as_text(between).join(map(as_text, _over(run, action, lambda item: item)))})


def _table(run: Running, action: Action) -> Step:
    rows = _over(run, action, lambda item: item if isinstance(item, dict) else {"value": item})
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names), *(",".join(as_text(row.get(name)) for name in names) for row in rows)]
    return Step(outputs={"body": "\r\n".join(lines) + "\r\n"})


def _respond(run: Running, action: Action) -> Step:
    run.response = run.evaluated(action.written.get("inputs"))
    return Step(inputs=run.response, outputs=run.response)


def _terminate(run: Running, action: Action) -> Step:
    inputs = run.evaluated(_inputs(action))
    status = str(inputs.get("runStatus", FAILED))
    error = inputs.get("runError") if status == FAILED else None
    return Step(inputs=inputs, ends_run=status, error=error if isinstance(error, dict) else None)


def _wait(run: Running, action: Action) -> Step:
    interval = run.evaluated(_inputs(action)).get("interval") or {}
    units = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000}
    count, unit = interval.get("count", 0), str(interval.get("unit", "Second")).lower()
    seconds = count * units.get(unit, 1) if is_number(count) else 0
    return Step(took=timedelta(seconds=min(max(seconds, 0), 30 * 86400)))


def _call(run: Running, action: Action) -> Step:
    inputs = run.evaluated(action.written.get("inputs"))
    return Step(inputs=inputs, outputs={"statusCode": 200, "headers": {}, "body": None})


def _other(run: Running, action: Action) -> Step:
    inputs = run.evaluated(action.written.get("inputs"))
    error = {
        "code": "NotInTheSandbox",
        "message": f"The sandbox does not play actions of type '{action.type}'.",
    }
    return Step(FAILED, "NotImplemented", inputs=inputs, error=error)


LEAVES: dict[str, Callable[[Running, Action], Step]] = {
    "InitializeVariable": _initialize,
    "SetVariable": _set,
    "IncrementVariable": _changed(_increment),
    "DecrementVariable": _changed(_decrement),
    "AppendToArrayVariable": _changed(_append),
    "AppendToStringVariable": _changed(_append_text),
    "Compose": _compose,
    "ParseJson": _parse_json,
    "Select": _select,
    "Query": _query,
    "Join": _join,
    "Table": _table,
    "Response": _respond,
    "Terminate": _terminate,
    "Wait": _wait,
    # No request leaves the sandbox: calls to addresses and to child flows are answered with an empty 200.
    "Http": _call,
    "Workflow": _call,
    "other": _other,
}
"""By the type that a definition gives."""
