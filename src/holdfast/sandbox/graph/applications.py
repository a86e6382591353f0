"""Graph: applications, their credentials and service principals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.entra.administration import delete_app, disable_app
from holdfast.sandbox.entra.audits import note_application
from holdfast.sandbox.entra.bearer import Caller
from holdfast.sandbox.entra.spreading import has_spread
from holdfast.sandbox.frame import Call, Deed
from holdfast.sandbox.graph.app_policies import policies_of
from holdfast.sandbox.graph.certificates import certificate_from
from holdfast.sandbox.graph.frame import (
    Shape,
    authenticated,
    bad_request,
    denied,
    fields,
    holds,
    instant,
    is_bool,
    is_list,
    is_object,
    is_text,
    many,
    not_found,
    one,
    permitted,
)
from holdfast.sandbox.graph.roles import app_roles
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Application, Certificate, ClientSecret
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

OWNED_BY_LISTS_ALL = Rule(
    "owned_by_lists_every_application",
    "Application.ReadWrite.OwnedBy may list all applications and service principals, and change its own.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs permissions reference, note at Application.ReadWrite.OwnedBy",
)
CREATOR_OWNS = Rule(
    "the_creating_app_owns_what_it_creates",
    "An application that creates another becomes its owner.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs application-post-applications",
)
RULES = (OWNED_BY_LISTS_ALL, CREATOR_OWNS)
APPLICATIONS = Shape("applications")
PRINCIPALS = Shape("servicePrincipals")
OWNERS = Shape("directoryObjects")


def secret_row(world: World, secret: ClientSecret) -> dict[str, Any]:
    """A password credential as lists show it: never its text."""
    return {
        "customKeyIdentifier": None,
        "displayName": secret.label,
        "endDateTime": instant(secret.expires_at),
        "hint": secret_text(world, secret)[:3],
        "keyId": secret.key_id,
        "secretText": None,
        "startDateTime": instant(secret.starts_at),
    }


def certificate_row(certificate: Certificate, *, with_key: bool) -> dict[str, Any]:
    """A key credential; the key itself comes on ``$select`` only."""
    return {
        "customKeyIdentifier": certificate.sha1.upper(),
        "displayName": certificate.label,
        "endDateTime": instant(certificate.expires_at),
        "key": certificate.der if with_key else None,
        "keyId": certificate.key_id,
        "startDateTime": instant(certificate.starts_at),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def application_row(world: World, app: Application, *, with_key: bool = False) -> dict[str, Any]:
    """An application registration."""
    return {
        "id": app.object_id,
        "appId": app.client_id,
        "displayName": app.display_name,
        "description": None,
        "notes": app.notes,
        "tags": app.tags,
        "createdDateTime": instant(app.created_at),
        "deletedDateTime": instant(app.deleted_at),
        "signInAudience": "AzureADMyOrg",
        "publisherDomain": None,
        "identifierUris": app.identifier_uris,
        "isFallbackPublicClient": app.is_public,
        "passwordCredentials": [secret_row(world, secret) for secret in app.secrets],
        "keyCredentials": [certificate_row(one, with_key=with_key) for one in app.certificates],
        "requiredResourceAccess": [],
        "publicClient": {"redirectUris": app.redirect_uris if app.is_public else []},
        "web": {"redirectUris": [] if app.is_public else app.redirect_uris},
        "spa": {"redirectUris": []},
    }


def principal_row(app: Application, world: World) -> dict[str, Any]:
    """A service principal."""
    return {
        "id": app.principal_id,
        "appId": app.client_id,
        "displayName": app.display_name,
        "appDisplayName": app.display_name,
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
        if app.is_first_party
        else world.tenant_id,
        "accountEnabled": app.enabled,
        "appRoleAssignmentRequired": False,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [app.client_id, *app.identifier_uris],
        "signInAudience": "AzureADMultipleOrgs" if app.is_first_party else "AzureADMyOrg",
        "tags": app.tags,
        "createdDateTime": instant(app.principal_created_at),
        "deletedDateTime": instant(app.deleted_at),
        "appRoles": app_roles(app),
        "passwordCredentials": [],
        "keyCredentials": [],
    }


def registered(world: World) -> Iterable[Application]:
    """The tenant's own registrations that are not deleted."""
    return (app for app in world.applications.values() if not app.is_first_party and app.deleted_at is None)


def asked(call: Call) -> Application:
    """The application in the path, by object id or by ``(appId='…')``."""
    by_client_id = "app_id" in call.params
    wanted = call.params["app_id" if by_client_id else "id"].lower()
    for app in registered(call.world):
        if wanted == (app.client_id if by_client_id else app.object_id) and has_spread(
            call.world, app, call.now
        ):
            return app
    raise not_found(call, wanted)


