"""MSAL and azure-identity, unmodified, obtain, refresh and lose tokens."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

from tests.sandbox.certificates import make_certificate
from tests.sandbox.people import (
    GRAPH,
    SQL,
    Graph,
    app_named,
    app_token,
    ask_token,
    claims_of,
    confidential,
    redeem,
)


def test_a_refresh_gives_an_access_token_and_a_new_refresh_token(sandbox):
    account = sandbox.ready["accounts"][0]
    got = redeem(sandbox, account, account["refresh_token"])
    assert claims_of(got["access_token"])["aud"] == "https://database.windows.net/"
    assert claims_of(got["access_token"])["upn"] == account["username"]
    assert got["refresh_token"] != account["refresh_token"]
    assert 3500 < got["expires_in"] <= 5400
    assert got["id_token_claims"]["oid"] == account["object_id"]


def test_a_token_used_every_89_days_lives_on(sandbox):
    account = sandbox.ready["accounts"][0]
    token = redeem(sandbox, account, account["refresh_token"])["refresh_token"]
    for _ in range(3):
        sandbox.advance(days=89)
        got = redeem(sandbox, account, token)
        assert "access_token" in got, got
        token = got["refresh_token"]


def test_a_token_unused_for_91_days_is_dead(sandbox, fixtures):
    account = sandbox.ready["accounts"][0]
    issued = datetime.fromisoformat(sandbox.control("/clock")["now"])
    token = redeem(sandbox, account, account["refresh_token"])["refresh_token"]
    sandbox.advance(days=91)
    lost = redeem(sandbox, account, token)
    assert (lost["error"], lost["error_codes"], lost["suberror"]) == ("invalid_grant", [700082], "bad_token")
    recorded = [
        entry["text"]
        for entry in json.loads((fixtures / "entra" / "recorded-messages.json").read_text())
        if entry["code"] == 700082
    ]
    assert masked(lost["error_description"]) in [masked(text) for text in recorded]
    said = re.search(r"issued on (\S+) and was inactive for 90\.00:00:00", lost["error_description"])
    assert said
    assert abs(datetime.fromisoformat(said[1]) - issued) < timedelta(seconds=1)


def masked(text):
    """A text with its dates, ids and blanks made equal, so that only the wording counts."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+Z", "TIME", text)
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def test_an_old_token_dies_though_its_followers_are_used(sandbox):
    account = sandbox.ready["accounts"][0]
    first = redeem(sandbox, account, account["refresh_token"])["refresh_token"]
    token = first
    for _ in range(3):
        sandbox.advance(days=31)
        token = redeem(sandbox, account, token)["refresh_token"]
    assert redeem(sandbox, account, first)["error_codes"] == [700082]


def test_an_admin_reset_ends_the_sign_in_with_both_dates(sandbox, fixtures):
    account = sandbox.ready["accounts"][0]
    token = redeem(sandbox, account, account["refresh_token"])["refresh_token"]
    sandbox.advance(days=2)
    sandbox.event("reset_password", account["username"])
    reset_at = datetime.fromisoformat(sandbox.control("/clock")["now"])
    sandbox.advance(hours=5)
    lost = redeem(sandbox, account, token)
    recorded = json.loads((fixtures / "entra" / "token-error-50173.json").read_text())
    assert set(lost) == set(recorded)
    assert lost["error_codes"] == [50173]
    assert masked(lost["error_description"]) == masked(recorded["error_description"])
    dates = re.findall(r"'(\d{4}-[^']+)'", lost["error_description"])
    assert datetime.fromisoformat(dates[0]) < datetime.fromisoformat(dates[1])
    assert datetime.fromisoformat(dates[1]) == reset_at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("disable_account", 50057),
        ("delete_account", 500341),
        ("hard_delete_account", 50034),
        ("revoke_sessions", 50173),
        ("change_password", 50173),
        ("expire_password", None),
    ],
)
def test_what_happens_to_the_account_is_answered_at_the_next_refresh(sandbox, event, code):
    account = sandbox.ready["accounts"][0]
    sandbox.event(event, account["object_id"])
    got = redeem(sandbox, account, account["refresh_token"])
    assert got.get("error_codes", [None]) == [code]


