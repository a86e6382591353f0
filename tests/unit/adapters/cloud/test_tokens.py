"""Real msal at a door that leads to a function: what it gets, and what its refusals become."""

from __future__ import annotations

import json
import traceback
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from holdfast.adapters.cloud.hosts import TABLES
from holdfast.adapters.cloud.tokens import Credential, MsalTokens
from holdfast.adapters.cloud.transport import Traffic
from holdfast.core.errors import (
    RefusedError,
    SettingsError,
    ThrottledError,
    UnfamiliarError,
    UnreachableError,
)
from holdfast.core.identity import Cloud
from holdfast.core.secret import Secret
from tests.fakes.clock import StillClock
from tests.fakes.wire import Recorder, said

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-2222-3333-4444-555555555555"
SECRET = "the-secret~of-nobody.1"
SCOPE = "https://service.powerapps.com/.default"
LOGIN = "https://login.microsoftonline.com"
METADATA = {
    "token_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
    "authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/authorize",
    "issuer": f"{LOGIN}/{TENANT}/v2.0",
}


def entra(*answers: httpx2.Response, metadata: httpx2.Response | None = None) -> Recorder:
    """A sign-in host with these answers to token requests, the last one again and again."""
    left = list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return metadata or said(200, METADATA)
        return left.pop(0) if len(left) > 1 else left[0]

    return Recorder(answer)


def granted(token: str = "token-1", seconds: int = 3599) -> httpx2.Response:
    return said(200, {"token_type": "Bearer", "expires_in": seconds, "access_token": token})


def denied(code: int, error: str = "invalid_client", status: int = 401) -> httpx2.Response:
    return said(status, {"error": error, "error_description": f"AADSTS{code}: No. Trace ID: t", "error_codes": [code], "trace_id": "t-1"})  # fmt: skip


def tokens_of(
    wire: Callable[[httpx2.Request], httpx2.Response], credential: Credential | None = None
) -> tuple[MsalTokens, StillClock, Traffic]:
    clock, traffic = StillClock(), Traffic()
    given = credential or Credential(CLIENT, secret=lambda: Secret(SECRET))
    tokens = MsalTokens(TABLES[Cloud.PUBLIC], TENANT, given, clock, traffic, wire=httpx2.MockTransport(wire))
    return tokens, clock, traffic


def form(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


async def test_a_client_secret_gets_a_token():
    wire = entra(granted())
    tokens, _, traffic = tokens_of(wire)

    assert await tokens.token(SCOPE) == "token-1"
    assert [str(request.url) for request in wire.asked] == [
        f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration",
        METADATA["token_endpoint"],
    ]
    sent = form(wire.asked[1])
    assert (sent["grant_type"], sent["client_secret"], sent["scope"]) == ("client_credentials", SECRET, SCOPE)
    assert traffic.requests == 2


async def test_a_token_is_kept_while_it_is_good():
    wire = entra(granted("token-1"), granted("token-2"))
    tokens, clock, _ = tokens_of(wire)

    first = [await tokens.token(SCOPE) for _ in range(3)]
    clock.advance(minutes=56)  # msal has its own cache, which runs on real time
    tokens.forget(SCOPE, "token-1")

    assert first == ["token-1"] * 3
    assert await tokens.token(SCOPE) == "token-2"


async def test_many_who_ask_at_once_get_one_token():
    import asyncio

    wire = entra(granted())
    tokens, _, _ = tokens_of(wire)

    got = await asyncio.gather(*(tokens.token(SCOPE) for _ in range(8)))

    assert set(got) == {"token-1"}
    assert len(wire.asked) == 2


async def test_only_the_token_that_was_refused_is_forgotten():
    wire = entra(granted("token-1"), granted("token-2"))
    tokens, _, _ = tokens_of(wire)
    await tokens.token(SCOPE)

    tokens.forget(SCOPE, "an older one")

    assert await tokens.token(SCOPE) == "token-1"


async def test_a_certificate_gets_a_token():
    pem = key_pair()
    wire = entra(granted())
    tokens, _, _ = tokens_of(wire, Credential(CLIENT, certificate=lambda: Secret(pem)))

    assert await tokens.token(SCOPE) == "token-1"
    sent = form(wire.asked[1])
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in sent
    header, _, _ = sent["client_assertion"].partition(".")
    assert json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["typ"] == "JWT"


async def test_a_refusal_in_unknown_words_ends_with_one_stop():
    tokens, _, _ = tokens_of(entra(denied(50027)))

    with pytest.raises(RefusedError, match=r"AADSTS50027: No\. \["):
        await tokens.token(SCOPE)


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        ("token-error-7000215.json", "AADSTS7000215", "the client secret is wrong"),
        ("token-error-7000222.json", "AADSTS7000222", "the client secret has expired"),
    ],
)
async def test_a_recorded_refusal_says_what_to_do(fixtures, file, code, words):
    body = json.loads((fixtures / "entra" / file).read_bytes())
    tokens, _, _ = tokens_of(entra(said(401, body)))

    with pytest.raises(RefusedError, match=words) as caught:
        await tokens.token(SCOPE)
    assert (caught.value.code, caught.value.operation) == (code, "entra.token")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (denied(700027), "has expired: upload"),
        (denied(700016, "unauthorized_client", 400), "not in this tenant"),
        (denied(53003, "invalid_grant", 400), "Conditional Access"),
        (denied(123456, "invalid_grant", 400), "AADSTS123456: No"),
        (said(400, {"error": "unheard_of"}), "unheard_of"),
    ],
)
async def test_every_refusal_is_one_sentence(answer, words):
    tokens, _, _ = tokens_of(entra(answer))

    with pytest.raises(RefusedError, match=words) as caught:
        await tokens.token(SCOPE)
    assert "Trace ID" not in str(caught.value)


