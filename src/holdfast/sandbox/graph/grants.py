"""Graph: what applications were granted: application permissions and consents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra.audits import note_application
from holdfast.sandbox.entra.first_party import BY_CLIENT_ID
from holdfast.sandbox.frame import Call
from holdfast.sandbox.graph.applications import asked_principal
from holdfast.sandbox.graph.frame import (
    Shape,
    bad_request,
    denied,
    fields,
    holds,
    instant,
    is_text,
    many,
    not_found,
    one,
    permitted,
)
from holdfast.sandbox.graph.roles import app_roles, role_id
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.world import World

ASSIGNMENTS = Shape("appRoleAssignments")
GRANTS = Shape("oauth2PermissionGrants")


def assignments(world: World) -> Iterator[tuple[Application, Application, str, dict[str, Any]]]:
    """Every application permission: who has it, on what, its value, and its row."""
    for app in world.applications.values():
        for granted in app.app_roles:
            resource_id, _, value = granted.partition("/")
            resource = world.applications.get(resource_id)
            if app.deleted_at is None and app.principal_id is not None and resource is not None:
                yield app, resource, value, _assignment_row(world, app, resource, value)


def _assignment_row(world: World, app: Application, resource: Application, value: str) -> dict[str, Any]:
    return {
        "id": guid(world.seed, "assignment", app.principal_id, resource.client_id, value),
        "deletedDateTime": None,
        "appRoleId": role_id(resource.client_id, value),
        "createdDateTime": instant(app.principal_created_at),
        "principalDisplayName": app.display_name,
        "principalId": app.principal_id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.display_name,
        "resourceId": resource.principal_id,
    }


def list_assignments(call: Call) -> Response:
    """GET /servicePrincipals/{id}/appRoleAssignments: what it was granted."""
    permitted(call, "Application.Read.All")
    asked = asked_principal(call)
    return many(call, ASSIGNMENTS, [row for app, _, _, row in assignments(call.world) if app is asked])


def list_assigned_to(call: Call) -> Response:
    """GET /servicePrincipals/{id}/appRoleAssignedTo: who was granted something on it."""
    permitted(call, "Application.Read.All")
    asked = asked_principal(call)
    return many(
        call, ASSIGNMENTS, [row for _, resource, _, row in assignments(call.world) if resource is asked]
    )


def add_assignment(call: Call) -> Response:
    """POST /servicePrincipals/{id}/appRoleAssignments."""
    caller = permitted(call, "AppRoleAssignment.ReadWrite.All")
    if not holds(caller, "Application.Read.All"):
        raise denied(call)
    app = asked_principal(call)
    known = {"principalId": is_text, "resourceId": is_text, "appRoleId": is_text}
    body = fields(call, known, "appRoleAssignment")
    resources = {one.principal_id: one for one in call.world.applications.values()}
    resource = resources.get(body.get("resourceId"))
    if resource is None or body.get("principalId") != app.principal_id:
        raise not_found(call, str(body.get("resourceId")))
    value = next((role["value"] for role in app_roles(resource) if role["id"] == body.get("appRoleId")), None)
    if value is None:
        raise bad_request(call, "Permission being assigned was not found on application.")
    granted = f"{resource.client_id}/{value}"
    if granted in app.app_roles:
        raise bad_request(call, "Permission being assigned already exists on the object.")
    app.app_roles.append(granted)
    note_application(
        call.world, call.now, "Add app role assignment to service principal", app, actor_id=caller.object_id
    )
    created = one(call, ASSIGNMENTS, _assignment_row(call.world, app, resource, value))
    created.status_code = 201
    return created


def delete_assignment(call: Call) -> Response:
    """DELETE /servicePrincipals/{id}/appRoleAssignments/{assignment}."""
    caller = permitted(call, "AppRoleAssignment.ReadWrite.All")
    for app, resource, value, row in assignments(call.world):
        if row["id"] == call.params["assignment"]:
            app.app_roles.remove(f"{resource.client_id}/{value}")
            activity = "Remove app role assignment from service principal"
            note_application(call.world, call.now, activity, app, actor_id=caller.object_id)
            return Response(status_code=204)
    raise not_found(call, call.params["assignment"])


def list_consents(call: Call) -> Response:
    """GET /oauth2PermissionGrants: consents, one row per client and resource."""
    permitted(call, "Directory.Read.All", "DelegatedPermissionGrant.Read.All")
    return many(call, GRANTS, list(_consents(call.world)))


def _consents(world: World) -> Iterator[dict[str, Any]]:
    for app in world.applications.values():
        if app.is_first_party or app.deleted_at is not None or app.principal_id is None:
            continue
        for resource_id in BY_CLIENT_ID:
            scopes = [one.partition("/")[2] for one in app.delegated if one.startswith(f"{resource_id}/")]
            if scopes:
                yield {
                    "id": guid(world.seed, "consent", app.principal_id, resource_id),
                    "clientId": app.principal_id,
                    "consentType": "AllPrincipals",
                    "principalId": None,
                    "resourceId": world.applications[resource_id].principal_id,
                    "scope": " ".join(scopes),
                }
