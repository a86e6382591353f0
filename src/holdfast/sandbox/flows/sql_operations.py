"""The SQL connector's operations: from what an action names to what is asked of the server.

Names and parameters: learn.microsoft.com/connectors/sql (page of 2025-08-19), by operation id; the older form by method
and path as ``fixtures/flows`` has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from holdfast.sandbox.flows.definitions import Operation
from holdfast.sandbox.flows.values import Json

OPERATIONS = {
    "ExecutePassThroughNativeQuery": "query",
    "ExecuteProcedure": "procedure",
    "GetItems": "get_rows",
    "GetItem": "get_row",
    "PostItem": "insert",
    "PatchItem": "update",
    "DeleteItem": "delete",
    "GetTables": "tables",
    "GetOnNewItems": "new_items",
    "GetOnUpdatedItems": "updated_items",
}
"""By operation id without ``_V2``."""

PATHS = (
    ("POST", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/query/sql"), "query"),
    ("POST", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/procedures/(?P<object>[^/]+)"), "procedure"),
    ("GET", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/onnewitems"), "new_items"),
    ("GET", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/onupdateditems"), "updated_items"),
    ("GET", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/items/(?P<id>[^/]+)"), "get_row"),
    ("GET", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/items"), "get_rows"),
    ("POST", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/items"), "insert"),
    ("PATCH", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/items/(?P<id>[^/]+)"), "update"),
    ("DELETE", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables/(?P<object>[^/]+)/items/(?P<id>[^/]+)"), "delete"),
    ("GET", re.compile(r"(?P<place>/v2/datasets/[^/]+|/datasets/[^/]+)/tables"), "tables"),
)  # fmt: skip


class SqlCall(NamedTuple):
    """One operation of the SQL connector, its expressions evaluated.

    Attributes:
        server: None, like `database`, for the one that the connection names.
        object: table or procedure as written.
        values: columns of a row, or parameters of a procedure or query.
        options: ``$filter``, ``$top`` and the like.
    """

    kind: str
    is_v1: bool
    server: str | None
    database: str | None
    object: str | None
    query: str | None
    row_id: str | None
    values: Mapping[str, Json]
    options: Mapping[str, Json]


def sql_call(operation: Operation) -> SqlCall | None:
    """What the operation asks of a server; None for one that the SQL connector does not have."""
    if operation.operation_id is not None:
        return _by_id(operation.operation_id, operation.parameters)
    return _by_path(operation)


def _by_id(operation_id: str, parameters: Mapping[str, Json]) -> SqlCall | None:
    name = operation_id.removesuffix("_V2").removesuffix("V2")
    if name not in OPERATIONS:
        return None
    kind = OPERATIONS[name]
    prefix = {
        "insert": "item",
        "update": "item",
        "procedure": "parameters",
        "query": "query/actualParameters",
    }
    return SqlCall(
        kind=kind,
        is_v1=name == operation_id,
        server=_named(parameters.get("server")),
        database=_named(parameters.get("database")),
        object=_text(parameters.get("procedure" if kind == "procedure" else "table")),
        query=_text(_inside(parameters, "query").get("query")) if kind == "query" else None,
        row_id=_text(parameters.get("id")),
        values=_inside(parameters, prefix[kind]) if kind in prefix else {},
        options={key: value for key, value in parameters.items() if key.startswith("$")},
    )


def _by_path(operation: Operation) -> SqlCall | None:
    path = operation.path if isinstance(operation.path, str) else ""
    for method, pattern, kind in PATHS:
        found = pattern.fullmatch(path) if operation.method == method else None
        if found is None:
            continue
        server, database = _place(found["place"])
        parts = found.groupdict()
        body = operation.body if isinstance(operation.body, dict) else {}
        return SqlCall(
            kind=kind,
            is_v1=not path.startswith("/v2/"),
            server=server,
            database=database,
            object=_unescaped(parts.get("object")),
            query=_text(body.get("query")) if kind == "query" else None,
            row_id=_unescaped(parts.get("id")),
            values=_inside(body, "actualParameters") if kind == "query" else body,
            options={key: value for key, value in operation.queries.items() if key.startswith("$")},
        )
    return None


def _place(path: str) -> tuple[str | None, str | None]:
    written = path.rpartition("/")[2]
    server, _, database = written.partition(",") if "," in written else ("", "", "")
    return _named(_unescaped(server)), _named(_unescaped(database))


def _unescaped(text: str | None) -> str | None:
    # Clients escape twice so that a slash in a name survives the way.
    return None if text is None else unquote(unquote(text))


def _text(value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value)


def _named(value: Json) -> str | None:
    text = _text(value)
    return None if text is None or text.strip().lower() in ("", "default") else text.strip()


def _inside(parameters: Mapping[str, Json], name: str) -> dict[str, Any]:
    """The values under a name, written as one object or as ``name/inner`` keys."""
    found: dict[str, Any] = {}
    whole: Json = parameters
    for part in name.split("/"):
        whole = whole.get(part) if isinstance(whole, Mapping) else None
    if isinstance(whole, Mapping):
        found |= whole
    for key, value in parameters.items():
        if key.startswith(f"{name}/"):
            found[key.removeprefix(f"{name}/")] = value
    return found
