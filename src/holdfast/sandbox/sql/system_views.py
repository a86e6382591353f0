"""The server's own views: principals, permissions, members, objects, as far as a session may see them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

from holdfast.sandbox.sql.catalogue import FIXED_ROLES, Database, Principal, Procedure, Table, joined, parts
from holdfast.sandbox.sql.login import Session, is_kept_out
from holdfast.sandbox.sql.permissions import may, roles_of, sees
from holdfast.sandbox.sql.security import DATABASE, SCHEMA

SYSTEM_SCHEMAS = ("sys", "information_schema")
KINDS = {"U": "USER_TABLE", "V": "VIEW", "P": "SQL_STORED_PROCEDURE", "TR": "SQL_TRIGGER"}
PRINCIPALS = {"S": "SQL_USER", "E": "EXTERNAL_USER", "X": "EXTERNAL_GROUP", "R": "DATABASE_ROLE"}
BUILT_IN = {"public": 0, "dbo": 1, "guest": 2, "information_schema": 3, "sys": 4}
CODES = {
    "SELECT": "SL", "INSERT": "IN", "UPDATE": "UP", "DELETE": "DL", "EXECUTE": "EX", "REFERENCES": "RF", "CONTROL": "CL",
    "CONNECT": "CO", "ALTER": "AL", "VIEW DEFINITION": "VW", "TAKE OWNERSHIP": "TO",
}  # fmt: skip

Row = tuple[Any, ...]


def number_of(name: str) -> int:
    """An id for a name, the same for ever: the sandbox keeps none."""
    return 10_000_000 + zlib.crc32(name.casefold().encode()) % 2_000_000_000


def principal_id(database: Database, name: str) -> int | None:
    """The id of a user or role; None where there is none."""
    key = name.casefold()
    if key in BUILT_IN:
        return BUILT_IN[key]
    if key in FIXED_ROLES:
        return 16384 + FIXED_ROLES.index(key)
    return number_of(key) if database.principal(key) is not None else None


def schema_id(name: str) -> int:
    """The id of a schema."""
    return {"dbo": 1, "guest": 2, "information_schema": 3, "sys": 4}.get(name.casefold()) or number_of(
        f"schema {name}"
    )


def all_principals(session: Session) -> Iterator[Principal]:
    """Users and roles, the built-in ones too, that the session sees: all of them for who administers, else its own."""
    database = session.database
    at = session.user.created_at
    yield Principal(name="public", kind="R", created_at=at)
    yield database.principal("dbo") or Principal(name="dbo", kind="S", created_at=at)
    yield from (
        Principal(name=name, kind="S", created_at=at) for name in ("guest", "INFORMATION_SCHEMA", "sys")
    )
    yield from (Principal(name=name, kind="R", created_at=at) for name in FIXED_ROLES)
    own = set(roles_of(database, session.user))
    everybody = any(may(session, right) for right in ("VIEW DEFINITION", "ALTER ANY USER", "ALTER ANY ROLE"))
    for one in database.principals.values():
        if one.name.casefold() not in (*BUILT_IN, *FIXED_ROLES) and (everybody or one.name.casefold() in own):
            yield one


def _principals(session: Session) -> Iterator[Row]:
    for one in all_principals(session):
        is_fixed = one.name.casefold() in FIXED_ROLES
        authentication = {"E": (4, "EXTERNAL"), "X": (4, "EXTERNAL"), "R": (0, "NONE")}.get(one.kind)
        if authentication is None:
            authentication = (1, "INSTANCE") if one.login or one.name == "dbo" else (0, "NONE")
            authentication = (2, "DATABASE") if one.password is not None else authentication
        sid = bytes.fromhex(one.sid) if one.sid else _sid(one, principal_id(session.database, one.name) or 0)
        yield (
            one.name,
            principal_id(session.database, one.name),
            one.kind,
            PRINCIPALS[one.kind],
            "dbo" if one.kind != "R" else None,
            one.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
            one.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
            1 if one.kind == "R" else None,
            sid,
            int(is_fixed),
            authentication[0],
            authentication[1],
        )


def _sid(principal: Principal, number: int) -> bytes | None:
    """Of what no directory knows: roles by their number, guest zero, dbo as Azure's administrators have it."""
    if principal.kind == "R":
        return bytes.fromhex("0105000000000009040000") + bytes(13) + number.to_bytes(4, "little")
    dbo = bytes.fromhex("0106000000000164") + bytes(19) + b"\1"
    return {"dbo": dbo, "guest": b"\0", "sys": None, "information_schema": None}.get(
        principal.name.casefold(), f"sid of {principal.name.casefold()}".encode()[:28]
    )


