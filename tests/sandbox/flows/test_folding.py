"""Folding makes no difference to what can be seen: the same world with and without it, through random events."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sandbox.ageing import settle
from holdfast.sandbox.entra.administration import EVENTS
from holdfast.sandbox.flows.folding import next_due
from holdfast.sandbox.flows.history import folded, last_run, run_of, runs_of
from holdfast.sandbox.frame import Deed
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.scenarios.definitions import definition, procedure, query, recurrence, rows
from holdfast.sandbox.scenarios.founding import Founding
from holdfast.sandbox.scenarios.sql_founding import ServerFounding
from holdfast.sandbox.sql.catalogue import Permission
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
SERVER = "sql.example"


def a_world() -> World:
    """Flows of every kind on connections of every kind, two of them on one connection, one writing what another reads."""
    found = Founding("test", 1, NOW)
    place = found.environment("Place", org="org")
    dana = found.account("dana", "Dana", licences=["POWERAUTOMATE_PREMIUM"])
    app = found.app("loader", secret_ends_in=timedelta(days=40))
    gateway = found.gateway("GW")
    azure = ServerFounding(found.world, SERVER, found.ago(days=100))
    azure.table("erp", "dbo.Orders", 4, {"Customer": "nvarchar(50)", "Amount": "int"})
    azure.table("erp", "dbo.Log", 0, {"Note": "nvarchar(50)"})
    azure.procedure("erp", "dbo.Note", ["INSERT INTO dbo.Log (Note) VALUES (N'x')"])
    azure.user("erp", dana, "db_datareader", "db_datawriter")
    azure.grant("erp", "public", "EXECUTE", "dbo.Note")
    azure.user("erp", app, "db_datareader")
    azure.login("erp", "web", "pw", "db_datareader", expires_at=NOW + timedelta(days=25))
    plant = ServerFounding(found.world, "plant", found.ago(days=100), gateway_id=gateway.id)
    plant.table("p", "dbo.M", 2, {"N": "int"})
    plant.login("p", "svc", "pw", "db_datareader", is_windows=True)

    own = found.oauth_connection("own", place, dana, used_at=found.ago(days=10))
    idle = found.oauth_connection("idle", place, dana, used_at=found.ago(days=60))
    secret = secret_text(found.world, app.secrets[0])
    service = found.principal_connection(
        "service", place, dana, app, secret=secret, used_at=found.ago(days=1)
    )
    kept = {"username": "web", "password": "pw"}
    login = found.connection(
        "login",
        place,
        dana,
        parameter_set="sqlAuthentication",
        parameters={"server": SERVER, "database": "erp"},
        secrets=kept,
    )
    far = found.connection(
        "far", place, dana, parameter_set="windowsAuthentication", parameters={"server": "plant", "database": "p"},
        secrets={"username": "svc", "password": "pw"}, gateway_id=gateway.id,
    )  # fmt: skip

    def flow(name: str, connection: Any, when: dict[str, Any], *steps: Any) -> None:
        found.flow(name, place, dana, definition(when, *steps), [connection])

    read = rows("[dbo].[Orders]", SERVER, "erp")
    flow("nightly", own, recurrence("Day", 1, 2), ("Read", read))
    flow("writer", own, recurrence("Day", 1, 3), ("Write", procedure("[dbo].[Note]", SERVER, "erp")))
    flow(
        "reader of what is written",
        service,
        recurrence("Day", 1, 3),
        ("Read", rows("[dbo].[Log]", SERVER, "erp")),
    )
    flow("often", own, recurrence("Minute", 25), ("Query", query("SELECT 1 AS one", SERVER, "erp")))
    flow("rare", idle, recurrence("Day", 45, 5), ("Read", read))
    flow("service", service, recurrence("Hour", 7), ("Read", read))
    flow("by login", login, recurrence("Hour", 5), ("Read", rows("[dbo].[Orders]", "default", "default")))
    flow("on premises", far, recurrence("Week", 1, 4), ("Read", rows("[dbo].[M]", "default", "default")))
    clocked = ("Query", query("SELECT @{if(greater(dayOfWeek(utcNow()), 3), 1, 2)} AS n", SERVER, "erp"))
    flow("looks at the clock", own, recurrence("Day", 1, 6), clocked)
    poll = definition(recurrence("Minute", 45), ("Read", read))
    poll["triggers"] = {
        "When_an_item_is_created": {
            "type": "OpenApiConnection",
            "recurrence": {"frequency": "Minute", "interval": 45},
            "splitOn": "@triggerOutputs()?['body/value']",
            "inputs": rows("[dbo].[Orders]", SERVER, "erp")["inputs"]
            | {
                "host": {
                    "apiId": "/x/apis/shared_sql",
                    "connectionName": "shared_sql",
                    "operationId": "GetOnNewItems_V2",
                }
            },
        }
    }
    found.flow("polling", place, dana, poll, [service])
    return found.world


def account_event(name: str, **details: Any) -> Callable[[World], None]:
    def happen(world: World) -> None:
        account = next(iter(world.accounts.values()))
        EVENTS[name](Deed(world, world.settled_at, account.object_id, details))

    return happen


def _revoke(world: World) -> None:
    database = world.servers[SERVER].databases["erp"]
    database.permissions.append(
        Permission(grantee="public", permission="SELECT", securable="SCHEMA::dbo", state="DENY")
    )
    database.changed()


def _grant(world: World) -> None:
    database = world.servers[SERVER].databases["erp"]
    database.permissions = [one for one in database.permissions if one.state != "DENY"]
    database.changed()


def _pause(world: World) -> None:
    database = world.servers[SERVER].databases["erp"]
    database.state, database.wakes_at = "PAUSED", None
    database.changed()


def _gateway(world: World) -> None:
    for gateway in world.gateways.values():
        gateway.online = not gateway.online


def _switch(world: World) -> None:
    for flow in list(world.flows.values())[::2]:
        flow.state = "Stopped" if flow.state == "Started" else "Started"
        flow.state_changed_at = world.settled_at


def _order(world: World) -> None:
    table = world.servers[SERVER].databases["erp"].tables["dbo.orders"]
    table.rows.append([len(table.rows) + 1, "new", 1])
    table.version += 1


def _remove_secret(world: World) -> None:
    app = next(one for one in world.applications.values() if one.display_name == "loader")
    if app.secrets:
        EVENTS["remove_secret"](Deed(world, world.settled_at, app.client_id, {}))


def _rebind(world: World) -> None:
    flow = next(one for one in world.flows.values() if one.display_name == "nightly")
    service = next(one for one in world.connections.values() if one.display_name == "service")
    flow.connections["shared_sql"].connection_id = service.id


DEEDS: dict[str, Callable[[World], None]] = {
    "reset": account_event("reset_password"),
    "disable": account_event("disable_account"),
    "enable": account_event("enable_account"),
    "revoke sessions": account_event("revoke_sessions"),
    "deny": _revoke,
    "grant": _grant,
    "pause": _pause,
    "gateway": _gateway,
    "switch flows": _switch,
    "a new order": _order,
    "remove secret": _remove_secret,
    "rebind": _rebind,
    "nothing": lambda world: None,
}


def seen(world: World) -> dict[str, Any]:
    """All that anybody could see, and all that decides what happens next."""
    now = world.settled_at
    return {
        "connections": {
            one.display_name: (
                one.status,
                one.fault,
                one.modified_at,
                one.token_expires_at,
                one.last_token_at,
            )
            for one in world.connections.values()
        },
        "tokens": sorted((one.id, one.issued_at, one.used_at) for one in world.refresh_tokens.values()),
        "flows": {
            one.display_name: (
                one.state,
                one.state_changed_at,
                one.failing_since,
                one.poll_mark,
                last_run(world, one, now),
            )
            for one in world.flows.values()
        },
        "runs": {one.display_name: history(world, one, now) for one in world.flows.values()},
        "rows": {
            name: table.rows
            for server in world.servers.values()
            for database in server.databases.values()
            for name, table in database.tables.items()
        },
        "databases": [one.state for server in world.servers.values() for one in server.databases.values()],
        "sign-ins": [(row.at, row.principal_id, row.error_code) for row in world.sign_ins],
        "failed": world.counts.get("queries_failed", 0) + folded(world, now)[1],
    }


def history(world: World, flow: Any, now: datetime) -> list[Any]:
    return [
        (
            run.id,
            run.started_at,
            run.ended_at,
            run.record.status,
            [(a.name, a.status, b, e) for a, b, e in run.actions()],
        )
        for run in runs_of(world, flow, now)
    ]


def live_through(world: World, script: list[tuple[int, str]]) -> None:
    for hours, deed in script:
        settle(world, world.settled_at + timedelta(hours=hours), (next_due,))
        DEEDS[deed](world)
        world.changed()
    settle(world, world.settled_at + timedelta(hours=3), (next_due,))


# Hours in which something is still cached, and weeks in which something ends: most faults need both in one script.
PAUSES = st.one_of(st.integers(0, 48), st.integers(0, 24 * 25))
SCRIPTS = st.lists(st.tuples(PAUSES, st.sampled_from(sorted(DEEDS))), min_size=1, max_size=5)
WORLD = a_world()


@pytest.mark.slow
@given(SCRIPTS)
@settings(max_examples=20, deadline=None)
def test_folding_makes_no_difference(script):
    world, unfolded = deepcopy(WORLD), deepcopy(WORLD)
    unfolded.folds = False
    live_through(world, script)
    live_through(unfolded, script)
    expected = seen(unfolded)
    for name, part in seen(world).items():
        assert part == expected[name], name


def test_most_runs_are_folded():
    world = deepcopy(WORLD)
    settle(world, NOW + timedelta(days=60), (next_due,))
    assert folded(world, world.settled_at)[0] > 10 * world.counts["runs_executed"]


def test_settling_in_small_steps_comes_to_the_same():
    at_once, by_steps = deepcopy(WORLD), deepcopy(WORLD)
    settle(at_once, NOW + timedelta(days=20), (next_due,))
    for hours in range(0, 20 * 24 + 1, 6):
        settle(by_steps, NOW + timedelta(hours=hours), (next_due,))
        by_steps.changed()
    assert seen(by_steps) == seen(at_once)


def test_a_copy_of_the_world_goes_on_as_the_world_does():
    world = deepcopy(WORLD)
    settle(world, NOW + timedelta(days=10), (next_due,))
    copy = deepcopy(world)
    settle(world, NOW + timedelta(days=30), (next_due,))
    settle(copy, NOW + timedelta(days=30), (next_due,))
    assert seen(copy) == seen(world)


@pytest.mark.parametrize("name", ["nightly", "writer", "polling"])
def test_every_listed_run_can_be_read_by_its_id(name):
    world = deepcopy(WORLD)
    settle(world, NOW + timedelta(days=9), (next_due,))
    flow = next(one for one in world.flows.values() if one.display_name == name)
    for run in runs_of(world, flow, world.settled_at):
        assert run_of(world, flow, run.id, world.settled_at) == run


def by_name(world: World, name: str) -> Any:
    return next(one for one in world.flows.values() if one.display_name == name)


def test_a_flow_that_is_off_and_on_again_at_one_instant_goes_on():
    world = deepcopy(WORLD)
    settle(world, NOW + timedelta(days=1), (next_due,))
    flow = by_name(world, "nightly")
    for _ in range(2):
        for state in ("Stopped", "Started"):
            flow.state, flow.state_changed_at = state, world.settled_at
            world.changed()
            settle(world, world.settled_at, (next_due,))
    before = len(runs_of(world, flow, world.settled_at))

    settle(world, world.settled_at + timedelta(days=2), (next_due,))

    assert len(runs_of(world, flow, world.settled_at)) == before + 2


def test_a_polling_flow_that_is_turned_on_again_works_off_what_came_meanwhile():
    world = deepcopy(WORLD)
    settle(world, NOW + timedelta(days=1), (next_due,))
    flow = by_name(world, "polling")
    before = len(runs_of(world, flow, world.settled_at))
    flow.state, flow.state_changed_at = "Stopped", world.settled_at
    world.changed()
    for _ in range(3):
        settle(world, world.settled_at + timedelta(days=2), (next_due,))
        _order(world)
        world.changed()
    assert len(runs_of(world, flow, world.settled_at)) == before
    flow.state, flow.state_changed_at = "Started", world.settled_at
    world.changed()
    settle(world, world.settled_at + timedelta(hours=1), (next_due,))
    runs = runs_of(world, flow, world.settled_at)
    assert len(runs) == before + 3
    assert [run.record.trigger_outputs["body"]["Customer"] for run in runs[:3]] == ["new"] * 3


@pytest.mark.parametrize(("licences", "state"), [([], "Stopped"), (["POWERAUTOMATE_PREMIUM"], "Started")])
def test_a_flow_that_never_fires_is_turned_off_after_90_days_without_a_paid_plan(licences, state):
    world = deepcopy(WORLD)
    next(iter(world.accounts.values())).licences = licences
    flow = by_name(world, "nightly")
    flow.definition = {"triggers": {"manual": {"type": "Request", "kind": "Button"}}, "actions": {}}
    flow.modified_at = flow.created_at = NOW
    world.changed()
    settle(world, NOW + timedelta(days=89), (next_due,))
    assert flow.state == "Started"
    settle(world, NOW + timedelta(days=91), (next_due,))
    assert flow.state == state
    assert (
        by_name(world, "by login").state == "Stopped"
    )  # its login's password ended, and it failed for 14 days
    assert by_name(world, "often").state == "Started"