def test_a_disabled_account_works_again_with_its_old_token(sandbox):
    account = sandbox.ready["accounts"][0]
    sandbox.event("disable_account", account["username"])
    assert redeem(sandbox, account, account["refresh_token"])["error_codes"] == [50057]
    sandbox.event("enable_account", account["username"])
    assert "access_token" in redeem(sandbox, account, account["refresh_token"])


def test_a_secret_gives_a_token_with_the_apps_roles_and_no_refresh_token(sandbox):
    got = app_token(sandbox, app_named(sandbox, "holdfast-reader"))
    assert "AuditLog.Read.All" in claims_of(got["access_token"])["roles"]
    assert "refresh_token" not in got


@pytest.mark.parametrize(
    ("event", "code", "file"),
    [
        ("remove_secret", 7000215, "token-error-7000215.json"),
        ("expire_secret", 7000222, "token-error-7000222.json"),
    ],
)
def test_a_lost_secret_is_refused_as_recorded(sandbox, fixtures, event, code, file):
    app = app_named(sandbox, "holdfast-reader")
    sandbox.event(event, app["client_id"])
    lost = app_token(sandbox, app)
    recorded = json.loads((fixtures / "entra" / file).read_text())
    assert set(lost) == set(recorded)
    assert (lost["error"], lost["error_codes"]) == ("invalid_client", [code])


def test_a_wrong_secret_is_refused(sandbox):
    app = app_named(sandbox, "holdfast-reader")
    lost = app_token(sandbox, {**app, "secret": "not-the-secret"})
    assert lost["error_codes"] == [7000215]
    assert app["client_id"] in lost["error_description"]


def test_azure_identity_gets_a_token_by_secret(sandbox):
    app = app_named(sandbox, "holdfast-sql-admin")
    credential = ClientSecretCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        app["secret"],
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    )
    assert claims_of(credential.get_token(*SQL).token)["appid"] == app["client_id"]


def test_azure_identity_says_that_the_secret_expired(sandbox):
    app = app_named(sandbox, "holdfast-sql-admin")
    sandbox.advance(days=400)
    credential = ClientSecretCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        app["secret"],
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000222"):
        credential.get_token(*GRAPH)


@pytest.fixture
def certified(sandbox):
    """An application with a registered certificate, and the certificate."""
    made = make_certificate()
    app = app_named(sandbox, "erp-nightly")
    entry = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(made.der).decode()}
    graph = Graph(sandbox, "holdfast-app-admin")
    reply = graph("PATCH", f"/applications/{app['object_id']}", {"keyCredentials": [entry]})
    assert reply.status == 204, reply
    sandbox.advance(seconds=30)
    return app, made


@pytest.mark.parametrize("form", ["sha1", "public certificate"])
def test_msal_signs_with_a_certificate(sandbox, certified, form):
    app, made = certified
    more = {"thumbprint": made.sha1} if form == "sha1" else {"public_certificate": made.certificate}
    got = confidential(sandbox, app["client_id"], {"private_key": made.key, **more}).acquire_token_for_client(
        GRAPH
    )
    assert claims_of(got["access_token"])["appid"] == app["client_id"]


def test_azure_identity_signs_with_a_certificate(sandbox, certified):
    app, made = certified
    credential = CertificateCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        certificate_data=(made.certificate + made.key).encode(),
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    )
    assert claims_of(credential.get_token(*SQL).token)["appid"] == app["client_id"]


def test_a_certificate_nobody_registered_is_refused(sandbox, certified):
    app, _ = certified
    other = make_certificate()
    lost = confidential(
        sandbox, app["client_id"], {"private_key": other.key, "public_certificate": other.certificate}
    ).acquire_token_for_client(GRAPH)
    assert (lost["error"], lost["error_codes"]) == ("invalid_client", [700027])
    assert other.sha256.upper() in lost["error_description"]


def test_a_signature_by_another_key_is_refused(sandbox, certified):
    app, made = certified
    lost = confidential(
        sandbox, app["client_id"], {"private_key": make_certificate().key, "thumbprint": made.sha1}
    ).acquire_token_for_client(GRAPH)
    assert lost["error_codes"] == [700027]


