"""Whether a session may do something: DENY beats GRANT, over the user, its roles and public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from holdfast.sandbox.sql.catalogue import Database, Permission, Principal, Use, parts
from holdfast.sandbox.sql.errors import denied
from holdfast.sandbox.sql.login import Session, is_kept_out

BY_ROLE = {
    "db_datareader": {"SELECT"},
    "db_datawriter": {"INSERT", "UPDATE", "DELETE"},
    "db_ddladmin": {"ALTER", "CREATE TABLE", "CREATE PROCEDURE", "CREATE VIEW", "CREATE SCHEMA"},
    "db_securityadmin": {"ALTER ANY ROLE", "CREATE ROLE", "VIEW DEFINITION"},
    "db_accessadmin": {"ALTER ANY USER"},
}
"""What fixed roles may, as far as the sandbox plays it."""

DENIED_BY_ROLE = {
    "db_denydatareader": {"SELECT"},
    "db_denydatawriter": {"INSERT", "UPDATE", "DELETE"},
}
MAKES_VISIBLE = ("VIEW DEFINITION", "SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "REFERENCES", "ALTER")
"""Any right on an object lets its metadata be seen."""


class Ruling(NamedTuple):
    """Whether something is allowed, by which grants, and by which roles or as owner."""

    allowed: bool
    grants: tuple[Permission, ...] = ()
    roles: tuple[str, ...] = ()


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


def ruling(session: Session, permission: str, securables: Iterable[str]) -> Ruling:
    """The decision over all that could give or deny a permission on these securables."""
    holders = set(roles_of(session.database, session.user))
    if session.user.name.casefold() == "dbo":
        return Ruling(True, roles=("dbo",))
    if "db_owner" in holders:
        return Ruling(True, roles=("db_owner",))
    places = {securable.casefold() for securable in securables}
    wanted = {permission.casefold(), "control"}
    found = [
        one
        for one in session.database.permissions
        if one.grantee.casefold() in holders
        and one.permission.casefold() in wanted
        and one.securable.casefold() in places
    ]
    if any(one.state == "DENY" for one in found) or any(
        permission in DENIED_BY_ROLE.get(role, ()) for role in holders
    ):
        return Ruling(False)
    roles = tuple(sorted(role for role in holders if permission in BY_ROLE.get(role, ())))
    return Ruling(bool(found or roles), tuple(found), roles)


def securables_of(full_name: str | None) -> tuple[str, ...]:
    """What a permission on an object (``schema.name``) may be held on; on the database without one."""
    if full_name is None:
        return ("DATABASE",)
    return ("DATABASE", f"SCHEMA::{parts(full_name)[0]}", f"OBJECT::{full_name}")


def may(session: Session, permission: str, full_name: str | None = None) -> bool:
    """Whether the session has a permission on an object (``schema.name``), or on the database."""
    if permission == "CONNECT" and full_name is None:
        return not is_kept_out(session.database, session.user)
    return ruling(session, permission, securables_of(full_name)).allowed


def may_in_schema(session: Session, permission: str, schema: str) -> bool:
    """Whether the session has a permission on all of a schema."""
    return ruling(session, permission, ("DATABASE", f"SCHEMA::{schema}")).allowed


def sees(session: Session, full_name: str) -> bool:
    """Whether the session may know that the object is there."""
    return any(may(session, permission, full_name) for permission in MAKES_VISIBLE)


def need(session: Session, permission: str, full_name: str, now: datetime) -> None:
    """Note that the permission on the object was needed.

    Raises:
        SqlError: 229, the session does not have it.
    """
    ruled = ruling(session, permission, securables_of(full_name))
    if not ruled.allowed:
        schema, name = parts(full_name)
        raise denied(permission, name, session.database.name, schema)
    _note(session, permission, full_name, ruled, now)


def _note(session: Session, permission: str, full_name: str, ruled: Ruling, now: datetime) -> None:
    for grant in ruled.grants:
        grant.used_at = grant.used_at or now
    user = session.user.name
    key = f"{user}\0{permission}\0{full_name}".casefold()
    if key not in session.database.uses:
        through = list(dict.fromkeys([*(one.grantee for one in ruled.grants), *ruled.roles]))
        session.database.uses[key] = Use(
            user=user, permission=permission, securable=f"OBJECT::{full_name}", through=through, at=now
        )
