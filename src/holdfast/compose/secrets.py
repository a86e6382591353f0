"""Where the texts of secrets lie, by the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from holdfast.ports import SecretStore
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.adapters.secrets.encrypted import EncryptedFile
    from holdfast.adapters.secrets.references import References

KEY_NAME = "key of the encrypted file"
"""Under which the keyring keeps the key of the encrypted file, where no key file is set."""


def encrypted_file(settings: Settings) -> EncryptedFile:
    """The encrypted secret store of the settings; nothing is opened yet."""
    from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile, KeysInStore
    from holdfast.adapters.secrets.os_keyring import KeyringStore

    key_file = settings.secrets.key_file
    keys = KeysInFile(key_file) if key_file else KeysInStore(KeyringStore(), KEY_NAME)
    return EncryptedFile(settings.secrets_file, keys)


def secret_stores(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, SecretStore]:
    """The secret stores by the kind that references name them by; nothing is opened yet.

    Args:
        environ: where the key vault's identity finds `env:` references; None is the process's own.

    Raises:
        SettingsError: a key vault is set, and its client is not installed.
    """
    from holdfast.adapters.secrets.os_keyring import KeyringStore
    from holdfast.adapters.secrets.references import References

    stores: dict[str, SecretStore] = {"keyring": KeyringStore(), "file": encrypted_file(settings)}
    if settings.secrets.vault is not None:
        from holdfast.compose.vaults import key_vault

        opening = References(dict(stores), os.environ if environ is None else environ)
        stores["keyvault"] = key_vault(settings.secrets.vault, settings, opening)
    return stores


def references(settings: Settings, environ: Mapping[str, str]) -> References:
    """What finds the secrets that the settings refer to."""
    from holdfast.adapters.secrets.references import References

    return References(secret_stores(settings, environ), environ)
