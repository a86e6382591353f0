"""Access and id tokens: what stands in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.entra.first_party import DIRECTORY_ROLES, Resource
from holdfast.sandbox.entra.jwt import Signer, signer
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World


def signer_of(tenant: Tenant) -> Signer:
    """The tenant's token signer."""
    return signer(tenant.keys.signing_key, tenant.keys.signing_certificate)


def life_of(world: World, *names: object) -> timedelta:
    """An access token's life: 60 to 90 minutes, drawn per token (entra-docs access-tokens)."""
    return timedelta(seconds=3600 + int(1800 * world.draw("access token", *names)))


def _common(tenant: Tenant, audience: str, now: datetime, ends: datetime) -> dict[str, Any]:
    world = tenant.world
    return {
        "aud": audience,
        "iss": f"https://sts.windows.net/{world.tenant_id}/",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int(ends.timestamp()),
        "tid": world.tenant_id,
        "ver": "1.0",
        "uti": world.fresh("token identifier").replace("-", "")[:22],
    }


def app_token(
    tenant: Tenant, app: Application, resource: Resource, audience: str, now: datetime, ends: datetime
) -> str:
    """An access token of an application itself."""
    prefix = f"{resource.client_id}/"
    roles = [role.removeprefix(prefix) for role in app.app_roles if role.startswith(prefix)]
    claims = {
        **_common(tenant, audience, now, ends),
        "appid": app.client_id,
        "app_displayname": app.display_name,
        "idtyp": "app",
        "oid": app.principal_id,
        "sub": app.principal_id,
        **({"roles": roles} if roles else {}),
    }
    return signer_of(tenant).sign(claims)


def user_token(
    tenant: Tenant, token: RefreshToken, scopes: str, audience: str, now: datetime, ends: datetime
) -> str:
    """An access token of a person through a client."""
    account = tenant.world.accounts[token.account_id]
    claims = {
        **_common(tenant, audience, now, ends),
        "appid": token.client_id,
        "amr": token.methods,
        "auth_time": int(token.signed_in_at.timestamp()),
        "idtyp": "user",
        "name": account.display_name,
        "oid": account.object_id,
        "sub": account.object_id,
        "scp": scopes,
        "unique_name": account.user_principal_name,
        "upn": account.user_principal_name,
        "wids": [DIRECTORY_ROLES[role] for role in account.directory_roles if role in DIRECTORY_ROLES],
    }
    return signer_of(tenant).sign(claims)


def id_token(tenant: Tenant, token: RefreshToken, now: datetime, nonce: str | None = None) -> str:
    """A v2.0 id token for the client."""
    account = tenant.world.accounts[token.account_id]
    claims = {
        "aud": token.client_id,
        "iss": f"{tenant.urls[Host.AUTHORITY]}/{tenant.world.tenant_id}/v2.0",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        "name": account.display_name,
        "oid": account.object_id,
        "preferred_username": account.user_principal_name,
        "sub": account.object_id,
        "tid": tenant.world.tenant_id,
        "ver": "2.0",
        **({"nonce": nonce} if nonce else {}),
    }
    return signer_of(tenant).sign(claims)
