"""MSAL and azure-identity, unmodified, obtain, refresh and lose tokens."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

GRAPH = ["https://graph.microsoft.com/.default"]
SQL = ["https://database.windows.net//.default"]


@pytest.fixture(autouse=True)
def _no_bundle_of_the_machine(monkeypatch):
    # requests lets these override verify=, see entra-graph.md section 11.
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


def public(sandbox, account, **more):
    return msal.PublicClientApplication(
        account["client_id"],
        authority=f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}",
        instance_discovery=False,
        verify=sandbox.ready["ca_file"],
        http_cache={},
        **more,
    )


def confidential(sandbox, app, credential=None):
    return msal.ConfidentialClientApplication(
        app["client_id"],
        client_credential=credential or app["secret"],
        authority=f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}",
        instance_discovery=False,
        verify=sandbox.ready["ca_file"],
        http_cache={},
    )


def redeem(sandbox, account, token, scopes=SQL):
    return public(sandbox, account).acquire_token_by_refresh_token(token, scopes)


def app_named(sandbox, name):
    return next(app for app in sandbox.ready["apps"] if app["name"] == name)


def claims_of(token):
    import base64

    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


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
    got = confidential(sandbox, app_named(sandbox, "holdfast-reader")).acquire_token_for_client(GRAPH)
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
    lost = confidential(sandbox, app).acquire_token_for_client(GRAPH)
    recorded = json.loads((fixtures / "entra" / file).read_text())
    assert set(lost) == set(recorded)
    assert (lost["error"], lost["error_codes"]) == ("invalid_client", [code])


def test_a_wrong_secret_is_refused(sandbox):
    app = app_named(sandbox, "holdfast-reader")
    lost = confidential(sandbox, app, "not-the-secret").acquire_token_for_client(GRAPH)
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
