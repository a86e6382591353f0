"""One call of a SQL connector → what it does, on which server, database and objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from holdfast.core.operations import QueryForm, SqlOperation
from holdfast.reading.expressions import Dynamic, Parts, Template, expression_of, joined, literal_of
from holdfast.reading.tsql import touched


@dataclass(frozen=True, slots=True)
class Call:
    """An action or trigger on a SQL connector, as its definition writes it.

    Attributes:
        form: "openapi", "apiconnection" or "serviceprovider".
    """

    path: str
    kind: str
    form: str
    connector: str
    key: str | None
    reference: str | None
    source: str | None
    host: Mapping[str, Any]
    inputs: Mapping[str, Any]


class _Asked(NamedTuple):
    """The operation and what it is asked for; None where the definition does not say."""

    operation: str | None
    version: str
    server: Parts | None = None
    database: Parts | None = None
    object: Parts | None = None
    query: str | None = None


class _Use(NamedTuple):
    reads: bool = False
    writes: bool = False
    executes: bool = False
    is_query: bool = False


# By the operation's id in lower case, without its version.
_USES: Final[Mapping[str, _Use]] = {
    "getitem": _Use(reads=True),
    "getitems": _Use(reads=True),
    "getonnewitems": _Use(reads=True),
    "getonupdateditems": _Use(reads=True),
    "getrow": _Use(reads=True),
    "getrows": _Use(reads=True),
    "whenarowisinserted": _Use(reads=True),
    "whenarowismodified": _Use(reads=True),
    "whenarowisupdated": _Use(reads=True),
    "whenarowisdeleted": _Use(reads=True),
    "postitem": _Use(writes=True),
    "patchitem": _Use(writes=True),
    "deleteitem": _Use(writes=True),
    "insertrow": _Use(writes=True),
    "updaterow": _Use(writes=True),
    "updaterows": _Use(writes=True),
    "deleterow": _Use(writes=True),
    "deleterows": _Use(writes=True),
    "executeprocedure": _Use(executes=True),
    "executestoredprocedure": _Use(executes=True),
    "executepassthroughnativequery": _Use(is_query=True),
    "executequery": _Use(is_query=True),
    "gettables": _Use(),
    "getprocedures": _Use(),
    "getdatabases": _Use(),
    "getservers": _Use(),
}

_VERSION: Final = re.compile(r"_?v2$", re.IGNORECASE)
_BY_METHOD: Final = {"get": "GetItem", "patch": "PatchItem", "put": "PatchItem", "delete": "DeleteItem"}
# What people leave to be filled in: <server>, {{table}}, #name#, YOUR_SERVER, [your table].
_PLACEHOLDER: Final = re.compile(
    r"<[^<>\n]{1,80}>|\{\{.+?\}\}|#\w[\w -]*#|\$\{.+?\}|%\w+%|\bx{4,}\b|\byour[-_ ]?(?:server|database|db|table|view|procedure|schema|sql)\w*",
    re.IGNORECASE,
)


def read_call(call: Call, template: Template) -> SqlOperation:
    """What the call does."""
    asked = {"openapi": _by_name, "apiconnection": _by_path, "serviceprovider": _built_in}[call.form](
        call, template
    )
    use = _USES.get(_VERSION.sub("", asked.operation or "").lower())
    server, server_dynamic = _place(asked.server)
    database, database_dynamic = _place(asked.database)
    name, dynamic = _place(asked.object)
    operation = SqlOperation(
        call.path,
        call.kind,
        call.connector,
        call.key,
        call.reference,
        call.source,
        asked.operation,
        asked.version,
        server,
        server_dynamic,
        database,
        database_dynamic,
        name,
        dynamic,
        expression_of(asked.object) if dynamic and asked.object is not None else None,
    )
    if use is not None and use.is_query:
        operation = _with_query(operation, asked.query, template)
    elif use is not None and name is not None:
        operation = replace(
            operation,
            reads=(name,) if use.reads else (),
            writes=(name,) if use.writes else (),
            executes=(name,) if use.executes else (),
        )
    return replace(operation, needs_human=_needs_human(operation, asked, use))


def _by_name(call: Call, template: Template) -> _Asked:
    """Power Automate: the operation is named, and so are its parameters."""
    given = _flat(call.inputs.get("parameters"))
    operation = _text(call.host.get("operationId"))
    # Names compare without case: hand-written definitions differ in it.
    known = {name.lower(): value for name, value in given.items()}

    def parts(*names: str) -> Parts | None:
        return next((_parts(known[name], template) for name in names if name in known), None)

    query = next((known[name] for name in ("query/query", "query") if name in known), None)
    return _Asked(
        operation,
        "v2" if _VERSION.search(operation or "") else "v1",
        parts("server"),
        parts("database"),
        parts("table", "procedure"),
        query if isinstance(query, str) else None,
    )


def _built_in(call: Call, template: Template) -> _Asked:
    """Logic Apps Standard: server and database lie in the connection."""
    known = {name.lower(): value for name, value in _flat(call.inputs.get("parameters")).items()}
    names = (
        "tablename",
        "table",
        "storedprocedurename",
        "storedprocedurefullname",
        "procedurename",
        "procedure",
    )
    name = next((known[name] for name in names if name in known), None)
    query = known.get("query")
    return _Asked(
        _text(call.host.get("operationId")),
        "serviceprovider",
        object=None if name is None else _parts(name, template),
        query=query if isinstance(query, str) else None,
    )


def _by_path(call: Call, template: Template) -> _Asked:
    """Logic Apps and old cloud flows: method and path say which operation it is."""
    segments = _segments(_text(call.inputs.get("path")) or "", template)
    method = str(call.inputs.get("method") or "get").lower()
    versioned = "v2" in [literal_of(each) for each in segments[:2]]
    while segments and literal_of(segments[0]) in ("v2", "codeless"):
        segments = segments[1:]
    if len(segments) < 3 or literal_of(segments[0]) != "datasets":
        return _Asked(None, "v2" if versioned else "v1")
    server, database = _dataset(segments[1], versioned)
    versioned = versioned or server is not None
    operation, name = _operation_of(segments[2:], method)
    if operation and versioned:
        operation += "_V2"
    return _Asked(
        operation,
        "v2" if versioned else "v1",
        server,
        database,
        name,
        _query_of(call.inputs.get("body")),
    )


def _operation_of(segments: list[Parts], method: str) -> tuple[str | None, Parts | None]:
    """The connector's operation of a path behind its dataset, and the object that the path names."""
    words = [(literal_of(each) or "").lower() for each in segments]
    match words:
        case ["tables"]:
            return "GetTables", None
        case ["tables", _, "items"]:
            return ("PostItem" if method == "post" else "GetItems"), segments[1]
        case ["tables", _, "items", *_]:
            return _BY_METHOD.get(method), segments[1]
        case ["tables", _, "onnewitems"]:
            return "GetOnNewItems", segments[1]
        case ["tables", _, "onupdateditems"]:
            return "GetOnUpdatedItems", segments[1]
        case ["procedures"]:
            return "GetProcedures", None
        case ["procedures", _]:
            return "ExecuteProcedure", segments[1]
        case ["query", "sql"]:
            return "ExecutePassThroughNativeQuery", None
        case ["query", "pq"]:
            return "SqlExecutePassThroughPowerQuery", None
        case _:
            return None, None