def asked_principal(call: Call) -> Application:
    """The application whose service principal is in the path."""
    by_client_id = "app_id" in call.params
    wanted = call.params["app_id" if by_client_id else "id"].lower()
    for app in call.world.applications.values():
        is_meant = wanted == (app.client_id if by_client_id else app.principal_id)
        if is_meant and app.deleted_at is None and app.principal_id is not None:
            return app
    raise not_found(call, wanted)


def writable(call: Call, app: Application) -> Caller:
    """The caller, who may change this application: all of them, or as one of its owners."""
    caller = authenticated(call)
    if holds(caller, "Application.ReadWrite.All"):
        return caller
    if holds(caller, "Application.ReadWrite.OwnedBy") and caller.object_id in app.owner_ids:
        return caller
    raise denied(call)


def _wants_key(call: Call) -> bool:
    return "keyCredentials" in call.query.get("$select", "")


def list_applications(call: Call) -> Response:
    """GET /applications."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    with_key = _wants_key(call)
    return many(
        call,
        APPLICATIONS,
        [application_row(call.world, app, with_key=with_key) for app in registered(call.world)],
    )


def get_application(call: Call) -> Response:
    """GET /applications/{id}."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    return one(call, APPLICATIONS, application_row(call.world, asked(call), with_key=_wants_key(call)))


WRITABLE = {
    "displayName": lambda value: isinstance(value, str) and 0 < len(value) <= 256,
    "notes": is_text,
    "description": is_text,
    "tags": is_list,
    "signInAudience": is_text,
    "identifierUris": is_list,
    "isFallbackPublicClient": is_bool,
    "requiredResourceAccess": is_list,
    "publicClient": is_object,
    "web": is_object,
    "spa": is_object,
    "api": is_object,
    "info": is_object,
    "keyCredentials": is_list,
    "passwordCredentials": is_list,
}


def create_application(call: Call) -> Response:
    """POST /applications."""
    caller = permitted(call, "AppRegistration.Create")
    body = fields(call, WRITABLE, "application")
    if not body.get("displayName"):
        raise bad_request(call, "A value is required for property 'displayName' of resource 'Application'.")
    app = Application(
        client_id=call.world.fresh("client"),
        object_id=call.world.fresh("application"),
        display_name=body["displayName"],
        created_at=call.now,
        owner_ids=[caller.object_id],
    )
    _write(call, app, body)
    call.world.applications[app.client_id] = app
    note_application(call.world, call.now, "Add application", app, operation="Add", actor_id=caller.object_id)
    created = one(call, APPLICATIONS, application_row(call.world, app))
    created.status_code = 201
    return created


def change_application(call: Call) -> Response:
    """PATCH /applications/{id}; ``keyCredentials`` replaces the whole list."""
    app = asked(call)
    caller = writable(call, app)
    _write(call, app, fields(call, WRITABLE, "application"))
    note_application(call.world, call.now, "Update application", app, actor_id=caller.object_id)
    return Response(status_code=204)


def _write(call: Call, app: Application, body: dict[str, Any]) -> None:
    if body.get("passwordCredentials"):
        raise bad_request(call, "New password credentials must be generated by the service: use addPassword.")
    app.display_name = body.get("displayName", app.display_name)
    app.notes = body.get("notes", app.notes)
    app.tags = body.get("tags", app.tags)
    app.identifier_uris = body.get("identifierUris", app.identifier_uris)
    app.is_public = bool(body.get("isFallbackPublicClient", app.is_public))
    for kind in ("publicClient", "web", "spa"):
        if isinstance((body.get(kind) or {}).get("redirectUris"), list):
            app.redirect_uris = list(body[kind]["redirectUris"])
    if "keyCredentials" in body:
        _replace_certificates(call, app, body["keyCredentials"])


def _replace_certificates(call: Call, app: Application, wanted: list[Any]) -> None:
    kept = [certificate_from(call, app, entry) for entry in wanted]
    for certificate in app.certificates:
        if certificate.key_id not in {one.key_id for one in kept}:
            certificate.removed_at = call.now
            app.removed_certificates.append(certificate)
    app.certificates = kept


def list_app_policies(call: Call) -> Response:
    """GET /applications/{id}/appManagementPolicies."""
    permitted(call, "Policy.Read.All")
    return policies_of(call, asked(call))


