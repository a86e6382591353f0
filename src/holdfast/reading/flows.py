"""A flow definition → its SQL operations, and on which connection each runs.

Read are cloud flows as Dataverse, the flow API, packages and solutions hold them, actions copied from the
designer, Logic Apps definitions of both plans, and deployment templates around them. Names and paths of the
operations: the connector's own swagger (microsoft/Power-Fx, SQL Server.json @23c609b, MIT) and
learn.microsoft.com/connectors/sql, read 2026-11-23.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holdfast.core.operations import SqlOperation
from holdfast.reading.expressions import Template
from holdfast.reading.sql_operations import Call, read_call

DEEPEST: Final = 150
"""Actions nest at most 8 deep in Power Automate; a file that nests deeper than this is not read further."""

SQL_API: Final = re.compile(r"(?:shared_)?(sql|sqldw)", re.IGNORECASE)
# A key is a name of its own, so it tells the connector only where nothing else does: `sql`, `sql_1`,
# `shared_sql-2`, `azuresql_prod`; never `mysql` or `postgresql`.
_SQL_KEY: Final = re.compile(
    r"(?:.*[^a-z])?(?:azure)?sql(dw|server)?(?:[^a-z].*)?", re.IGNORECASE | re.DOTALL
)
_WORD: Final = re.compile(r"[\w.-]+")
_CONNECTIONS_KEY: Final = re.compile(
    r"parameters\(\s*'\$connections'\s*\)\s*\??(?:\.(\w+)|\.?\[\s*'((?:[^']|'')+)'\s*\])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What stands around a definition and says which connection is behind a key."""

    references: Mapping[str, Any]
    connections: Mapping[str, Any]
    clipboard: Mapping[str, Any]
    template: Template
    is_power_automate: bool


def sql_operations(document: Any) -> Iterator[SqlOperation]:
    """Every action and trigger on a SQL connector, in the order of the document.

    Args:
        document: the parsed JSON of a file: a definition, what holds one, or what holds several.
    """
    yield from _found(document, _Surroundings({}, {}, {}, Template(), False), 0)


def has_definition(document: Any) -> bool:
    """Whether there is anything in it that is a flow or a part of one."""
    return _has_definition(document, 0)


def _found(node: Any, around: _Surroundings, depth: int) -> Iterator[SqlOperation]:
    """Look for definitions from outside in."""
    if depth > DEEPEST:
        return
    if isinstance(node, list):
        for each in node:
            yield from _found(each, around, depth + 1)
    if not isinstance(node, dict):
        return
    around = _closer(node, around)
    if _is_clipboard(node):
        yield from _copied(node, around, depth)
    elif _is_definition(node):
        yield from _of_definition(node, around, depth)
    elif _is_action(node):
        yield from _of_action("", node, "action", around, depth)
    elif _names_actions(node):
        yield from _of_actions(node, "", "action", around, depth)
    else:
        for name, each in node.items():
            if name in ("clientdata", "definition") and isinstance(each, str):
                each = _parsed(each)
            yield from _found(each, around, depth + 1)


def _has_definition(node: Any, depth: int) -> bool:
    if depth > DEEPEST:
        return False
    if isinstance(node, list):
        return any(_has_definition(each, depth + 1) for each in node)
    if not isinstance(node, dict):
        return False
    if _is_clipboard(node) or _is_definition(node) or _is_action(node) or _names_actions(node):
        return True
    return any(
        _has_definition(
            _parsed(each) if name in ("clientdata", "definition") and isinstance(each, str) else each,
            depth + 1,
        )
        for name, each in node.items()
    )


