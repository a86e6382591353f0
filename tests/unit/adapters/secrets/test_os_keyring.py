"""The keyring: which backends are taken, and what a failing one is told."""

import keyring as keyrings
import pytest
from keyring.backends import chainer, fail, null

from holdfast.adapters.secrets.os_keyring import KeyringStore, usable_backend
from holdfast.core.errors import SecretStoreError
from holdfast.core.secret import Secret
from tests.fakes.secrets import MemoryKeyring


class PlaintextKeyring(MemoryKeyring):
    """Stands in for the clear-text file backend of the package keyrings.alt."""

    __module__ = "keyrings.alt.file"


@pytest.fixture(params=[fail.Keyring, null.Keyring, PlaintextKeyring], ids=lambda kind: kind.__module__)
def unusable(request, monkeypatch):
    monkeypatch.setattr(keyrings, "get_keyring", request.param)


@pytest.mark.usefixtures("unusable")
def test_no_keyring_is_not_replaced_by_clear_text():
    with pytest.raises(SecretStoreError, match="key_file"):
        usable_backend()


def test_a_clear_text_member_of_a_chain_is_refused(monkeypatch):
    class Chain(chainer.ChainerBackend):
        backends = (MemoryKeyring(), PlaintextKeyring())

    monkeypatch.setattr(keyrings, "get_keyring", Chain)

    with pytest.raises(SecretStoreError, match="clear text"):
        usable_backend()


def test_the_keyring_of_the_system_is_taken(monkeypatch):
    backend = MemoryKeyring()
    monkeypatch.setattr(keyrings, "get_keyring", lambda: backend)

    assert usable_backend() is backend


async def test_a_locked_keyring_is_one_sentence_without_the_secret():
    class Locked(MemoryKeyring):
        def set_password(self, service, username, password):
            raise RuntimeError(f"locked while writing {password}")

    with pytest.raises(SecretStoreError, match="unlock it") as caught:
        await KeyringStore(Locked()).write("a", Secret("s3cr3t~text"))

    assert "s3cr3t" not in str(caught.value)


async def test_a_crash_while_a_long_text_is_replaced_leaves_the_old_one():
    backend = MemoryKeyring()
    await KeyringStore(backend).write("tokens", Secret("a" * 5_000))
    keep, left = backend.set_password, iter(range(3))

    def crash(service, username, password):
        next(left)
        keep(service, username, password)

    backend.set_password = crash  # type: ignore[method-assign]
    with pytest.raises(SecretStoreError):
        await KeyringStore(backend).write("tokens", Secret("b" * 5_000))
    backend.set_password = keep  # type: ignore[method-assign]

    found = await KeyringStore(backend).read("tokens")
    assert found is not None
    assert found.reveal() == "a" * 5_000


async def test_nothing_of_a_replaced_long_text_stays():
    backend = MemoryKeyring()
    store = KeyringStore(backend)
    await store.write("tokens", Secret("a" * 5_000))
    await store.write("tokens", Secret("b"))

    assert not [text for text in backend.entries.values() if "aaa" in text]
