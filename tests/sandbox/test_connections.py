from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.tenant import Host
from holdfast.wire.powerplatform import ConnectorPage, PermissionPage
from tests.sandbox.rooms import Answer, Rooms, paths

APPS = "/providers/Microsoft.PowerApps"
NEW = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def finance(rooms: Rooms) -> str:
    return next(one.id for one in rooms.world.environments.values() if one.display_name == "Finance")


@pytest.fixture
def operator(rooms: Rooms) -> Application:
    return rooms.app("holdfast-operator")


Who = Account | Application


def apps(rooms: Rooms, path: str, who: Who, method: str = "GET", body: Any = None) -> Answer:
    finance = next(one.id for one in rooms.world.environments.values() if one.display_name == "Finance")
    wanted = f"environment eq '{finance}'"
    return rooms.ask(
        Host.POWERAPPS,
        APPS + path,
        who=who,
        method=method,
        body=body,
        api_version="2021-02-01",
        __filter=wanted,
    )


def connectivity(rooms: Rooms, path: str, who: Who, method: str = "GET", body: Any = None) -> Answer:
    finance = next(one.id for one in rooms.world.environments.values() if one.display_name == "Finance")
    wanted = f"environment eq '{finance}'"
    return rooms.ask(
        Host.POWERPLATFORM,
        "/connectivity" + path,
        who=who,
        method=method,
        body=body,
        api_version="1",
        __filter=wanted,
    )


def place(connection: str | Connection) -> str:
    return f"/apis/shared_sql/connections/{connection if isinstance(connection, str) else connection.id}"


def a_principal(rooms: Rooms, name: str = "erp-nightly", secret: str | None = None) -> dict[str, Any]:
    app = rooms.app(name)
    values = {
        "token": "https://global.consent.azure-apim.net/redirect/sql",
        "token:TenantId": rooms.world.tenant_id,
        "token:clientId": app.client_id,
        "token:clientSecret": secret or secret_text(rooms.world, app.secrets[0]),
    }
    chosen = {"name": "oauthSP", "values": {key: {"value": value} for key, value in values.items()}}
    return {"properties": {"displayName": "holdfast/1", "connectionParametersSet": chosen}}


@pytest.mark.parametrize("api", ["apps", "connectivity"])
def test_a_connection_of_a_service_principal_is_made_by_either_api(rooms, operator, fixtures, api):
    if api == "apps":
        answer = apps(rooms, place(NEW), operator, "PUT", a_principal(rooms))
    else:
        answer = connectivity(
            rooms, f"/connectors/shared_sql/connections/{NEW}", operator, "PUT", a_principal(rooms)
        )
    assert answer.status == 201
    shown = answer.json["properties"]
    assert shown["statuses"] == [{"status": "Connected"}]
    assert shown["createdBy"]["type"] == "ServicePrincipal"
    assert "token:clientSecret" not in answer.body.decode()
    known = json.loads((fixtures / "power-platform/connection_put_response_201.json").read_text())
    recorded = set(paths(known, ("connectionParameters", "createdBy")))
    extra = {
        ".properties.isSsoConnection:bool",
        ".properties.connectionParametersSet",
        ".properties.expirationTime:str",
        ".properties.testLinks",
        ".properties.permissions",
    }
    ours = set(paths(answer.json, ("connectionParametersSet", "createdBy")))
    assert {path for path in ours - recorded if not any(path.startswith(one) for one in extra)} == set()


def test_a_new_secret_is_put_on_the_same_connection(rooms, operator):
    apps(rooms, place(NEW), operator, "PUT", a_principal(rooms))
    before = rooms.world.connections[NEW].token_expires_at
    rooms.advance(minutes=5)
    answer = apps(rooms, place(NEW), operator, "PUT", a_principal(rooms))
    assert answer.status == 200
    assert rooms.world.connections[NEW].token_expires_at != before


def test_a_wrong_secret_is_told_at_once(rooms, operator):
    answer = apps(rooms, place(NEW), operator, "PUT", a_principal(rooms, secret="wrong"))
    status = answer.json["properties"]["statuses"][0]
    assert (answer.status, status["status"], status["error"]["code"]) == (201, "Error", "Unauthorized")
    assert "AADSTS7000215" in status["error"]["message"]


def test_with_the_rule_flipped_a_wrong_secret_is_told_on_use(rooms, operator):
    rooms.world.flips.append("put_fetches_a_token_at_once")
    answer = apps(rooms, place(NEW), operator, "PUT", a_principal(rooms, secret="wrong"))
    assert answer.json["properties"]["statuses"] == [{"status": "Connected"}]


def test_a_connection_on_a_persons_sign_in_is_a_shell_until_consent(rooms, fixtures):
    dana = rooms.account("Dana Kim")
    body = {"properties": {"displayName": "mine", "connectionParametersSet": {"name": "OAuth", "values": {}}}}
    answer = apps(rooms, place(NEW), dana, "PUT", body)
    recorded = json.loads((fixtures / "power-platform/connection_statuses_examples.json").read_text())
    assert answer.json["properties"]["statuses"] == recorded["error_unauthenticated"]
    assert "expirationTime" not in answer.json["properties"]
    link = apps(
        rooms, f"{place(NEW)}/getConsentLink", dana, "POST", {"redirectUrl": "https://holdfast.example/done"}
    )
    assert link.json["consentLink"].startswith(rooms.tenant.urls[Host.AUTHORITY])


