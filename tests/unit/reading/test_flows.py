"""A flow definition in, its SQL operations out: every form in which people have them."""

from __future__ import annotations

import json

import pytest

from holdfast.core.operations import QueryForm
from holdfast.reading.flows import has_definition, sql_operations

API = "/providers/Microsoft.PowerApps/apis/shared_sql"


def by_name(operation="GetItems_V2", key="shared_sql", **parameters):
    """An action as Power Automate writes it today."""
    given = {"server": "default", "database": "default"} | parameters
    host = {"apiId": API, "connectionName": key, "operationId": operation}
    return {"type": "OpenApiConnection", "inputs": {"host": host, "parameters": given}, "runAfter": {}}


def by_path(path, method="get", key="sql", body=None):
    """An action as Logic Apps writes it."""
    name = f"@parameters('$connections')['{key}']['connectionId']"
    inputs = {"host": {"connection": {"name": name}}, "method": method, "path": path}
    return {"type": "ApiConnection", "inputs": inputs | ({"body": body} if body else {}), "runAfter": {}}


def encoded(name):
    return f"@{{encodeURIComponent(encodeURIComponent('{name}'))}}"


def a_flow(actions, triggers=None, references=None, **further):
    definition = {"triggers": triggers or {}, "actions": actions}
    return {"properties": {"connectionReferences": references or {}, "definition": definition, **further}}


def only(document):
    [operation] = sql_operations(document)
    return operation


def test_an_action_is_read_with_its_connection():
    references = {
        "shared_sql": {
            "runtimeSource": "embedded",
            "connection": {"connectionReferenceLogicalName": "new_erp"},
            "api": {"name": "shared_sql"},
        }
    }

    found = only(a_flow({"Get": by_name(table="[dbo].[Orders]")}, references=references))

    assert (found.path, found.kind, found.connector) == ("Get", "action", "shared_sql")
    assert (found.connection_key, found.reference, found.runtime_source) == (
        "shared_sql",
        "new_erp",
        "embedded",
    )
    assert (found.operation, found.api_version, found.server) == ("GetItems_V2", "v2", "default")
    assert (found.object, found.reads, found.needs_human) == ("[dbo].[Orders]", ("[dbo].[Orders]",), False)


def test_containers_count_in_the_path_though_branches_do_not():
    inner = {"A": by_name(table="a")}
    actions = {
        "Scope": {
            "type": "Scope",
            "actions": {"If": {"type": "If", "actions": {}, "else": {"actions": inner}}},
        },
        "Switch": {
            "type": "Switch",
            "cases": {"One": {"case": 1, "actions": {"B": by_name(table="b")}}},
            "default": {"actions": {"C": by_name(table="c")}},
        },
        "Each": {
            "type": "Foreach",
            "actions": {"Until": {"type": "Until", "actions": {"D": by_name(table="d")}}},
        },
    }

    paths = [found.path for found in sql_operations(a_flow(actions))]

    assert paths == ["Scope/If/A", "Switch/B", "Switch/C", "Each/Until/D"]


def test_a_trigger_is_told_from_an_action():
    found = only(a_flow({}, {"When": by_name("GetOnNewItems_V2", table="t")}))

    assert (found.path, found.kind, found.reads) == ("When", "trigger", ("t",))


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("GetItem_V2", "reads"),
        ("GetItems", "reads"),
        ("GetOnUpdatedItems_V2", "reads"),
        ("PostItem_V2", "writes"),
        ("PatchItem", "writes"),
        ("DeleteItem_V2", "writes"),
    ],
)
def test_an_operation_reads_or_writes(operation, kind):
    found = only(a_flow({"A": by_name(operation, table="[dbo].[T]")}))

    assert {k: getattr(found, k) for k in ("reads", "writes", "executes") if getattr(found, k)} == {
        kind: ("[dbo].[T]",)
    }


