"""The key vault as a secret store: every call that is declared, no other, and whatever a vault may refuse."""

from __future__ import annotations

import json
import re
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from holdfast.compose import secret_stores
from holdfast.core.errors import SecretStoreError, SettingsError
from holdfast.core.secret import Secret
from holdfast.ports import SecretStore
from holdfast.sandbox import embedded
from holdfast.settings import load
from holdfast.wire.vaulting import VAULT_CALLS
from tests.e2e.tenants import app_of, settings_for

TEXT = "abc8Q~a text that nobody may see"


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Any]]:
    with embedded("story") as ready:
        yield ready


@pytest.fixture
def ready(running: dict[str, Any]) -> dict[str, Any]:
    control(running, "/reset", {})
    control(running, "/faults", {"unkind": False})
    return running


def control(ready: dict[str, Any], path: str, body: Any = None) -> Any:
    told = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(ready["control"] + path, told)) as answer:
        return json.load(answer)


@pytest.fixture
def opened(ready: dict[str, Any], tmp_path: Path) -> Callable[..., SecretStore]:
    """The store of the settings, as the application of a role."""

    def store(role: str = "app_admin", **changes: str) -> SecretStore:
        file = settings_for(ready, tmp_path, reader="az = true", vault=role, **changes)
        settings = load(file, {"HOLDFAST_STATE_DIR": str(tmp_path)})
        return secret_stores(settings, {"VAULT_SECRET": app_of(ready, role)["secret"]})["keyvault"]

    return store


@pytest.fixture
def theirs(ready: dict[str, Any]) -> SecretClient:
    """The same vault as somebody else uses it."""
    app = app_of(ready, "app_admin")
    credential = ClientSecretCredential(
        ready["tenant_id"],
        app["client_id"],
        app["secret"],
        authority=ready["authority"],
        disable_instance_discovery=True,
        connection_verify=ready["ca_file"],
    )
    return SecretClient(
        ready["keyvault"], credential, connection_verify=ready["ca_file"], verify_challenge_resource=False
    )


async def everything(store: SecretStore) -> None:
    await store.write("app/1/2", Secret(TEXT))
    await store.read("app/1/2")
    await store.names()
    await store.delete("app/1/2")
    await store.write("app/1/2", Secret(TEXT))  # meets the deleted one, recovers it, and writes


async def test_only_declared_calls_are_made_and_each_of_them(ready, opened, theirs):
    store = opened()
    await everything(store)
    theirs.update_secret_properties("holdfast-app-2f1-2f2", enabled=False)
    with pytest.raises(SecretStoreError, match="disabled"):
        await store.read("app/1/2")

    asked = control(ready, "/requests")["requests"]
    own = [one for one in asked if one["host"] == "keyvault" and "holdfast" in (one["user_agent"] or "")]
    declared = {call.id: (call.method, _pattern(call.path)) for call in VAULT_CALLS}
    made = [
        next(
            (
                id
                for id, (method, path) in declared.items()
                if method == one["method"] and path.fullmatch(one["path"])
            ),
            f"{one['method']} {one['path']}",
        )
        for one in own
    ]
    assert set(made) == set(declared)
    assert {one["query"]["api-version"] for one in own} == {VAULT_CALLS[0].query["api-version"]}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", path) + "/?")


DEEDS: dict[str, Callable[[SecretStore], Any]] = {
    "read": lambda store: store.read("a"),
    "write": lambda store: store.write("a", Secret(TEXT)),
    "delete": lambda store: store.delete("a"),
    "names": lambda store: store.names(),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
async def test_without_the_role_every_deed_names_it(opened, deed):
    with pytest.raises(SecretStoreError, match="Key Vault Secrets Officer") as refused:
        await deed(opened("operator"))

    assert TEXT not in "".join(traceback.format_exception(refused.value))


async def test_a_vault_that_cannot_be_reached_is_one_sentence(opened, tmp_path, ready):
    gone = {**ready, "keyvault": "https://localhost:9"}
    file = settings_for(gone, tmp_path, reader="az = true", vault="app_admin")
    settings = load(file, {"HOLDFAST_STATE_DIR": str(tmp_path)})
    store = secret_stores(settings, {"VAULT_SECRET": app_of(ready, "app_admin")["secret"]})["keyvault"]

    with pytest.raises(SecretStoreError, match="localhost:9 cannot be reached") as failed:
        await store.write("a", Secret(TEXT))

    assert TEXT not in "".join(traceback.format_exception(failed.value))


@pytest.mark.parametrize("kind", ["error", "throttle", "drop_before", "drop_after"])
async def test_what_passes_is_waited_out(ready, opened, kind):
    store = opened()
    await store.names()
    control(ready, "/faults", {"kind": kind, "host": "keyvault", "times": 1})

    await store.write("a", Secret(TEXT))

    found = await store.read("a")
    assert found is not None
    assert found.reveal() == TEXT


async def test_a_vault_takes_its_time_to_delete_and_to_recover(ready, opened):
    """Takes as long as the sandbox's vault does: some 5 seconds of real time."""
    control(ready, "/faults", {"unkind": True})
    store = opened()
    await store.write("tokens", Secret("old"))
    await store.delete("tokens")

    await store.write("tokens", Secret("new"))

    found = await store.read("tokens")
    assert found is not None
    assert found.reveal() == "new"


async def test_what_was_deleted_is_not_read_when_it_comes_back(opened, theirs):
    store = opened()
    await store.write("tokens", Secret("old"))
    await store.delete("tokens")
    theirs.begin_recover_deleted_secret("holdfast-tokens")  # and then the process is killed

    assert await store.read("tokens") is None
    assert await store.names() == ()


async def test_other_peoples_secrets_are_left_alone(opened, theirs):
    theirs.set_secret("tokens", "theirs")
    theirs.set_secret("holdfast-tokens-", "not a name that we make")
    store = opened()

    assert await store.names() == ()
    assert await store.read("tokens") is None
    assert not await store.delete("tokens")
    assert theirs.get_secret("tokens").value == "theirs"


async def test_a_name_that_no_vault_takes_is_said(opened):
    with pytest.raises(SecretStoreError, match="too long for a key vault"):
        await opened().write("ä" * 60, Secret(TEXT))


def test_a_vault_outside_the_lists_needs_leave(opened):
    import asyncio

    with pytest.raises(SettingsError, match="allow_custom_hosts"):
        asyncio.run(opened(allow_custom_hosts="false").read("a"))