def test_an_expired_certificate_is_refused(sandbox, certified):
    app, made = certified
    sandbox.event("expire_certificate", app["client_id"])
    lost = confidential(
        sandbox, app["client_id"], {"private_key": made.key, "thumbprint": made.sha1}
    ).acquire_token_for_client(GRAPH)
    assert lost["error_codes"] == [700027]
    assert "expired" in lost["error_description"]


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": "client_credentials"}, 400, "invalid_request", 900144),
        ({"grant_type": "client_credentials", "client_id": "nobody", "scope": GRAPH[0]}, 400, "unauthorized_client", 700016),
        ({"grant_type": "client_credentials", "client_id": "APP"}, 400, "invalid_request", 900144),
        ({"grant_type": "client_credentials", "client_id": "APP", "scope": GRAPH[0]}, 401, "invalid_client", 7000218),
        ({"grant_type": "client_credentials", "client_id": "APP", "scope": "User.Read"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "client_credentials", "client_id": "APP", "scope": "https://x.example/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "client_credentials", "client_id": "APP", "scope": GRAPH[0], "client_assertion": "a.b.c"}, 401, "invalid_client", 50027),
        ({"grant_type": "refresh_token", "client_id": "PUBLIC"}, 400, "invalid_request", 900144),
        ({"grant_type": "refresh_token", "client_id": "PUBLIC", "refresh_token": "garbage"}, 400, "invalid_grant", 70000),
        ({"grant_type": "refresh_token", "client_id": "PUBLIC", "refresh_token": "x", "client_secret": "y"}, 401, "invalid_client", 700025),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_is_refused_in_entras_words(sandbox, form, status, error, code):
    names = {
        "APP": app_named(sandbox, "holdfast-reader")["client_id"],
        "PUBLIC": sandbox.ready["accounts"][0]["client_id"],
    }
    reply = ask_token(sandbox, **{key: names.get(value, value) for key, value in form.items()})
    assert (reply.status, reply.json["error"], reply.json["error_codes"]) == (status, error, [code])
    assert set(reply.json) >= {"error_description", "timestamp", "trace_id", "correlation_id"}


@pytest.mark.parametrize("path", ["/v2.0/.well-known/openid-configuration", "/oauth2/v2.0/token"])
def test_a_foreign_tenant_is_not_found(sandbox, path):
    url = f"{sandbox.ready['authority']}/00000000-0000-0000-0000-000000000009{path}"
    reply = sandbox.ask(url, body=b"grant_type=x" if path.endswith("token") else None)
    assert (reply.status, reply.json["error_codes"]) == (400, [90002])


@pytest.mark.parametrize("name", ["tenant id", "domain", "common", "organizations"])
def test_discovery_answers_by_every_name_of_the_tenant(sandbox, fixtures, name):
    tenant = {"tenant id": sandbox.ready["tenant_id"], "domain": "contoso.example"}.get(name, name)
    told = sandbox.ask(f"{sandbox.ready['authority']}/{tenant}/v2.0/.well-known/openid-configuration").json
    known = json.loads((fixtures / "entra" / "openid-configuration-excerpt.json").read_text())
    assert set(known) <= set(told)
    shared = name in ("common", "organizations")
    assert told["issuer"].split("/")[3] == ("{tenantid}" if shared else sandbox.ready["tenant_id"])
    keys = sandbox.ask(told["jwks_uri"]).json["keys"]
    published = json.loads((fixtures / "entra" / "jwks-excerpt.json").read_text())["keys"][0]
    assert all(set(key) == set(published) for key in keys)


def test_tokens_are_signed_by_the_published_key(sandbox):
    import jwt

    got = app_token(sandbox, app_named(sandbox, "holdfast-reader"))["access_token"]
    keys = sandbox.ask(f"{sandbox.ready['authority']}/common/discovery/v2.0/keys").json["keys"]
    key = jwt.PyJWK(keys[0], algorithm="RS256").key
    claims = jwt.decode(got, key, algorithms=["RS256"], audience="https://graph.microsoft.com")
    assert claims["idtyp"] == "app"


def test_the_clients_request_id_comes_back(sandbox):
    named = "0c8e3a4e-1111-4222-8333-444455556666"
    url = f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}/oauth2/v2.0/token"
    reply = sandbox.ask(url, body=b"grant_type=x", headers={"client-request-id": named})
    assert reply.json["correlation_id"] == named
    assert named in reply.json["error_description"]
