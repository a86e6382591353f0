"""Security statements done: who may do them, what they change, and how they are refused.

Support: documented (sql-docs, CREATE USER, ALTER ROLE, GRANT; errors-events for the words). Assumed: that the SID form
needs no Entra session (sql-tds.md section 5.1 infers it), and which of two refusals a caller without any right gets.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql import errors, security
from holdfast.sandbox.sql.catalogue import (
    FIXED_ROLES,
    SPECIAL,
    Database,
    Permission,
    Principal,
    joined,
    sid_of,
)
from holdfast.sandbox.sql.login import Session
from holdfast.sandbox.sql.permissions import may, roles_of, ruling, securables_of, sees
from holdfast.sandbox.sql.security import DATABASE, OBJECT, PERMISSIONS, SCHEMA

SID_FORM = Rule(
    "sid_form_needs_no_directory",
    "CREATE USER … WITH SID, TYPE asks no directory: anybody with ALTER ANY USER may run it, a SQL login too, and a wrong "
    "SID is taken.",
    Mark.ASSUMED,
    "sql-docs CREATE USER says no look-up is made; that a SQL login may run it is inferred",
    flipped="A SQL login is refused with 33159.",
)
LOOK_UPS = Rule(
    "external_provider_looks_up_the_directory",
    "CREATE USER … FROM EXTERNAL PROVIDER needs an Entra session; a person is impersonated, a service principal needs the "
    "server's own identity with the right to read the directory (33134, 37353).",
    Mark.DOCUMENTED,
    "azure-sql authentication-aad-service-principal; sql-docs CREATE USER",
)
RULES = (SID_FORM, LOOK_UPS)


class Found(NamedTuple):
    """Somebody in the directory.

    Attributes:
        kind: "E" for people and applications, "X" for groups.
        object_id: of an application, its service principal's.
        sid_of: the id whose bytes are the SID: an application's client id.
    """

    name: str
    kind: str
    object_id: str
    sid_of: str
    is_application: bool


class Directory(Protocol):
    """What a server asks of Entra."""

    @property
    def sid_form_is_free(self) -> bool:
        """Whether a SQL login may make a user by SID."""

    def named(self, name: str) -> list[Found]:
        """Everybody with this display name, or user principal name."""

    def with_id(self, object_id: str) -> Found | None:
        """Who has this object id; None for an app registration's and for nobody's."""


class NoDirectory:
    """A server that belongs to no tenant."""

    sid_form_is_free = True

    def named(self, name: str) -> list[Found]:
        """Nobody."""
        return []

    def with_id(self, object_id: str) -> Found | None:
        """Nobody."""
        return None


def administer(session: Session, statement: security.Security, directory: Directory, now: datetime) -> None:
    """Do it.

    Raises:
        SqlError: it cannot be done, or not by this session.
    """
    match statement:
        case security.CreateUser():
            _create_user(session, statement, directory, now)
        case security.CreateRole():
            _create_role(session, statement, now)
        case security.DropPrincipal():
            _drop(session, statement)
        case security.RenamePrincipal():
            _rename(session, statement)
        case security.ChangeMember():
            _change_member(session, statement)
        case security.ChangePermission():
            _change_permission(session, statement)
    session.database.rights_changed_at = now
    session.database.changed()


# --- users and roles -------------------------------------------------------------------------------------


def _create_user(session: Session, asked: security.CreateUser, directory: Directory, now: datetime) -> None:
    _options_agree(asked)
    if not may(session, "ALTER ANY USER"):
        raise errors.no_permission()
    user = Principal(name=asked.name, kind="S", created_at=now)
    if asked.is_external:
        _look_up(session, asked, directory, user)
    elif asked.sid is not None:
        if session.who.kind != "entra" and not directory.sid_form_is_free:
            raise errors.needs_entra_session(asked.name)
        user.kind, user.sid = str(asked.kind), asked.sid
    elif asked.password is not None:
        user.password = asked.password
    elif not asked.without_login:
        user.login = asked.login or asked.name
        if user.login.casefold() not in session.server.logins:
            raise errors.SqlError(
                15007, f"'{user.login}' is not a valid login or you do not have permission."
            )
    _free_name(session.database, asked.name)
    if user.sid is not None and any(one.sid == user.sid for one in session.database.principals.values()):
        raise errors.SqlError(15063, "The login already has an account under a different user name.")
    session.database.principals[asked.name.casefold()] = user


def _options_agree(asked: security.CreateUser) -> None:
    from_elsewhere = (
        asked.is_external or asked.login is not None or asked.without_login or asked.password is not None
    )
    if asked.kind is not None and from_elsewhere:
        raise errors.wrong_user_options(33168)
    if asked.sid is not None and from_elsewhere:
        raise errors.wrong_user_options(33170)
    if (asked.sid is None) != (asked.kind is None):
        raise errors.wrong_user_options(33162)
    if asked.kind not in (None, "E", "X"):
        raise errors.wrong_user_options(33163)
    if asked.kind is not None and "\\" in asked.name:
        raise errors.wrong_user_options(33169)
    if asked.object_id is not None and not asked.is_external:
        raise errors.syntax("OBJECT_ID")


def _look_up(session: Session, asked: security.CreateUser, directory: Directory, user: Principal) -> None:
    if session.who.kind != "entra":
        raise errors.needs_entra_session(asked.name)
    caller = directory.with_id(session.who.entra_id or "")
    if caller is None or caller.is_application:
        if not session.server.has_identity:
            raise errors.no_server_identity(asked.name)
        if not session.server.reads_directory:
            raise errors.identity_reads_nothing()
    found = _by_id(asked, directory) if asked.object_id is not None else _by_name(asked.name, directory)
    user.kind, user.sid = found.kind, sid_of(found.sid_of)


def _by_id(asked: security.CreateUser, directory: Directory) -> Found:
    object_id = asked.object_id or ""
    found = directory.with_id(object_id) if security.is_guid(object_id) else None
    # The name is an alias: the display name, and what tells it from others of that name.
    if found is None or not asked.name.casefold().startswith(found.name.casefold()):
        raise errors.wrong_object_id(object_id, asked.name)
    return found


def _by_name(name: str, directory: Directory) -> Found:
    found = directory.named(name)
    if not found:
        raise errors.external_not_found(name)
    if len(found) > 1:
        raise errors.duplicate_display_name(name)
    return found[0]


def _free_name(database: Database, name: str) -> None:
    if name.casefold() in SPECIAL or name.casefold() in FIXED_ROLES or database.principal(name) is not None:
        raise errors.principal_exists(name)


def _create_role(session: Session, asked: security.CreateRole, now: datetime) -> None:
    if not (may(session, "CREATE ROLE") or may(session, "ALTER ANY ROLE")):
        raise errors.no_permission()
    _free_name(session.database, asked.name)
    session.database.principals[asked.name.casefold()] = Principal(name=asked.name, kind="R", created_at=now)


def _administered(session: Session, what: str, name: str, verb: str) -> Principal:
    """The user or role that a statement names, if the session may change it."""
    if name.casefold() in SPECIAL or (what == "role" and name.casefold() in FIXED_ROLES):
        raise errors.SqlError(15150, f"Cannot {verb} the {what} '{name}'.")
    found = session.database.principal(name)
    right = "ALTER ANY ROLE" if what == "role" else "ALTER ANY USER"
    if found is None or (found.kind == "R") != (what == "role") or not may(session, right):
        raise errors.cannot(verb, what, name)
    return found


def _drop(session: Session, asked: security.DropPrincipal) -> None:
    if asked.if_exists and session.database.principal(asked.name) is None:
        return
    found = _administered(session, asked.what, asked.name, "drop")
    database = session.database
    if found.kind == "R" and any(_is_member(one, found.name) for one in database.principals.values()):
        raise errors.SqlError(15144, "The role has members. It must be empty before it can be dropped.")
    del database.principals[found.name.casefold()]
    name = found.name.casefold()
    database.permissions = [one for one in database.permissions if one.grantee.casefold() != name]


def _is_member(one: Principal, role: str) -> bool:
    return any(held.casefold() == role.casefold() for held in one.roles)


def _rename(session: Session, asked: security.RenamePrincipal) -> None:
    found = _administered(session, asked.what, asked.name, "alter")
    database, before = session.database, found.name
    if asked.new_name.casefold() != before.casefold():
        _free_name(database, asked.new_name)
    del database.principals[before.casefold()]
    found.name = asked.new_name
    database.principals[asked.new_name.casefold()] = found
    for permission in database.permissions:
        if permission.grantee.casefold() == before.casefold():
            permission.grantee = asked.new_name
    for one in database.principals.values():
        one.roles = [asked.new_name if held.casefold() == before.casefold() else held for held in one.roles]


def _change_member(session: Session, asked: security.ChangeMember) -> None:
    database, role = session.database, asked.role.casefold()
    known = database.principal(role)
    is_fixed = role in FIXED_ROLES
    if role == "public":
        raise errors.SqlError(15081, "Membership of the public role cannot be changed.")
    allowed = may(session, "ALTER ANY ROLE") and (not is_fixed or _is_owner(session))
    if not allowed or not (is_fixed or (known is not None and known.kind == "R")):
        raise errors.cannot("alter", "role", asked.role)
    member = database.principal(asked.member)
    verb = "add" if asked.adds else "drop"
    if asked.member.casefold() in ("dbo", "guest", "sys", "information_schema"):
        raise errors.special_principal(asked.member)
    if member is None:
        raise errors.cannot(verb, "principal", asked.member)
    if asked.adds and role in set(roles_of(database, member)):
        if role == member.name.casefold():
            raise errors.SqlError(15413, "Cannot make a role a member of itself.")
        if _is_member(member, role):
            return
    member.roles = [held for held in member.roles if held.casefold() != role]
    if asked.adds:
        member.roles.append(known.name if known is not None else role)


def _is_owner(session: Session) -> bool:
    return bool(
        {"dbo", "db_owner"} & {session.user.name.casefold(), *roles_of(session.database, session.user)}
    )


# --- permissions -----------------------------------------------------------------------------------------


def _change_permission(session: Session, asked: security.ChangePermission) -> None:
    securable, full_name = _securable(session, asked)
    permissions = _expanded(session.database, asked, full_name)
    for permission in permissions:
        _may_grant(session, permission, asked, full_name)
    grantees = [_grantee(session.database, name) for name in asked.grantees]
    for grantee in grantees:
        for permission in permissions:
            _put(session.database, grantee, permission, securable, asked)


def _securable(session: Session, asked: security.ChangePermission) -> tuple[str, str | None]:
    """The securable as permissions name it, and the object's full name."""
    database = session.database
    if asked.kind == DATABASE:
        if asked.path and asked.path[0].casefold() != database.name.casefold():
            raise errors.cannot("find", "database", asked.path[0])
        return DATABASE, None
    if asked.kind == SCHEMA:
        schema = next((one for one in database.schemas() if one.casefold() == asked.path[0].casefold()), None)
        if schema is None:
            raise errors.cannot("find", "schema", asked.path[0])
        return f"{SCHEMA}::{schema}", None
    schema, name = asked.path if len(asked.path) == 2 else ("dbo", asked.path[0])
    found = database.object_named(joined(schema, name))
    if found is None or not sees(session, found.full_name):
        raise errors.cannot("find", "object", asked.path[-1])
    return f"{OBJECT}::{found.full_name}", found.full_name


