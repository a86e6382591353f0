"""SQL operations of flows → the exact rights that they need, per server and database, each with the actions that need it.

What is only known at run time becomes a decision for a person and never a wider right. Which right an operation of the
connector needs: ``sql-tds.md`` section 5.3, inferred from what the connector's reference says each operation does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.core.operations import QueryForm, SqlOperation
from holdfast.core.sql import is_nameable

DEFAULT_SCHEMA: Final = "dbo"
"""What a name without a schema means to a user without a default schema of its own."""

_READS: Final = ("SELECT",)
_BY_OPERATION: Final[Mapping[str, tuple[str, ...]]] = {
    "getitems": _READS,
    "getitem": _READS,
    "getrows": _READS,
    "getrow": _READS,
    "getonnewitems": _READS,
    "getonupdateditems": _READS,
    # The connector returns the row that it wrote, and looks for the one that it deletes.
    "postitem": ("INSERT", "SELECT"),
    "insertrow": ("INSERT", "SELECT"),
    "patchitem": ("UPDATE", "SELECT"),
    "updaterow": ("UPDATE", "SELECT"),
    "updaterows": ("UPDATE", "SELECT"),
    "deleteitem": ("DELETE", "SELECT"),
    "deleterow": ("DELETE", "SELECT"),
    "deleterows": ("DELETE", "SELECT"),
    # The built-in triggers of Logic Apps read change tracking.
    "whenarowisinserted": ("SELECT", "VIEW CHANGE TRACKING"),
    "whenarowismodified": ("SELECT", "VIEW CHANGE TRACKING"),
    "whenarowisupdated": ("SELECT", "VIEW CHANGE TRACKING"),
    "whenarowisdeleted": ("SELECT", "VIEW CHANGE TRACKING"),
    "executeprocedure": ("EXECUTE",),
    "executestoredprocedure": ("EXECUTE",),
    "executepassthroughnativequery": (),
    "executequery": (),
    # Lists for the designer show what any right makes visible.
    "gettables": (),
    "getprocedures": (),
    "getdatabases": (),
    "getservers": (),
}
_WRITES_BACK: Final = ("postitem", "patchitem")
_SYSTEM_SCHEMAS: Final = ("sys", "information_schema")
_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "db_datareader": ("SELECT",),
    "db_datawriter": ("INSERT", "UPDATE", "DELETE"),
    "db_owner": ("SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE"),
}


class ObjectName(NamedTuple):
    """A table, view or procedure; the parts are as the server has them, without brackets."""

    schema: str
    name: str

    def __str__(self) -> str:
        """For people to read; `script.quoted` is for servers."""
        return f"{self.schema}.{self.name}"


class Right(NamedTuple):
    """One permission on one object."""

    object: ObjectName
    permission: str


class Need(NamedTuple):
    """A right, and the actions that need it."""

    right: Right
    actions: tuple[str, ...]


class Why(StrEnum):
    """Why a person must decide."""

    SERVER_DYNAMIC = "server_dynamic"
    DATABASE_DYNAMIC = "database_dynamic"
    OBJECT_DYNAMIC = "object_dynamic"
    QUERY_DYNAMIC = "query_dynamic"
    NOT_READABLE = "not_readable"
    MORE_THAN_RIGHTS = "more_than_rights_on_objects"
    OTHER_DATABASE = "other_database"
    UNKNOWN_OPERATION = "unknown_operation"


_SAID: Final = {
    Why.SERVER_DYNAMIC: "which server it uses is only known at run time",
    Why.DATABASE_DYNAMIC: "which database it uses is only known at run time",
    Why.OBJECT_DYNAMIC: "which object it uses is only known at run time",
    Why.QUERY_DYNAMIC: "what its query does is only known at run time",
    Why.NOT_READABLE: "its definition leaves something to be filled in, or holds what cannot be read",
    Why.MORE_THAN_RIGHTS: "it needs more than rights on objects",
    Why.OTHER_DATABASE: "it names an object in another database or on another server",
    Why.UNKNOWN_OPERATION: "its operation is not known",
}


class Decision(NamedTuple):
    """What a person must decide; nothing is granted for it.

    Attributes:
        detail: the expression, or the statements, that it is about.
        known: rights that it needs in any case, as far as the definition tells.
    """

    action: str
    why: Why
    detail: str = ""
    known: tuple[Right, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{_SAID[self.why]}: {self.detail}" if self.detail else _SAID[self.why]


class Place(NamedTuple):
    """A server and a database; None: as the connection says."""

    server: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        """For people."""
        return (
            f"{self.server or 'server of the connection'} / {self.database or 'database of the connection'}"
        )


class Use(NamedTuple):
    """An operation, with what names it to people.

    Attributes:
        action: for people: flow and path, as "Nightly import: Try/Read_orders".
        connection: where the connection points, for actions that leave it to the connection.
    """

    action: str
    operation: SqlOperation
    connection: Place = Place()


@dataclass(frozen=True, slots=True)
class DatabaseGrants:
    """What flows need in one database.

    Attributes:
        needs: by object, then permission; each right once.
        decisions: what only a person can decide, in the order of the actions.
        written_back: tables into which the connector inserts or updates: it fails there with error 334 if the table has
            a trigger for it, whatever the rights.
        assumed_schema: objects that were written without a schema.
    """

    place: Place
    needs: tuple[Need, ...] = ()
    decisions: tuple[Decision, ...] = ()
    written_back: tuple[ObjectName, ...] = ()
    assumed_schema: tuple[ObjectName, ...] = ()

    @property
    def rights(self) -> tuple[Right, ...]:
        """The rights alone."""
        return tuple(need.right for need in self.needs)


@dataclass(slots=True)
class _Gathered:
    place: Place
    needs: dict[tuple[str, str, str], tuple[Right, dict[str, None]]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    written_back: dict[tuple[str, str], ObjectName] = field(default_factory=dict)
    assumed: dict[tuple[str, str], ObjectName] = field(default_factory=dict)

    def finished(self) -> DatabaseGrants:
        needs = (Need(right, tuple(actions)) for _, (right, actions) in sorted(self.needs.items()))
        return DatabaseGrants(
            self.place,
            tuple(needs),
            tuple(self.decisions),
            tuple(self.written_back.values()),
            tuple(self.assumed.values()),
        )


def plan_grants(uses: Iterable[Use]) -> tuple[DatabaseGrants, ...]:
    """The rights that these operations need, by database in the order in which they are met.

    Names of servers, databases and objects are one whatever their case, as with the usual collation.
    """
    gathered: dict[tuple[str, str], _Gathered] = {}
    for use in uses:
        place = _place(use)
        key = (_folded(place.server), _folded(place.database))
        _gather(gathered.setdefault(key, _Gathered(place)), use)
    return tuple(one.finished() for one in gathered.values())


def _gather(into: _Gathered, use: Use) -> None:
    rights, strange = _rights(use.operation)
    decision = _decision(use, tuple(right for right, _ in rights))
    if decision is not None:
        into.decisions.append(decision)
        return
    into.decisions += [Decision(use.action, why, name) for why, name in strange]
    for right, has_schema in rights:
        key = (right.object.schema.casefold(), right.object.name.casefold())
        kept = into.needs.setdefault((*key, right.permission), (right, {}))
        kept[1][use.action] = None
        if not has_schema:
            into.assumed.setdefault(key, right.object)
        if _name_of(use.operation) in _WRITES_BACK:
            into.written_back.setdefault(key, right.object)


def _decision(use: Use, known: tuple[Right, ...]) -> Decision | None:
    operation = use.operation
    for why, is_so, detail in (
        (Why.SERVER_DYNAMIC, operation.server_dynamic, ""),
        (Why.DATABASE_DYNAMIC, operation.database_dynamic, ""),
        (Why.OBJECT_DYNAMIC, operation.object_dynamic, operation.object_expression or ""),
        (Why.UNKNOWN_OPERATION, _name_of(operation) not in _BY_OPERATION, operation.operation or ""),
        (Why.MORE_THAN_RIGHTS, bool(operation.ddl), ", ".join(operation.ddl)),
        (Why.QUERY_DYNAMIC, operation.query_dynamic is QueryForm.WHOLE, ""),
        (Why.NOT_READABLE, operation.needs_human, ""),
        # Read by a version that did not tell how a query writes.
        (Why.NOT_READABLE, _is_half_read(operation), ", ".join(operation.writes)),
    ):
        if is_so:
            # Where an object stands for something to be filled in, its name is none to grant on.
            sure = known if why is not Why.NOT_READABLE else ()
            return Decision(use.action, why, detail, sure)
    return None


def _is_half_read(operation: SqlOperation) -> bool:
    is_query = operation.object is None and operation.query_dynamic is not None
    return is_query and len(operation.changes) < len(operation.writes)


def _name_of(operation: SqlOperation) -> str:
    name = (operation.operation or "").lower()
    return name.removesuffix("_v2").removesuffix("v2")


def _rights(
    operation: SqlOperation,
) -> tuple[list[tuple[Right, bool]], list[tuple[Why, str]]]:
    """The rights, each with whether its object was written with a schema; and the names that lead elsewhere."""
    rights: list[tuple[Right, bool]] = []
    strange: list[tuple[Why, str]] = []
    for written, permissions in _written(operation):
        parts = parts_of(written)
        if parts is None or len(parts) > 2:
            strange.append((Why.NOT_READABLE if parts is None else Why.OTHER_DATABASE, written))
            continue
        name = ObjectName(*parts) if len(parts) == 2 else ObjectName(DEFAULT_SCHEMA, parts[0])
        if name.schema.casefold() not in _SYSTEM_SCHEMAS:
            rights += [(Right(name, permission), len(parts) == 2) for permission in permissions]
    return rights, strange


def _written(operation: SqlOperation) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Objects as written, with the permissions that the operation needs on each."""
    if operation.query is None and operation.object is not None:
        yield operation.object, _BY_OPERATION.get(_name_of(operation), ())
        return
    yield from ((name, ("SELECT",)) for name in operation.reads)
    yield from operation.changes
    yield from ((name, ("EXECUTE",)) for name in operation.executes)


