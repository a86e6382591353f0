"""The connector on a database as an application: rights it uses are told, rights it lacks refused, views and triggers play."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.sandbox.flows.sql_connector import Answer, Trace, ask
from holdfast.sandbox.flows.sql_operations import SqlCall
from holdfast.sandbox.powerautomate.part import truth
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.scenarios.named import SERVER, build
from holdfast.sandbox.sql.catalogue import Permission
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def founded() -> World:
    return build("story", 1, NOW)


@pytest.fixture
def world(founded: World) -> World:
    copied = deepcopy(founded)
    for server in copied.servers.values():
        for database in server.databases.values():
            database.uses.clear()
            for one in database.permissions:
                one.used_at = None
    return copied


def connection_of(world: World) -> Connection:
    return next(one for one in world.connections.values() if one.display_name.startswith("ERP export"))


def do(world: World, kind: str, written: str, **more: Any) -> Answer:
    app = next(one for one in world.applications.values() if one.display_name == "erp-nightly")
    who = Identity("entra", app.client_id, entra_id=app.client_id)
    given = {"query": None, "row_id": None, "values": {}, "options": {}} | more
    call = SqlCall(kind=kind, is_v1=False, server=SERVER, database="erp", object=written, **given)
    return ask(world, connection_of(world), who, call, NOW, Trace())


def allow(world: World, *rights: str) -> None:
    for right in rights:
        permission, _, name = right.partition(" ")
        granted = Permission(grantee="erp-nightly", permission=permission, securable=f"OBJECT::{name}")
        world.servers[SERVER].databases["erp"].permissions.append(granted)


@pytest.mark.parametrize(
    ("kind", "more", "rights"),
    [
        ("get_rows", {}, {"SELECT"}),
        ("get_row", {"row_id": 1}, {"SELECT"}),
        ("insert", {"values": {"Customer": "x"}}, {"INSERT", "SELECT"}),
        ("update", {"row_id": 1, "values": {"Customer": "x"}}, {"UPDATE", "SELECT"}),
        ("delete", {"row_id": 1}, {"DELETE", "SELECT"}),
    ],
)
def test_an_operation_uses_its_rights_and_no_other(world, kind, more, rights):
    world.servers[SERVER].databases["erp"].permissions.clear()
    for missing in rights:
        others = [f"{one} dbo.Orders" for one in rights if one != missing]
        world.servers[SERVER].databases["erp"].permissions.clear()
        allow(world, *others)
        assert do(world, kind, "[dbo].[Orders]", **more).code == "SQL229"
    allow(world, *(f"{one} dbo.Orders" for one in rights))
    world.servers[SERVER].databases["erp"].uses.clear()
    assert do(world, kind, "[dbo].[Orders]", **more).status == 200
    used = truth(world, NOW)["sql"]["used"]
    assert {one["permission"] for one in used} == rights
    assert all(one["used"] for one in truth(world, NOW)["sql"]["grants"] if one["database"] == "erp")


def test_a_procedure_needs_execute_and_nothing_on_its_tables(world):
    assert do(world, "procedure", "dbo.PostTotals").code == "SQL229"
    allow(world, "EXECUTE dbo.PostTotals")
    assert do(world, "procedure", "dbo.PostTotals").status == 200
    used = truth(world, NOW)["sql"]["used"]
    assert [(one["permission"], one["securable"]) for one in used] == [("EXECUTE", "OBJECT::dbo.PostTotals")]


def test_a_view_needs_select_on_itself_only(world):
    world.servers[SERVER].databases["erp"].permissions.clear()
    allow(world, "SELECT dbo.LargeOrders")
    answer = do(world, "get_rows", "dbo.LargeOrders")
    assert [row["Id"] for row in answer.body["value"]] == [5, 6, 7, 8, 9, 10, 11, 12]
    assert do(world, "get_rows", "dbo.Orders").code == "SQL229"


@pytest.mark.parametrize(("kind", "more"), [("insert", {"values": {"Orders": 1}})])
def test_the_connector_fails_on_a_table_with_a_trigger(world, kind, more):
    allow(world, "INSERT dbo.Totals", "SELECT dbo.Totals")
    assert do(world, kind, "dbo.Totals", **more).code == "SQL334"


def test_a_query_on_that_table_runs_its_trigger(world):
    allow(world, "INSERT dbo.Totals")
    before = len(world.servers[SERVER].databases["erp"].tables["dbo.audit"].rows)
    query = "INSERT INTO dbo.Totals (Orders) VALUES (1)"
    assert do(world, "query", "", query=query).status == 200
    assert len(world.servers[SERVER].databases["erp"].tables["dbo.audit"].rows) == before + 1
