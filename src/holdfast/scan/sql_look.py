"""Ask SQL Server about one connection: log in as the connection would, or look as an administrator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from holdfast.core.errors import CloudError, SqlServerError
from holdfast.core.evidence import Evidence
from holdfast.core.inventory import Connection, Flow
from holdfast.core.sql import LoginState, SqlPlace, SqlRefusal
from holdfast.ports import SqlServer
from holdfast.reading.sql_answers import Read, administrators_evidence, login_evidence, no_user, own_evidence


@dataclass(frozen=True, slots=True)
class SqlLook:
    """What one database said.

    Attributes:
        seen_as: "application" for the connection's own identity, "sql_admin" for ours.
        at: None where nobody answered; `trouble` then says why.
        user: the application's name in the database, as an administrator sees it; None where there is none or nobody
            looked.
        login: the SQL login that the connection holds; None where there is none that we may see or nobody looked.
    """

    place: SqlPlace
    seen_as: str
    at: datetime | None = None
    refusal: SqlRefusal | None = None
    user: str | None = None
    trouble: str = ""
    login: LoginState | None = None
    evidence: tuple[Evidence, ...] = ()


def places_of(connection: Connection, flows: Iterable[Flow]) -> tuple[SqlPlace, ...]:
    """The databases that it opens, as it says itself or as its flows spell out; each once."""
    named = [(connection.server, connection.database)]
    named += [(each.server, each.database) for flow in flows for each in flow.operations]
    found = (SqlPlace(s, d) for s, d in named if s and d and "default" not in (s.lower(), d.lower()))
    return tuple({(place.server.lower(), place.database.lower()): place for place in found}.values())


async def as_application(server: SqlServer, place: SqlPlace, read: Read) -> SqlLook:
    """Log in with the application's own secret."""
    try:
        probe = await server.probe(place)
    except CloudError as error:
        return SqlLook(place, "application", trouble=str(error))
    return SqlLook(place, "application", probe.at, probe.refusal, evidence=own_evidence(probe, read))


async def as_administrator(server: SqlServer, place: SqlPlace, client_id: str | None, read: Read) -> SqlLook:
    """Log in as our own administrator, and look for the application's user; None where it is no application."""
    try:
        probe = await server.probe(place)
        if probe.refusal is not None or client_id is None:
            evidence = administrators_evidence(probe, read)
            return SqlLook(place, "sql_admin", probe.at, probe.refusal, evidence=evidence)
        user = await server.user_of(place, client_id)
    except SqlServerError as error:
        return SqlLook(place, "sql_admin", refusal=error.refusal, trouble=error.message)
    except CloudError as error:
        return SqlLook(place, "sql_admin", trouble=str(error))
    missing = () if user is not None else (no_user(place, client_id, probe),)
    return SqlLook(place, "sql_admin", probe.at, user=user, evidence=missing)


async def at_login(server: SqlServer, place: SqlPlace, login: str, read: Read) -> SqlLook:
    """Log in as our own administrator, and ask how a SQL login and its password stand."""
    try:
        probe = await server.probe(place)
        if probe.refusal is not None:
            evidence = administrators_evidence(probe, read)
            return SqlLook(place, "sql_admin", probe.at, probe.refusal, evidence=evidence)
        state = await server.login_state(place, login)
    except SqlServerError as error:
        return SqlLook(place, "sql_admin", refusal=error.refusal, trouble=error.message)
    except CloudError as error:
        return SqlLook(place, "sql_admin", trouble=str(error))
    said = tuple(login_evidence(place, state)) if state is not None else ()
    return SqlLook(place, "sql_admin", probe.at, login=state, evidence=said)
