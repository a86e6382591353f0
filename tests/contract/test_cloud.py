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
