"""Who may turn a flow on: somebody who may use every connection in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from holdfast.sandbox.flows.runtime import bound
from holdfast.sandbox.powerplatform.access import role_of
from holdfast.sandbox.powerplatform.data_policies import suspend_if_forbidden
from holdfast.sandbox.records.platform import Connection, Flow
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

RIGHTS = Rule(
    "activation_needs_every_connection",
    "A flow can be turned on only by an identity that owns every embedded connection in it or was granted it.",
    Mark.DOCUMENTED,
    "powerapps-docs create-connection-reference; service-principal-support",
)
SHARE_IS_ENOUGH = Rule(
    "a_share_is_enough_to_activate",
    "A service principal that an OAuth connection was shared with as CanView may turn on flows that use it.",
    Mark.DOCUMENTED,
    "service-principal-support, in general terms; whether it holds for SQL's oauth set was not witnessed",
    flipped="Only the owner of an OAuth connection may turn on flows that use it.",
)
RULES = (RIGHTS, SHARE_IS_ENOUGH)


def refusals(world: World, flow: Flow, principal_id: str) -> Iterator[dict[str, Any]]:
    """Why this identity may not turn the flow on: one error body per connection that it may not use."""
    for key, named in flow.connections.items():
        if named.source == "Invoker":
            continue
        connection = bound(world, flow, key)
        if not may_use(world, connection, principal_id):
            yield not_authorized(
                principal_id,
                connection.id if connection else named.connection_id or named.reference,
                named.connector,
            )


def may_use(world: World, connection: Connection | None, principal_id: str) -> bool:
    """Whether the identity owns the connection or was granted it."""
    if connection is None or connection.deleted_at is not None:
        return False
    if connection.owner_id == principal_id:
        return True
    if connection.parameter_set in ("oauth", "oauthCom") and not world.holds(SHARE_IS_ENOUGH):
        return False
    return role_of(connection, principal_id) is not None


def not_authorized(principal_id: str, connection_id: str | None, connector: str) -> dict[str, Any]:
    """The refusal, as two public projects quote it."""
    return {
        "error": {
            "code": "ConnectionAuthorizationFailed",
            "message": (
                f"The caller object id is '{principal_id}'. Connection '{connection_id}' to '{connector}' cannot be used to "
                "activate this flow, either because this is not a valid connection or because it is not a connection you "
                "have access permission for. Either replace the connection with a valid connection you can access or have "
                "the connection owner activate the flow, so the connection is shared with you in the context of this flow."
            ),
        }
    }


def turn_on(world: World, flow: Flow, now: datetime) -> None:
    """Start the flow; what it is bound to counts from now on. A policy that forbids it suspends it at once."""
    if flow.state != "Started":
        flow.state, flow.state_changed_at = "Started", now
        flow.suspension_reason, flow.suspended_at, flow.failing_since = "None", None, None
    for named in flow.connections.values():
        named.pinned = None
    suspend_if_forbidden(world, flow, now)
    world.changed()


def turn_off(world: World, flow: Flow, now: datetime) -> None:
    """Stop the flow."""
    if flow.state != "Stopped":
        flow.state, flow.state_changed_at = "Stopped", now
        flow.suspension_reason, flow.suspended_at = "None", None
    world.changed()
