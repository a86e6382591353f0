"""The other ways to a token: federated token, managed identity, Azure CLI, a person who signed in."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from holdfast.adapters.cloud.credentials import AnyCredential, AzureCli, Credential, MachineIdentity, Person
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.hosts import TABLES
from holdfast.adapters.cloud.person import PersonSource
from holdfast.adapters.cloud.tokens import MsalTokens
from holdfast.adapters.cloud.transport import Traffic
from holdfast.core.errors import RefusedError, SettingsError, UnreachableError
from holdfast.core.identity import Cloud
from holdfast.core.secret import Secret
from tests.fakes.clock import StillClock
from tests.fakes.wire import Recorder, said
from tests.unit.adapters.cloud.test_tokens import (
    CLIENT,
    LOGIN,
    METADATA,
    SCOPE,
    TENANT,
    denied,
    form,
    granted,
)

GUID = "cccccccc-2222-3333-4444-555555555555"


def tokens_of(credential: AnyCredential, recorder: Recorder) -> tuple[MsalTokens, StillClock]:
    clock = StillClock()
    wire = httpx2.MockTransport(recorder)
    return MsalTokens(TABLES[Cloud.PUBLIC], TENANT, credential, clock, Traffic(), wire=wire), clock


def entra(*answers: httpx2.Response) -> Recorder:
    left = list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return said(200, METADATA)
        return left.pop(0) if len(left) > 1 else left[0]

    return Recorder(answer)


async def test_a_federated_token_is_read_anew_for_each_sign_in():
    texts = iter(["assertion-1", "assertion-2"])
    recorder = entra(granted("token-1"), granted("token-2"))
    tokens, _ = tokens_of(Credential(CLIENT, assertion=lambda: Secret(next(texts))), recorder)

    await tokens.token(SCOPE)
    tokens.forget(SCOPE, "token-1")
    await tokens.token(SCOPE)

    sent = [form(request)["client_assertion"] for request in recorder.asked if request.method == "POST"]
    assert sent == ["assertion-1", "assertion-2"]


MACHINE_TOKEN = {"access_token": "machine-token", "expires_in": "3599", "token_type": "Bearer"}


@pytest.fixture
def _virtual_machine(monkeypatch):
    for name in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_virtual_machine")
@pytest.mark.parametrize("client_id", [None, GUID], ids=["of the system", "chosen by a user"])
async def test_a_managed_identity_is_asked_of_the_machine_for_the_resource(client_id):
    recorder = Recorder([said(200, MACHINE_TOKEN)])
    tokens, _ = tokens_of(MachineIdentity(client_id), recorder)

    assert await tokens.token(SCOPE) == "machine-token"

    asked = recorder.asked[0].url
    assert asked.host == "169.254.169.254"
    assert asked.params["resource"] == "https://service.powerapps.com"
    assert asked.params.get("client_id") == client_id


@pytest.mark.usefixtures("_virtual_machine")
async def test_a_machine_without_an_identity_says_so():
    answer = said(400, {"error": "invalid_request", "error_description": "Identity not found"})
    tokens, _ = tokens_of(MachineIdentity(), Recorder([answer]))

    with pytest.raises(RefusedError, match="Identity not found"):
        await tokens.token(SCOPE)


@pytest.mark.usefixtures("_virtual_machine")
async def test_a_machine_outside_azure_is_told_to_choose_another_credential():
    def silence(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route")

    tokens, _ = tokens_of(MachineIdentity(), Recorder(silence))

    with pytest.raises(UnreachableError, match="choose another credential"):
        await tokens.token(SCOPE)


@pytest.fixture
def az(tmp_path, monkeypatch):
    """Puts a small program named `az` first on the PATH; it notes its arguments and says what it is told to."""

    def install(stdout: str = "", stderr: str = "", code: int = 0) -> Path:
        told = {"stdout": stdout, "stderr": stderr, "code": code}
        program = tmp_path / "az"
        program.write_text(
            f"#!{sys.executable}\nimport json, sys\ntold = {told!r}\n"
            f"open({str(tmp_path / 'arguments')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
            "sys.stdout.write(told['stdout']); sys.stderr.write(told['stderr']); sys.exit(told['code'])\n"
        )
        program.chmod(0o700)
        return tmp_path / "arguments"

    monkeypatch.setenv("PATH", str(tmp_path))
    return install


posix = pytest.mark.skipif(os.name != "posix", reason="the program is a script with a first line")


@posix
async def test_the_azure_cli_is_asked_for_the_tenant_and_the_scope(az):
    clock = StillClock()
    ends = int(clock.now().timestamp()) + 3600
    arguments = az(json.dumps({"accessToken": "cli-token", "expires_on": ends, "tenant": TENANT}))
    tokens, _ = tokens_of(AzureCli(), Recorder([]))

    assert await tokens.token(SCOPE) == "cli-token"

    asked = json.loads(arguments.read_text())
    assert asked[asked.index("--tenant") + 1] == TENANT
    assert asked[asked.index("--scope") + 1] == SCOPE


@posix
async def test_nobody_signed_in_to_the_azure_cli_is_a_refusal_with_the_cure(az):
    az(stderr="ERROR: Please run 'az login' to setup account.", code=1)
    tokens, _ = tokens_of(AzureCli(), Recorder([]))

    with pytest.raises(RefusedError, match=f"az login --tenant {TENANT}"):
        await tokens.token(SCOPE)


@posix
async def test_a_code_of_entra_behind_the_azure_cli_is_kept(az):
    az(stderr="ERROR: AADSTS50076: Due to a configuration change ... Trace ID: 1", code=1)
    tokens, _ = tokens_of(AzureCli(), Recorder([]))

    with pytest.raises(RefusedError) as caught:
        await tokens.token(SCOPE)

    assert caught.value.code == "AADSTS50076"


async def test_a_machine_without_the_azure_cli_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    tokens, _ = tokens_of(AzureCli(), Recorder([]))

    with pytest.raises(SettingsError, match="not installed"):
        await tokens.token(SCOPE)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def person_granted(refresh: str, token: str = "person-token", nonce: str | None = None) -> httpx2.Response:
    """What Entra answers to a person's sign-in."""
    claims = {"aud": CLIENT, "iss": f"{LOGIN}/{TENANT}/v2.0", "oid": GUID, "exp": 4102444800, "iat": 0}
    claims |= {"preferred_username": "dana.kim@contoso.example", "sub": GUID, "tid": TENANT}
    claims |= {"nonce": nonce} if nonce else {}
    return said(
        200,
        {
            "token_type": "Bearer",
            "scope": SCOPE,
            "expires_in": 3599,
            "access_token": token,
            "refresh_token": refresh,
            "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}.x",
            "client_info": _part({"uid": GUID, "utid": TENANT}),
        },
    )


