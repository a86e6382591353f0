"""Logging in: from an identity to a session in one database, or the number with which the server refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.catalogue import Database, Login, Principal, Server, sid_of
from holdfast.sandbox.sql.errors import SqlError

WAKING = timedelta(seconds=60)

WAKES = Rule(
    "paused_database_wakes_in_a_minute",
    "The first login to a paused serverless database fails with 40613 and wakes it; a minute later it answers.",
    Mark.DOCUMENTED,
    "azure-sql serverless-tier-overview",
)
ENTRA_BY_SID = Rule(
    "entra_principals_match_by_sid",
    "An Entra token is matched to a database user by SID (client id or object id), never by name.",
    Mark.DOCUMENTED,
    "sql-docs create-user-transact-sql; troubleshooting of non-unique display names",
)
NO_LOCKOUT = Rule(
    "wrong_passwords_lock_no_login",
    "A SQL login is locked by the event `sql_lock_login` only, however often a wrong password comes.",
    Mark.ABSENT,
    "sql-docs password-policy: the Windows account policy of the machine decides, which is not played here",
)
RULES = (WAKES, ENTRA_BY_SID, NO_LOCKOUT)


class Identity(NamedTuple):
    """Who knocks.

    Attributes:
        kind: "entra" with a token, "sql" with name and password, "windows" likewise.
        entra_id: object id of a person, client id of an application: what the SID is made of.
        groups: object ids of the Entra groups the person is in.
        tenant: of an application, for how SUSER_SNAME tells it.
    """

    kind: str
    name: str
    password: str = ""
    entra_id: str | None = None
    groups: tuple[str, ...] = ()
    tenant: str | None = None


class Session(NamedTuple):
    """A login to one database.

    Attributes:
        user: as whom it acts now; EXECUTE AS changes it.
        who: who logged in.
    """

    server: Server
    database: Database
    user: Principal
    who: Identity

    @property
    def is_owner(self) -> bool:
        """Whether nothing is denied it."""
        return self.user.name.casefold() == "dbo" or "db_owner" in self.user.roles


class Refusal(NamedTuple):
    """Why a login fails: a cause id of the knowledge base, since when (None if unknowable), and the error."""

    cause: str
    since: datetime | None
    error: SqlError


def open_session(server: Server, database_name: str, who: Identity, now: datetime, address: str) -> Session:
    """Log in.

    Raises:
        SqlError: the server refuses. A paused database begins to wake by it.
    """
    refusal = next(refusals_of_login(server, database_name, who, now, address), None)
    database = server.database(database_name)
    if refusal is not None:
        if database is not None and database.state == "PAUSED" and refusal.error.number == 40613:
            database.wakes_at = database.wakes_at or now + WAKING
        raise refusal.error
    if database is None:
        raise errors.no_database(database_name)
    if database.state == "PAUSED":
        database.state, database.state_changed_at, database.wakes_at = "ONLINE", database.wakes_at, None
    return session_of(server, database, who, now)


def session_of(server: Server, database: Database, who: Identity, now: datetime) -> Session:
    """The session that a login which nothing refuses would have."""
    return Session(server, database, _user(server, database, who) or _dbo(now), who)


def refusals_of_login(
    server: Server, database_name: str, who: Identity, now: datetime, address: str
) -> Iterator[Refusal]:
    """Why this login would fail now, in the order in which the server looks; nothing if it would succeed."""
    if server.denied_at is not None:
        yield Refusal("sql_firewall", server.denied_at, errors.firewall(server.name, address))
    database = server.database(database_name)
    if who.kind != "entra" and _contained(database, who) is None:
        yield from _refusals_of_password(server.logins.get(who.name.casefold()), who, now)
    if database is None:
        yield Refusal("sql_database_unavailable", None, errors.no_database(database_name))
        return
    if database.state == "PAUSED" and not (database.wakes_at is not None and now >= database.wakes_at):
        yield Refusal(
            "sql_database_unavailable",
            database.state_changed_at,
            errors.not_available(server.name, database.name),
        )
    if database.state == "OFFLINE":
        yield Refusal("sql_database_unavailable", database.state_changed_at, errors.offline(database.name))
    trouble = database.trouble
    if trouble is not None and (trouble.until is None or now < trouble.until):
        cause = "throttled" if trouble.number in errors.THROTTLING else "sql_transient"
        yield Refusal(cause, trouble.since, errors.troubled(trouble.number, server.name, database.name))
    user = _user(server, database, who)
    if user is not None and is_kept_out(database, user):
        yield Refusal("sql_login_failed_other", database.rights_changed_at, errors.no_database(database.name))
    if user is None:
        error = (
            errors.login_failed("<token-identified principal>")
            if who.kind == "entra"
            else errors.no_database(database.name)
        )
        yield Refusal("sql_user_missing", database.rights_changed_at, error)


def is_kept_out(database: Database, user: Principal) -> bool:
    """Whether the right to connect is denied the user."""
    name = user.name.casefold()
    return any(
        (one.grantee.casefold(), one.permission.casefold(), one.state) == (name, "connect", "DENY")
        for one in database.permissions
    )


def _refusals_of_password(login: Login | None, who: Identity, now: datetime) -> Iterator[Refusal]:
    if login is None or login.password != who.password:
        yield Refusal("bad_credentials", None, errors.login_failed(who.name, 8 if login else 5))
    elif login.locked_at is not None:
        yield Refusal("account_locked", login.locked_at, errors.login_locked(who.name))
    elif not login.enabled:
        yield Refusal("account_disabled", login.disabled_at, errors.login_disabled(who.name))
    elif login.expires_at is not None and now >= login.expires_at:
        yield Refusal("password_expired", login.expires_at, errors.password_expired(who.name))


def _contained(database: Database | None, who: Identity) -> Principal | None:
    """The user of that very database, known to no login, whose name and password these are."""
    found = database.principal(who.name) if database is not None else None
    is_right = found is not None and found.password is not None and found.password == who.password
    return found if is_right else None


def _user(server: Server, database: Database, who: Identity) -> Principal | None:
    if who.kind != "entra":
        if (contained := _contained(database, who)) is not None:
            return contained
        wanted = who.name.casefold()
        return next(
            (
                one
                for one in database.principals.values()
                if one.login is not None and one.login.casefold() == wanted
            ),
            None,
        )
    sids = [sid_of(identity) for identity in (who.entra_id, *who.groups) if identity]
    by_sid = {one.sid: one for one in database.principals.values() if one.kind in ("E", "X") and one.sid}
    found = next((by_sid[sid] for sid in sids if sid in by_sid), None)
    if found is None and who.entra_id is not None and who.entra_id == server.entra_admin:
        return database.principal("dbo")
    return found


def _dbo(now: datetime) -> Principal:
    return Principal(name="dbo", kind="S", created_at=now, roles=["db_owner"])
