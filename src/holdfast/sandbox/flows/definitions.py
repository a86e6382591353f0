"""A flow definition taken apart: the trigger, the actions with what runs inside them, and the operations they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from holdfast.sandbox.flows.values import Json

DEEPEST = 20
"""Containers inside containers; Logic Apps allows 8, this is a limit against hostile definitions."""

CONNECTION_KEY = re.compile(r"@\{?parameters\('\$connections'\)\['((?:[^']|'')+)'\]")
CONTAINERS = frozenset({"Scope", "If", "Switch", "Foreach", "Until"})


class DefinitionError(ValueError):
    """A definition that cannot be run; the text names the action."""


class Operation(NamedTuple):
    """One call of a connector.

    Attributes:
        key: which of the flow's connections, by its key in the definition.
        operation_id: None where the call is written as method and path.
        parameters: as written, expressions and all.
        path: the path of the older form, as written; `method` goes with it.
    """

    key: str
    connector: str
    operation_id: str | None
    parameters: Mapping[str, Json]
    method: str = "GET"
    path: Json = None
    queries: Mapping[str, Json] = {}
    body: Json = None


class Action(NamedTuple):
    """One action.

    Attributes:
        run_after: the actions before it, each with the statuses after which it runs.
        branches: the actions inside, by branch: ``actions``, ``else``, a case's name, ``default``.
        written: the action as it stands in the definition.
    """

    name: str
    type: str
    run_after: Mapping[str, frozenset[str]]
    branches: Mapping[str, tuple[Action, ...]]
    operation: Operation | None
    written: Mapping[str, Any]


class Trigger(NamedTuple):
    """What starts the flow.

    Attributes:
        recurrence: how often it looks or starts; None for one that waits to be called.
        operation: what a polling trigger asks of its connector.
    """

    name: str
    type: str
    kind: str | None
    recurrence: Mapping[str, Any] | None
    operation: Operation | None
    written: Mapping[str, Any]


class Definition(NamedTuple):
    """A definition that can be run."""

    trigger: Trigger
    actions: tuple[Action, ...]
    parameters: Mapping[str, Json]


def read_definition(written: Mapping[str, Any]) -> Definition:
    """The definition, its actions in an order in which they can run.

    Raises:
        DefinitionError: it has no trigger or more than one, or an action that cannot be understood.
    """
    triggers = written.get("triggers")
    if not isinstance(triggers, dict) or len(triggers) != 1:
        raise DefinitionError("The definition must have exactly one trigger.")
    actions = written.get("actions") or {}
    if not isinstance(actions, dict):
        raise DefinitionError("The definition's actions must be an object.")
    parameters = written.get("parameters") or {}
    return Definition(
        trigger=_trigger(*next(iter(triggers.items()))),
        actions=_actions(actions, DEEPEST),
        parameters={name: _default(value) for name, value in parameters.items()},
    )


def _default(declared: Any) -> Json:
    if isinstance(declared, dict):
        return declared.get("value", declared.get("defaultValue"))
    return None


def _trigger(name: str, written: Any) -> Trigger:
    if not isinstance(written, dict) or not isinstance(written.get("type"), str):
        raise DefinitionError(f"The trigger '{name}' has no type.")
    return Trigger(
        name=name,
        type=written["type"],
        kind=written.get("kind"),
        recurrence=written.get("recurrence"),
        operation=operation_of(written),
        written=written,
    )


def _actions(written: Mapping[str, Any], deep: int) -> tuple[Action, ...]:
    if not deep:
        raise DefinitionError("The actions of the definition are nested too deeply.")
    return tuple(_in_order([_action(name, action, deep) for name, action in written.items()]))


def _action(name: str, written: Any, deep: int) -> Action:
    if not isinstance(written, dict) or not isinstance(written.get("type"), str):
        raise DefinitionError(f"The action '{name}' has no type.")
    run_after = written.get("runAfter") or {}
    if not isinstance(run_after, dict) or not all(isinstance(wanted, list) for wanted in run_after.values()):
        raise DefinitionError(f"The 'runAfter' of the action '{name}' must be an object of lists.")
    return Action(
        name=name,
        type=written["type"],
        run_after={
            before: frozenset(str(status).upper() for status in wanted)
            for before, wanted in run_after.items()
        },
        branches={branch: _actions(inner, deep - 1) for branch, inner in _branches(written)},
        operation=operation_of(written),
        written=written,
    )


def _branches(written: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    kind = written["type"]
    if kind not in CONTAINERS:
        return
    if kind != "Switch":
        yield "actions", written.get("actions") or {}
    if kind == "If":
        yield "else", (written.get("else") or {}).get("actions") or {}
    if kind == "Switch":
        for case, inner in (written.get("cases") or {}).items():
            yield f"case:{case}", inner.get("actions") or {}
        yield "default", (written.get("default") or {}).get("actions") or {}


def _in_order(actions: list[Action]) -> Iterator[Action]:
    """Each after those it runs after; in document order otherwise. Raises DefinitionError for a circle."""
    waiting = {action.name: action for action in actions}
    placed: set[str] = set()
    for action in actions:
        if unknown := next((before for before in action.run_after if before not in waiting), None):
            raise DefinitionError(f"The action '{action.name}' runs after '{unknown}', which does not exist.")
    while waiting:
        ready = [one for one in waiting.values() if placed.issuperset(one.run_after)]
        if not ready:
            raise DefinitionError(f"The actions {', '.join(sorted(waiting))} wait for each other.")
        for action in ready:
            placed.add(action.name)
            del waiting[action.name]
            yield action


def operation_of(written: Mapping[str, Any]) -> Operation | None:
    """The connector call that an action or trigger is, in either form; None if it is none."""
    kind, inputs = written["type"], written.get("inputs")
    if not isinstance(inputs, dict) or not isinstance(inputs.get("host"), dict):
        return None
    if kind.startswith("OpenApiConnection"):
        return _named_operation(inputs)
    if kind.startswith("ApiConnection"):
        return _path_operation(inputs)
    return None


def _named_operation(inputs: Mapping[str, Any]) -> Operation | None:
    host = inputs["host"]
    # Three spellings are in use: designer exports, the clipboard, and run inputs.
    key = host.get("connectionName") or host.get("connection") or host.get("connectionReferenceName")
    connector = str(host.get("apiId", "")).rpartition("/")[2]
    if not isinstance(key, str) or not isinstance(host.get("operationId"), str):
        return None
    return Operation(key, connector or "shared_sql", host["operationId"], inputs.get("parameters") or {})


def _path_operation(inputs: Mapping[str, Any]) -> Operation | None:
    connection = inputs["host"].get("connection")
    name = connection.get("name") if isinstance(connection, dict) else None
    found = CONNECTION_KEY.match(name) if isinstance(name, str) else None
    if found is None:
        return None
    return Operation(
        key=found[1],
        connector=found[1].rstrip("0123456789").rstrip("_-"),
        operation_id=None,
        parameters={},
        method=str(inputs.get("method", "get")).upper(),
        path=inputs.get("path"),
        queries=inputs.get("queries") or {},
        body=inputs.get("body"),
    )


def every_action(actions: tuple[Action, ...]) -> Iterator[Action]:
    """All actions, containers before what is inside them."""
    for action in actions:
        yield action
        for inner in action.branches.values():
            yield from every_action(inner)


def keys_used(definition: Definition) -> dict[str, str]:
    """The connection keys that a definition names, each with its connector, in the order they occur."""
    found: dict[str, str] = {}
    trigger = definition.trigger.operation
    for operation in (trigger, *(action.operation for action in every_action(definition.actions))):
        if operation is not None:
            found.setdefault(operation.key, operation.connector)
    return found