def _permissions(session: Session) -> Iterator[Row]:
    database = session.database
    names = {one.name.casefold() for one in all_principals(session)}
    for one in database.principals.values():
        if one.kind != "R" and not is_kept_out(database, one) and one.name.casefold() in names:
            number = principal_id(database, one.name)
            yield (0, "DATABASE", 0, 0, number, 1, "CO  ", "CONNECT", "G", "GRANT")
    for grant in database.permissions:
        if grant.grantee.casefold() not in names:
            continue
        if grant.securable == DATABASE:
            place: tuple[Any, ...] = (0, "DATABASE", 0)
        elif grant.securable.startswith(f"{SCHEMA}::"):
            place = (3, "SCHEMA", schema_id(grant.securable.partition("::")[2]))
        else:
            place = (1, "OBJECT_OR_COLUMN", number_of(grant.securable.partition("::")[2]))
        state = {"GRANT": "G", "DENY": "D", "GRANT_WITH_GRANT_OPTION": "W"}[grant.state]
        number = principal_id(database, grant.grantee)
        code = CODES.get(grant.permission, grant.permission[:4]).ljust(4)
        yield (*place, 0, number, 1, code, grant.permission, state, grant.state)


def _members(session: Session) -> Iterator[Row]:
    for one in all_principals(session):
        for role in one.roles:
            yield (principal_id(session.database, role), principal_id(session.database, one.name))


def _objects(session: Session) -> Iterator[Row]:
    for one in session.database.objects():
        if sees(session, one.full_name):
            kind = session.database.kind_of(one.full_name) or ""
            yield (
                one.name,
                number_of(one.full_name),
                None,
                schema_id(one.schema),
                0,
                kind,
                KINDS[kind],
                0,
            )
    for row in _triggers(session):
        yield (row[0], row[1], None, row[7], row[2], "TR", KINDS["TR"], 0)


def _triggers(session: Session) -> Iterator[Row]:
    for table in session.database.tables.values():
        for trigger in table.triggers if sees(session, table.full_name) else ():
            number = number_of(f"{joined(table.schema, trigger.name)} trigger")
            parent = number_of(table.full_name)
            yield (trigger.name, number, parent, 1, "OBJECT_OR_COLUMN", 0, 0, schema_id(table.schema))


def _trigger_events(session: Session) -> Iterator[Row]:
    for table in session.database.tables.values():
        for trigger in table.triggers if sees(session, table.full_name) else ():
            number = number_of(f"{joined(table.schema, trigger.name)} trigger")
            for event in trigger.events:
                yield (number, {"INSERT": 1, "UPDATE": 2, "DELETE": 3}[event], event)


def _of_kind(*kinds: str) -> Callable[[Session], Iterator[Row]]:
    return lambda session: (row for row in _objects(session) if row[5] in kinds)


def _schemas(session: Session) -> Iterator[Row]:
    for name in ("dbo", "guest", "INFORMATION_SCHEMA", "sys"):
        yield (name, schema_id(name), principal_id(session.database, name))
    yield from ((name, schema_id(name), 1) for name in session.database.schemas() if name.casefold() != "dbo")


def _seen_tables(session: Session) -> Iterator[Table]:
    return (one for one in session.database.tables.values() if sees(session, one.full_name))


def _columns(session: Session) -> Iterator[Row]:
    for table in _seen_tables(session):
        for place, column in enumerate(table.columns, 1):
            yield (
                number_of(table.full_name),
                column.name,
                place,
                column.type.partition("(")[0],
                int(column.nullable),
                int(column.is_identity),
            )


def _parameters(session: Session) -> Iterator[Row]:
    for procedure in session.database.procedures.values():
        for place, name in enumerate(procedure.parameters if sees(session, procedure.full_name) else (), 1):
            yield (number_of(procedure.full_name), f"@{name}", place, 0)


def _databases(session: Session) -> Iterator[Row]:
    yield ("master", 1, "ONLINE", 0)
    yield (session.database.name, 5, session.database.state, 0)


def _information(session: Session) -> Iterator[Row]:
    for one in session.database.objects():
        if not isinstance(one, Procedure) and sees(session, one.full_name):
            kind = "BASE TABLE" if isinstance(one, Table) else "VIEW"
            yield (session.database.name, one.schema, one.name, kind)