class Kept:
    """A person whose tokens lie in memory."""

    def __init__(self) -> None:
        self.secret: Secret | None = None
        self.person = Person(CLIENT, lambda: self.secret, self._keep)

    def _keep(self, secret: Secret) -> None:
        self.secret = secret

    def source(self, recorder: Recorder) -> PersonSource:
        wire = httpx2.MockTransport(recorder)
        door = EntraDoor(TABLES[Cloud.PUBLIC], StillClock(), None, wire)
        return PersonSource(f"{LOGIN}/{TENANT}", self.person, door)


CODE = {
    "user_code": "ABC123",
    "device_code": "d",
    "verification_uri": "https://microsoft.com/devicelogin",
} | {
    "expires_in": 900,
    "interval": 0,
    "message": "To sign in, open https://microsoft.com/devicelogin and enter ABC123",
}
DEVICE_METADATA = {**METADATA, "device_authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/devicecode"}


def device_entra(*answers: httpx2.Response, interval: int = 0) -> Recorder:
    left = list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return said(200, DEVICE_METADATA)
        if request.url.path.endswith("/devicecode"):
            return said(200, {**CODE, "interval": interval})
        return left.pop(0)

    return Recorder(answer)


def test_a_device_code_sign_in_keeps_the_tokens_and_says_who():
    kept, shown = Kept(), list[str]()

    who = kept.source(
        device_entra(denied(70016, "authorization_pending", 400), person_granted("refresh-1"))
    ).sign_in_by_code([SCOPE], shown.append)

    assert who == "dana.kim@contoso.example"
    assert shown == [CODE["message"]]
    assert kept.secret is not None
    assert "refresh-1" in kept.secret.reveal()


