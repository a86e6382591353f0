"""Where the texts of secrets lie, by the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.ports import (
    SecretStore,
)
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.adapters.secrets.encrypted import EncryptedFile
    from holdfast.adapters.secrets.references import References

T = TypeVar("T")


KEY_NAME = "key of the encrypted file"
"""Under which the keyring keeps the key of the encrypted file, where no key file is set."""


def encrypted_file(settings: Settings) -> EncryptedFile:
    """The encrypted secret store of the settings; nothing is opened yet."""
    from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile, KeysInStore
    from holdfast.adapters.secrets.os_keyring import KeyringStore

    key_file = settings.secrets.key_file
    keys = KeysInFile(key_file) if key_file else KeysInStore(KeyringStore(), KEY_NAME)
    return EncryptedFile(settings.secrets_file, keys)


def secret_stores(settings: Settings) -> dict[str, SecretStore]:
    """The secret stores by the kind that references name them by; nothing is opened yet."""
    from holdfast.adapters.secrets.os_keyring import KeyringStore

    return {"keyring": KeyringStore(), "file": encrypted_file(settings)}


def references(settings: Settings, environ: Mapping[str, str]) -> References:
    """What finds the secrets that the settings refer to."""
    from holdfast.adapters.secrets.references import References

    return References(secret_stores(settings), environ)


def waited(asked: Coroutine[Any, Any, T]) -> T:
    """What a coroutine brings, for callers that are not async, also where a loop runs already. Blocks."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()
