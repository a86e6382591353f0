"""One suite for every place where secrets lie."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile, KeysInStore, new_key_file
from holdfast.adapters.secrets.os_keyring import KeyringStore
from holdfast.compose import secret_stores
from holdfast.core.secret import Secret
from holdfast.ports import SecretStore
from holdfast.sandbox import embedded
from holdfast.settings import load
from tests.e2e.tenants import app_of, settings_for
from tests.fakes.secrets import MemoryKeyring, MemorySecrets


@pytest.fixture(scope="module")
def tenant() -> Iterator[dict[str, Any]]:
    with embedded("story") as ready:
        yield ready


def anew(ready: dict[str, Any]) -> None:
    """Begin the story again, at its kindest: what deletes and recovers slowly has tests of its own."""
    for path, body in (("/reset", {}), ("/faults", {"unkind": False})):
        request = urllib.request.Request(ready["control"] + path, json.dumps(body).encode())
        urllib.request.urlopen(request).close()


@pytest.fixture(
    params=["memory", "keyring", "file with its key in the keyring", "file with a key file", "key vault"]
)
def store(request, tmp_path) -> SecretStore:
    if request.param == "key vault":
        ready = request.getfixturevalue("tenant")
        anew(ready)
        file = settings_for(ready, tmp_path, reader="az = true", vault="app_admin")
        settings = load(file, {"HOLDFAST_STATE_DIR": str(tmp_path)})
        return secret_stores(settings, {"VAULT_SECRET": app_of(ready, "app_admin")["secret"]})["keyvault"]
    if request.param == "memory":
        return MemorySecrets()
    if request.param == "keyring":
        return KeyringStore(MemoryKeyring())
    if request.param == "file with its key in the keyring":
        return EncryptedFile(tmp_path / "secrets.enc", KeysInStore(KeyringStore(MemoryKeyring()), "key"))
    new_key_file(tmp_path / "key")
    return EncryptedFile(tmp_path / "secrets.enc", KeysInFile(tmp_path / "key"))


async def text(store: SecretStore, name: str) -> str | None:
    found = await store.read(name)
    return None if found is None else found.reveal()


TEXTS = {
    "a client secret": "abc8Q~" + "x" * 34,
    "an empty text": "",
    "a line break": "a\nb",
    "letters of the world": "пароль-密码-🔑",
    "a token cache": "x" * 20_000,
    "a flow's definition": "é" * 60_000,
    "surrogate pairs at the edge of a part": "🔑" * 5_000,
    "our own marker": "holdfast-parts:a/3",
}


@pytest.mark.parametrize("secret", TEXTS.values(), ids=TEXTS.keys())
async def test_what_was_kept_is_read(store, secret):
    await store.write("contoso-reader", Secret(secret))

    assert await text(store, "contoso-reader") == secret


async def test_an_unknown_name_reads_as_none(store):
    assert await store.read("contoso-reader") is None


@pytest.mark.parametrize(
    ("before", "after"), [(10, 5_000), (5_000, 10), (5_000, 3_000), (3_000, 5_000), (60_000, 30_000)]
)
async def test_the_newer_text_replaces_the_older(store, before, after):
    await store.write("tokens", Secret("a" * before))
    await store.write("tokens", Secret("b" * after))

    assert await text(store, "tokens") == "b" * after


async def test_a_deleted_secret_is_gone(store):
    await store.write("tokens", Secret("a" * 5_000))

    assert await store.delete("tokens")
    assert await store.read("tokens") is None
    assert await store.names() == ()


async def test_deleting_what_is_not_there_says_so(store):
    assert not await store.delete("tokens")


async def test_the_name_of_a_deleted_secret_is_free(store):
    await store.write("tokens", Secret("a" * 30_000))
    await store.delete("tokens")
    await store.write("tokens", Secret("b"))

    assert await text(store, "tokens") == "b"


async def test_capitals_and_odd_marks_make_another_name(store):
    names = ("A b", "a b", "a-b", "a_b", "a--b", "ä/б")
    for name in names:
        await store.write(name, Secret(name))

    assert await store.names() == tuple(sorted(names))
    assert [await text(store, name) for name in names] == list(names)


async def test_the_names_are_sorted(store):
    for name in ("b", "a", "c/d"):
        await store.write(name, Secret("x"))

    assert await store.names() == ("a", "b", "c/d")


async def test_one_secret_does_not_touch_another(store):
    await store.write("a", Secret("1" * 3_000))
    await store.write("b", Secret("2"))
    await store.delete("a")

    assert await text(store, "b") == "2"
