"""Which resource an identifier names, in a scope or as a token's audience."""

from __future__ import annotations

from holdfast.sandbox.entra.first_party import DATAVERSE, POWERAPPS, RESOURCES, Resource
from holdfast.sandbox.tenant import Host, Tenant


def resource_of(tenant: Tenant, identifier: str) -> Resource | None:
    """By its published identifier, its client id, or the address that it has in this sandbox; None if unknown."""
    bare = identifier.rstrip("/").lower()
    for resource in RESOURCES:
        if bare == resource.client_id or bare in resource.uris:
            return resource
        if resource.host is not None and _is_at(bare, tenant.urls[resource.host]):
            return resource
    if _is_at(bare, tenant.urls[Host.BAP]):
        return POWERAPPS  # BAP is asked with the Power Apps audience: power-platform-api.md section 1.1
    return DATAVERSE if bare.endswith(".dynamics.com") else None


def _is_at(identifier: str, url: str) -> bool:
    return identifier == url or identifier.startswith(f"{url}/")
