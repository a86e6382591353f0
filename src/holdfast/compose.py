"""The one place where ports meet adapters: Settings in, Holdfast out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

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


def secret_stores(settings: Settings) -> dict[str, SecretStore]:
    """The secret stores by the kind that references name them by; nothing is opened yet."""
    from holdfast.adapters.secrets.os_keyring import KeyringStore

    return {"keyring": KeyringStore(), "file": encrypted_file(settings)}


def references(settings: Settings, environ: Mapping[str, str]) -> References:
    """What finds the secrets that the settings refer to."""
    from holdfast.adapters.secrets.references import References

    return References(secret_stores(settings), environ)


def ledger() -> Iterator[dict[str, Any]]:
    """Every cloud call there is, as plain values."""
    from holdfast.wire.ledger import CALLS

    for call in CALLS:
        yield {
            "id": call.id,
            "does": call.does,
            "method": call.method,
            "host": call.host.value,
            "path": call.path,
            "query": dict(call.query),
            "audience": call.audience.value,
            "who": call.who,
            "needs": call.needs,
            "unlocks": call.unlocks,
            "roles": list(call.roles),
            "permission": call.permission,
            "writes": call.writes,
            "repeatable": call.is_idempotent,
            "support": call.support,
            "source": call.source,
        }
