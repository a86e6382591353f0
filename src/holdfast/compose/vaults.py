"""The key vault of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from holdfast.compose.proofs import proof
from holdfast.core.errors import SettingsError
from holdfast.ports import SecretStore
from holdfast.settings import Settings, Vault

if TYPE_CHECKING:
    from holdfast.adapters.secrets.references import References


def key_vault(vault: Vault, settings: Settings, secrets: References) -> SecretStore:
    """The store; nothing is opened yet.

    Args:
        secrets: finds those of the vault's identity, in the other stores.

    Raises:
        SettingsError: the extra is not installed, or there is no tenant that the vault could belong to.
    """
    try:
        from holdfast.adapters.cloud.vault import vault_client
        from holdfast.adapters.secrets.key_vault import KeyVaultStore
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "azure":
            raise
        raise SettingsError(
            "A key vault needs the extra azure, which is not installed: pip install 'holdfast[azure]'."
        ) from None
    from holdfast.adapters.system import SystemClock

    tenant = settings.chosen(vault.tenant)
    credential = proof(vault.identity, secrets)
    if credential is None:
        raise SettingsError(
            "A person's sign-in does not open a key vault: give its identity another credential."
        )
    return KeyVaultStore(
        urlsplit(vault.url).netloc,
        lambda: vault_client(
            vault.url,
            tenant.tenant_id,
            credential,
            SystemClock(),
            cloud=tenant.cloud,
            hosts=tenant.hosts.given(),
            allow_custom_hosts=tenant.allow_custom_hosts,
            ca_file=tenant.ca_file,
        ),
    )
