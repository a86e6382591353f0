from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.operations import QueryForm, SqlOperation
from holdfast.migration.grants import (
    DatabaseGrants,
    Need,
    ObjectName,
    Place,
    Right,
    Use,
    Why,
    parts_of,
    plan_grants,
    widened,
)
from holdfast.reading.flows import sql_operations

ORDERS = ObjectName("dbo", "Orders")


def an_operation(operation: str, written: str | None = "[dbo].[Orders]", **more: Any) -> SqlOperation:
    given = {"server": "erp.example", "database": "erp"} | more
    return SqlOperation("Step", "action", "shared_sql", operation=operation, object=written, **given)


def asking(query: str, **more: Any) -> SqlOperation:
    """A native query, read as a definition's would be."""
    host = {
        "apiId": "/providers/Microsoft.PowerApps/apis/shared_sql",
        "connectionName": "shared_sql",
        "operationId": "ExecutePassThroughNativeQuery_V2",
    }
    parameters = {"server": "erp.example", "database": "erp", "query/query": query} | more
    action = {"type": "OpenApiConnection", "inputs": {"host": host, "parameters": parameters}}
    (found,) = sql_operations({"definition": {"actions": {"Ask": action}}})
    return found


def needed(*operations: SqlOperation) -> DatabaseGrants:
    (found,) = plan_grants(Use(f"flow: {n}", one) for n, one in enumerate(operations))
    return found


@pytest.mark.parametrize(
    ("operation", "permissions"),
    [
        ("GetItems_V2", ["SELECT"]),
        ("GetItem_V2", ["SELECT"]),
        ("GetOnNewItems_V2", ["SELECT"]),
        ("GetOnUpdatedItems_V2", ["SELECT"]),
        ("PostItem_V2", ["INSERT", "SELECT"]),
        ("PatchItem_V2", ["SELECT", "UPDATE"]),
        ("DeleteItem_V2", ["DELETE", "SELECT"]),
        ("ExecuteProcedure_V2", ["EXECUTE"]),
        ("PostItem", ["INSERT", "SELECT"]),
        ("whenARowIsModified", ["SELECT", "VIEW CHANGE TRACKING"]),
    ],
)
def test_an_operation_needs_what_it_does(operation, permissions):
    assert needed(an_operation(operation)).rights == tuple(Right(ORDERS, one) for one in permissions)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1 AS one", []),
        ("SELECT * FROM dbo.Orders o JOIN s.Lines l ON l.o = o.i", ["dbo.Orders SELECT", "s.Lines SELECT"]),
        ("DELETE FROM dbo.Orders", ["dbo.Orders DELETE"]),
        ("DELETE FROM dbo.Orders WHERE Id = 1", ["dbo.Orders DELETE", "dbo.Orders SELECT"]),
        ("UPDATE dbo.Orders SET a = 1", ["dbo.Orders UPDATE"]),
        ("UPDATE dbo.Orders SET a = a + 1", ["dbo.Orders SELECT", "dbo.Orders UPDATE"]),
        ("INSERT INTO dbo.Orders (a) VALUES (1)", ["dbo.Orders INSERT"]),
        ("INSERT INTO dbo.Orders (a) OUTPUT INSERTED.* VALUES (1)", ["dbo.Orders INSERT", "dbo.Orders SELECT"]),
        ("INSERT INTO dbo.Orders (a) SELECT b FROM s.Old WHERE c = 1", ["dbo.Orders INSERT", "s.Old SELECT"]),
        ("EXEC [dbo].[Close]", ["dbo.Close EXECUTE"]),
        ("SELECT name FROM sys.tables", []),
        ("WITH x AS (SELECT a FROM s.T) SELECT a FROM x", ["s.T SELECT"]),
    ],
)  # fmt: skip
def test_a_query_needs_what_its_text_touches(query, expected):
    assert [f"{one.object} {one.permission}" for one in needed(asking(query)).rights] == expected


def test_every_right_names_the_actions_that_need_it():
    found = needed(an_operation("GetItems_V2"), an_operation("PostItem_V2", "dbo.orders"))
    assert found.needs == (
        Need(Right(ObjectName("dbo", "orders"), "INSERT"), ("flow: 1",)),
        Need(Right(ORDERS, "SELECT"), ("flow: 0", "flow: 1")),
    )