async def test_an_unknown_tenant_is_named_before_any_secret_is_sent():
    wire = entra(granted(), metadata=denied(90002, "invalid_tenant", 400))
    tokens, _, _ = tokens_of(wire)

    with pytest.raises(RefusedError, match="no such tenant in this cloud"):
        await tokens.token(SCOPE)
    assert [request.method for request in wire.asked] == ["GET"]


async def test_a_renewed_secret_is_used_after_a_refusal():
    secrets = ["old-secret-of-nobody", "new-secret-of-nobody"]
    wire = entra(denied(7000222), granted())
    tokens, _, _ = tokens_of(wire, Credential(CLIENT, secret=lambda: Secret(secrets.pop(0))))
    with pytest.raises(RefusedError):
        await tokens.token(SCOPE)

    assert await tokens.token(SCOPE) == "token-1"
    assert form(wire.asked[-1])["client_secret"] == "new-secret-of-nobody"


async def test_a_passing_fault_is_waited_out():
    wire = entra(said(503, ""), said(429, "Too Many Requests", retry_after="1"), granted())
    tokens, _, traffic = tokens_of(wire)

    assert await tokens.token(SCOPE) == "token-1"
    assert traffic.retries == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(429, "Too Many Requests"), ThrottledError),
        (said(503, "<html>"), UnreachableError),
        (said(200, "<html>Sign in to the network</html>"), UnfamiliarError),
        (said(200, {"token_type": "Bearer"}), UnfamiliarError),
        (said(302, "", location="https://evil.example"), UnfamiliarError),
    ],
)
async def test_an_answer_without_a_token_becomes_the_right_error(answer, kind):
    tokens, _, _ = tokens_of(entra(answer))

    with pytest.raises(kind) as caught:
        await tokens.token(SCOPE)
    assert type(caught.value) is kind


async def test_metadata_that_points_elsewhere_gets_no_credential():
    elsewhere = METADATA | {"token_endpoint": f"https://evil.example/{TENANT}/oauth2/v2.0/token"}
    wire = entra(granted(), metadata=said(200, elsewhere))
    tokens, _, _ = tokens_of(wire)

    with pytest.raises(UnfamiliarError, match=r"evil\.example"):
        await tokens.token(SCOPE)
    assert all(request.url.host == "login.microsoftonline.com" for request in wire.asked)


async def test_a_sign_in_host_that_is_down_is_unreachable():
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    tokens, _, _ = tokens_of(fail)

    with pytest.raises(UnreachableError, match=r"login\.microsoftonline\.com cannot be reached"):
        await tokens.token(SCOPE)


@pytest.mark.parametrize(
    "credential",
    [
        Credential(CLIENT),
        Credential(CLIENT, certificate=lambda: Secret("no PEM at all")),
        Credential(CLIENT, certificate=lambda: Secret(f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----")),
        Credential(CLIENT, certificate=lambda: Secret(
            f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"
        )),
    ],
    ids=["nothing", "no PEM", "no certificate", "broken"],
)  # fmt: skip
async def test_a_credential_that_cannot_be_used_is_a_setting(credential):
    tokens, _, _ = tokens_of(entra(granted()), credential)

    with pytest.raises(SettingsError, match=CLIENT) as caught:
        await tokens.token(SCOPE)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("answer", [denied(7000215), said(200, f"<p>{SECRET}</p>"), said(500, SECRET)])
async def test_no_secret_is_shown(answer, caplog):
    caplog.set_level(0)
    tokens, _, _ = tokens_of(entra(answer))

    with pytest.raises((RefusedError, UnfamiliarError, UnreachableError)) as caught:
        await tokens.token(SCOPE)

    shown = (
        f"{caught.value} {caught.value!r} {Credential(CLIENT, secret=lambda: Secret(SECRET))!r} {caplog.text}"
    )
    assert SECRET not in shown


def key_pair() -> str:
    """A private key and its certificate in PEM."""
    key: Any = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "holdfast test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (private + certificate.public_bytes(pem)).decode()
