"""Why a connection would not work if it were used now, as far as it is not Entra that refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from holdfast.sandbox.connection_use import identity_of, refusals
from holdfast.sandbox.flows.definitions import DefinitionError, Operation, every_action
from holdfast.sandbox.flows.runtime import SQL_CONNECTORS, bound, definition_of
from holdfast.sandbox.flows.sql_connector import ADDRESS, outage_of, server_of
from holdfast.sandbox.flows.sql_operations import SqlCall, sql_call
from holdfast.sandbox.frame import Standing
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.powerplatform.policies import blocking
from holdfast.sandbox.records.platform import Connection, Flow
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Session, refusals_of_login, session_of
from holdfast.sandbox.sql.permissions import may
from holdfast.sandbox.sql.statements import full_name, read_batch
from holdfast.sandbox.world import World

OBJECT_RIGHTS = {
    "get_rows": ("SELECT",),
    "get_row": ("SELECT",),
    "insert": ("INSERT", "SELECT"),
    "update": ("UPDATE", "SELECT"),
    "delete": ("DELETE", "SELECT"),
    "new_items": ("SELECT",),
    "updated_items": ("SELECT",),
    "procedure": ("EXECUTE",),
}


def causes(world: World, connection: Connection, now: datetime) -> Iterator[Standing]:
    """In the order in which the platform and the server would answer."""
    if connection.fault is not None and connection.fault.code in ("Unauthenticated", "ConfigurationNeeded"):
        yield Standing("connection_missing_or_unshared", connection.created_at)
    if connection.parameter_set == "certOauth":
        yield from (Standing(one.cause, one.since) for one in refusals(world, connection, now))
    if (policy := blocking(world, connection.environment_id, connection.connector)) is not None:
        yield Standing("dlp_blocked", policy.modified_at)
    if (outage := outage_of(world, connection, now)) is not None:
        yield Standing("throttled" if outage.status == 429 else "service_transient", outage.since)
    gateway = world.gateways.get(connection.gateway_id or "")
    if connection.gateway_id is not None and (gateway is None or not gateway.online):
        yield Standing("gateway_offline", gateway.offline_at if gateway else None)
    seen: set[str] = set()
    for standing in _of_servers(world, connection, now):
        if standing.cause not in seen:
            seen.add(standing.cause)
            yield standing


def _of_servers(world: World, connection: Connection, now: datetime) -> Iterator[Standing]:
    who = identity_of(world, connection)
    calls = list(_calls(world, connection))
    for server_name, database_name in _places(connection, calls):
        server = server_of(world, server_name)
        if server is None:
            yield Standing("network_or_tls", None)
            continue
        refused = list(refusals_of_login(server, database_name, who, now, ADDRESS))
        yield from (Standing(one.cause, one.since) for one in refused)
        database = server.database(database_name)
        if not refused and database is not None:
            session = session_of(server, database, who, now)
            place = (server_name.casefold(), database_name.casefold())
            if not all(_may_do(session, call) for call in calls if _place(connection, call) == place):
                yield Standing("sql_permission_denied", session.database.rights_changed_at)


def _place(connection: Connection, call: SqlCall) -> tuple[str, str]:
    server = call.server or str(connection.parameters.get("server", ""))
    database = call.database or str(connection.parameters.get("database", ""))
    return server.partition(":")[0].casefold(), database.casefold()


def _places(connection: Connection, calls: list[SqlCall]) -> list[tuple[str, str]]:
    """Where the connection is used, or would be: what it names itself, and what its flows' actions name literally."""
    own = (
        str(connection.parameters.get("server", "")).casefold(),
        str(connection.parameters.get("database", "")).casefold(),
    )
    places = [own, *(_place(connection, call) for call in calls)]
    return list(
        dict.fromkeys(
            place for place in places if all(place) and not any(part.startswith("@") for part in place)
        )
    )


def _may_do(session: Session, call: SqlCall) -> bool:
    try:
        if call.kind == "query":
            needed = [need for statement in read_batch(call.query or "") for need in statement.needs]
            return all(may(session, permission, name) for permission, name in needed)
        if call.object is None or call.object.startswith("@") or call.kind not in OBJECT_RIGHTS:
            return True
        return all(
            may(session, permission, full_name(call.object)) for permission in OBJECT_RIGHTS[call.kind]
        )
    except SqlError:
        return True  # what cannot be read is no question of rights


def _calls(world: World, connection: Connection) -> Iterator[SqlCall]:
    for flow in flows_on(world).get(connection.id, ()):
        for operation in _operations(world, flow):
            if operation.connector in SQL_CONNECTORS and bound(world, flow, operation.key) is connection:
                call = sql_call(operation)
                if call is not None:
                    yield call


def _operations(world: World, flow: Flow) -> Iterator[Operation]:
    try:
        definition = definition_of(world, flow)
    except DefinitionError:
        return
    for operation in (
        definition.trigger.operation,
        *(one.operation for one in every_action(definition.actions)),
    ):
        if operation is not None:
            yield operation


def flows_on(world: World) -> Mapping[str, list[Flow]]:
    """The flows that use each connection, worked out once between changes."""
    kept = memo_of(world).get("flows by connection")
    if kept is None or kept[0] != world.changes:
        by_connection: dict[str, list[Flow]] = {}
        for flow in world.flows.values():
            for key in flow.connections:
                if (connection := bound(world, flow, key)) is not None:
                    by_connection.setdefault(connection.id, []).append(flow)
        kept = memo_of(world)["flows by connection"] = (world.changes, by_connection)
    found: Mapping[str, list[Flow]] = kept[1]
    return found
