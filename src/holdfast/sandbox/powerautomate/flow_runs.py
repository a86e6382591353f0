"""Runs of a person's own flows: listed, read, repeated, started now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.flows.folding import run_now
from holdfast.sandbox.flows.history import Run, run_of, runs_of
from holdfast.sandbox.flows.runtime import definition_of
from holdfast.sandbox.frame import Call, answer
from holdfast.sandbox.odata import QueryError, parse_filter
from holdfast.sandbox.powerautomate import shapes as flow_shapes
from holdfast.sandbox.powerautomate.access import RUN_TRIGGER, own_flow
from holdfast.sandbox.powerautomate.signed_links import callback
from holdfast.sandbox.powerplatform.access import refusal
from holdfast.sandbox.records.platform import Flow

PAGE = 50


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
    if not call.world.holds(RUN_TRIGGER) and definition_of(call.world, flow).trigger.type != "Request":
        raise refusal(400, "WorkflowTriggerNotRunnable", "The trigger cannot be run by hand.")
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