def _closer(node: Mapping[str, Any], around: _Surroundings) -> _Surroundings:
    """The surroundings as this node knows them."""
    own = _mapping(node.get("connectionReferences"))
    parameter = _mapping(_mapping(node.get("parameters")).get("$connections"))
    given = _mapping(parameter.get("value")) or _mapping(parameter.get("defaultValue"))
    template = around.template
    if "resources" in node and ("contentVersion" in node or "$schema" in node):
        template = Template(node)
    return _Surroundings(
        own or around.references,
        given or around.connections,
        _mapping(node.get("allConnectionData")) or around.clipboard,
        template,
        around.is_power_automate or any("managedapis" not in str(each).lower() for each in own.values()),
    )


def _is_definition(node: Mapping[str, Any]) -> bool:
    """Whether it is the part with triggers and actions, and not an action that contains some."""
    return not isinstance(node.get("type"), str) and (
        _names_actions(node.get("actions")) or _names_actions(node.get("triggers"))
    )


def _names_actions(node: Any) -> bool:
    """Whether it maps names to actions; some of them are so short that they tell nothing alone."""
    return (
        isinstance(node, dict)
        and all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in node.values())
        and any(_is_action(each) for each in node.values())
    )


def _is_action(node: Any) -> bool:
    """Whether it looks like one action or trigger: a type, and what such a type brings along."""
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return False
    telling = (
        "inputs",
        "actions",
        "runAfter",
        "cases",
        "recurrence",
        "expression",
        "foreach",
        "operationOptions",
    )
    return any(name in node for name in telling)


def _is_clipboard(node: Mapping[str, Any]) -> bool:
    """What the designers put on the clipboard, the new one and the old one."""
    return _is_action(node.get("serializedValue")) or _is_action(node.get("operationDefinition"))


def _copied(node: Mapping[str, Any], around: _Surroundings, depth: int) -> Iterator[SqlOperation]:
    new = _is_action(node.get("serializedValue"))
    action = node["serializedValue"] if new else node["operationDefinition"]
    name = node.get("nodeId") if new else node.get("operationName")
    kind = "trigger" if node.get("isTrigger") is True else "action"
    yield from _of_action(str(name or ""), action, kind, around, depth)


def _of_definition(node: Mapping[str, Any], around: _Surroundings, depth: int) -> Iterator[SqlOperation]:
    for name, each in node.items():
        if name in ("actions", "triggers") and isinstance(each, dict):
            yield from _of_actions(each, "", name[:-1], around, depth + 1)


def _of_actions(
    actions: Mapping[str, Any], above: str, kind: str, around: _Surroundings, depth: int
) -> Iterator[SqlOperation]:
    for name, action in actions.items():
        if isinstance(action, dict):
            yield from _of_action(f"{above}/{name}" if above else name, action, kind, around, depth)


def _of_action(
    path: str, action: Mapping[str, Any], kind: str, around: _Surroundings, depth: int
) -> Iterator[SqlOperation]:
    if depth > DEEPEST:
        return
    call = _call(path, action, kind, around)
    if call is not None:
        yield read_call(call, around.template)
    for name, inside in action.items():
        if name == "actions" and isinstance(inside, dict):
            yield from _of_actions(inside, path, "action", around, depth + 1)
        elif name in ("else", "default") and isinstance(inside, dict):
            yield from _of_actions(_mapping(inside.get("actions")), path, "action", around, depth + 1)
        elif name in ("cases", "tools") and isinstance(inside, dict):
            for branch in inside.values():
                yield from _of_actions(
                    _mapping(_mapping(branch).get("actions")), path, "action", around, depth + 1
                )


def _call(path: str, action: Mapping[str, Any], kind: str, around: _Surroundings) -> Call | None:
    """What the action asks of a SQL connector; None if it asks another or none."""
    inputs = _mapping(action.get("inputs"))
    form = str(action.get("type", "")).casefold()
    if form == "serviceprovider":
        host = _mapping(inputs.get("serviceProviderConfiguration"))
        if str(host.get("serviceProviderId", "")).rpartition("/")[2].casefold() != "sql":
            return None
        return Call(
            path, kind, "serviceprovider", "sql", _text(host.get("connectionName")), None, None, host, inputs
        )
    host = _mapping(inputs.get("host"))
    if form.startswith("openapiconnection"):
        shape = "openapi"
    elif form.startswith("apiconnection"):
        shape = "apiconnection"
    else:
        return None
    key = _key(host)
    connector = _connector(host, inputs, key, path, around)
    if connector is None:
        return None
    reference, source = _reference(key, path, around)
    return Call(path, kind, shape, connector, key, reference, source, host, inputs)


