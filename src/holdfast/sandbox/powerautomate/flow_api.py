"""Power Automate's own API, which only people may use: flows in and outside solutions. Runs: `flow_runs`."""

from __future__ import annotations

from itertools import chain
from typing import Any

from starlette.responses import Response

from holdfast.sandbox import crowd
from holdfast.sandbox.entra.bearer import Caller
from holdfast.sandbox.flows import clientdata
from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.frame import Call, CallRefusedError, Part, Room, answer, at
from holdfast.sandbox.powerautomate import flow_runs as runs
from holdfast.sandbox.powerautomate import shapes as flow_shapes
from holdfast.sandbox.powerautomate.access import (
    RULES,
    administered,
    environment_of,
    flow_as_admin,
    own_flow,
    person,
)
from holdfast.sandbox.powerplatform import activation
from holdfast.sandbox.powerplatform.access import refusal
from holdfast.sandbox.powerplatform.activation import turn_off, turn_on
from holdfast.sandbox.records.platform import Flow, FlowConnection
from holdfast.sandbox.tenant import Host

# --- flows -----------------------------------------------------------------------------------------------


def list_as_admin(call: Call) -> Response:
    """Every flow of an environment, in solutions or not."""
    environment = administered(call)
    known = (flow for flow in call.world.flows.values() if flow.environment_id == environment.id)
    flows = chain(known, crowd.flows_in(call.world, environment.id))
    return answer({"value": [flow_shapes.listed(call.tenant, flow) for flow in flows]})


def get_as_admin(call: Call) -> Response:
    """One flow with its definition."""
    return answer(flow_shapes.whole(call.tenant, flow_as_admin(call)))


def list_own(call: Call) -> Response:
    """The caller's own flows; those in solutions only when asked for."""
    caller = person(call)
    environment = environment_of(call)
    with_solutions = "includesolutioncloudflows" in call.query.get("include", "").lower()
    flows = [
        flow
        for flow in chain(call.world.flows.values(), crowd.flows_in(call.world, environment.id))
        if flow.environment_id == environment.id
        and flow.owner_id == caller.object_id
        and (flow.workflow_id is None or with_solutions)
    ]
    return answer({"value": [flow_shapes.whole(call.tenant, flow) for flow in flows]})


def get_own(call: Call) -> Response:
    """One of the caller's flows."""
    return answer(flow_shapes.whole(call.tenant, own_flow(call)[1]))


KNOWN = {"displayName", "definition", "connectionReferences", "state", "environment", "description"}


def create(call: Call) -> Response:
    """Make a flow outside solutions, on unless the body says Stopped."""
    caller = person(call)
    environment = environment_of(call)
    body = _properties(call)
    if not isinstance(body.get("displayName"), str) or "definition" not in body:
        raise refusal(400, "InvalidRequestContent", "The properties displayName and definition are required.")
    connections = _connections(body.get("connectionReferences") or {})
    _check_definition(body["definition"], connections)
    flow = Flow(
        id=call.world.fresh("flow"),
        environment_id=environment.id,
        display_name=body["displayName"],
        owner_id=caller.object_id,
        created_at=call.now,
        modified_at=call.now,
        definition=body["definition"],
        connections=connections,
        state="Stopped",
    )
    if body.get("state", "Started") == "Started":
        _check_rights(call, flow, caller)
        turn_on(call.world, flow, call.now)
    call.world.flows[flow.id] = flow
    return answer(flow_shapes.whole(call.tenant, flow), 201)


def change(call: Call) -> Response:
    """Rename, redefine or bind to other connections; all of it or nothing."""
    caller, flow = own_flow(call)
    body = _properties(call)
    connections = (
        _connections(body["connectionReferences"]) if "connectionReferences" in body else flow.connections
    )
    definition = body.get("definition", flow.definition)
    _check_definition(definition, connections)
    before = flow.connections
    flow.connections = connections
    try:
        if flow.state == "Started":
            _check_rights(call, flow, caller)
    except CallRefusedError:
        flow.connections = before
        raise
    flow.definition = definition
    flow.display_name = str(body.get("displayName", flow.display_name))
    flow.modified_at = call.now
    return answer(flow_shapes.whole(call.tenant, flow))