def test_a_procedure_is_executed():
    found = only(
        a_flow({"A": by_name("ExecuteProcedure_V2", procedure="[dbo].[p]", **{"parameters/x": "@body('y')"})})
    )

    assert found.executes == ("[dbo].[p]",)
    assert not found.needs_human


@pytest.mark.parametrize(
    ("path", "method", "operation"),
    [
        ("/datasets/default/tables/{T}/items", "get", "GetItems"),
        ("/datasets/default/tables/{T}/items", "post", "PostItem"),
        ("/datasets/default/tables/{T}/items/@{encodeURIComponent(item()?['id'])}", "get", "GetItem"),
        ("/datasets/default/tables/{T}/items/@{triggerBody()}", "patch", "PatchItem"),
        ("/datasets/default/tables/{T}/items/5", "delete", "DeleteItem"),
        ("/datasets/default/tables/{T}/onnewitems", "get", "GetOnNewItems"),
        ("/v2/datasets/{D},{D}/tables/{T}/items", "get", "GetItems_V2"),
        ("/datasets/{D},{D}/tables/{T}/onupdateditems", "get", "GetOnUpdatedItems_V2"),
        ("/v2/datasets/{D},{D}/procedures/{T}", "post", "ExecuteProcedure_V2"),
        ("/datasets/default/procedures/{T}", "post", "ExecuteProcedure"),
    ],
)
def test_a_path_says_which_operation_it_is(path, method, operation):
    written = path.replace("{T}", encoded("[dbo].[T]")).replace("{D}", encoded("default"))

    found = only({"definition": {"actions": {"A": by_path(written, method)}}})

    assert (found.operation, found.object, found.connector) == (operation, "[dbo].[T]", "sql")
    assert not found.needs_human


def test_a_path_that_is_percent_encoded_is_read():
    found = only(
        {
            "definition": {
                "actions": {"A": by_path("/datasets/default/tables/%255Bdbo%255D.%255BT%255D/items")}
            }
        }
    )

    assert found.object == "[dbo].[T]"


def test_a_slash_in_a_name_does_not_split_it():
    path = f"/datasets/default/tables/{encoded('[dbo].[in/out]')}/items"

    assert only({"definition": {"actions": {"A": by_path(path)}}}).object == "[dbo].[in/out]"


def test_server_and_database_come_out_of_the_path():
    path = f"/v2/datasets/{encoded('srv.database.windows.net')},{encoded('erp')}/tables/{encoded('T')}/items"

    found = only({"definition": {"actions": {"A": by_path(path)}}})

    assert (found.server, found.database) == ("srv.database.windows.net", "erp")


def test_what_is_only_known_at_run_time_is_said_and_not_guessed():
    path = "/v2/datasets/@{encodeURIComponent(parameters('s'))},@{encodeURIComponent(parameters('d'))}/tables/@{encodeURIComponent(parameters('t'))}/items"

    found = only({"definition": {"actions": {"A": by_path(path)}}})

    assert (found.server, found.database, found.object) == (None, None, None)
    assert (found.server_dynamic, found.database_dynamic, found.object_dynamic) == (True, True, True)
    assert found.object_expression == "parameters('t')"
    assert found.reads == ()
    assert found.needs_human


@pytest.mark.parametrize(
    "server", ["@parameters('Server (new_Server)')", "@{variables('s')}", "<server>", ""]
)
def test_a_server_that_is_not_settled_needs_a_person(server):
    assert only(a_flow({"A": by_name(server=server, table="t")})).needs_human


