"""Why the SQL side would refuse a connection that Entra lets through: a section of `/truth`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from holdfast.sandbox.connection_use import identity_of
from holdfast.sandbox.flows.definitions import Action, DefinitionError, Operation
from holdfast.sandbox.flows.runtime import bound, definition_of
from holdfast.sandbox.flows.sql_operations import SqlCall, sql_call
from holdfast.sandbox.frame import Part, Standing
from holdfast.sandbox.platform_events import EVENTS, RULES, next_unlicensed
from holdfast.sandbox.sql.catalogue import sid_of
from holdfast.sandbox.sql.login import Identity, Session, open_session, refusals_of_login
from holdfast.sandbox.sql.permissions import may
from holdfast.sandbox.sql.statements import full_name
from holdfast.sandbox.world import Connection, Flow, World

ADDRESS = "20.86.93.32"
NEEDS = {
    "procedure": ("EXECUTE",),
    "get_rows": ("SELECT",),
    "get_row": ("SELECT",),
    "insert": ("INSERT", "SELECT"),
    "update": ("UPDATE", "SELECT"),
    "delete": ("DELETE", "SELECT"),
    "new_items": ("SELECT",),
    "updated_items": ("SELECT",),
}
"""What an operation needs on its table or procedure; a query of its own is not taken apart here."""


class Asked(NamedTuple):
    """One operation of a flow on a connection, as far as the definition names it plainly."""

    server: str
    database: str
    call: SqlCall


def causes(world: World, connection: Connection, now: datetime) -> Iterator[Standing]:
    """Gateway first, then the server, then the rights, each once."""
    gateway = world.gateways.get(connection.gateway_id or "")
    if gateway is not None and not gateway.online:
        yield Standing("gateway_offline", gateway.offline_at)
    seen: set[str] = set()
    who = identity_of(world, connection)
    for asked in asked_of(world, connection):
        for standing in _standing(world, asked, who, now):
            if standing.cause not in seen:
                seen.add(standing.cause)
                yield standing


def _standing(world: World, asked: Asked, who: Identity, now: datetime) -> Iterator[Standing]:
    server = world.servers.get(asked.server.partition(":")[0].casefold())
    if server is None:
        return
    refused = list(refusals_of_login(server, asked.database, who, now, ADDRESS))
    database = server.database(asked.database)
    for refusal in refused:
        missing = refusal.cause == "sql_user_missing" and database is not None
        yield Standing(
            refusal.cause, database.dropped.get(_mark(who)) if missing and database else refusal.since
        )
    # A login wakes a sleeping database: looking must not.
    if refused or asked.call.object is None or database is None or database.state != "ONLINE":
        return
    session = open_session(server, asked.database, who, now, ADDRESS)
    yield from _rights(session, asked.call)


def _mark(who: Identity) -> str:
    """How a dropped user is remembered: by SID, or by name where it has none."""
    return sid_of(who.entra_id) if who.entra_id else who.name.casefold()


def _rights(session: Session, call: SqlCall) -> Iterator[Standing]:
    name = full_name(call.object or "")
    if any(not may(session, permission, name) for permission in NEEDS.get(call.kind, ())):
        since = session.database.revoked.get(session.user.name.casefold())
        yield Standing("sql_permission_denied", since)


def asked_of(world: World, connection: Connection) -> Iterator[Asked]:
    """What the flows ask through the connection; for one that no flow uses, what its own parameters name."""
    own = str(connection.parameters.get("server", "")), str(connection.parameters.get("database", ""))
    for flow in world.flows.values():
        if any(bound(world, flow, key) is connection for key in flow.connections):
            for key, call in _calls(world, flow):
                if bound(world, flow, key) is connection:
                    server, database = call.server or own[0], call.database or own[1]
                    if server and database and "@" not in server + database:
                        yield Asked(server, database, call)
    if all(own):
        yield Asked(*own, SqlCall("tables", False, None, None, None, None, None, {}, {}))


def _calls(world: World, flow: Flow) -> Iterator[tuple[str, SqlCall]]:
    try:
        definition = definition_of(world, flow)
    except DefinitionError:
        return
    operations = [definition.trigger.operation, *(action.operation for action in _all(definition.actions))]
    for operation in operations:
        if operation is not None and _is_sql(operation) and (call := sql_call(operation)) is not None:
            yield operation.key, call


def _is_sql(operation: Operation) -> bool:
    return operation.connector.removeprefix("shared_") == "sql"


def _all(actions: tuple[Action, ...]) -> Iterator[Action]:
    for action in actions:
        yield action
        for branch in action.branches.values():
            yield from _all(branch)


PART = Part("sql", rules=RULES, events=EVENTS, agenda=(next_unlicensed,), causes=causes)