def _properties(call: Call) -> dict[str, Any]:
    body = call.json()
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict) or set(body) - {"properties"}:
        raise refusal(400, "InvalidRequestContent", "The request content must be an object with properties.")
    if unknown := sorted(set(properties) - KNOWN):
        raise refusal(
            400,
            "InvalidRequestContent",
            f"Could not find member '{unknown[0]}' on object of type 'FlowProperties'.",
        )
    return properties


def _connections(written: Any) -> dict[str, FlowConnection]:
    if not isinstance(written, dict) or not all(isinstance(one, dict) for one in written.values()):
        raise refusal(400, "InvalidRequestContent", "connectionReferences must be an object of objects.")
    return {
        key: FlowConnection(
            connector=str(one.get("id", "")).rpartition("/")[2] or "shared_sql",
            connection_id=one.get("connectionName"),
            reference=one.get("connectionReferenceLogicalName"),
            source=str(one.get("source", "Embedded")),
        )
        for key, one in written.items()
    }


def _check_definition(definition: Any, connections: dict[str, FlowConnection]) -> None:
    try:
        clientdata.check(definition, connections)
    except DefinitionError as error:
        raise refusal(400, "InvalidTemplate", str(error)) from None


def _check_rights(call: Call, flow: Flow, caller: Caller) -> None:
    refused = next(activation.refusals(call.world, flow, caller.object_id), None)
    if refused is not None:
        raise refusal(403, refused["error"]["code"], refused["error"]["message"])


def delete(call: Call) -> Response:
    """Remove a flow."""
    _, flow = own_flow(call)
    turn_off(call.world, flow, call.now)
    del call.world.flows[flow.id]
    return Response(status_code=200)


def start_own(call: Call) -> Response:
    """Turn on; the caller must be able to use every connection."""
    caller, flow = own_flow(call)
    _check_rights(call, flow, caller)
    turn_on(call.world, flow, call.now)
    return Response(status_code=200)


def stop_own(call: Call) -> Response:
    """Turn off."""
    turn_off(call.world, own_flow(call)[1], call.now)
    return Response(status_code=200)


def start_as_admin(call: Call) -> Response:
    """Turn on as administrator: the same rights are asked."""
    flow = flow_as_admin(call)
    _check_rights(call, flow, person(call))
    turn_on(call.world, flow, call.now)
    return Response(status_code=200)


def stop_as_admin(call: Call) -> Response:
    """Turn off as administrator."""
    turn_off(call.world, flow_as_admin(call), call.now)
    return Response(status_code=200)


_P = "/providers/Microsoft.ProcessSimple"
_ADMIN = f"{_P}/scopes/admin/environments/{{environment}}"
_OWN = f"{_P}/environments/{{environment}}"
_ONE = f"{_OWN}/flows/{{flow}}"

PART = Part(
    "flow api",
    rooms=(
        Room(
            Host.FLOW,
            (
                at("GET", f"{_ADMIN}/v2/flows", list_as_admin),
                at("GET", f"{_ADMIN}/flows/{{flow}}", get_as_admin),
                at("POST", f"{_ADMIN}/flows/{{flow}}/start", start_as_admin),
                at("POST", f"{_ADMIN}/flows/{{flow}}/stop", stop_as_admin),
                at("GET", f"{_OWN}/flows", list_own),
                at("POST", f"{_OWN}/flows", create),
                at("GET", _ONE, get_own),
                at("PATCH", _ONE, change),
                at("DELETE", _ONE, delete),
                at("POST", f"{_ONE}/start", start_own),
                at("POST", f"{_ONE}/stop", stop_own),
                at("GET", f"{_ONE}/runs", runs.list_runs),
                at("GET", f"{_ONE}/runs/{{run}}", runs.get_run),
                at("GET", f"{_ONE}/runs/{{run}}/actions", runs.list_actions),
                at("GET", f"{_ONE}/runs/{{run}}/actions/{{action}}/repetitions", runs.list_repetitions),
                at("POST", f"{_ONE}/runs/{{run}}/cancel", runs.cancel),
                at("GET", f"{_ONE}/triggers", runs.list_triggers),
                at("POST", f"{_ONE}/triggers/{{trigger}}/run", runs.run_trigger),
                at(
                    "POST", f"{_ONE}/triggers/{{trigger}}/listCallbackUrl", runs.list_callback_url, reads=True
                ),
                at("POST", f"{_ONE}/triggers/{{trigger}}/histories/{{run}}/resubmit", runs.resubmit),
            ),
        ),
    ),
    rules=RULES,
)