def delete_application(call: Call) -> Response:
    """DELETE /applications/{id}: to the deleted items, for 30 days."""
    app = asked(call)
    writable(call, app)
    delete_app(Deed(call.world, call.now, app.client_id, {}))
    return Response(status_code=204)


def list_principals(call: Call) -> Response:
    """GET /servicePrincipals."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    present = [app for app in call.world.applications.values() if app.deleted_at is None and app.principal_id]
    return many(call, PRINCIPALS, [principal_row(app, call.world) for app in present])


def get_principal(call: Call) -> Response:
    """GET /servicePrincipals/{id}."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    return one(call, PRINCIPALS, principal_row(asked_principal(call), call.world))


def create_principal(call: Call) -> Response:
    """POST /servicePrincipals."""
    body = fields(
        call,
        {"appId": is_text, "tags": is_list, "accountEnabled": is_bool, "notes": is_text},
        "servicePrincipal",
    )
    app = call.world.applications.get(str(body.get("appId", "")).lower())
    if app is None or app.deleted_at is not None or not has_spread(call.world, app, call.now):
        raise bad_request(
            call,
            f"The appId '{body.get('appId')}' of the service principal does not reference a valid application object.",
        )
    caller = writable(call, app)
    if app.principal_id is not None:
        raise bad_request(
            call,
            f"The service principal cannot be created, updated, or restored because the service principal name"
            f" {app.client_id} is already in use.",
        )
    app.principal_id, app.principal_created_at = call.world.fresh("principal"), call.now
    app.enabled = body.get("accountEnabled", True)
    note_application(
        call.world,
        call.now,
        "Add service principal",
        app,
        operation="Add",
        target_type="ServicePrincipal",
        target_id=app.principal_id,
        actor_id=caller.object_id,
    )
    created = one(call, PRINCIPALS, principal_row(app, call.world))
    created.status_code = 201
    return created


def change_principal(call: Call) -> Response:
    """PATCH /servicePrincipals/{id}."""
    app = asked_principal(call)
    writable(call, app)
    body = fields(call, {"accountEnabled": is_bool, "tags": is_list, "notes": is_text}, "servicePrincipal")
    app.tags = body.get("tags", app.tags)
    if body.get("accountEnabled") is False:
        disable_app(Deed(call.world, call.now, app.client_id, {}))
    elif body.get("accountEnabled") is True:
        app.enabled, app.disabled_at = True, None
    return Response(status_code=204)


def delete_principal(call: Call) -> Response:
    """DELETE /servicePrincipals/{id}: the registration stays."""
    app = asked_principal(call)
    writable(call, app)
    note_application(call.world, call.now, "Remove service principal", app, operation="Delete")
    app.principal_id = None
    return Response(status_code=204)


def list_owners(call: Call) -> Response:
    """GET /applications/{id}/owners."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    return many(call, OWNERS, [owner_row(call.world, owner) for owner in asked(call).owner_ids])


def list_principal_owners(call: Call) -> Response:
    """GET /servicePrincipals/{id}/owners."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    return many(call, OWNERS, [owner_row(call.world, owner) for owner in asked_principal(call).owner_ids])


def owner_row(world: World, object_id: str) -> dict[str, Any]:
    """An owner, a person or a service principal, as a directory object."""
    account = world.accounts.get(object_id)
    if account:
        return {
            "@odata.type": "#microsoft.graph.user",
            "id": object_id,
            "displayName": account.display_name,
            "userPrincipalName": account.user_principal_name,
        }
    app = next((app for app in world.applications.values() if app.principal_id == object_id), None)
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": object_id,
        "displayName": app.display_name if app else None,
        "appId": app.client_id if app else None,
    }


def referenced(call: Call) -> str:
    """The object id at the end of a body's ``@odata.id``."""
    body = call.json()
    link = body.get("@odata.id") if isinstance(body, dict) else None
    if not isinstance(link, str):
        raise bad_request(call, "The request body must hold '@odata.id'.")
    return link.rstrip("/").rpartition("/")[2].lower()


def add_owner(call: Call) -> Response:
    """POST /applications/{id}/owners/$ref."""
    app = asked(call)
    writable(call, app)
    owner = referenced(call)
    principals = {one.principal_id for one in call.world.applications.values()}
    if owner not in call.world.accounts and owner not in principals:
        raise not_found(call, owner)
    if owner in app.owner_ids:
        raise bad_request(
            call,
            "One or more added object references already exist for the following modified properties: 'owners'.",
        )
    app.owner_ids.append(owner)
    note_application(call.world, call.now, "Add owner to application", app, operation="Assign")
    return Response(status_code=204)
