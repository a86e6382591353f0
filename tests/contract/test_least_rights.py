"""What the plan grants is what the flows use: each scenario flow's operations, done by an application with just those rights."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest

from holdfast.core.operations import SqlOperation
from holdfast.migration import tsql
from holdfast.migration.grants import DatabaseGrants, ObjectName, Place, Right, Use, plan_grants
from holdfast.migration.tsql import AppUser
from holdfast.reading.flows import sql_operations
from holdfast.sandbox.databases import log_in
from holdfast.sandbox.flows.definitions import every_action
from holdfast.sandbox.flows.runtime import bound, definition_of
from holdfast.sandbox.flows.sql_connector import Trace, ask
from holdfast.sandbox.flows.sql_operations import sql_call
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import RowSet
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
APP = "a1b2c3d4-e5f6-4711-8899-aabbccddeeff"
ADDRESS = "203.0.113.9"
PERMISSIONS = ("SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER", "CONTROL")


@pytest.fixture(scope="module", params=["story", "contoso"])
def founded(request: pytest.FixtureRequest) -> World:
    return build(request.param, 1, NOW)


@pytest.fixture
def world(founded: World) -> World:
    return deepcopy(founded)


def app() -> Identity:
    return Identity("entra", APP, entra_id=APP)


def run(world: World, place: Place, who: Identity, *texts: str) -> list[tuple[object, ...]]:
    session = log_in(world, str(place.server), str(place.database), who, lambda: NOW, ADDRESS)
    rows: list[tuple[object, ...]] = []
    for text in texts:
        for told in session.execute(text):
            if isinstance(told, SqlError):
                raise told
            rows = list(told.rows) if isinstance(told, RowSet) else rows
    return rows


def admin(world: World) -> Identity:
    name = world.published["roles"]["sql_admin"]
    found = next(one for one in world.applications.values() if one.display_name == name)
    return Identity("entra", found.client_id, entra_id=found.client_id)


def uses_of(world: World, flow: Flow) -> list[Use]:
    return [
        Use(f"{flow.display_name}: {operation.path}", operation, _place(world, flow, operation))
        for operation in sql_operations({"definition": flow.definition})
    ]


def _place(world: World, flow: Flow, operation: SqlOperation) -> Place:
    connection = bound(world, flow, str(operation.connection_key))
    given = connection.parameters if connection is not None else {}
    return Place(given.get("server"), given.get("database"))


def is_open(world: World, grants: DatabaseGrants) -> bool:
    """Whether the application could log in there at all."""
    server = world.servers.get(str(grants.place.server).casefold())
    database = server.database(str(grants.place.database)) if server is not None else None
    return (
        server is not None
        and server.gateway_id is None
        and server.denied_at is None
        and database is not None
        and database.state == "ONLINE"
        and database.trouble is None
    )


def do_everything(world: World, flow: Flow, place: Place) -> set[str]:
    """Do each operation of the flow in that database as the application; the codes of the answers."""
    definition = definition_of(world, flow)
    operations = [definition.trigger.operation, *(one.operation for one in every_action(definition.actions))]
    codes = set()
    for operation in operations:
        call = sql_call(operation) if operation is not None else None
        connection = bound(world, flow, operation.key) if operation is not None else None
        if call is None or connection is None:
            continue
        call = call._replace(server=call.server or place.server, database=call.database or place.database)
        if str(call.server).casefold() == place.server and str(call.database).casefold() == place.database:
            codes.add(ask(world, connection, app(), call, NOW, Trace()).code)
    return codes


def test_flows_run_with_the_rights_planned_and_no_other_right_is_held(world):
    for environment in world.environments.values():
        environment.outage = None
    planned = {
        _shape(grants): (flow, grants)
        for flow in world.flows.values()
        for grants in plan_grants(uses_of(world, flow))
        if is_open(world, grants)
    }
    assert len(planned) >= 5
    for flow, grants in planned.values():
        server = str(grants.place.server).casefold()
        copied = deepcopy(world.servers[server])
        _prove(world, flow, grants)
        world.servers[server] = copied


def _shape(grants: DatabaseGrants) -> str:
    """What flows that do the same have in common: one of them stands for all."""
    return str(
        [(need.right, [action.rpartition(": ")[2] for action in need.actions]) for need in grants.needs]
    )


def _prove(world: World, flow: Flow, grants: DatabaseGrants) -> None:
    user, place = AppUser("holdfast app", APP), grants.place
    assert not grants.decisions, flow.display_name
    run(world, place, admin(world), *tsql.statements(user, grants.rights))
    database = world.servers[str(place.server).casefold()].database(str(place.database))
    assert database is not None

    every = [
        Right(ObjectName(one.schema, one.name), permission)
        for one in database.objects()
        for permission in PERMISSIONS
    ]
    query = tsql.own_rights(every)
    assert query is not None
    held = {
        right
        for right, (_, is_held) in zip(every, run(world, place, app(), query), strict=True)
        if is_held == 1
    }
    assert held == set(grants.rights)

    assert do_everything(world, flow, place) <= {"ok"}, flow.display_name
    unused = [one for one in database.permissions if one.grantee == user.name and one.used_at is None]
    assert unused == [], flow.display_name