def test_a_password_connection_shows_server_and_database_only(rooms):
    values = {"server": "s", "database": "d", "username": "u", "password": "p"}
    chosen = {"name": "sqlAuthentication", "values": {key: {"value": value} for key, value in values.items()}}
    answer = apps(
        rooms,
        place(NEW),
        rooms.account("Dana Kim"),
        "PUT",
        {"properties": {"displayName": "x", "connectionParametersSet": chosen}},
    )
    assert answer.json["properties"]["connectionParametersSet"]["values"] == {
        "server": {"value": "s"},
        "database": {"value": "d"},
    }


def a_pfx(rooms: Rooms) -> str:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(rooms.now - timedelta(days=1)).not_valid_after(rooms.now + timedelta(days=90)).sign(key, SHA256())
    )  # fmt: skip
    pfx = serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(b"pw"))
    return b64encode(pfx).decode()


def test_a_certificate_that_the_application_does_not_have_is_told_at_once(rooms, operator):
    pfx = a_pfx(rooms)
    values = {
        "token:TenantId": rooms.world.tenant_id,
        "token:clientId": rooms.app("erp-nightly").client_id,
        "token:clientCertificateSecret": {"pfx": pfx, "password": "pw"},
    }
    chosen = {"name": "certOauth", "values": {key: {"value": value} for key, value in values.items()}}
    answer = apps(
        rooms,
        place(NEW),
        operator,
        "PUT",
        {"properties": {"displayName": "x", "connectionParametersSet": chosen}},
    )
    assert "AADSTS700027" in answer.json["properties"]["statuses"][0]["error"]["message"]
    assert pfx not in json.dumps(rooms.world.connections[NEW].secrets)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unknown": 1}, "InvalidRequestContent"),
        ({"connectionParametersSet": {"name": "oauthMI", "values": {}}}, "InvalidConnectionParametersSet"),
        (
            {"connectionParametersSet": {"name": "oauthSP", "values": {"token:clientId": "plain"}}},
            "InvalidRequestContent",
        ),
        (
            {"connectionParametersSet": {"name": "oauthSP", "values": {"tokenclientId": {"value": 1}}}},
            "InvalidConnectionParameter",
        ),
        (
            {"connectionParametersSet": None, "connectionParameters": {"nothing": 1}},
            "InvalidConnectionParameter",
        ),
        ({"connectionParameters": {"server": "s"}}, "InvalidRequestContent"),
        ({"displayName": 1}, "InvalidRequestContent"),
        ({"environment": {"name": "elsewhere"}}, "InvalidRequestContent"),
    ],
)
def test_a_body_that_nobody_documented_is_refused(rooms, operator, change, code):
    body = a_principal(rooms)
    body["properties"] |= change
    answer = apps(rooms, place(NEW), operator, "PUT", body)
    assert (answer.status, answer.code) == (400, code)
    assert NEW not in rooms.world.connections


def test_a_missing_value_leaves_a_connection_that_needs_configuration(rooms, operator):
    body = a_principal(rooms)
    del body["properties"]["connectionParametersSet"]["values"]["token:clientId"]
    answer = apps(rooms, place(NEW), operator, "PUT", body)
    assert answer.json["properties"]["statuses"][0]["error"]["code"] == "ConfigurationNeeded"


def test_a_whole_connection_as_it_was_read_can_be_put_back(rooms):
    dana = rooms.account("Dana Kim")
    connection = rooms.connection("ERP orders")
    body = apps(rooms, place(connection), dana).json
    body["properties"]["displayName"] = "renamed"
    answer = apps(rooms, place(connection), dana, "PUT", body)
    assert (answer.status, answer.json["properties"]["displayName"]) == (200, "renamed")
    assert connection.status == "Connected"


def test_renaming_moves_the_time_of_change_and_no_token(rooms):
    connection = rooms.connection("ERP orders")
    ends = connection.token_expires_at
    answer = apps(
        rooms, place(connection), rooms.account("Dana Kim"), "PATCH", {"properties": {"displayName": "new"}}
    )
    assert answer.status == 200
    assert (connection.modified_at, connection.token_expires_at) == (rooms.now, ends)


def test_an_application_that_is_no_maker_makes_no_connection(rooms):
    answer = apps(rooms, place(NEW), rooms.app("erp-nightly"), "PUT", a_principal(rooms))
    assert (answer.status, answer.code) == (403, "ConnectionAuthorizationFailed")


def test_permissions_have_the_recorded_shape(rooms, operator, fixtures):
    connection = rooms.connection("ERP orders")
    rooms.event("share_connection", connection.id, **{"with": operator.client_id, "role": "CanViewWithShare"})
    answer = apps(rooms, f"{place(connection)}/permissions", rooms.account("Dana Kim"))
    PermissionPage.model_validate(answer.json)
    known = json.loads((fixtures / "power-platform/connection_permissions_list.json").read_text())
    missing = set(paths(known)) - set(paths(answer.json))
    assert missing == {".value[].properties.principal.preferredLanguage:str"}
    assert set(paths(answer.json)) <= set(paths(known))