def _information_columns(session: Session) -> Iterator[Row]:
    for table in _seen_tables(session):
        for place, column in enumerate(table.columns, 1):
            yield (
                session.database.name,
                table.schema,
                table.name,
                column.name,
                place,
                "YES" if column.nullable else "NO",
                column.type.partition("(")[0],
            )


def _routines(session: Session) -> Iterator[Row]:
    for one in session.database.procedures.values():
        if sees(session, one.full_name):
            yield (session.database.name, one.schema, one.name, "PROCEDURE")


_OBJECT = (
    "name nvarchar(128), object_id int, principal_id int, schema_id int, parent_object_id int, type char(2), "
    "type_desc nvarchar(60), is_ms_shipped bit"
)
VIEWS: dict[str, tuple[str, Callable[[Session], Iterator[Row]]]] = {
    "sys.database_principals": (
        "name nvarchar(128), principal_id int, type char(1), type_desc nvarchar(60), default_schema_name nvarchar(128), "
        "create_date datetime, modify_date datetime, owning_principal_id int, sid varbinary(85), is_fixed_role bit, "
        "authentication_type int, authentication_type_desc nvarchar(60)",
        _principals,
    ),
    "sys.database_permissions": (
        "class tinyint, class_desc nvarchar(60), major_id int, minor_id int, grantee_principal_id int, "
        "grantor_principal_id int, type char(4), permission_name nvarchar(128), state char(1), state_desc nvarchar(60)",
        _permissions,
    ),
    "sys.database_role_members": ("role_principal_id int, member_principal_id int", _members),
    "sys.objects": (_OBJECT, _objects),
    "sys.all_objects": (_OBJECT, _objects),
    "sys.tables": (_OBJECT, _of_kind("U")),
    "sys.views": (_OBJECT, _of_kind("V")),
    "sys.procedures": (_OBJECT, _of_kind("P")),
    "sys.triggers": (
        "name nvarchar(128), object_id int, parent_id int, parent_class tinyint, parent_class_desc nvarchar(60), "
        "is_disabled bit, is_instead_of_trigger bit, schema_id int",
        _triggers,
    ),
    "sys.trigger_events": ("object_id int, type int, type_desc nvarchar(60)", _trigger_events),
    "sys.schemas": ("name nvarchar(128), schema_id int, principal_id int", _schemas),
    "sys.columns": (
        "object_id int, name nvarchar(128), column_id int, type_name nvarchar(128), is_nullable bit, is_identity bit",
        _columns,
    ),
    "sys.parameters": ("object_id int, name nvarchar(128), parameter_id int, is_output bit", _parameters),
    "sys.databases": (
        "name nvarchar(128), database_id int, state_desc nvarchar(60), is_read_only bit",
        _databases,
    ),
    "information_schema.tables": (
        "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME nvarchar(128), TABLE_TYPE nvarchar(10)",
        _information,
    ),
    "information_schema.columns": (
        "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME nvarchar(128), COLUMN_NAME nvarchar(128), "
        "ORDINAL_POSITION int, IS_NULLABLE nvarchar(3), DATA_TYPE nvarchar(128)",
        _information_columns,
    ),
    "information_schema.routines": (
        "ROUTINE_CATALOG nvarchar(128), ROUTINE_SCHEMA nvarchar(128), ROUTINE_NAME nvarchar(128), ROUTINE_TYPE nvarchar(20)",
        _routines,
    ),
}
"""By name in lower case: columns with their types, and the rows."""


def columns_of(view: str) -> list[tuple[str, str]]:
    """Names and types of a view's columns."""
    listed = VIEWS[view][0].split(", ")
    return [(name, kind) for name, _, kind in (one.partition(" ") for one in listed)]


def object_named(session: Session, number: int) -> str | None:
    """The full name of the object with an id, if the session sees it."""
    return next(
        (
            one.full_name
            for one in session.database.objects()
            if number_of(one.full_name) == number and sees(session, one.full_name)
        ),
        None,
    )


def principal_named(database: Database, number: int) -> str | None:
    """The name of the user or role with an id."""
    names = [*BUILT_IN, *FIXED_ROLES, *(one.name for one in database.principals.values())]
    return next((name for name in names if principal_id(database, name) == number), None)


def schema_named(database: Database, number: int) -> str | None:
    """The name of the schema with an id."""
    return next((one for one in ("sys", *database.schemas()) if schema_id(one) == number), None)


def name_of(full_name: str) -> str:
    """An object's name without its schema."""
    return parts(full_name)[1]
