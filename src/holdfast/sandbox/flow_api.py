"""Power Automate's own API, which only people may use: flows in and outside solutions, runs, what actions did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from holdfast.sandbox import activation, flow_shapes
from holdfast.sandbox.activation import turn_off, turn_on
from holdfast.sandbox.bearer import Caller, TokenRefusedError, caller_of
from holdfast.sandbox.first_party import FLOW
from holdfast.sandbox.flows import clientdata
from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.flows.folding import run_now
from holdfast.sandbox.flows.history import Run, run_of, runs_of
from holdfast.sandbox.flows.runtime import definition_of
from holdfast.sandbox.frame import Call, CallRefusedError, Part, Room, answer, at
from holdfast.sandbox.odata import QueryError, parse_filter
from holdfast.sandbox.powerplatform_access import is_admin, refusal, versioned
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.signed_links import callback
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import Environment, Flow, FlowConnection

PAGE = 50

PEOPLE_ONLY = Rule(
    "flow_api_is_for_people",
    "The flow API answers 403 to tokens of applications.",
    Mark.DOCUMENTED,
    "powerplatform-api-create-service-principal: not supported for service principals; the status is not documented",
    flipped="It answers 401 to them.",
)
NO_RUNS_FOR_ADMINS = Rule(
    "admins_read_no_run_history",
    "The admin scope of the flow API has no runs: only a flow's owner reads them.",
    Mark.SECONDARY,
    "ESS says so; pnp/cli-microsoft365 offers the switch",
)
RUN_PAGES = Rule(
    "runs_come_in_pages_of_50",
    "Runs come newest first, 50 a page, with a nextLink that carries a skip token.",
    Mark.RECORDED,
    "ESS flightcheck_workday_runs.yaml",
)
RUN_TRIGGER = Rule(
    "any_trigger_can_be_run",
    "POST .../triggers/NAME/run starts a run of a recurrence at once and answers 202.",
    Mark.ASSUMED,
    "not witnessed",
)
NO_PACKAGES = Rule(
    "flows_cannot_be_exported_or_shared",
    "Packages, co-owners, run-only users and the move into a solution are not there.",
    Mark.ABSENT,
    "pnp/cli-microsoft365; Microsoft.PowerApps.PowerShell 1.0.9",
)
NO_NEW_FLOW_API = Rule(
    "no_cloud_flows_on_the_power_platform_api",
    "cloudFlows, flowRuns and flowActions of the Power Platform API are not there: their bodies are not documented.",
    Mark.ABSENT,
    "learn.microsoft.com/rest/api/power-platform",
)
RULES = (PEOPLE_ONLY, NO_RUNS_FOR_ADMINS, RUN_PAGES, RUN_TRIGGER, NO_PACKAGES, NO_NEW_FLOW_API)


def person(call: Call) -> Caller:
    """The caller, who is a person.

    Raises:
        CallRefusedError: 401 without a token for this API, 403 for an application, 400 for the api-version.
    """
    try:
        caller = caller_of(call, FLOW)
    except TokenRefusedError as error:
        raise refusal(401, "InvalidAuthenticationToken", str(error)) from None
    if caller.account is None:
        status = 403 if call.world.holds(PEOPLE_ONLY) else 401
        raise refusal(
            status,
            "Forbidden",
            f"The service principal with id '{caller.object_id}' is not supported by this service.",
        )
    versioned(call)
    return caller


def _environment(call: Call) -> Environment:
    wanted = call.params["environment"].casefold()
    for environment in call.world.environments.values():
        if environment.id.casefold() == wanted or (wanted == "~default" and environment.is_default):
            return environment
    message = f"Access to the environment '{call.params['environment']}' is denied."
    raise refusal(403, "EnvironmentAccessDenied", message)


def _admin(call: Call) -> Environment:
    caller = person(call)
    environment = _environment(call)
    if not is_admin(caller):
        message = f"Access to the environment '{environment.id}' is denied."
        raise refusal(403, "EnvironmentAccessDenied", message)
    return environment


def _flow_as_admin(call: Call) -> Flow:
    environment = _admin(call)
    flow = call.world.flows.get(call.params["flow"].lower())
    if flow is None or flow.environment_id != environment.id:
        raise refusal(404, "FlowNotFound", f"Could not find flow '{call.params['flow']}'.")
    return flow


def own_flow(call: Call) -> tuple[Caller, Flow]:
    """The caller and his flow. 403 ConnectionAuthorizationFailed (recorded) for any other, also one that is not there."""
    caller = person(call)
    environment = _environment(call)
    flow = call.world.flows.get(call.params["flow"].lower())
    if flow is None or flow.environment_id != environment.id or flow.owner_id != caller.object_id:
        message = (
            f"The caller with object id '{caller.object_id}' does not have permission for connection "
            f"'{call.params['flow']}' under Api 'shared_logicflows'."
        )
        raise refusal(403, "ConnectionAuthorizationFailed", message)
    return caller, flow


# --- flows -----------------------------------------------------------------------------------------------


def list_as_admin(call: Call) -> Response:
    """Every flow of an environment, in solutions or not."""
    environment = _admin(call)
    flows = [flow for flow in call.world.flows.values() if flow.environment_id == environment.id]
    return answer({"value": [flow_shapes.listed(call.tenant, flow) for flow in flows]})


def get_as_admin(call: Call) -> Response:
    """One flow with its definition."""
    return answer(flow_shapes.whole(call.tenant, _flow_as_admin(call)))


def list_own(call: Call) -> Response:
    """The caller's own flows; those in solutions only when asked for."""
    caller = person(call)
    environment = _environment(call)
    with_solutions = "includesolutioncloudflows" in call.query.get("include", "").lower()
    flows = [
        flow
        for flow in call.world.flows.values()
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
    environment = _environment(call)
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
    flow = _flow_as_admin(call)
    _check_rights(call, flow, person(call))
    turn_on(call.world, flow, call.now)
    return Response(status_code=200)


def stop_as_admin(call: Call) -> Response:
    """Turn off as administrator."""
    turn_off(call.world, _flow_as_admin(call), call.now)
    return Response(status_code=200)


# --- runs ------------------------------------------------------------------------------------------------


def list_runs(call: Call) -> Response:
    """The runs of one of the caller's flows, newest first, 50 a page."""
    _, flow = own_flow(call)
    runs = _filtered(call, runs_of(call.world, flow, call.now))
    token = call.query.get("$skiptoken")
    if token is not None:
        runs = [run for run in runs if run.id > token]
    page = runs[:PAGE]
    told: dict[str, Any] = {"value": [flow_shapes.run(call.tenant, flow, run, call.now) for run in page]}
    if len(runs) > PAGE:
        kept = f"&%24filter={quote(call.query['$filter'])}" if "$filter" in call.query else ""
        told["nextLink"] = (
            f"{call.url}?api-version=2016-11-01{kept}&%24skiptoken={page[-1].id}&skiptokenSourceIndex=0"
        )
    return answer(told)


def _filtered(call: Call, runs: list[Run]) -> list[Run]:
    wanted = call.query.get("$filter")
    if wanted is None:
        return runs
    try:
        test = parse_filter(wanted)
    except QueryError as error:
        raise refusal(400, "InvalidFilterInQuery", str(error)) from None
    return [
        run for run in runs if test({"status": run.record.status, "startTime": run.started_at.isoformat()})
    ]


def _run(call: Call) -> tuple[Flow, Run]:
    _, flow = own_flow(call)
    run = run_of(call.world, flow, call.params["run"], call.now)
    if run is None:
        raise refusal(
            404, "WorkflowRunNotFound", f"The workflow run '{call.params['run']}' could not be found."
        )
    return flow, run


def get_run(call: Call) -> Response:
    """One run; with its actions when they are expanded."""
    flow, run = _run(call)
    shown = flow_shapes.run(call.tenant, flow, run, call.now)
    if "properties/actions" in call.query.get("$expand", "").lower():
        listed = flow_shapes.actions(call.tenant, flow, run, call.now)
        shown["properties"]["actions"] = {one["name"]: one["properties"] for one in listed}
    return answer(shown)


def list_actions(call: Call) -> Response:
    """What the actions of a run did. A connector's own text lies behind the links."""
    flow, run = _run(call)
    return answer({"value": list(flow_shapes.actions(call.tenant, flow, run, call.now))})


def list_repetitions(call: Call) -> Response:
    """The turns of an action inside a loop."""
    flow, run = _run(call)
    return answer(
        {"value": list(flow_shapes.repetitions(call.tenant, flow, run, call.params["action"], call.now))}
    )


def cancel(call: Call) -> Response:
    """Runs here are over when anybody sees them."""
    _, run = _run(call)
    message = f"The workflow run '{run.id}' has already completed and cannot be cancelled."
    raise refusal(400, "WorkflowRunAlreadyCompleted", message)


def resubmit(call: Call) -> Response:
    """Repeat a past run with what its trigger brought."""
    flow, run = _run(call)
    return _started(call, flow, lambda: run_now(call.world, flow, call.now, run.record.trigger_outputs))


def list_triggers(call: Call) -> Response:
    """The flow's one trigger."""
    _, flow = own_flow(call)
    return answer({"value": [{"name": name, **_trigger(flow, name)} for name in _triggers(call, flow)]})


def _triggers(call: Call, flow: Flow) -> Iterator[str]:
    try:
        yield definition_of(call.world, flow).trigger.name
    except DefinitionError:
        return


def _trigger(flow: Flow, name: str) -> dict[str, Any]:
    return {
        "id": f"{flow_shapes.path_of(flow)}/triggers/{name}",
        "type": "Microsoft.ProcessSimple/environments/flows/triggers",
        "properties": {
            "state": "Enabled" if flow.state == "Started" else "Disabled",
            "provisioningState": "Succeeded",
        },
    }


def run_trigger(call: Call) -> Response:
    """Start a run now."""
    _, flow = own_flow(call)
    _known_trigger(call, flow)
    return _started(call, flow, lambda: run_now(call.world, flow, call.now))


def list_callback_url(call: Call) -> Response:
    """The signed address that starts a flow with a manual trigger."""
    _, flow = own_flow(call)
    _known_trigger(call, flow)
    if definition_of(call.world, flow).trigger.type != "Request":
        raise refusal(400, "ListCallbackUrlNotSupported", "The trigger cannot be called by an address.")
    return answer(callback(call.tenant, flow, call.params["trigger"]))


def _known_trigger(call: Call, flow: Flow) -> None:
    if call.params["trigger"] not in _triggers(call, flow):
        raise refusal(
            404, "WorkflowTriggerNotFound", f"The trigger '{call.params['trigger']}' could not be found."
        )


def _started(call: Call, flow: Flow, deed: Callable[[], Any]) -> Response:
    if flow.state != "Started":
        raise refusal(400, "WorkflowTriggerIsNotEnabled", "The workflow is not enabled.")
    try:
        record = deed()
    except DefinitionError as error:
        raise refusal(400, "InvalidTemplate", str(error)) from None
    return Response(status_code=202, headers={"x-ms-workflow-run-id": record.id})


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
                at("GET", f"{_ONE}/runs", list_runs),
                at("GET", f"{_ONE}/runs/{{run}}", get_run),
                at("GET", f"{_ONE}/runs/{{run}}/actions", list_actions),
                at("GET", f"{_ONE}/runs/{{run}}/actions/{{action}}/repetitions", list_repetitions),
                at("POST", f"{_ONE}/runs/{{run}}/cancel", cancel),
                at("GET", f"{_ONE}/triggers", list_triggers),
                at("POST", f"{_ONE}/triggers/{{trigger}}/run", run_trigger),
                at("POST", f"{_ONE}/triggers/{{trigger}}/listCallbackUrl", list_callback_url, reads=True),
                at("POST", f"{_ONE}/triggers/{{trigger}}/histories/{{run}}/resubmit", resubmit),
            ),
        ),
    ),
    rules=RULES,
)