def test_a_device_code_is_waited_for_no_longer_than_asked():
    pending = denied(70016, "authorization_pending", 400)
    source = Kept().source(device_entra(pending, interval=1))

    with pytest.raises(RefusedError, match="nobody signed in in time"):
        source.sign_in_by_code([SCOPE], lambda _: None, 0)


def test_a_block_of_device_code_is_explained():
    with pytest.raises(RefusedError, match="without --device-code") as caught:
        Kept().source(device_entra(denied(53003, "access_denied", 400))).sign_in_by_code(
            [SCOPE], lambda _: None
        )

    assert caught.value.code == "AADSTS53003"


async def test_a_person_who_signed_in_gets_tokens_and_each_new_refresh_token_is_kept():
    kept = Kept()
    kept.source(device_entra(person_granted("refresh-1"))).sign_in_by_code([SCOPE], lambda _: None)
    recorder = entra(person_granted("refresh-2", "person-token-2"))
    tokens, _ = tokens_of(kept.person, recorder)

    assert await tokens.token("https://graph.microsoft.com/.default") == "person-token-2"

    assert form(recorder.asked[-1])["refresh_token"] == "refresh-1"
    assert kept.secret is not None
    assert "refresh-2" in kept.secret.reveal()


async def test_a_refused_token_of_a_person_is_redeemed_anew():
    kept = Kept()
    kept.source(device_entra(person_granted("refresh-1", "token-1"))).sign_in_by_code([SCOPE], lambda _: None)
    tokens, _ = tokens_of(kept.person, entra(person_granted("refresh-2", "token-2")))

    first = await tokens.token(SCOPE)
    tokens.forget(SCOPE, first)

    assert [first, await tokens.token(SCOPE)] == ["token-1", "token-2"]


async def test_nobody_signed_in_points_to_login():
    tokens, _ = tokens_of(Kept().person, entra(granted()))

    with pytest.raises(RefusedError, match="holdfast login"):
        await tokens.token(SCOPE)


async def test_a_person_whose_sign_in_has_ended_is_refused_with_the_code():
    kept = Kept()
    kept.source(device_entra(person_granted("refresh-1"))).sign_in_by_code([SCOPE], lambda _: None)
    tokens, _ = tokens_of(kept.person, entra(denied(700082, "invalid_grant", 400)))

    with pytest.raises(RefusedError) as caught:
        await tokens.token("https://graph.microsoft.com/.default")

    assert caught.value.code == "AADSTS700082"


def test_a_browser_sign_in_answers_on_a_loopback_port_with_a_proof_key(monkeypatch):
    import webbrowser
    from threading import Thread
    from urllib.parse import parse_qs, urlencode, urlsplit
    from urllib.request import urlopen

    monkeypatch.setattr(webbrowser, "open", lambda *_, **__: False)
    asked: dict[str, list[str]] = {}

    def person_signs_in(address: str) -> None:
        asked.update(parse_qs(urlsplit(address).query))
        answer = urlencode({"code": "the-code", "state": asked["state"][0]}).encode()
        Thread(target=lambda: urlopen(asked["redirect_uri"][0], answer, timeout=20).read()).start()

    def answer(request: httpx2.Request) -> httpx2.Response:
        return (
            said(200, METADATA) if request.method == "GET" else person_granted("r", nonce=asked["nonce"][0])
        )

    kept, recorder = Kept(), Recorder(answer)
    who = kept.source(recorder).sign_in_by_browser([SCOPE], person_signs_in, 30)

    sent = form(recorder.asked[-1])
    assert who == "dana.kim@contoso.example"
    assert urlsplit(asked["redirect_uri"][0]).hostname == "localhost"
    assert asked["code_challenge_method"] == ["S256"]
    assert (sent["grant_type"], sent["code"]) == ("authorization_code", "the-code")
    assert sent["code_verifier"]
    assert kept.secret is not None


def test_a_person_who_does_not_come_is_said(monkeypatch):
    import webbrowser

    monkeypatch.setattr(webbrowser, "open", lambda *_, **__: False)

    with pytest.raises(RefusedError, match="nobody signed in in time"):
        Kept().source(entra()).sign_in_by_browser([SCOPE], lambda _: None, 1)