def grant(principal: str, kind: str = "ServicePrincipal", role: str = "CanView") -> dict[str, Any]:
    return {
        "put": [
            {
                "properties": {
                    "roleName": role,
                    "capabilities": [],
                    "principal": {"id": principal, "type": kind},
                    "notifyShareTargetOption": "DoNotNotify",
                }
            }
        ],
        "delete": [],
    }


def test_a_shared_connection_is_seen_and_a_share_taken_back_hides_it(rooms, operator):
    dana, connection = rooms.account("Dana Kim"), rooms.connection("ERP orders")
    assert apps(rooms, place(connection), operator).status == 404
    answer = apps(rooms, f"{place(connection)}/modifyPermissions", dana, "POST", grant(operator.principal_id))
    assert (answer.status, answer.body) == (200, b"")
    assert apps(rooms, place(connection), operator).status == 200
    assert apps(rooms, f"{place(connection)}/permissions", operator).status == 403
    gone = {"put": [], "delete": [{"id": f"{APPS}{place(connection)}/permissions/{operator.principal_id}"}]}
    assert apps(rooms, f"{place(connection)}/modifyPermissions", dana, "POST", gone).status == 200
    assert apps(rooms, place(connection), operator).status == 404


@pytest.mark.parametrize(
    ("kind", "role", "code"),
    [
        ("User", "CanView", "ConnectionSharingNotAllowed"),
        ("Group", "CanView", "ConnectionSharingNotAllowed"),
        ("ServicePrincipal", "Owner", "InvalidRequestContent"),
        ("Robot", "CanView", "InvalidRequestContent"),
    ],
)
def test_a_persons_sign_in_is_shared_with_applications_only(rooms, operator, kind, role, code):
    whom = rooms.account("Lee Brandt").object_id if kind == "User" else operator.principal_id
    connection = rooms.connection("ERP orders")
    answer = apps(
        rooms,
        f"{place(connection)}/modifyPermissions",
        rooms.account("Dana Kim"),
        "POST",
        grant(whom, kind, role),
    )
    assert (answer.status, answer.code) == (400, code)
    assert connection.shares == []


def test_a_deleted_connection_is_gone_and_its_flows_fail(rooms):
    connection = rooms.connection("ERP orders")
    assert apps(rooms, place(connection), rooms.account("Dana Kim"), "DELETE").status == 200
    assert apps(rooms, place(connection), rooms.account("Dana Kim")).status == 404
    rooms.advance(days=1)
    assert rooms.flow("Nightly stock check").last_run_ok is False


def test_an_administrator_deletes_anybodys_connection(rooms, finance, operator):
    connection = rooms.connection("Invoices")
    path = f"/scopes/admin/environments/{finance}{place(connection)}"
    assert apps(rooms, path, operator, "DELETE").status == 200
    assert apps(rooms, path, operator, "DELETE").status == 404
    assert apps(rooms, path, rooms.account("Dana Kim"), "DELETE").status == 403


def test_the_admin_scope_puts_nothing(rooms, finance, operator):
    path = f"/scopes/admin/environments/{finance}{place(NEW)}"
    answer = apps(rooms, path, operator, "PUT", a_principal(rooms))
    assert (answer.status, answer.body) == (404, b"")


def test_the_connector_tells_its_parameter_sets(rooms, operator, fixtures):
    answer = apps(rooms, "/apis/shared_sql", operator)
    sets = {one["name"]: one for one in answer.json["properties"]["connectionParameterSets"]["values"]}
    assert set(sets) == {
        "oauth",
        "oauthSP",
        "certOauth",
        "sqlAuthentication",
        "windowsAuthentication",
        "windowsAuthenticationNonShared",
    }
    assert set(sets["oauthSP"]["parameters"]) == {
        "token",
        "token:TenantId",
        "token:clientId",
        "token:clientSecret",
    }
    listed = apps(rooms, "/apis", operator).json
    ConnectorPage.model_validate(listed)
    known = json.loads((fixtures / "power-platform/connectors_list.json").read_text())
    opaque = ("connectionParameters", "connectionParameterSets", "interfaces", "scopes", "metadata")
    assert set(paths(known, opaque)) - set(paths(listed, opaque)) == {
        ".value[].properties.interfaces:dict",
        ".value[].properties.scopes:dict",
    }


def test_gateways_and_apps_are_listed(rooms, finance, operator):
    assert [
        one["properties"]["displayName"] for one in apps(rooms, "/gatewayClusters", operator).json["value"]
    ] == ["GW-PLANT-01"]
    listed = apps(rooms, f"/scopes/admin/environments/{finance}/apps", operator).json["value"]
    assert [one["properties"]["displayName"] for one in listed] == ["Helpdesk"]
    references = listed[0]["properties"]["connectionReferences"].values()
    assert [one["id"] for one in references] == [f"{APPS}/apis/shared_sql"]
