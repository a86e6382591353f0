"""Every credential of azure-identity that a program without a person can use, unmodified."""

from __future__ import annotations

import base64

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import EnvironmentCredential, WorkloadIdentityCredential
from azure.identity import aio as asynchronous

from tests.sandbox.certificates import make_certificate
from tests.sandbox.people import GRAPH, Graph, app_named, claims_of

APP = "erp-nightly"


@pytest.fixture
def where(sandbox):
    return {
        "authority": sandbox.ready["authority"],
        "disable_instance_discovery": True,
        "connection_verify": sandbox.ready["ca_file"],
    }


def test_the_usual_environment_variables_are_enough(sandbox, where, monkeypatch):
    app = app_named(sandbox, APP)
    monkeypatch.setenv("AZURE_TENANT_ID", sandbox.ready["tenant_id"])
    monkeypatch.setenv("AZURE_CLIENT_ID", app["client_id"])
    monkeypatch.setenv("AZURE_CLIENT_SECRET", app["secret"])
    credential = EnvironmentCredential(**where)
    assert claims_of(credential.get_token(*GRAPH).token)["appid"] == app["client_id"]


async def test_the_asynchronous_secret_credential_posts_straight_to_the_endpoint(sandbox, where):
    app = app_named(sandbox, APP)
    credential = asynchronous.ClientSecretCredential(
        sandbox.ready["tenant_id"], app["client_id"], app["secret"], **where
    )
    async with credential:
        got = await credential.get_token(*GRAPH)
    assert claims_of(got.token)["appid"] == app["client_id"]
    asked = [one for one in sandbox.control("/requests")["requests"] if one["host"] == "authority"]
    assert [one["path"].rpartition("/")[2] for one in asked] == ["token"]


async def test_the_asynchronous_certificate_credential_signs_with_pss(sandbox, where):
    app, made = app_named(sandbox, APP), make_certificate()
    entry = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(made.der).decode()}
    admin = Graph(sandbox, "holdfast-app-admin")
    assert admin("PATCH", f"/applications/{app['object_id']}", {"keyCredentials": [entry]}).status == 204
    credential = asynchronous.CertificateCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        certificate_data=(made.certificate + made.key).encode(),
        **where,
    )
    async with credential:
        got = await credential.get_token(*GRAPH)
    assert claims_of(got.token)["appid"] == app["client_id"]


async def test_the_asynchronous_credential_says_what_entra_said(sandbox, where):
    app = app_named(sandbox, APP)
    credential = asynchronous.ClientSecretCredential(
        sandbox.ready["tenant_id"], app["client_id"], "wrong", **where
    )
    async with credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token(*GRAPH)


def test_a_workload_shows_the_token_of_its_platform(sandbox, where, tmp_path):
    import time

    import jwt

    app = app_named(sandbox, APP)
    trusted = {
        "name": "cluster",
        "issuer": "https://cluster.example",
        "subject": "system:serviceaccount:erp:nightly",
        "audiences": ["api://AzureADTokenExchange"],
    }
    admin = Graph(sandbox, "holdfast-app-admin")
    path = f"/applications/{app['object_id']}/federatedIdentityCredentials"
    assert admin("POST", path, trusted).status == 201
    claims = {
        "iss": trusted["issuer"],
        "sub": trusted["subject"],
        "aud": trusted["audiences"],
        "exp": time.time() + 600,
    }
    token = tmp_path / "token"
    token.write_text(jwt.encode(claims, "a secret of the cluster, long enough", algorithm="HS256"))
    credential = WorkloadIdentityCredential(
        tenant_id=sandbox.ready["tenant_id"],
        client_id=app["client_id"],
        token_file_path=str(token),
        **where,
    )
    assert claims_of(credential.get_token(*GRAPH).token)["appid"] == app["client_id"]


def test_throttling_is_waited_out(sandbox, where, monkeypatch):
    from azure.identity import ClientSecretCredential

    app = app_named(sandbox, APP)
    sandbox.control("/faults", {"kind": "throttle", "host": "authority", "times": 1, "retry_after": 1})
    credential = ClientSecretCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        app["secret"],
        **where,
    )
    assert credential.get_token(*GRAPH).token
