"""Whether a session may do something: DENY beats GRANT, over the user, its roles and public."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.sandbox.sql.catalogue import Database, Principal
from holdfast.sandbox.sql.errors import denied, denied_in_database
from holdfast.sandbox.sql.login import Session

BY_ROLE = {
    "db_datareader": {"SELECT"},
    "db_datawriter": {"INSERT", "UPDATE", "DELETE"},
    "db_ddladmin": {"ALTER", "CREATE TABLE", "CREATE PROCEDURE"},
    "db_securityadmin": {"ALTER ANY ROLE"},
    "db_accessadmin": {"ALTER ANY USER"},
}
"""What fixed roles may, as far as the sandbox plays it."""


def roles_of(database: Database, principal: Principal) -> Iterator[str]:
    """The names, in lower case, of everything whose permissions the principal has."""
    seen: set[str] = set()
    looking = [principal.name.casefold(), "public"]
    while looking:
        name = looking.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        one = database.principal(name)
        looking += [role.casefold() for role in one.roles] if one else []


def may(session: Session, permission: str, full_name: str | None = None) -> bool:
    """Whether the session has a permission on an object (``schema.name``), or on the database."""
    if session.is_owner:
        return True
    holders = set(roles_of(session.database, session.user))
    if "db_owner" in holders:
        return True
    schema = full_name.partition(".")[0] if full_name else None
    securables = [
        "database",
        *([f"object::{full_name}".casefold(), f"schema::{schema}".casefold()] if full_name else []),
    ]
    wanted = {permission.casefold(), "control"}
    states = {
        one.state
        for one in session.database.permissions
        if one.grantee.casefold() in holders
        and one.securable.casefold() in securables
        and one.permission.casefold() in wanted
    }
    if "DENY" in states:
        return False
    return "GRANT" in states or any(permission in BY_ROLE.get(role, ()) for role in holders)


def need(session: Session, permission: str, full_name: str) -> None:
    """Raise SqlError 229 unless the session has the permission on the object."""
    if not may(session, permission, full_name):
        schema, _, name = full_name.partition(".")
        raise denied(permission, name, session.database.name, schema)


def need_in_database(session: Session, permission: str) -> None:
    """Raise SqlError 262 unless the session has the permission on the database."""
    if not may(session, permission):
        raise denied_in_database(permission, session.database.name)
