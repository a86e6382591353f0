"""The ports of the cloud, over recorded and documented answers: what they say in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.cloud.graph import GraphDirectory
from holdfast.adapters.cloud.powerplatform import CloudPlatform
from holdfast.core.identity import ClientSecret
from holdfast.core.inventory import (
    SQL_CONNECTORS,
    Connection,
    ConnectorId,
    Environment,
    EnvironmentId,
    SignIn,
)
from holdfast.ports import Directory, Platform
from tests.fakes.wire import a_transport, said

SALES = Environment(EnvironmentId("sales"), "Sales")


def a_platform(*answers: Any) -> Platform:
    transport, _ = a_transport([said(200, answer) for answer in answers])
    return CloudPlatform(transport)


async def connections(answer: Any) -> list[Connection]:
    return [c async for c in a_platform(answer).connections(SALES, SQL_CONNECTORS[0])]


def sql_connection(**properties: Any) -> dict[str, Any]:
    """After power-platform-api: modelled, as no recorded shared_sql connection was found."""
    given = {"apiId": "/providers/Microsoft.PowerApps/scopes/admin/environments/sales/apis/shared_sql"}
    return {"value": [{"name": "c1", "properties": {**given, **properties}}]}


async def test_recorded_environments_are_told_in_our_words(fixtures: Path):
    raw = (fixtures / "power-platform/environments_bap_admin_list_2026.json").read_bytes()
    recorded = [environment["properties"]["environmentSku"] for environment in json.loads(raw)["value"]]

    told = [environment async for environment in a_platform(raw).environments()]

    assert [e.kind for e in told] == recorded
    assert [e.is_default for e in told].count(True) == 1
    assert {e.dataverse_url for e in told} == {None, "https://orgmocktenant.api.crm.dynamics.com"}
    assert all(e.id and e.display_name and e.region for e in told)


async def test_recorded_connections_are_told_in_our_words(fixtures: Path):
    raw = (fixtures / "power-platform/connections_admin_list.json").read_bytes()
    recorded = json.loads(raw)["value"]

    told = await connections(raw)

    assert len(told) == len(recorded) == 18
    assert [c.status for c in told] == [r["properties"]["statuses"][0]["status"] for r in recorded]
    assert {c.connector for c in told} == {r["id"].split("/apis/")[1].split("/")[0] for r in recorded}
    assert all(c.environment == "sales" and c.owner and c.owner.user_principal_name for c in told)
    revoked = [c for c in told if c.fault and "AADSTS50173" in c.fault.message]
    assert {c.fault.code for c in revoked if c.fault} == {"Unauthorized"}
    assert all(c.token_expires_at and c.modified_at and c.token_expires_at < c.modified_at for c in revoked)


async def test_a_recorded_instant_keeps_its_microseconds(fixtures: Path):
    raw = (fixtures / "power-platform/connections_admin_list.json").read_bytes()
    first = json.loads(raw)["value"][0]["properties"]

    told = (await connections(raw))[0]

    assert told.created_at is not None
    assert told.created_at.tzinfo is UTC
    assert told.created_at.isoformat(timespec="microseconds")[:26] == first["createdTime"][:26]


async def test_a_healthy_recorded_sign_in_dates_its_last_token(fixtures: Path):
    raw = (fixtures / "power-platform/connections_admin_list.json").read_bytes()

    healthy = [c for c in await connections(raw) if c.token_expires_at and not c.fault]

    lives = [c.token_expires_at - c.modified_at for c in healthy if c.token_expires_at and c.modified_at]
    assert len(lives) == 10
    assert all(timedelta(minutes=59) < life < timedelta(minutes=91) for life in lives)


@pytest.mark.parametrize(
    ("properties", "sign_in"),
    [
        ({"connectionParametersSet": {"name": "oauth", "values": {}}}, SignIn.USER),
        ({"connectionParametersSet": {"name": "OAuth"}}, SignIn.USER),
        ({"connectionParametersSet": {"name": "oauthCom", "values": {}}}, SignIn.USER),
        ({"connectionParametersSet": {"name": "oauthSP", "values": {}}}, SignIn.SERVICE_PRINCIPAL),
        ({"connectionParametersSet": {"name": "certOauth", "values": {}}}, SignIn.CERTIFICATE),
        ({"connectionParametersSet": {"name": "sqlAuthentication", "values": {}}}, SignIn.SQL_LOGIN),
        ({"connectionParametersSet": {"name": "windowsAuthentication", "values": {}}}, SignIn.WINDOWS),
        ({"connectionParametersSet": {"name": "windowsAuthenticationNonShared"}}, SignIn.WINDOWS),
        ({"connectionParametersSet": {"name": "oauthMI", "values": {}}}, SignIn.UNKNOWN),
        ({"connectionParameters": {"server": "s", "database": "d", "authType": "windows"}}, SignIn.WINDOWS),
        ({"connectionParameters": {"server": "s", "database": "d"}}, SignIn.SQL_LOGIN),
        ({"connectionParameters": {"sku": "Enterprise"}}, SignIn.UNKNOWN),
        ({}, SignIn.UNKNOWN),
    ],
)
async def test_the_parameter_set_tells_whose_sign_in_it_is(properties, sign_in):
    (told,) = await connections(sql_connection(**properties))

    assert told.sign_in is sign_in


async def test_a_password_connection_tells_its_server_and_gateway():
    values = {
        "server": {"value": "db1"},
        "database": {"value": "Sales"},
        "gateway": {"value": {"id": "gw-1"}},
    }

    (told,) = await connections(
        sql_connection(connectionParametersSet={"name": "sqlAuthentication", "values": values})
    )

    assert (told.server, told.database, told.gateway, told.connector) == (
        "db1",
        "Sales",
        "gw-1",
        "shared_sql",
    )


async def test_a_service_principal_connection_tells_its_application():
    values = {"token:clientId": {"value": "app-1"}, "token:TenantId": {"value": "t-1"}}

    (told,) = await connections(sql_connection(connectionParametersSet={"name": "oauthSP", "values": values}))

    assert told.client_id == "app-1"
    assert told.token_expires_at is None


FINANCE = Environment(
    EnvironmentId("finance"), "Finance", dataverse_url="https://contoso.api.crm4.dynamics.com"
)


async def test_recorded_connection_references_are_told_in_our_words(fixtures: Path):
    raw = (fixtures / "power-platform/dataverse_connectionreferences_list.json").read_bytes()
    transport, wire = a_transport([said(200, raw)])

    told = [reference async for reference in CloudPlatform(transport).references(FINANCE)]

    assert len(told) == 6
    assert [r.connection for r in told].count(None) == 2
    assert {r.connector for r in told} == {
        "shared_workdaysoap",
        "shared_commondataserviceforapps",
        "shared_conversionservice",
    }
    assert wire.asked[0].url.host == "contoso.api.crm4.dynamics.com"
    assert wire.asked[0].headers["odata-version"] == "4.0"


async def test_a_flow_tells_which_connections_it_holds():
    """After the recorded workflow, with the connection map of power-platform-api 7.2."""
    connections = {
        "shared_sql": {"runtimeSource": "embedded", "connection": {"name": "c1", "connectionReferenceLogicalName": "new_sql"}, "api": {"name": "shared_sql"}},
        "shared_sql_1": {"runtimeSource": "embedded", "connection": {"name": "c2"}, "api": {"name": "shared_sql"}},
        "shared_sql-2": {"runtimeSource": "invoker", "connection": {"connectionReferenceLogicalName": "new_theirs"}, "api": {"name": "shared_sql"}},
    }  # fmt: skip
    row = {
        "workflowid": "w1",
        "name": "Nightly",
        "statecode": 1,
        "ismanaged": False,
        "modifiedon": "2026-01-01T00:00:00Z",
        "_ownerid_value": "u1",
        "clientdata": json.dumps({"properties": {"connectionReferences": connections, "definition": {}}}),
    }

    transport, _ = a_transport([said(200, {"value": [row]})])
    (told,) = [flow async for flow in CloudPlatform(transport).flows(FINANCE)]

    assert (told.id, told.is_on, told.is_suspended, told.owner) == ("w1", True, False, "u1")
    assert told.references == ("new_sql",)
    assert told.connections == ("c2",)
    assert [bound.is_invoker for bound in told.bindings] == [False, False, True]


async def test_a_recorded_flow_without_connections_is_readable(fixtures: Path):
    row = json.loads((fixtures / "power-platform/dataverse_workflow_create_response_201.json").read_bytes())
    transport, _ = a_transport([said(200, {"value": [row]})])

    (told,) = [flow async for flow in CloudPlatform(transport).flows(FINANCE)]

    assert (told.is_on, told.is_readable, told.bindings) == (False, True, ())


@pytest.mark.parametrize("file", ["flow_admin_get.json", "flow_get_maker.json"])
async def test_the_connection_map_of_the_flow_api_reads_the_same(fixtures: Path, file: str):
    properties = json.loads((fixtures / "power-platform" / file).read_bytes())["properties"]
    row = {"workflowid": "w1", "statecode": 1, "clientdata": json.dumps({"properties": properties})}
    transport, _ = a_transport([said(200, {"value": [row]})])

    (told,) = [flow async for flow in CloudPlatform(transport).flows(FINANCE)]

    recorded = properties["connectionReferences"]
    assert [(b.key, b.reference, b.connection) for b in told.bindings] == [
        (key, entry.get("connectionReferenceLogicalName"), entry.get("connectionName"))
        for key, entry in recorded.items()
    ]
    assert {b.is_invoker for b in told.bindings} <= {
        entry["source"] == "Invoker" for entry in recorded.values()
    }


@pytest.mark.parametrize(
    "clientdata",
    [None, "", "{", "[]", "[" * 100_000, '{"properties": {}}', '{"properties": {"connectionReferences": []}}', '{"properties": {"connectionReferences": {"k": 7}}}'],
    ids=lambda text: repr(text)[:40],
)  # fmt: skip
async def test_a_definition_that_cannot_be_read_is_told_as_such(clientdata):
    row = {"workflowid": "w1", "statecode": 2, "clientdata": clientdata}
    transport, _ = a_transport([said(200, {"value": [row]})])

    (told,) = [flow async for flow in CloudPlatform(transport).flows(FINANCE)]

    assert not told.is_readable
    assert (told.is_on, told.is_suspended) == (False, True)


async def test_an_environment_without_dataverse_has_no_flows_in_solutions():
    transport, wire = a_transport([said(500, "")])
    platform = CloudPlatform(transport)

    assert [flow async for flow in platform.flows(SALES)] == []
    assert [reference async for reference in platform.references(SALES)] == []
    assert wire.asked == []


async def test_unknown_fields_are_counted():
    transport, _ = a_transport([said(200, sql_connection(novelty=1, displayName="x"))])

    told = [c async for c in CloudPlatform(transport).connections(SALES, ConnectorId("shared_sql"))]

    assert [c.display_name for c in told] == ["x"]
    assert dict(transport.traffic.strangers) == {"connection.novelty": 1}


async def test_applications_tell_the_dates_of_every_credential():
    """After microsoft-graph-docs-contrib application-list: documented, not recorded."""
    application = {
        "id": "o-1",
        "appId": "a-1",
        "displayName": "Nightly",
        "passwordCredentials": [
            {"keyId": "k-1", "displayName": "rotated", "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00.1234567Z", "secretText": None, "hint": "abc"},
        ],
        "keyCredentials": [{"keyId": "k-2", "type": "AsymmetricX509Cert", "usage": "Verify", "endDateTime": None}],
    }  # fmt: skip
    transport, _ = a_transport(
        [
            said(
                200,
                {
                    "value": [application],
                    "@odata.nextLink": "https://graph.microsoft.com/v1.0/applications?$skiptoken=2",
                },
            ),
            said(200, {"value": [{"id": "o-2", "appId": "a-2", "displayName": None}]}),
        ]
    )
    directory: Directory = GraphDirectory(transport)

    first, second = [told async for told in directory.service_principals()]

    assert first.secrets == (
        ClientSecret("k-1", "rotated", "secret", datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ClientSecret("k-2", "", "certificate", None, None),
    )  # fmt: skip
    assert (second.client_id, second.display_name, second.secrets) == ("a-2", "a-2", ())