@pytest.mark.parametrize(
    ("query", "form", "human"),
    [
        ("SELECT * FROM dbo.T WHERE a = @{body('x')}", QueryForm.VALUES, False),
        ("SELECT * FROM dbo.T", QueryForm.NO, False),
        ("@variables('query')", QueryForm.WHOLE, True),
        ("DROP TABLE dbo.T", QueryForm.NO, True),
    ],
)
@pytest.mark.parametrize("form_of_action", ["named", "path", "built-in"])
def test_a_native_query_is_read_in_each_form(query, form, human, form_of_action):
    action = {
        "named": by_name("ExecutePassThroughNativeQuery_V2", **{"query/query": query}),
        "path": by_path("/v2/datasets/default,default/query/sql", "post", body={"query": query}),
        "built-in": {
            "type": "ServiceProvider",
            "inputs": {
                "parameters": {"query": query},
                "serviceProviderConfiguration": {
                    "connectionName": "sql",
                    "operationId": "executeQuery",
                    "serviceProviderId": "/serviceProviders/sql",
                },
            },
        },
    }[form_of_action]

    found = only({"definition": {"actions": {"A": action}}})

    assert (found.query, found.query_dynamic, found.needs_human) == (query, form, human)


@pytest.mark.parametrize(
    ("parameters", "operation", "kind"),
    [
        ({"storedProcedureName": "dbo.p"}, "executeStoredProcedure", "executes"),
        ({"tableName": "dbo.T"}, "getRowsV2", "reads"),
        ({"tableName": "dbo.T"}, "insertRow", "writes"),
        ({"tableName": "dbo.T"}, "whenARowIsModified", "reads"),
    ],
)
def test_a_built_in_operation_is_read(parameters, operation, kind):
    host = {"connectionName": "erp", "operationId": operation, "serviceProviderId": "/serviceProviders/sql"}
    action = {
        "type": "ServiceProvider",
        "inputs": {"parameters": parameters, "serviceProviderConfiguration": host},
    }

    found = only({"definition": {"actions": {"A": action}}})

    assert (found.api_version, found.connection_key) == ("serviceprovider", "erp")
    assert getattr(found, kind) == tuple(parameters.values())
    assert not found.needs_human


@pytest.mark.parametrize(
    ("key", "connector"),
    [
        ("sql", "sql"),
        ("sql_1", "sql"),
        ("azuresql-prod", "sql"),
        ("sqldw", "sqldw"),
        ("mysql", None),
        ("postgresql", None),
        ("commondataservice", None),
    ],
)
def test_where_nothing_else_does_the_key_tells_the_connector(key, connector):
    document = {"definition": {"actions": {"A": by_path("/datasets/default/tables/T/items", key=key)}}}

    assert [found.connector for found in sql_operations(document)] == ([connector] if connector else [])


@pytest.mark.parametrize(
    ("id", "is_sql"),
    [
        ("/subscriptions/0/providers/Microsoft.Web/locations/westeurope/managedApis/sql", True),
        ("/subscriptions/0/providers/Microsoft.Web/locations/westeurope/managedApis/postgresql", False),
        ("[concat(subscription().id, '/managedApis/', 'mysql')]", False),
        ("[subscriptionResourceId('Microsoft.Web/locations/managedApis', parameters('l'), 'sql')]", True),
    ],
)
def test_what_the_connection_is_counts_more_than_its_key(id, is_sql):
    for key in ("sql", "warehouse"):
        document = {
            "$schema": "x",
            "resources": [
                {
                    "properties": {
                        "definition": {
                            "actions": {"A": by_path("/datasets/default/tables/T/items", key=key)}
                        },
                        "parameters": {"$connections": {"value": {key: {"id": id}}}},
                    }
                }
            ],
        }

        assert bool(list(sql_operations(document))) is is_sql


def test_a_key_resolves_through_the_map_and_not_by_its_name():
    references = {
        "shared_office365": {"api": {"name": "shared_sql"}},
        "shared_sql": {"api": {"name": "shared_office365"}},
    }
    sent = by_name(key="shared_sql", table="t")
    del sent["inputs"]["host"]["apiId"]
    read = by_name(key="shared_office365", table="t")
    del read["inputs"]["host"]["apiId"]

    found = list(sql_operations(a_flow({"Mail": sent, "Rows": read}, references=references)))

    assert [operation.path for operation in found] == ["Rows"]


