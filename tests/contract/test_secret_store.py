"""One suite for every place where secrets lie."""

import pytest

from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile, KeysInStore, new_key_file
from holdfast.adapters.secrets.os_keyring import KeyringStore
from holdfast.core.secret import Secret
from holdfast.ports import SecretStore
from tests.fakes.secrets import MemoryKeyring, MemorySecrets


@pytest.fixture(params=["memory", "keyring", "file with its key in the keyring", "file with a key file"])
def store(request, tmp_path) -> SecretStore:
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
    "surrogate pairs at the edge of a part": "🔑" * 5_000,
    "our own marker": "holdfast-parts:a/3",
}


@pytest.mark.parametrize("secret", TEXTS.values(), ids=TEXTS.keys())
async def test_what_was_kept_is_read(store, secret):
    await store.write("contoso-reader", Secret(secret))

    assert await text(store, "contoso-reader") == secret


async def test_an_unknown_name_reads_as_none(store):
    assert await store.read("contoso-reader") is None


@pytest.mark.parametrize(("before", "after"), [(10, 5_000), (5_000, 10), (5_000, 3_000), (3_000, 5_000)])
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


async def test_the_names_are_sorted(store):
    for name in ("b", "a", "c/d"):
        await store.write(name, Secret("x"))

    assert await store.names() == ("a", "b", "c/d")


async def test_one_secret_does_not_touch_another(store):
    await store.write("a", Secret("1" * 3_000))
    await store.write("b", Secret("2"))
    await store.delete("a")

    assert await text(store, "b") == "2"
