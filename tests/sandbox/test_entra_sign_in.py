"""Authorization code, device code and federation, by MSAL and azure-identity."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken
from azure.identity import AuthorizationCodeCredential, ClientAssertionCredential, DeviceCodeCredential

from tests.sandbox.people import GRAPH, SQL, Graph, app_named, ask_token, claims_of, public, redeem

BACK = "http://localhost:8400"


class _Stay(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it is sent instead of going there."""

    def redirect_request(self, *_args, **_kwargs):
        return None


class Browser:
    def __init__(self, sandbox) -> None:
        self._opener = urllib.request.build_opener(_Stay, urllib.request.HTTPSHandler(context=sandbox.tls))

    def post(self, url, **form):
        request = urllib.request.Request(url, urllib.parse.urlencode(form).encode())
        try:
            with self._opener.open(request) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def sent_to(self, url, **form):
        """Where the page sends the browser, as the client reads it."""
        status, text, headers = self.post(url, **form)
        assert status == 302, (status, text)
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["location"]).query))


@pytest.fixture
def browser(sandbox):
    return Browser(sandbox)


@pytest.fixture
def account(sandbox):
    return next(one for one in sandbox.ready["accounts"] if one["username"].startswith("dana"))


def signs_in(account, **more):
    return {"username": account["username"], "password": account["password"], "accept": "1", **more}


def flow_of(sandbox, account, **more):
    client = public(sandbox, account["client_id"])
    return client, client.initiate_auth_code_flow(["User.Read"], redirect_uri=BACK, **more)


def test_msal_signs_a_person_in_with_code_and_pkce(sandbox, browser, account):
    client, flow = flow_of(sandbox, account)
    back = browser.sent_to(flow["auth_uri"], **signs_in(account))
    got = client.acquire_token_by_auth_code_flow(flow, back)
    assert got["id_token_claims"]["preferred_username"] == account["username"]
    assert claims_of(got["access_token"])["scp"] == "User.Read"
    assert client.get_accounts()[0]["username"] == account["username"]
    assert "access_token" in redeem(sandbox, account, got["refresh_token"])


def test_a_code_is_good_once(sandbox, browser, account):
    _, flow = flow_of(sandbox, account)
    back = browser.sent_to(flow["auth_uri"], **signs_in(account))
    form = {
        "grant_type": "authorization_code",
        "client_id": account["client_id"],
        "code": back["code"],
        "redirect_uri": BACK,
        "code_verifier": flow["code_verifier"],
    }
    assert ask_token(sandbox, **form).status == 200
    assert ask_token(sandbox, **form).json["error_codes"] == [54005]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code_verifier": "x" * 43}, 501481),
        ({"redirect_uri": "http://localhost:9999"}, 500112),
        ({"code": "1.nonsense"}, 9002313),
    ],
)
def test_a_code_with_the_wrong_company_is_refused(sandbox, browser, account, change, code):
    _, flow = flow_of(sandbox, account)
    back = browser.sent_to(flow["auth_uri"], **signs_in(account))
    form = {
        "grant_type": "authorization_code",
        "client_id": account["client_id"],
        "code": back["code"],
        "redirect_uri": BACK,
        "code_verifier": flow["code_verifier"],
        **change,
    }
    assert ask_token(sandbox, **form).json["error_codes"] == [code]


def test_a_code_is_over_after_ten_minutes(sandbox, browser, account):
    client, flow = flow_of(sandbox, account)
    back = browser.sent_to(flow["auth_uri"], **signs_in(account))
    sandbox.advance(seconds=601)
    assert client.acquire_token_by_auth_code_flow(flow, back)["error_codes"] == [70008]


def test_declining_goes_back_without_a_code(sandbox, browser, account):
    client, flow = flow_of(sandbox, account)
    back = browser.sent_to(flow["auth_uri"], decline="1")
    assert back["error"] == "access_denied"
    assert client.acquire_token_by_auth_code_flow(flow, back)["error"] == "access_denied"


def test_a_foreign_redirect_gets_no_answer_at_all(sandbox, browser, account):
    client = public(sandbox, account["client_id"])
    flow = client.initiate_auth_code_flow(["User.Read"], redirect_uri="https://evil.example/")
    status, text, headers = browser.post(flow["auth_uri"], **signs_in(account))
    assert (status, headers.get("location")) == (400, None)
    assert "AADSTS50011" in text


@pytest.mark.parametrize(
    ("event", "details", "answers", "code"),
    [
        (None, {}, {"password": "wrong"}, 50126),
        (None, {}, {"username": "nobody@contoso.example"}, 50034),
        ("disable_account", {}, {}, 50057),
        ("expire_password", {}, {}, 50055),
        ("require_mfa", {}, {}, 50079),
        ("require_terms", {}, {}, 50158),
        ("add_policy", {"kind": "block"}, {}, 53003),
        ("add_policy", {"kind": "compliant_device"}, {}, 53000),
    ],
)
def test_the_page_says_why_nobody_is_let_in(sandbox, browser, account, event, details, answers, code):
    if event:
        sandbox.event(event, account["username"], **details)
    _, flow = flow_of(sandbox, account)
    status, text, _ = browser.post(flow["auth_uri"], **signs_in(account, **answers))
    assert status == 400
    assert f"AADSTS{code}" in text


def test_ten_wrong_passwords_lock_the_account_for_a_minute(sandbox, browser, account):
    client, flow = flow_of(sandbox, account)
    for _ in range(10):
        assert "AADSTS50126" in browser.post(flow["auth_uri"], **signs_in(account, password="wrong"))[1]
    assert "AADSTS50053" in browser.post(flow["auth_uri"], **signs_in(account))[1]
    sandbox.advance(seconds=60)
    back = browser.sent_to(flow["auth_uri"], **signs_in(account))
    assert "access_token" in client.acquire_token_by_auth_code_flow(flow, back)


