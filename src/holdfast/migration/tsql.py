"""Users and grants as T-SQL: names quoted so that nothing can break out, every statement safe to run twice.

Names cannot be parameters in such statements, so the text is built here and nowhere else. Facts: ``sql-tds.md``
sections 5.1 and 5.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from holdfast.core.sql import bracketed, is_nameable, quoted, sid_of
from holdfast.migration.grants import DatabaseGrants, Need, ObjectName, Right, widened

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_PERMISSION: Final = re.compile(r"[A-Z]+(?: [A-Z]+)*")
NOBODY_YET: Final = "application"
_LINE: Final = 180
"""Characters of a comment."""


class UserForm(StrEnum):
    """How the database user of an application is made."""

    SID = (
        "sid"  # asks no directory, so anybody with ALTER ANY USER may; a wrong id makes a user that nobody is
    )
    OBJECT_ID = "object_id"  # for display names that are not unique; the server asks Entra
    EXTERNAL_PROVIDER = "external_provider"  # by display name; the server asks Entra


@dataclass(frozen=True, slots=True)
class AppUser:
    """The database user of an application.

    Attributes:
        name: of the user; the application's display name for `EXTERNAL_PROVIDER`, beginning with it for `OBJECT_ID`.
        client_id: of the application: what the user's SID is made of, whatever the form.
        object_id: of its service principal, not of its registration; needed for `OBJECT_ID`.

    Raises:
        ValueError: a name that SQL Server could not hold, or an id that is none.
    """

    name: str
    client_id: str
    object_id: str | None = None
    form: UserForm = UserForm.SID

    def __post_init__(self) -> None:
        if not is_nameable(self.name) or "\\" in self.name:
            raise ValueError(
                "A database user's name has 1 to 128 characters, none of them a backslash or control character."
            )
        if not _GUID.fullmatch(self.client_id):
            raise ValueError(f"The client id of the application is no id: {self.client_id!r}.")
        if self.form is UserForm.OBJECT_ID and not _GUID.fullmatch(self.object_id or ""):
            raise ValueError("The object id of the service principal must be given to make a user by it.")


def object_path(name: ObjectName) -> str:
    """A two-part name in brackets."""
    return f"{bracketed(name.schema)}.{bracketed(name.name)}"


# --- doing -----------------------------------------------------------------------------------------------


def guard(user: AppUser) -> str:
    """Ends the batch if the name belongs to somebody else."""
    name = quoted(user.name)
    return (
        f"IF EXISTS (SELECT 1 FROM sys.database_principals WHERE name = {name} AND (sid IS NULL OR sid <> {sid_of(user.client_id)}))\n"
        f"BEGIN;\n    THROW 50001, N'A database principal of this name exists and is not the application.', 1;\nEND;"
    )


def create_user(user: AppUser) -> str:
    """Makes the user where there is none of that name."""
    clause = {
        UserForm.SID: f"WITH SID = {sid_of(user.client_id)}, TYPE = E",
        UserForm.OBJECT_ID: f"FROM EXTERNAL PROVIDER WITH OBJECT_ID = '{user.object_id}'",
        UserForm.EXTERNAL_PROVIDER: "FROM EXTERNAL PROVIDER",
    }[user.form]
    return (
        f"IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = {quoted(user.name)})\n"
        f"    CREATE USER {bracketed(user.name)} {clause};"
    )


def grant(user: AppUser, right: Right) -> str:
    """Grants one right."""
    return _grant(user.name, right)


def _grant(name: str, right: Right) -> str:
    return f"GRANT {_permission(right)} ON OBJECT::{object_path(right.object)} TO {bracketed(name)};"


def join_role(user: AppUser, role: str) -> str:
    """Makes the user a member of a role."""
    return _join(user.name, role)


def _join(name: str, role: str) -> str:
    return f"ALTER ROLE {bracketed(role)} ADD MEMBER {bracketed(name)};"


def statements(user: AppUser, rights: Iterable[Right], roles: Sequence[str] = ()) -> tuple[str, ...]:
    """All of it, to be run one by one; the first that fails ends it. Running them again changes nothing.

    The first refuses a name that is somebody else's, and the third, behind the making, a user that the directory
    resolved to somebody else.
    """
    made = (guard(user), create_user(user), *(() if user.form is UserForm.SID else (guard(user),)))
    return (*made, *(grant(user, right) for right in rights), *(join_role(user, role) for role in roles))


# --- undoing ---------------------------------------------------------------------------------------------


def revoke(user: AppUser, right: Right) -> str:
    """Takes one right away, where user and object are still there."""
    path = object_path(right.object)
    return (
        f"IF {_is_ours(user)} AND OBJECT_ID({quoted(path)}) IS NOT NULL\n"
        f"    REVOKE {_permission(right)} ON OBJECT::{path} FROM {bracketed(user.name)};"
    )


def leave_role(user: AppUser, role: str) -> str:
    """Takes the user out of a role."""
    return f"IF {_is_ours(user)}\n    ALTER ROLE {bracketed(role)} DROP MEMBER {bracketed(user.name)};"


def drop_user(user: AppUser) -> str:
    """Drops the user, with whatever was granted to it, if it is the application."""
    return f"IF {_is_ours(user)}\n    DROP USER {bracketed(user.name)};"


def undo_statements(
    user: AppUser, rights: Iterable[Right], roles: Sequence[str] = (), *, drops_user: bool = True
) -> tuple[str, ...]:
    """The inverse of `statements`, to be run one by one; harmless where there is nothing to undo.

    Args:
        rights: those that were not there before.
        drops_user: False where the user was there before.
    """
    taken = [revoke(user, right) for right in rights] + [leave_role(user, role) for role in roles]
    return (*reversed(taken), *((drop_user(user),) if drops_user else ()))


def _is_ours(user: AppUser) -> str:
    name, sid = quoted(user.name), sid_of(user.client_id)
    return f"EXISTS (SELECT 1 FROM sys.database_principals WHERE name = {name} AND sid = {sid})"


def _permission(right: Right) -> str:
    if not _PERMISSION.fullmatch(right.permission):
        raise ValueError(f"No permission: {right.permission!r}.")
    return right.permission


# --- looking ---------------------------------------------------------------------------------------------


def check_user(user: AppUser) -> str:
    """One row ``(name, client_id, type)`` if the name is taken; it is right if `client_id` is the application's."""
    return (
        "SELECT name, CAST(sid AS uniqueidentifier) AS client_id, type FROM sys.database_principals\n"
        f"WHERE name = {quoted(user.name)};"
    )