def parts_of(written: str) -> tuple[str, ...] | None:
    """The parts of a name as people write it, without brackets and quotes; None for what is no name."""
    parts: list[str] = []
    rest = written.strip()
    while rest:
        part, rest = _first_part(rest)
        if not is_nameable(part):
            return None
        parts.append(part)
        rest = rest.lstrip()
        if not rest:
            break
        if not rest.startswith(".") or not rest[1:].strip():
            return None
        rest = rest[1:].lstrip()
    return tuple(parts) or None


def _first_part(text: str) -> tuple[str, str]:
    """The first part of a name and what follows it; an empty part where it cannot be read."""
    closing = {"[": "]", '"': '"'}.get(text[0])
    if closing is None:
        end = min((at for at in (text.find("."), len(text)) if at >= 0), default=len(text))
        part = text[:end].rstrip()
        return ("" if any(mark in part for mark in "[]\"'") else part), text[end:]
    at, found = 1, ""
    while at < len(text):
        if text[at] != closing:
            found, at = found + text[at], at + 1
        elif text[at + 1 : at + 2] == closing:
            found, at = found + closing, at + 2
        else:
            return found, text[at + 1 :]
    return "", ""


def _place(use: Use) -> Place:
    operation = use.operation
    server = None if operation.server_dynamic else _literal(operation.server) or use.connection.server
    database = None if operation.database_dynamic else _literal(operation.database) or use.connection.database
    return Place(server, database)


def _literal(written: str | None) -> str | None:
    return None if written is None or written.strip().lower() in ("", "default") else written.strip()


def _folded(name: str | None) -> str:
    """A server's name without protocol and port, for comparing."""
    bare = (name or "").casefold().removeprefix("tcp:")
    return bare.partition(",")[0].partition(":")[0].strip()


class WiderRole(NamedTuple):
    """A role that a person chose instead of single grants.

    Attributes:
        covers: rights that flows need and that the role brings.
        adds: in words, what it lets its members do beyond that.
    """

    role: str
    covers: tuple[Right, ...]
    adds: str


def widened(grants: DatabaseGrants, role: str) -> WiderRole:
    """What choosing a fixed role means for these grants."""
    brings = _ROLES.get(role.casefold(), ())
    covers = tuple(right for right in grants.rights if right.permission in brings)
    if not brings:
        return WiderRole(role, covers, "whatever the role holds in the database, now and later")
    kinds = ", ".join(brings)
    objects = len({right.object for right in covers})
    adds = f"{kinds} on every table and view of the database, now and later; flows need it on {objects}"
    return WiderRole(role, covers, adds)
