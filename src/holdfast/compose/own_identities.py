"""holdfast's own identities in a tenant, as what can end like any other sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from holdfast.compose.credentials import login_command, sign_in_name
from holdfast.compose.proofs import mounted
from holdfast.compose.secrets import secret_stores
from holdfast.core.errors import SecretStoreError, SettingsError
from holdfast.core.identity import Role
from holdfast.core.inventory import SignIn
from holdfast.scan.ourselves import OwnIdentity
from holdfast.settings import Identity, Settings, Tenant

OWN_SIGN_INS = {
    "secret": SignIn.SERVICE_PRINCIPAL,
    "certificate": SignIn.CERTIFICATE,
    "sign_in": SignIn.USER,
}
"""Credentials of ours that end by themselves; a managed identity or a federated token does not."""


def own_client_ids(tenant: Tenant, settings: Settings) -> dict[str, str]:
    """The applications of the settings, and the roles that each plays."""
    roles: dict[str, list[str]] = {}
    for name, identity in _identities(tenant, settings):
        if identity.client_id:
            roles.setdefault(identity.client_id, []).append(name)
    return {client_id: ", ".join(names) for client_id, names in roles.items()}


async def own_identities(tenant: Tenant, settings: Settings) -> list[OwnIdentity]:
    """Those whose credential can end; one entry for all roles of an application. Raises nothing: trouble is told."""
    by_id: dict[tuple[str, str], OwnIdentity] = {}
    for name, identity in _identities(tenant, settings):
        if identity.client_id is None or identity.credential not in OWN_SIGN_INS:
            continue
        key = (identity.client_id, identity.credential)
        known = by_id.get(key)
        if known is not None:
            by_id[key] = replace(known, roles=(*known.roles, name))
        else:
            by_id[key] = await _looked_at(name, identity, tenant, settings)
    return list(by_id.values())


def _identities(tenant: Tenant, settings: Settings) -> Iterator[tuple[str, Identity]]:
    """By role, and who opens the key vault, where the vault is this tenant's."""
    for role in Role:
        identity = tenant.identity(role)
        if identity is not None:
            yield role.value, identity
    vault = settings.secrets.vault
    if vault is not None and settings.chosen(vault.tenant).name == tenant.name:
        yield "vault", vault.identity


async def _looked_at(name: str, identity: Identity, tenant: Tenant, settings: Settings) -> OwnIdentity:
    own = OwnIdentity((name,), OWN_SIGN_INS[identity.credential], identity.client_id or "")
    try:
        if identity.certificate is not None:
            from holdfast.adapters.cloud.credentials import certificate_in

            pem = mounted(identity.certificate, "certificate").reveal()
            return replace(own, certificate=certificate_in(pem))
        if identity.sign_in:
            from holdfast.adapters.cloud.person import kept_at

            store = secret_stores(settings)[settings.secrets.store]
            kept = await store.read(sign_in_name(tenant, Role(name)))
            if kept is None:
                return replace(own, trouble=f"Sign in: `{login_command(Role(name))}`.")
            return replace(own, signed_in_at=kept_at(kept))
    except (SettingsError, SecretStoreError) as error:
        return replace(own, trouble=str(error))
    return own