def check_grants(user: AppUser) -> str:
    """Every permission given to the user itself: ``(state, permission, class, schema_name, object_name)``."""
    return (
        "SELECT d.state_desc AS state, d.permission_name AS permission, d.class_desc AS class,\n"
        "       SCHEMA_NAME(o.schema_id) AS schema_name, o.name AS object_name\n"
        "FROM sys.database_permissions AS d\n"
        "JOIN sys.database_principals AS p ON p.principal_id = d.grantee_principal_id\n"
        "LEFT JOIN sys.objects AS o ON d.class = 1 AND o.object_id = d.major_id\n"
        f"WHERE p.name = {quoted(user.name)}\n"
        "ORDER BY class, schema_name, object_name, permission;"
    )


def check_roles(user: AppUser) -> str:
    """The roles that the user is a direct member of: ``(role)``."""
    return (
        "SELECT r.name AS role FROM sys.database_role_members AS m\n"
        "JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id\n"
        "JOIN sys.database_principals AS p ON p.principal_id = m.member_principal_id\n"
        f"WHERE p.name = {quoted(user.name)};"
    )


def own_rights(rights: Sequence[Right]) -> str | None:
    """Asked while logged in as the application: a row ``(place, held)`` per right, in their order; None for no right.

    `held` is 1, 0, or NULL where the object is not there.
    """
    if not rights:
        return None
    rows = (
        f"SELECT {at} AS place, HAS_PERMS_BY_NAME({quoted(object_path(one.object))}, N'OBJECT', "
        f"{quoted(_permission(one))}) AS held"
        for at, one in enumerate(rights)
    )
    return "\nUNION ALL ".join(rows) + "\nORDER BY place;"


def find_triggers(objects: Sequence[ObjectName]) -> str | None:
    """Triggers of tables into which the connector writes: ``(schema_name, table_name, trigger_name)``; None for none."""
    if not objects:
        return None
    names = " OR ".join(f"(s.name = {quoted(one.schema)} AND o.name = {quoted(one.name)})" for one in objects)
    return (
        "SELECT s.name AS schema_name, o.name AS table_name, t.name AS trigger_name FROM sys.triggers AS t\n"
        "JOIN sys.objects AS o ON o.object_id = t.parent_id\n"
        "JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
        f"WHERE t.is_disabled = 0 AND ({names});"
    )


# --- for people ------------------------------------------------------------------------------------------


def script(user: AppUser | None, grants: DatabaseGrants, roles: Sequence[str] = ()) -> str:
    """One batch for an administrator to read and run in the database, with the actions behind each grant.

    Rights that a chosen role covers are granted all the same: what the flows need stays visible when the role goes.

    Args:
        user: None where the application is not made yet; then nothing makes it, and the grants name `NOBODY_YET`.
    """
    name = user.name if user is not None else NOBODY_YET
    missing = "-- The application has no user here yet: give --user and --client-id to have it made."
    lines = [
        f"-- {_comment(str(grants.place))}",
        "-- Run it connected to this database; running it again changes nothing.",
        "SET XACT_ABORT ON;",
        *(statements(user, ()) if user is not None else (missing,)),
    ]
    lines += [line for need in grants.needs for line in _granted(name, need)]
    for role in roles:
        lines += [
            f"-- Wider than needed, by choice: {_comment(widened(grants, role).adds)}",
            _join(name, role),
        ]
    for one in grants.decisions:
        lines.append(f"-- NOT GRANTED, to be decided: {_comment(one.action)}: {_comment(one.sentence)}")
        lines += [f"--   known: {_comment(_grant(name, right))}" for right in one.known]
    return "\n".join(lines) + "\n"


def script_line(user: AppUser | None, right: Right) -> str:
    """The one statement of `script` that grants this right."""
    return _grant(user.name if user is not None else NOBODY_YET, right)


def undo_script(user: AppUser, rights: Iterable[Right], roles: Sequence[str] = ()) -> str:
    """The inverse of `script`, as one batch."""
    return "\n".join(("SET XACT_ABORT ON;", *undo_statements(user, rights, roles))) + "\n"


def _granted(name: str, need: Need) -> tuple[str, ...]:
    named = "; ".join(_comment(action) for action in need.actions)
    return (f"-- {named[:_LINE]}{'…' if len(named) > _LINE else ''}", _grant(name, need.right))


def _comment(text: str) -> str:
    """A text that stays inside its line of comment."""
    shown = "".join(
        mark if unicodedata.category(mark)[0] not in "CZ" or mark == " " else "?" for mark in text
    )
    return shown if len(shown) <= _LINE else f"{shown[:_LINE]}…"
