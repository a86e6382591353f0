"""What a tenant forbids applications to sign in with, and whom it leaves out."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.certificates import make_certificate
from tests.sandbox.conftest import Sandbox
from tests.sandbox.people import Graph, app_named

TYPE, LIFE = "CredentialTypeNotAllowedAsPerAppPolicy", "CredentialInvalidLifetimeAsPerAppPolicy"


@pytest.fixture
def admin(sandbox: Sandbox) -> Graph:
    return Graph(sandbox, "holdfast-app-admin")


@pytest.fixture
def made(admin: Graph) -> dict[str, str]:
    """An application of the administrator's, made now."""
    told: dict[str, str] = admin("POST", "/applications", {"displayName": "holdfast/p1-1 erp"}).json
    return told


def secret(admin: Graph, app: dict[str, str], days: int = 10) -> str:
    """Its code where it is refused."""
    ends = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    wanted = {"passwordCredential": {"endDateTime": ends}}
    reply = admin("POST", f"/applications/{app['id']}/addPassword", wanted)
    return "" if reply.status == 200 else str(reply.json["error"]["code"])


def certificate(admin: Graph, app: dict[str, str]) -> str:
    key = base64.b64encode(make_certificate().der).decode()
    entry = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": key}
    reply = admin("PATCH", f"/applications/{app['id']}", {"keyCredentials": [entry]})
    return "" if reply.status == 204 else str(reply.json["error"]["code"])


def test_secrets_may_be_forbidden_and_capped_and_certificates_are_not_meant(sandbox, admin, made):
    sandbox.event("set_app_policy", passwordAddition=True)
    assert (secret(admin, made), certificate(admin, made)) == (TYPE, "")

    sandbox.event("set_app_policy", passwordLifetime="P30D")
    assert (secret(admin, made, 29), secret(admin, made, 31)) == ("", LIFE)


def test_certificates_may_be_capped_and_those_that_sign_themselves_forbidden(sandbox, admin, made):
    sandbox.event("set_app_policy", asymmetricKeyLifetime="P1D")
    assert (certificate(admin, made), secret(admin, made)) == (LIFE, "")

    sandbox.event("set_app_policy", trustedCertificateAuthority=True)
    assert certificate(admin, made) == TYPE


def test_an_application_with_a_policy_of_its_own_goes_by_that(sandbox, admin, made):
    sandbox.event("set_app_policy", passwordAddition=True)
    sandbox.event("set_app_policy", made["appId"])
    assert secret(admin, made) == ""

    sandbox.event("set_app_policy", made["appId"], passwordLifetime="P5D")
    assert secret(admin, made) == LIFE

    sandbox.event("set_app_policy", made["appId"], remove=True)
    assert secret(admin, made) == TYPE


def test_older_applications_may_be_left_out(sandbox, admin, made):
    later = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    sandbox.event("set_app_policy", passwordAddition=True, createdAfter=later)
    assert secret(admin, made) == ""

    sandbox.event("set_app_policy", passwordAddition=True, createdAfter="2020-01-01T00:00:00Z")
    assert secret(admin, made) == TYPE


def test_policies_are_told_to_who_may_read_policies(sandbox, admin, made):
    sandbox.event("set_app_policy", passwordAddition=True, createdAfter="2020-01-01T00:00:00Z")
    sandbox.event("set_app_policy", made["appId"], passwordLifetime="P5D")
    reader = Graph(sandbox, "holdfast-reader")

    [rule] = reader("GET", "/policies/defaultAppManagementPolicy").json["applicationRestrictions"][
        "passwordCredentials"
    ]
    [own] = reader("GET", f"/applications/{made['id']}/appManagementPolicies").json["value"]
    others = app_named(sandbox, "erp-nightly")["object_id"]

    assert (rule["restrictionType"], rule["restrictForAppsCreatedAfterDateTime"]) == (
        "passwordAddition",
        "2020-01-01T00:00:00Z",
    )
    assert own["restrictions"]["passwordCredentials"][0]["maxLifetime"] == "P5D"
    assert reader("GET", f"/applications/{others}/appManagementPolicies").json["value"] == []
    assert reader("GET", "/policies/appManagementPolicies").json["value"] == [own]
    assert admin("GET", f"/applications/{made['id']}/appManagementPolicies").status == 403


@pytest.mark.parametrize(
    "details", [{"passwordLifetime": "90 days"}, {"createdAfter": "2020-01-01"}, {"symmetricKeys": True}]
)
def test_a_restriction_that_no_policy_has_is_refused(sandbox, details):
    import json

    body = json.dumps({"event": "set_app_policy", "target": "", **details}).encode()
    assert sandbox.ask(sandbox.ready["control"] + "/events", body=body).status == 400