@pytest.mark.parametrize(
    ("event", "details", "answers"),
    [
        ("expire_password", {}, {"new_password": "1"}),
        ("require_mfa", {}, {"second_factor": "1"}),
        ("require_terms", {}, {"terms": "1"}),
        ("add_policy", {"kind": "compliant_device"}, {"device": "compliant"}),
    ],
)
def test_giving_what_is_asked_lets_the_person_in(sandbox, browser, account, event, details, answers):
    sandbox.event(event, account["username"], **details)
    client, flow = flow_of(sandbox, account)
    back = browser.sent_to(flow["auth_uri"], **signs_in(account, **answers))
    assert "access_token" in client.acquire_token_by_auth_code_flow(flow, back)


def test_the_page_is_not_written_by_strangers(sandbox, browser, account):
    hostile = "<script>alert(1)</script>"
    _, flow = flow_of(sandbox, account)
    url = flow["auth_uri"].replace("User.Read", urllib.parse.quote(hostile))
    _, text, headers = browser.post(url, username=hostile, password="x")
    assert hostile not in text
    assert "default-src 'none'" in headers["content-security-policy"]


def test_azure_identity_redeems_a_code(sandbox, browser, account):
    query = {
        "client_id": account["client_id"],
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": f"{SQL[0]} offline_access",
    }
    url = f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}/oauth2/v2.0/authorize?"
    back = browser.sent_to(url + urllib.parse.urlencode(query), **signs_in(account))
    credential = AuthorizationCodeCredential(
        sandbox.ready["tenant_id"],
        account["client_id"],
        back["code"],
        BACK,
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    )
    assert claims_of(credential.get_token(*SQL).token)["upn"] == account["username"]


def test_msal_signs_a_person_in_with_a_device_code(sandbox, browser, account):
    client = public(sandbox, account["client_id"])
    flow = client.initiate_device_flow(["User.Read"])
    assert (flow["expires_in"], flow["interval"]) == (900, 5)
    pending = client.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    assert (pending["error"], pending["error_codes"]) == ("authorization_pending", [70016])
    status, text, _ = browser.post(flow["verification_uri"], user_code=flow["user_code"], **signs_in(account))
    assert (status, "You have signed in" in text) == (200, True)
    fresh = public(sandbox, account["client_id"])
    assert "access_token" in fresh.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)


@pytest.mark.parametrize(
    ("what", "error"),
    [("declined", "authorization_declined"), ("late", "expired_token"), ("wrong", "bad_verification_code")],
)
def test_a_device_code_can_come_to_nothing(sandbox, browser, account, what, error):
    client = public(sandbox, account["client_id"])
    flow = client.initiate_device_flow(["User.Read"])
    if what == "declined":
        browser.post(flow["verification_uri"], user_code=flow["user_code"], decline="1")
    elif what == "late":
        sandbox.advance(seconds=901)
    else:
        flow["device_code"] = "x" * 50
    lost = client.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    assert lost["error"] == error


def test_azure_identity_signs_a_person_in_with_a_device_code(sandbox, browser, account):
    def prompted(uri, code, _expires):
        browser.post(uri, user_code=code, **signs_in(account))

    credential = DeviceCodeCredential(
        account["client_id"],
        tenant_id=sandbox.ready["tenant_id"],
        prompt_callback=prompted,
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    )
    assert claims_of(credential.get_token(*SQL).token)["upn"] == account["username"]


@pytest.fixture
def trusting(sandbox):
    """An application that trusts a pipeline of somebody else."""
    app = app_named(sandbox, "erp-nightly")
    body = {
        "name": "pipeline",
        "issuer": "https://pipelines.example",
        "subject": "repo:contoso/erp",
        "audiences": ["api://AzureADTokenExchange"],
    }
    made = Graph(sandbox, "holdfast-app-admin")(
        "POST", f"/applications/{app['object_id']}/federatedIdentityCredentials", body
    )
    assert made.status == 201
    sandbox.advance(seconds=20)
    return app


def assertion(subject="repo:contoso/erp"):
    import jwt

    now = datetime.now(UTC).timestamp()
    claims = {
        "iss": "https://pipelines.example",
        "sub": subject,
        "aud": "api://AzureADTokenExchange",
        "exp": now + 600,
    }
    return jwt.encode(claims, "a secret of the pipeline, long enough", algorithm="HS256")


def federated(sandbox, app, subject) -> AccessToken:
    return ClientAssertionCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        lambda: assertion(subject),
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    ).get_token(*GRAPH)


def test_azure_identity_gets_a_token_by_federation(sandbox, trusting):
    assert claims_of(federated(sandbox, trusting, "repo:contoso/erp").token)["appid"] == trusting["client_id"]


def test_a_subject_that_nobody_trusts_is_refused(sandbox, trusting):
    from azure.core.exceptions import ClientAuthenticationError

    with pytest.raises(ClientAuthenticationError, match="AADSTS7000227"):
        federated(sandbox, trusting, "repo:evil/erp")


def test_an_assertion_for_an_application_that_trusts_nobody_is_refused(sandbox):
    app = app_named(sandbox, "holdfast-reader")
    form = {
        "client_id": app["client_id"],
        "scope": GRAPH[0],
        "client_assertion": assertion(),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    reply = ask_token(sandbox, grant_type="client_credentials", **form)
    assert (reply.status, reply.json["error_codes"]) == (401, [7000226])
    assert json.loads(reply.body)["error"] == "invalid_client"
