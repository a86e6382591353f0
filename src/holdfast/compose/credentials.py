"""How the identities of the settings prove themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.compose.proofs import proof
from holdfast.compose.secrets import secret_stores
from holdfast.compose.waiting import waited
from holdfast.core.identity import Role
from holdfast.core.secret import Secret
from holdfast.settings import Identity, Settings
from holdfast.settings import Tenant as TenantSettings

if TYPE_CHECKING:
    from holdfast.adapters.cloud.credentials import AnyCredential, Person
    from holdfast.adapters.secrets.references import References


def credential(
    tenant: TenantSettings, role: Role, identity: Identity, settings: Settings, secrets: References
) -> AnyCredential:
    """How the identity proves itself; secrets are fetched when they are needed."""
    found = proof(identity, secrets)
    return person(settings, tenant, role, identity.client_id or "") if found is None else found


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
