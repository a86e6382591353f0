"""Connections are shared, and shares taken back; what people do to connections as events of the control port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.frame import Call, CallRefusedError, Deed, answer
from holdfast.sandbox.powerplatform.access import maker, refusal, role_on
from holdfast.sandbox.powerplatform.inventory import any_environment, connection_for
from holdfast.sandbox.powerplatform.shapes import SHAREABLE_SETS, permissions
from holdfast.sandbox.powerplatform.writes import bad_body, connection_as_admin_named
from holdfast.sandbox.records.platform import Connection, Share
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

ROLES = ("CanView", "CanViewWithShare", "CanEdit")
PRINCIPAL_TYPES = ("User", "ServicePrincipal", "Group")

SHARED_WITH_APPLICATIONS_ONLY = Rule(
    "oauth_is_shared_with_applications_only",
    "A connection on a person's sign-in can be shared with service principals, never with people.",
    Mark.DOCUMENTED,
    "powerapps-docs create-connection-reference",
)
RULES = (SHARED_WITH_APPLICATIONS_ONLY,)


def list_permissions(call: Call) -> Response:
    """Who may use one of the caller's connections; 403 for one that he may only use."""
    caller = maker(call)
    environment = any_environment(call)
    connection = connection_for(call, caller, environment)
    if role_on(connection, caller) == "CanView":
        message = f"The caller with object id '{caller.object_id}' does not have permission for connection '{connection.id}' under Api '{connection.connector}'."
        raise refusal(403, "ConnectionAuthorizationFailed", message)
    return answer({"value": permissions(call.world, connection)})


def list_permissions_as_admin(call: Call) -> Response:
    """Who may use anybody's connection."""
    return answer({"value": permissions(call.world, connection_as_admin_named(call))})


def modify_permissions(call: Call) -> Response:
    """Share, or take shares back: all that the body says, or nothing."""
    caller = maker(call)
    connection = connection_for(call, caller, any_environment(call))
    if role_on(connection, caller) not in ("Owner", "CanEdit", "CanViewWithShare"):
        message = f"The caller with object id '{caller.object_id}' does not have permission for connection '{connection.id}' under Api '{connection.connector}'."
        raise refusal(403, "ConnectionAuthorizationFailed", message)
    return _modify(call, connection)


def modify_permissions_as_admin(call: Call) -> Response:
    """Share anybody's connection."""
    return _modify(call, connection_as_admin_named(call))


def _modify(call: Call, connection: Connection) -> Response:
    body = call.json()
    if not isinstance(body, dict) or set(body) - {"put", "delete"}:
        raise bad_body("The request content must have put and delete.")
    granted = [_share(call, connection, entry) for entry in body.get("put") or []]
    gone = {_principal_named(entry) for entry in body.get("delete") or []}
    kept = [
        one
        for one in connection.shares
        if one.principal_id not in gone | {share.principal_id for share in granted}
    ]
    connection.shares = [*kept, *granted]
    return Response(status_code=200)


def _principal_named(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise bad_body("Each entry to delete must have an id.")
    return str(entry["id"]).rpartition("/")[2]


ENTRY = frozenset({"roleName", "capabilities", "principal", "notifyShareTargetOption", "inviteGuestToTenant"})


def _share(call: Call, connection: Connection, entry: Any) -> Share:
    properties = entry.get("properties") if isinstance(entry, dict) else None
    if not isinstance(properties, dict) or set(properties) - ENTRY:
        raise bad_body("Each entry to put must have properties with roleName and principal.")
    principal, role = properties.get("principal"), properties.get("roleName")
    if not isinstance(principal, dict) or role not in ROLES or principal.get("type") not in PRINCIPAL_TYPES:
        raise bad_body(
            f"The roleName must be one of {', '.join(ROLES)} and the principal one of {', '.join(PRINCIPAL_TYPES)}."
        )
    return share(
        call.world,
        connection,
        Share(
            principal_id=str(principal.get("id")),
            principal_type=principal["type"],
            role=role,
            granted_at=call.now,
        ),
    )


def share(world: World, connection: Connection, wanted: Share) -> Share:
    """The share, if the connection can be shared so.

    Raises:
        CallRefusedError: 400, there is no such principal, or the kind of connection is not shared with its kind.
    """
    is_application = wanted.principal_type == "ServicePrincipal"
    if connection.parameter_set not in SHAREABLE_SETS and not is_application:
        raise refusal(
            400,
            "ConnectionSharingNotAllowed",
            "Connections of this type can be shared with service principals only.",
        )
    known = (
        any(app.principal_id == wanted.principal_id for app in world.applications.values())
        if is_application
        else wanted.principal_type == "Group" or wanted.principal_id in world.accounts
    )
    if not known:
        raise refusal(
            400,
            "PrincipalNotFound",
            f"The principal '{wanted.principal_id}' could not be found in the directory.",
        )
    return wanted


# --- events ----------------------------------------------------------------------------------------------


def connection_named(deed: Deed) -> Connection:
    """The target connection. Raises LookupError if there is none."""
    connection = deed.world.connections.get(deed.target)
    if connection is None or connection.deleted_at is not None:
        raise LookupError(f"connection {deed.target!r}")
    return connection


def share_event(deed: Deed) -> Mapping[str, Any]:
    """Its owner shares a connection ``with`` an account or application, as ``role`` (else CanView)."""
    connection = connection_named(deed)
    whom, role = str(deed.details.get("with", "")), str(deed.details.get("role", "CanView"))
    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}")
    app = next(
        (one for one in deed.world.applications.values() if whom in (one.client_id, one.principal_id)), None
    )
    principal_id = app.principal_id if app else deed.world.find_account(whom).object_id
    wanted = Share(
        principal_id=principal_id or "",
        principal_type="ServicePrincipal" if app else "User",
        role=role,
        granted_at=deed.now,
    )
    try:
        granted = share(deed.world, connection, wanted)
    except CallRefusedError:
        raise ValueError("connections on a person's sign-in are shared with applications only") from None
    connection.shares = [one for one in connection.shares if one.principal_id != principal_id] + [granted]
    return {"principal": principal_id}


def delete_event(deed: Deed) -> None:
    """Somebody deletes the connection."""
    connection_named(deed).deleted_at = deed.now


EVENTS = {"share_connection": share_event, "delete_connection": delete_event}