def _key(host: Mapping[str, Any]) -> str | None:
    """Under which name the surroundings know the connection; every way of writing it that was seen."""
    connection = host.get("connection")
    inner = _mapping(connection)
    for written in (
        host.get("connectionName"),
        host.get("connectionReferenceName"),
        connection,
        inner.get("name"),
        inner.get("referenceName"),
    ):
        if isinstance(written, str) and written:
            found = _CONNECTIONS_KEY.search(written)
            return (found[1] or found[2].replace("''", "'")) if found else written
    return None


def _connector(
    host: Mapping[str, Any],
    inputs: Mapping[str, Any],
    key: str | None,
    path: str,
    around: _Surroundings,
) -> str | None:
    """ "sql", "sqldw" or their names in Power Automate; None for any other connector."""
    for named in _named_apis(host, key, path, around):
        found = SQL_API.fullmatch(named)
        if found is None:
            return None
        shared = named.lower().startswith("shared_") or around.is_power_automate
        return f"shared_{found[1].lower()}" if shared else found[1].lower()
    if key is None or not _SQL_KEY.fullmatch(key):
        return None
    plain = "sqldw" if "sqldw" in key.lower() else "sql"
    shared = key.lower().startswith("shared_") or around.is_power_automate
    return f"shared_{plain}" if shared else plain


def _named_apis(host: Mapping[str, Any], key: str | None, path: str, around: _Surroundings) -> Iterator[str]:
    """Names of the connector, surest first."""
    references = [_mapping(around.references.get(key or "")), _copied_reference(path, around)]
    given = _mapping(around.connections.get(key or ""))
    runtime = _text(_mapping(host.get("api")).get("runtimeUrl"))
    said = [
        _text(host.get("apiId")),
        runtime if "/apim/" in (runtime or "") else None,
        *(_api_of(reference) for reference in references),
        _api_of(given),
    ]
    for each in said:
        words = _WORD.findall(around.template.with_defaults(each)) if each else []
        if words:
            yield words[-1]


def _api_of(reference: Mapping[str, Any]) -> str | None:
    """What a connection reference says its connector is, in any of the forms."""
    api = _mapping(reference.get("api"))
    id = _text(reference.get("id")) or ""
    return (
        _text(api.get("name"))
        or _text(api.get("id"))
        or _text(reference.get("apiId"))
        or (id if "/apis/" in id.lower() or "managedapis" in id.lower() else None)
    )


def _reference(key: str | None, path: str, around: _Surroundings) -> tuple[str | None, str | None]:
    """Logical name of the connection reference, and whose connection it is."""
    known = _mapping(around.references.get(key or ""))
    name = _text(_mapping(known.get("connection")).get("connectionReferenceLogicalName")) or _text(
        known.get("connectionReferenceLogicalName")
    )
    if name is None:
        copied = _copied_reference(path, around)
        name = _text(copied.get("connectionName")) or _text(_mapping(copied.get("connection")).get("id"))
        name = _last(name) if name else None
    source = _text(known.get("runtimeSource")) or _text(known.get("source"))
    return name, source.lower() if source else None


def _copied_reference(path: str, around: _Surroundings) -> Mapping[str, Any]:
    copied = _mapping(around.clipboard.get(path.rpartition("/")[2]))
    return _mapping(copied.get("connectionReference"))


def _last(identifier: str) -> str:
    return identifier.rstrip("/").rpartition("/")[2]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
