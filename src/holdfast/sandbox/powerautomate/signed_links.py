"""Signed links: whoever holds one may read the content behind it, or start the flow, until it ends; nobody signs in."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from holdfast.sandbox.chance import secret
from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.flows.folding import run_now
from holdfast.sandbox.flows.history import run_of
from holdfast.sandbox.flows.runtime import definition_of
from holdfast.sandbox.flows.values import as_json
from holdfast.sandbox.frame import Call, CallRefusedError, Part, Room, answer, at
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World

LIFE = timedelta(hours=4)

NO_TOKEN = Rule(
    "signed_links_refuse_a_token",
    "A signed link is asked without an Authorization header; with one it is refused.",
    Mark.ASSUMED,
    "recorded clients send none; that storage of this kind refuses both at once is how such links behave elsewhere",
    flipped="An Authorization header is ignored.",
)
ENDS = Rule(
    "signed_links_end",
    "A link to the content of a run ends a few hours after it was given out.",
    Mark.RECORDED,
    "ESS flightcheck_infra003_flow.yaml: se= lies 3 h 25 min after the run",
)
RULES = (NO_TOKEN, ENDS)


def content_link(
    tenant: Tenant, flow: Flow, run_id: str, part: str, mode: str, content: Any, now: datetime
) -> dict[str, Any]:
    """The address of a content, with its size and hash; `part` is ``/actions/NAME`` or empty."""
    written = as_json(content).encode()
    digest = b64encode(md5(written, usedforsecurity=False).digest()).decode()
    return {
        "uri": _address(tenant, flow, f"/runs/{run_id}{part}/contents/{mode}", now),
        "contentVersion": digest,
        "contentSize": len(written),
        "contentHash": {"algorithm": "md5", "value": digest},
    }


def _address(tenant: Tenant, flow: Flow, path: str, now: datetime) -> str:
    ends = (now + LIFE).replace(minute=0, second=0, microsecond=0)
    until = f"{ends:%Y-%m-%dT%H:%M:%S}.0000000Z"
    signature = _signature(tenant.world, flow, path, until)
    base = f"{tenant.urls[Host.LINKS]}/powerautomate/automations/direct/workflows/{_short(flow)}"
    permission = quote(f"{path}/read", safe="")
    return f"{base}{quote(path)}?api-version=1&islandNumber=107&se={quote(until)}&sp={permission}&sv=1.0&sig={signature}"


def callback(tenant: Tenant, flow: Flow, trigger: str) -> dict[str, Any]:
    """Where a manual trigger is called: ``listCallbackUrl``."""
    base = f"{tenant.urls[Host.LINKS]}/powerautomate/automations/direct/cu/04/workflows/{_short(flow)}/triggers/{quote(trigger)}/paths/invoke"
    permission = f"/triggers/{trigger}/run"
    signature = _signature(tenant.world, flow, permission, "")
    queries = {"api-version": "1", "sp": permission, "sv": "1.0", "sig": signature}
    return {
        "response": {
            "value": f"{base}?api-version=1&sp={quote(permission, safe='')}&sv=1.0&sig={signature}",
            "method": "POST",
            "basePath": base,
            "queries": queries,
        },
        "httpStatusCode": "OK",
    }


def _short(flow: Flow) -> str:
    return flow.id.replace("-", "")


def _signature(world: World, flow: Flow, path: str, until: str) -> str:
    return secret(world.seed, 43, "signed link", flow.id, path, until)


def _refused(status: int, code: str, message: str) -> CallRefusedError:
    return CallRefusedError(answer({"error": {"code": code, "message": message}}, status))


def _flow(call: Call) -> Flow:
    wanted = call.params["flow"].lower()
    found = next((flow for flow in call.world.flows.values() if _short(flow) == wanted), None)
    if found is None:
        raise _refused(404, "WorkflowNotFound", f"The workflow '{call.params['flow']}' could not be found.")
    if "authorization" in call.headers and call.world.holds(NO_TOKEN):
        message = "The request carries both an authorization header and a shared access signature."
        raise _refused(401, "DirectApiInvalidAuthorizationScheme", message)
    return found


def _check(call: Call, flow: Flow, path: str, until: str) -> None:
    wanted = _signature(call.world, flow, path, until)
    if not hmac.compare_digest(wanted.encode(), call.query.get("sig", "").encode()):
        raise _refused(
            401, "DirectApiAuthorizationRequired", "The request must be authenticated by a valid signature."
        )


def read_content(call: Call) -> Response:
    """The content behind a link."""
    flow = _flow(call)
    part = f"/actions/{call.params['action']}" if "action" in call.params else ""
    path = f"/runs/{call.params['run']}{part}/contents/{call.params['mode']}"
    until = call.query.get("se", "")
    _check(call, flow, path, until)
    if call.now >= datetime.fromisoformat(until).astimezone(UTC):
        raise _refused(403, "AuthenticationFailed", "Signature not valid in the specified time frame.")
    return answer(_content(call, flow))


def _content(call: Call, flow: Flow) -> Any:
    run = run_of(call.world, flow, call.params["run"], call.now)
    if run is None:
        raise _refused(
            404, "WorkflowRunNotFound", f"The workflow run '{call.params['run']}' could not be found."
        )
    mode = call.params["mode"]
    if "action" not in call.params:
        return run.record.response if mode == "ResponseOutputs" else run.record.trigger_outputs
    name, _, turn = call.params["action"].partition("~")
    for action in run.record.actions:
        if action.name == name and _turn(action.turn) == turn:
            return action.inputs if mode == "ActionInputs" else action.outputs
    raise _refused(404, "WorkflowRunActionNotFound", f"The action '{name}' could not be found.")


def _turn(turn: list[int]) -> str:
    return "-".join(map(str, turn))


def part_of(name: str, turn: list[int]) -> str:
    """How a link names an action, in a turn of a loop or not."""
    return f"/actions/{name}" + (f"~{_turn(turn)}" if turn else "")


def invoke(call: Call) -> Response:
    """Start a flow by the address of its manual trigger; what it responds, or 202."""
    flow = _flow(call)
    _check(call, flow, f"/triggers/{call.params['trigger']}/run", "")
    if flow.state != "Started":
        raise _refused(404, "WorkflowTriggerIsNotEnabled", "The workflow is not enabled.")
    try:
        if definition_of(call.world, flow).trigger.name != call.params["trigger"]:
            raise _refused(
                404, "WorkflowTriggerNotFound", f"The trigger '{call.params['trigger']}' could not be found."
            )
        run = run_now(call.world, flow, call.now, {"headers": {}, "body": call.json()})
    except DefinitionError as error:
        raise _refused(400, "InvalidTemplate", str(error)) from None
    headers = {"x-ms-workflow-run-id": run.id}
    if not isinstance(run.response, dict):
        return Response(status_code=202, headers=headers)
    status = run.response.get("statusCode", 200)
    return answer(
        run.response.get("body"), status if isinstance(status, int) and 200 <= status < 600 else 200, headers
    )


_DIRECT = "/powerautomate/automations/direct"

PART = Part(
    "signed links",
    rooms=(
        Room(
            Host.LINKS,
            (
                at(
                    "GET",
                    f"{_DIRECT}/workflows/{{flow}}/runs/{{run}}/actions/{{action}}/contents/{{mode}}",
                    read_content,
                ),
                at("GET", f"{_DIRECT}/workflows/{{flow}}/runs/{{run}}/contents/{{mode}}", read_content),
                at("POST", f"{_DIRECT}/cu/04/workflows/{{flow}}/triggers/{{trigger}}/paths/invoke", invoke),
            ),
        ),
    ),
    rules=RULES,
)