def _segments(path: str, template: Template) -> list[Parts]:
    """The path's segments. A slash inside an expression's value belongs to the value."""
    segments: list[list[str | Dynamic]] = [[]]
    for own, parts in template.pieces(path):
        if parts is not None:
            segments[-1] += parts
            continue
        first, *others = own.partition("?")[0].split("/")
        segments[-1].append(unquote(unquote(first)))
        segments += [[unquote(unquote(each))] for each in others]
    cleaned = [joined([part for part in each if part != ""]) for each in segments]
    return [each for each in cleaned if each]


def _dataset(segment: Parts, versioned: bool) -> tuple[Parts | None, Parts | None]:
    """Server and database of "server,database"; neither of "default", which the connection decides."""
    for at, part in enumerate(segment):
        if isinstance(part, str) and "," in part:
            server, _, database = part.partition(",")
            before = joined([*segment[:at], server] if server else segment[:at])
            after = joined([database, *segment[at + 1 :]] if database else segment[at + 1 :])
            return before, after
    if versioned and any(isinstance(part, Dynamic) for part in segment):
        return segment, segment
    return None, None


def _query_of(body: Any) -> str | None:
    if isinstance(body, str):
        return body
    query = body.get("query") if isinstance(body, dict) else None
    return query if isinstance(query, str) else None


def _with_query(operation: SqlOperation, query: str | None, template: Template) -> SqlOperation:
    if query is None:
        return operation
    found = touched(template.parts(query))
    return replace(
        operation,
        query=query,
        query_dynamic=found.form,
        reads=found.reads,
        writes=found.writes,
        executes=found.executes,
        changes=found.changes,
        ddl=found.needs_more,
        needs_human=not found.is_certain,
    )


def _needs_human(operation: SqlOperation, asked: _Asked, use: _Use | None) -> bool:
    """Whether something of it is only known at run time, is yet to be filled in, or needs more than grants."""
    if use is None or operation.needs_human or operation.ddl:
        return True
    if operation.server_dynamic or operation.database_dynamic or operation.object_dynamic:
        return True
    if operation.query_dynamic is QueryForm.WHOLE or (use.is_query and operation.query is None):
        return True
    if (use.reads or use.writes or use.executes) and not operation.object:
        return True
    if operation.api_version == "v2" and not (operation.server and operation.database):
        return True
    named = (operation.server, operation.database, operation.object, *operation.reads, *operation.writes)
    return any(_PLACEHOLDER.search(each) for each in (*named, *operation.executes) if each)


def _place(parts: Parts | None) -> tuple[str | None, bool]:
    """The literal, or None and that it is dynamic."""
    if parts is None:
        return None, False
    literal = literal_of(parts)
    return literal or None, literal is None


def _parts(value: Any, template: Template) -> Parts:
    return template.parts(value) if isinstance(value, str) else joined([str(value)])


def _flat(value: Any) -> dict[str, Any]:
    """Parameters by name; nested ones as "outer/inner", as the designer writes them."""
    flat: dict[str, Any] = {}
    for name, inner in (value if isinstance(value, dict) else {}).items():
        if isinstance(inner, dict):
            flat |= {f"{name}/{key}": each for key, each in inner.items()}
        else:
            flat[name] = inner
    return flat


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
