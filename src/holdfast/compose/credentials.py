"""How the identities of the settings prove themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from holdfast.compose.secrets import secret_stores, waited
from holdfast.core.errors import SettingsError
from holdfast.core.identity import Role
from holdfast.core.secret import Secret, SecretReference
from holdfast.settings import Identity, Settings
from holdfast.settings import Tenant as TenantSettings

if TYPE_CHECKING:
    from holdfast.adapters.cloud.credentials import AnyCredential, Person
    from holdfast.adapters.secrets.references import References


def credential(
    tenant: TenantSettings, role: Role, identity: Identity, settings: Settings, secrets: References
) -> AnyCredential:
    """How the identity proves itself; secrets are fetched when they are needed."""
    from holdfast.adapters.cloud.credentials import AzureCli, Credential, MachineIdentity

    def found(source: SecretReference | SecretStr) -> Secret:
        if isinstance(source, SecretStr):
            return Secret(source.get_secret_value())
        return waited(secrets.text(source))

    client_id = identity.client_id or ""
    secret, certificate, token_file = identity.secret, identity.certificate, identity.federated_token_file
    if secret is not None:
        return Credential(client_id, secret=lambda: found(secret))
    if certificate is not None:
        password = identity.certificate_password
        return Credential(
            client_id,
            certificate=lambda: mounted(certificate, "certificate"),
            passphrase=None if password is None else lambda: found(password),
        )
    if token_file is not None:
        return Credential(client_id, assertion=lambda: mounted(token_file, "federated token"))
    if identity.managed_identity:
        return MachineIdentity(identity.client_id)
    return AzureCli() if identity.az else person(settings, tenant, role, client_id)


def person(settings: Settings, tenant: TenantSettings, role: Role, client_id: str) -> Person:
    """Whoever signed in with `holdfast login` for a role; the tokens lie in the store of the settings."""
    from holdfast.adapters.cloud.credentials import Person

    store, name = secret_stores(settings)[settings.secrets.store], sign_in_name(tenant, role)

    def keep(tokens: Secret) -> None:
        waited(store.write(name, tokens))

    return Person(client_id, lambda: waited(store.read(name)), keep, login_command(role))


def login_command(role: Role) -> str:
    """How a person signs in for a role."""
    return "holdfast login" if role is Role.READER else f"holdfast login --role {role.value}"


def sign_in_name(tenant: TenantSettings, role: Role) -> str:
    """Under which the secret store keeps a person's tokens."""
    return f"sign-in/{tenant.tenant_id}/{role.value}"


def mounted(file: Path, what: str) -> Secret:
    """A secret that lies in a file of its own, as a container mounts it. Raises SettingsError."""
    try:
        return Secret(file.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise SettingsError(f"The {what} file {file} cannot be read: {why}.") from None