def _expanded(database: Database, asked: security.ChangePermission, full_name: str | None) -> tuple[str, ...]:
    """The permissions that the securable has of those asked for."""
    allowed = PERMISSIONS[asked.kind]
    if full_name is not None:
        unfit = security.OF_TABLES if database.kind_of(full_name) == "P" else ("EXECUTE",)
        allowed = allowed.difference(unfit)
    if asked.permissions == ("ALL",):
        usual = (*security.OF_TABLES, "EXECUTE")
        return tuple(one for one in usual if one in allowed)
    for permission in asked.permissions:
        if permission not in allowed:
            raise errors.wrong_permission(permission)
    return asked.permissions


def _may_grant(
    session: Session, permission: str, asked: security.ChangePermission, full_name: str | None
) -> None:
    if _is_owner(session) or "db_securityadmin" in set(roles_of(session.database, session.user)):
        return
    places = securables_of(full_name) if asked.kind != SCHEMA else (DATABASE, f"{SCHEMA}::{asked.path[0]}")
    if ruling(session, "CONTROL", places).allowed:
        return
    held = ruling(session, permission, places).grants
    if not any(one.state == "GRANT_WITH_GRANT_OPTION" for one in held):
        raise errors.SqlError(4613, "Grantor does not have GRANT permission.")


