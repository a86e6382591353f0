"""Flows shared by GrantAccess and RevokeAccess, and who they are shared with."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.dataverse.frame import (
    MAKER_ROLES,
    User,
    bad_request,
    need,
    no_row,
    nothing,
    principal_of,
    systemuser_id,
    user,
)
from holdfast.sandbox.frame import Call, answer
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.rules import Mark, Rule

RIGHTS = frozenset(
    f"{one}Access" for one in ("Read", "Write", "Append", "AppendTo", "Create", "Delete", "Share", "Assign")
)
SHARED_BY_ROW = Rule(
    "flows_are_shared_as_rows",
    "A flow is shared like any row: GrantAccess, RevokeAccess, RetrieveSharedPrincipalsAndAccess.",
    Mark.DOCUMENTED,
    "power-automate-docs manage-flows-with-code; powerapps-docs security-sharing-assigning",
)
STAYS_ON = Rule(
    "a_flow_stays_on_when_it_is_assigned",
    "A flow that is on stays on when it gets another owner.",
    Mark.ASSUMED,
    "service-principal-support says to turn it on after the change of owner, not whether it was off",
    flipped="A change of owner turns a flow off.",
)
SHARES_STAY = Rule(
    "shares_survive_another_owner",
    "With whom a flow is shared does not change when it gets another owner.",
    Mark.ASSUMED,
    "powerapps-docs security-sharing-assigning is silent about it",
    flipped="A change of owner takes every share away.",
)
RULES = (SHARED_BY_ROW, STAYS_ON, SHARES_STAY)


def grant(call: Call) -> Response:
    """POST /GrantAccess: the rights are added to those that the user has."""
    body = _body(call, "Target", "PrincipalAccess")
    flow = _target(call, body["Target"])
    access = body["PrincipalAccess"]
    if not isinstance(access, dict) or set(access) != {"Principal", "AccessMask"}:
        raise bad_request("PrincipalAccess needs a Principal and an AccessMask.", "0x80048d19")
    rights = {one.strip() for one in str(access["AccessMask"]).split(",")}
    if not rights <= RIGHTS:
        raise bad_request("The AccessMask names an unknown right.", "0x80048d19")
    who = _principal(call, access["Principal"])
    flow.shares[who] = sorted(rights | set(flow.shares.get(who, ())))
    call.world.changed()
    return nothing()


def revoke(call: Call) -> Response:
    """POST /RevokeAccess; harmless where there is nothing to take away."""
    body = _body(call, "Target", "Revokee")
    flow = _target(call, body["Target"])
    flow.shares.pop(_principal(call, body["Revokee"]), None)
    call.world.changed()
    return nothing()


def shared_with(call: Call) -> Response:
    """GET /RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={'@odata.id':'workflows(…)'}."""
    caller = user(call)
    named = re.search(r"workflows\(([0-9a-fA-F-]{36})\)", call.query.get(f"@{call.params['target']}", ""))
    flow = _flow(call, caller, named[1] if named else "")
    told = [
        {
            "AccessMask": ",".join(rights),
            "Principal": {
                "@odata.type": "#Microsoft.Dynamics.CRM.systemuser",
                "ownerid": systemuser_id(call.world, caller.environment, who),
            },
        }
        for who, rights in flow.shares.items()
    ]
    context = f"{call.tenant.dataverse_url(call.params['org'])}/api/data/{call.params['version']}/$metadata"
    return answer(
        {
            "@odata.context": f"{context}#Microsoft.Dynamics.CRM.RetrieveSharedPrincipalsAndAccessResponse",
            "PrincipalAccesses": told,
        }
    )


def _body(call: Call, *names: str) -> dict[str, Any]:
    caller = user(call)
    need(caller.writes_all or not caller.roles.isdisjoint(MAKER_ROLES), caller, "prvShareWorkflow")
    try:
        body = call.json()
    except json.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or set(body) != set(names):
        raise bad_request(f"The request needs {' and '.join(names)}, and nothing else.", "0x80048d19")
    return body


def _target(call: Call, told: Any) -> Flow:
    caller = user(call)
    if not isinstance(told, dict) or told.get("@odata.type") != "Microsoft.Dynamics.CRM.workflow":
        raise bad_request("Only flows are shared here.", "0x80048d19")
    flow = _flow(call, caller, str(told.get("workflowid", "")))
    need(caller.writes_all or flow.owner_id == caller.principal_id, caller, "prvShareWorkflow")
    return flow


def _flow(call: Call, caller: User, id: str) -> Flow:
    here = (flow for flow in call.world.flows.values() if flow.environment_id == caller.environment.id)
    found = next((flow for flow in here if flow.workflow_id == id.lower()), None)
    if found is None or not (caller.reads_all or found.owner_id == caller.principal_id):
        raise no_row("workflow", id)
    return found


def _principal(call: Call, told: Any) -> str:
    id = str(told.get("systemuserid", "")) if isinstance(told, dict) else ""
    if not isinstance(told, dict) or told.get("@odata.type") != "Microsoft.Dynamics.CRM.systemuser":
        raise bad_request("Flows are shared with users here.", "0x80048d19")
    found = principal_of(call.world, user(call).environment, id.lower())
    if found is None:
        raise no_row("systemuser", id)
    return found
