"""Graph's application permissions as app roles of its service principal."""

from __future__ import annotations

from typing import Any

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra.first_party import GRAPH
from holdfast.sandbox.graph.frame import INCLUDES
from holdfast.sandbox.records.directory import Application

OTHER_ROLES = (
    "AuditLog.Read.All",
    "AppRoleAssignment.ReadWrite.All",
    "IdentityRiskyUser.Read.All",
    "DelegatedPermissionGrant.Read.All",
)
GRAPH_ROLES = tuple(
    sorted({*INCLUDES, *(name for names in INCLUDES.values() for name in names), *OTHER_ROLES})
)


def role_id(resource_id: str, value: str) -> str:
    """The id of an app role; derived from its name, not Microsoft's own."""
    return guid(0, "app role", resource_id, value)


def app_roles(resource: Application) -> list[dict[str, Any]]:
    """The application permissions that a resource offers."""
    values = GRAPH_ROLES if resource.client_id == GRAPH.client_id else ()
    return [
        {
            "id": role_id(resource.client_id, value),
            "value": value,
            "displayName": value,
            "description": value,
            "allowedMemberTypes": ["Application"],
            "isEnabled": True,
            "origin": "Application",
        }
        for value in values
    ]