def _grantee(database: Database, name: str) -> str:
    if name.casefold() == "public":
        return "public"
    if name.casefold() in FIXED_ROLES:
        raise errors.SqlError(4617, "Cannot grant, deny or revoke permissions to or from special roles.")
    if name.casefold() in ("dbo", "sys", "information_schema"):
        raise errors.SqlError(
            4604,
            "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or yourself.",
        )
    found = database.principal(name)
    if found is None:
        raise errors.cannot("find", "user", name)
    return found.name


def _put(
    database: Database, grantee: str, permission: str, securable: str, asked: security.ChangePermission
) -> None:
    same = [
        one
        for one in database.permissions
        if (one.grantee.casefold(), one.permission, one.securable.casefold())
        == (grantee.casefold(), permission, securable.casefold())
    ]
    if asked.only_option:
        for one in same:
            one.state = "GRANT" if one.state == "GRANT_WITH_GRANT_OPTION" else one.state
        return
    state = {"GRANT": "GRANT_WITH_GRANT_OPTION" if asked.with_option else "GRANT", "DENY": "DENY"}
    if asked.verb == "GRANT" and any(
        one.state == state["GRANT"] or one.state == "GRANT_WITH_GRANT_OPTION" for one in same
    ):
        return
    database.permissions = [one for one in database.permissions if one not in same]
    # Users may connect without a row that says so; without the right they are as if it were denied.
    if permission == "CONNECT":
        state = {"GRANT": "", "DENY": "DENY", "REVOKE": "DENY"}
    if state.get(asked.verb):
        database.permissions.append(
            Permission(grantee=grantee, permission=permission, securable=securable, state=state[asked.verb])
        )
