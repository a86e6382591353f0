"""Connection references of Dataverse: the pointers by which flows in solutions name their connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from starlette.responses import Response

from holdfast.sandbox import crowd
from holdfast.sandbox.dataverse import rows as dataverse_rows
from holdfast.sandbox.dataverse.frame import (
    User,
    bad_request,
    body_of,
    created,
    is_text,
    many,
    need,
    no_row,
    not_allowed,
    nothing,
    one,
    refusal,
    user,
)
from holdfast.sandbox.dataverse.rows import REFERENCES
from holdfast.sandbox.dataverse.solutions import placed
from holdfast.sandbox.frame import Call
from holdfast.sandbox.powerplatform.activation import may_use, not_authorized
from holdfast.sandbox.records.platform import ConnectionReference
from holdfast.sandbox.rules import Mark, Rule

REBIND_AT_ONCE = Rule(
    "rebinding_reaches_flows_at_once",
    "Binding a reference to another connection reaches the flows that are on without turning them off and on.",
    Mark.ASSUMED,
    "powerapps-docs create-connection-reference says asynchronously since 2023; whether off and on is needed is open",
    flipped="A flow that is on keeps its old connection until it is turned off and on.",
)


def list_references(call: Call) -> Response:
    """The connection references that the caller may read."""
    caller = user(call)
    rows = (
        dataverse_rows.reference(call.world, caller.environment, one) for one in _references(call, caller)
    )
    return many(call, REFERENCES, rows)


def _references(call: Call, caller: User) -> Iterator[ConnectionReference]:
    there = chain(call.world.references.values(), crowd.references_in(call.world, caller.environment.id))
    for reference in there:
        mine = reference.owner_id == caller.principal_id
        if reference.environment_id == caller.environment.id and (mine or caller.reads_all):
            yield reference


def _reference(call: Call, caller: User) -> ConnectionReference:
    wanted = call.params["id"].lower()
    found = next((one for one in _references(call, caller) if one.id == wanted), None)
    if found is None:
        raise no_row("connectionreference", call.params["id"])
    return found


def get_reference(call: Call) -> Response:
    """One connection reference."""
    caller = user(call)
    row = dataverse_rows.reference(call.world, caller.environment, _reference(call, caller))
    return one(call, REFERENCES, row)


CONNECTOR = re.compile(r"/providers/Microsoft\.PowerApps/apis/([A-Za-z0-9_-]+)", re.IGNORECASE)
REFERENCE_COLUMNS: dict[str, Callable[[Any], bool]] = {
    "connectionreferencelogicalname": lambda value: (
        isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9]*_\w{1,180}", value) is not None
    ),
    "connectionreferencedisplayname": lambda value: isinstance(value, str) and len(value) <= 200,
    "connectorid": lambda value: isinstance(value, str) and CONNECTOR.fullmatch(value) is not None,
    "connectionid": is_text,
    "description": is_text,
    "promptingbehavior": lambda value: value in (0, 1),
    "connectionreferenceid": is_text,
}


def create_reference(call: Call) -> Response:
    """Make a connection reference, bound or not."""
    caller = user(call)
    need(caller.writes_all or "Environment Maker" in caller.roles, caller, "prvCreateConnectionReference")
    body = body_of(call, REFERENCES, REFERENCE_COLUMNS)
    for name in ("connectionreferencelogicalname", "connectorid"):
        if name not in body:
            raise bad_request(f"The required attribute '{name}' is missing.", "0x80040203")
    logical_name = body["connectionreferencelogicalname"]
    found = CONNECTOR.fullmatch(body["connectorid"])
    connector = found[1] if found else ""
    for other in call.world.references.values():
        if (
            other.environment_id == caller.environment.id
            and other.logical_name.lower() == logical_name.lower()
        ):
            raise refusal(412, "0x80040237", "A record with matching key values already exists.")
    _check_binding(call, caller, connector, body.get("connectionid"))
    solution = placed(call, caller.environment)
    reference = ConnectionReference(
        id=str(body.get("connectionreferenceid") or call.world.fresh("reference")).lower(),
        environment_id=caller.environment.id,
        logical_name=logical_name,
        display_name=body.get("connectionreferencedisplayname") or logical_name,
        connector=connector,
        connection_id=body.get("connectionid"),
        owner_id=caller.principal_id,
        modified_at=call.now,
        description=body.get("description"),
    )
    call.world.references[reference.id] = reference
    if solution is not None:
        solution.components.append(reference.id)
    return created(call, REFERENCES, dataverse_rows.reference(call.world, caller.environment, reference))


def _check_binding(call: Call, caller: User, connector: str, connection_id: str | None) -> None:
    if connection_id is None:
        return
    connection = call.world.connections.get(connection_id)
    here = connection is not None and connection.environment_id == caller.environment.id
    if not here or not may_use(call.world, connection, caller.principal_id):
        details = not_authorized(caller.principal_id, connection_id, connector)
        raise not_allowed(call, details)


def change_reference(call: Call) -> Response:
    """Rename or bind to another connection, which the caller must be able to use."""
    caller = user(call)
    reference = _reference(call, caller)
    need(
        caller.writes_all or reference.owner_id == caller.principal_id, caller, "prvWriteConnectionReference"
    )
    known = {name: REFERENCE_COLUMNS[name] for name in CHANGEABLE}
    body = body_of(call, REFERENCES, known)
    if "connectionid" in body:
        _check_binding(call, caller, reference.connector, body["connectionid"])
        _rebind(call, reference, body["connectionid"])
    reference.display_name = body.get("connectionreferencedisplayname", reference.display_name)
    reference.description = body.get("description", reference.description)
    reference.modified_at = call.now
    return nothing()


CHANGEABLE = ("connectionid", "connectionreferencedisplayname", "description", "promptingbehavior")


def _rebind(call: Call, reference: ConnectionReference, connection_id: str | None) -> None:
    if not call.world.holds(REBIND_AT_ONCE):
        for flow in call.world.flows.values():
            if flow.environment_id != reference.environment_id or flow.state != "Started":
                continue
            for named in flow.connections.values():
                if (named.reference or "").lower() == reference.logical_name.lower():
                    named.pinned = named.pinned or reference.connection_id
    reference.connection_id = connection_id


def delete_reference(call: Call) -> Response:
    """Remove a connection reference that no flow names."""
    caller = user(call)
    reference = _reference(call, caller)
    need(
        caller.writes_all or reference.owner_id == caller.principal_id, caller, "prvDeleteConnectionReference"
    )
    wanted = reference.logical_name.lower()
    for flow in call.world.flows.values():
        if any((named.reference or "").lower() == wanted for named in flow.connections.values()):
            message = f"The connectionreference({reference.id}) component cannot be deleted because it is referenced by 1 other component."
            raise bad_request(message, "0x8004f01f")
    del call.world.references[reference.id]
    return nothing()