@pytest.mark.parametrize("name", ["connectionName", "connection", "connectionReferenceName"])
def test_every_way_of_naming_the_connection_is_read(name):
    action = by_name(table="t")
    host = action["inputs"]["host"]
    host[name] = host.pop("connectionName")

    assert only(a_flow({"A": action})).connection_key == "shared_sql"


def test_a_legacy_package_says_whose_connection_it_is():
    references = {"shared_sql": {"connectionName": "27d4", "source": "Invoker", "id": API}}

    found = only(a_flow({"A": by_name(table="t")}, references=references))

    assert (found.reference, found.runtime_source) == (None, "invoker")


def test_a_row_of_dataverse_holds_its_definition_as_text():
    row = {"workflowid": "1", "clientdata": json.dumps(a_flow({"A": by_name(table="t")}))}

    assert only({"value": [row]}).object == "t"


def test_actions_copied_from_the_designer_are_read():
    copied = {
        "nodeId": "Scope",
        "serializedValue": {"type": "Scope", "actions": {"A": by_name(table="t")}},
        "allConnectionData": {
            "A": {"connectionReference": {"api": {"id": API}, "connectionName": "new_erp"}}
        },
    }

    found = only(copied)

    assert (found.path, found.reference) == ("Scope/A", "new_erp")


def test_actions_copied_from_the_old_designer_are_read():
    copied = {"operationName": "Get_rows", "isTrigger": False, "operationDefinition": by_name(table="t")}

    assert only(copied).path == "Get_rows"


def test_a_bare_map_of_actions_is_read():
    assert only({"A": by_name(table="t"), "B": {"type": "Response", "kind": "Http"}}).path == "A"


def test_a_template_parameter_in_a_path_is_dynamic():
    path = "[concat('/datasets/default/procedures/@{encodeURIComponent(', variables('q'), parameters('p'), variables('q'), ')}')]"
    document = {
        "contentVersion": "1",
        "variables": {"q": "'"},
        "resources": [{"properties": {"definition": {"actions": {"A": by_path(path, "post")}}}}],
    }

    found = only(document)

    assert (found.operation, found.object, found.object_expression) == (
        "ExecuteProcedure",
        None,
        "parameters('p')",
    )


@pytest.mark.parametrize(
    "document", [{}, [], "text", None, 5, {"a": {"b": [1]}}, {"openapi": "3.0", "paths": {}}]
)
def test_a_document_without_a_flow_is_said_to_be_none(document):
    assert not has_definition(document)
    assert list(sql_operations(document)) == []


def test_a_flow_without_sql_has_no_operation():
    document = a_flow({"A": {"type": "Compose", "inputs": "SELECT 1 FROM shared_sql"}})

    assert has_definition(document)
    assert list(sql_operations(document)) == []


@pytest.mark.parametrize(
    "action",
    [
        {"type": "OpenApiConnection", "inputs": "@body('x')"},
        {
            "type": "OpenApiConnection",
            "inputs": {"host": {"apiId": API, "connectionName": 5}, "parameters": []},
        },
        {"type": "ApiConnection", "inputs": {"host": {"connection": {"name": "sql"}}, "path": 7}},
        {"type": "ServiceProvider", "inputs": None},
        {"type": "Scope", "actions": ["x"], "else": 3, "cases": {"a": None}, "default": []},
    ],
)
def test_an_action_of_any_shape_can_be_read(action):
    for found in sql_operations({"definition": {"actions": {"A": action}}}):
        assert found.needs_human


def test_scopes_nested_without_end_are_read_as_deep_as_people_nest():
    document = {"A": by_name(table="t")}
    for _ in range(400):
        document = {"S": {"type": "Scope", "actions": document}}

    assert list(sql_operations({"definition": {"actions": document}})) == []