def test_a_table_that_the_connector_writes_back_is_named_for_its_triggers():
    found = needed(an_operation("PostItem_V2"), an_operation("DeleteItem_V2", "s.Gone"))
    assert found.written_back == (ORDERS,)


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (an_operation("GetItems_V2", server=None, server_dynamic=True, needs_human=True), Why.SERVER_DYNAMIC),
        (an_operation("GetItems_V2", database=None, database_dynamic=True), Why.DATABASE_DYNAMIC),
        (an_operation("GetItems_V2", None, object_dynamic=True, object_expression="@x"), Why.OBJECT_DYNAMIC),
        (an_operation("GetItems_V2", "dbo.<table>", needs_human=True), Why.NOT_READABLE),
        (an_operation("GetItems_V2", "a b].c"), Why.NOT_READABLE),
        (an_operation("GetItems_V2", "x" * 129), Why.NOT_READABLE),
        (an_operation("GetItems_V2", "other.dbo.T"), Why.OTHER_DATABASE),
        (an_operation("Teleport_V2"), Why.UNKNOWN_OPERATION),
        (asking("DROP TABLE dbo.T"), Why.MORE_THAN_RIGHTS),
        (asking("EXEC (@sql)"), Why.NOT_READABLE),
        (asking("SELECT * FROM @{variables('t')}"), Why.QUERY_DYNAMIC),
    ],
)
def test_what_cannot_be_told_is_a_decision_and_no_right(operation, why):
    found = needed(operation)
    assert found.needs == ()
    assert [one.why for one in found.decisions] == [why]


def test_a_query_read_before_its_verbs_were_told_is_a_decision():
    older = replace(asking("DELETE FROM dbo.Orders"), query=None, changes=())
    assert [one.why for one in needed(older).decisions] == [Why.NOT_READABLE]


def test_the_text_of_a_query_need_not_be_kept():
    assert needed(replace(asking("DELETE FROM dbo.Orders"), query=None)).rights == (Right(ORDERS, "DELETE"),)


def test_a_decision_keeps_what_is_known_in_any_case():
    found = needed(asking("SELECT * FROM dbo.Orders; CREATE TABLE dbo.T (a int)"))
    assert [str(one.object) for one in found.decisions[0].known] == ["dbo.Orders"]


def test_a_query_with_values_only_is_no_decision():
    operation = asking("SELECT * FROM dbo.Orders WHERE a = '@{variables('x')}'")
    assert operation.query_dynamic is QueryForm.VALUES
    assert needed(operation).rights == (Right(ORDERS, "SELECT"),)


def test_places_are_one_whatever_their_case_or_port():
    found = plan_grants(
        Use(f"{n}", an_operation("GetItems_V2", server=server))
        for n, server in enumerate(("erp.example", "ERP.example", "tcp:erp.example,1433", "erp.example:1433"))
    )
    assert [one.place for one in found] == [Place("erp.example", "erp")]


def test_what_the_definition_leaves_open_the_connection_says():
    operation = an_operation("GetItems_V2", server="default", database="default")
    assert [one.place for one in plan_grants([Use("a", operation)])] == [Place(None, None)]
    placed = Use("a", operation, Place("erp.example", "erp"))
    assert [one.place for one in plan_grants([placed])] == [Place("erp.example", "erp")]


def test_a_name_without_schema_is_taken_for_dbo_and_said():
    found = needed(an_operation("GetItems_V2", "Orders"))
    assert found.rights == (Right(ORDERS, "SELECT"),)
    assert found.assumed_schema == (ORDERS,)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("a", ("a",)),
        ("[a].[b]", ("a", "b")),
        (' [a]]b] . "c""d" ', ("a]b", 'c"d')),
        ("[a.b].c", ("a.b", "c")),
        ("a..b", None),
        ("a.", None),
        ("", None),
        ("[a", None),
        ("[]", None),
        ("a]b", None),
        ("a\nb", None),
    ],
)
def test_names_are_read_as_people_write_them(written, parts):
    assert parts_of(written) == parts


def test_a_role_is_shown_with_what_it_adds():
    found = needed(an_operation("GetItems_V2"), an_operation("ExecuteProcedure_V2", "dbo.Close"))
    role = widened(found, "db_datareader")
    assert role.covers == (Right(ORDERS, "SELECT"),)
    assert role.adds == "SELECT on every table and view of the database, now and later; flows need it on 1"
