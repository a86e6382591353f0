"""Dataverse: flows in solutions, solutions, references, runs, users. Turning on checks who may use the connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from starlette.responses import Response

from holdfast.sandbox import crowd
from holdfast.sandbox.dataverse import frame as dataverse_frame
from holdfast.sandbox.dataverse import importing, references, sharing, solutions
from holdfast.sandbox.dataverse import rows as dataverse_rows
from holdfast.sandbox.dataverse.frame import (
    User,
    bad_request,
    body_of,
    client_error,
    created,
    identities,
    is_number,
    is_text,
    many,
    need,
    no_row,
    not_allowed,
    nothing,
    one,
    principal_of,
    refusal,
    user,
)
from holdfast.sandbox.dataverse.rows import FLOW_RUNS, SECURITY_ROLES, SYSTEM_USERS, WORKFLOWS
from holdfast.sandbox.flows import clientdata
from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.frame import Call, Part, Room, answer, at
from holdfast.sandbox.odata import clauses_of
from holdfast.sandbox.powerplatform import activation
from holdfast.sandbox.powerplatform.activation import turn_off, turn_on
from holdfast.sandbox.records.platform import Flow, FlowConnection
from holdfast.sandbox.tenant import Host

# --- workflows -------------------------------------------------------------------------------------------


def list_workflows(call: Call) -> Response:
    """The flows in solutions that the caller may read."""
    caller = user(call)
    return many(
        call,
        WORKFLOWS,
        (dataverse_rows.workflow(call.world, caller.environment, flow) for flow in _flows(call, caller)),
    )


def _flows(call: Call, caller: User) -> Iterator[Flow]:
    there = chain(call.world.flows.values(), crowd.flows_in(call.world, caller.environment.id))
    for flow in there:
        mine = flow.owner_id == caller.principal_id or caller.principal_id in flow.shares
        if flow.workflow_id and flow.environment_id == caller.environment.id and (mine or caller.reads_all):
            yield flow


def _flow(call: Call, caller: User) -> Flow:
    found = next(
        (flow for flow in _flows(call, caller) if flow.workflow_id == call.params["id"].lower()), None
    )
    if found is None:
        raise no_row("workflow", call.params["id"])
    return found


def get_workflow(call: Call) -> Response:
    """One flow."""
    caller = user(call)
    return one(call, WORKFLOWS, dataverse_rows.workflow(call.world, caller.environment, _flow(call, caller)))


NEW_WORKFLOW: dict[str, Callable[[Any], bool]] = {
    "category": lambda value: value == 5,
    "type": lambda value: value == 1,
    "name": lambda value: isinstance(value, str) and 0 < len(value) <= 256,
    "description": is_text,
    "primaryentity": lambda value: value == "none",
    "clientdata": lambda value: isinstance(value, str),
    "scope": is_number,
    "mode": is_number,
    "modernflowtype": lambda value: value == 0,
    "workflowid": is_text,
}


def create_workflow(call: Call) -> Response:
    """Make a flow; it is off whatever the body says."""
    caller = user(call)
    need(caller.writes_all or "Environment Maker" in caller.roles, caller, "prvCreateWorkflow")
    body = body_of(call, WORKFLOWS, NEW_WORKFLOW)
    for name in ("category", "name", "type", "primaryentity", "clientdata"):
        if name not in body:
            raise bad_request(f"The required attribute '{name}' is missing.", "0x80040203")
    said = _read(body["clientdata"])
    solution = solutions.placed(call, caller.environment)
    workflow_id = str(body.get("workflowid") or call.world.fresh("workflow")).lower()
    if any(flow.workflow_id == workflow_id for flow in call.world.flows.values()):
        raise refusal(412, "0x80040237", "A record with matching key values already exists.")
    flow = Flow(
        id=call.world.fresh("flow"),
        environment_id=caller.environment.id,
        display_name=body["name"],
        owner_id=caller.principal_id,
        created_at=call.now,
        modified_at=call.now,
        definition=said.definition,
        connections=said.connections,
        description=body.get("description"),
        state="Stopped",
        workflow_id=workflow_id,
    )
    call.world.flows[flow.id] = flow
    if solution is not None:
        solution.components.append(flow.id)
    return created(call, WORKFLOWS, dataverse_rows.workflow(call.world, caller.environment, flow))


def _read(text: str) -> clientdata.ClientData:
    try:
        return clientdata.read(text)
    except DefinitionError as error:
        raise client_error(
            400, "BadRequest", {"error": {"code": "InvalidOpenApiFlow", "message": str(error)}}
        ) from None


CHANGED_WORKFLOW: dict[str, Callable[[Any], bool]] = {
    "name": lambda value: isinstance(value, str) and 0 < len(value) <= 256,
    "description": is_text,
    "clientdata": lambda value: isinstance(value, str),
    "statecode": lambda value: value in (0, 1) and not isinstance(value, bool),
    "statuscode": lambda value: value in (1, 2) and not isinstance(value, bool),
    "ownerid@odata.bind": is_text,
}


def change_workflow(call: Call) -> Response:
    """Rename, redefine, give to another owner, turn on or off; all of it or nothing."""
    caller = user(call)
    flow = _flow(call, caller)
    need(caller.writes_all or flow.owner_id == caller.principal_id, caller, "prvWriteWorkflow")
    body = body_of(call, WORKFLOWS, CHANGED_WORKFLOW)
    said = _read(body["clientdata"]) if "clientdata" in body else None
    owner = (
        _owner(call, caller, body["ownerid@odata.bind"]) if "ownerid@odata.bind" in body else flow.owner_id
    )
    connections = said.connections if said else flow.connections
    if body.get("statecode") == 1 or (
        said is not None and flow.state == "Started" and body.get("statecode") != 0
    ):
        _check_rights(call, caller, flow, connections)
    if said is not None:
        flow.definition, flow.connections = said.definition, said.connections
    flow.display_name = body.get("name", flow.display_name)
    flow.description = body.get("description", flow.description)
    if owner != flow.owner_id:
        if not call.world.holds(sharing.SHARES_STAY):
            flow.shares.clear()
        if flow.state == "Started" and not call.world.holds(sharing.STAYS_ON):
            turn_off(call.world, flow, call.now)
    flow.owner_id = owner
    if set(body) - {"statecode", "statuscode"}:
        flow.modified_at = call.now
    if "statecode" in body:
        (turn_on if body["statecode"] == 1 else turn_off)(call.world, flow, call.now)
    return nothing()


def _owner(call: Call, caller: User, bound_to: str | None) -> str:
    found = re.fullmatch(r"/?systemusers\(([0-9a-fA-F-]{36})\)", bound_to or "")
    principal_id = principal_of(call.world, caller.environment, found[1].lower()) if found else None
    if principal_id is None:
        raise no_row("systemuser", bound_to or "")
    return principal_id


def _check_rights(call: Call, caller: User, flow: Flow, connections: dict[str, FlowConnection]) -> None:
    before, flow.connections = flow.connections, connections
    try:
        refused = next(activation.refusals(call.world, flow, caller.principal_id), None)
    finally:
        flow.connections = before
    if refused is not None:
        raise not_allowed(call, refused)


def delete_workflow(call: Call) -> Response:
    """Remove a flow."""
    caller = user(call)
    flow = _flow(call, caller)
    need(caller.writes_all or flow.owner_id == caller.principal_id, caller, "prvDeleteWorkflow")
    if flow.is_managed:
        raise bad_request("The component cannot be deleted: it is part of a managed solution.", "0x8004f021")
    turn_off(call.world, flow, call.now)
    del call.world.flows[flow.id]
    return nothing()


# --- runs and users --------------------------------------------------------------------------------------


def list_flow_runs(call: Call) -> Response:
    """The runs of flows in solutions of the last 28 days."""
    caller = user(call)
    # Rows are made only for what the filter names: the whole table is large.
    asked = {(one.name, one.operator): one.value for one in clauses_of(call.query.get("$filter", ""))}
    named, status = asked.get(("_workflow_value", "eq")), asked.get(("status", "eq"))
    since = asked.get(("starttime", "ge"))
    rows = (
        row
        for flow in _flows(call, caller)
        if named is None or flow.workflow_id == named
        for row in dataverse_rows.flow_runs(
            call.world,
            caller.environment,
            flow,
            call.now,
            since if isinstance(since, datetime) else None,
            status if isinstance(status, str) else None,
        )
    )
    return many(call, FLOW_RUNS, rows)


def list_system_users(call: Call) -> Response:
    """The users of the organisation."""
    caller = user(call)
    rows = (
        dataverse_rows.system_user(call.world, caller.environment, who)
        for who in identities(call.world, caller.environment)
    )
    return many(call, SYSTEM_USERS, rows)


def list_security_roles(call: Call) -> Response:
    """The caller's own security roles; those of others are not played."""
    caller = user(call)
    if call.params["id"].lower() != caller.id:
        raise no_row("systemuser", call.params["id"])
    rows = (
        dataverse_rows.security_role(call.world, caller.environment, name) for name in sorted(caller.roles)
    )
    return many(call, SECURITY_ROLES, rows)


def who_am_i(call: Call) -> Response:
    """The caller's own ids."""
    caller = user(call)
    told = {
        "@odata.context": f"{call.tenant.dataverse_url(call.params['org'])}/api/data/{call.params['version']}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
        "BusinessUnitId": dataverse_rows.business_unit(call.world, caller.environment),
        "UserId": caller.id,
        "OrganizationId": caller.environment.org_id,
    }
    return answer(told, 200, {"OData-Version": "4.0"})


def no_resource(call: Call) -> Response:
    """No such table or function."""
    name = call.path.rpartition("/")[2]
    message = f"Resource not found for the segment '{name}'."
    return answer({"error": {"code": "0x8006088a", "message": message}}, 404)


_API = "/{org}/api/data/{version}"

PART = Part(
    "dataverse",
    rooms=(
        Room(
            Host.DATAVERSE,
            (
                at("GET", f"{_API}/workflows", list_workflows),
                at("POST", f"{_API}/workflows", create_workflow),
                at("GET", f"{_API}/workflows({{id}})", get_workflow),
                at("PATCH", f"{_API}/workflows({{id}})", change_workflow),
                at("DELETE", f"{_API}/workflows({{id}})", delete_workflow),
                at("GET", f"{_API}/connectionreferences", references.list_references),
                at("POST", f"{_API}/connectionreferences", references.create_reference),
                at("GET", f"{_API}/connectionreferences({{id}})", references.get_reference),
                at("PATCH", f"{_API}/connectionreferences({{id}})", references.change_reference),
                at("DELETE", f"{_API}/connectionreferences({{id}})", references.delete_reference),
                at("GET", f"{_API}/solutions", solutions.list_solutions),
                at("POST", f"{_API}/solutions", solutions.create_solution),
                at("DELETE", f"{_API}/solutions({{id}})", solutions.delete_solution),
                at("GET", f"{_API}/publishers", solutions.list_publishers),
                at("POST", f"{_API}/publishers", solutions.create_publisher),
                at("DELETE", f"{_API}/publishers({{id}})", solutions.delete_publisher),
                at("POST", f"{_API}/StageSolution", importing.stage),
                at("POST", f"{_API}/ImportSolutionAsync", importing.start),
                at("GET", f"{_API}/asyncoperations({{id}})", importing.operation),
                at("GET", f"{_API}/RetrieveSolutionImportResult(ImportJobId={{id}})", importing.result),
                at("GET", f"{_API}/flowruns", list_flow_runs),
                at("GET", f"{_API}/systemusers", list_system_users),
                at("GET", f"{_API}/systemusers({{id}})/systemuserroles_association", list_security_roles),
                at("GET", f"{_API}/WhoAmI", who_am_i),
                at("POST", f"{_API}/GrantAccess", sharing.grant),
                at("POST", f"{_API}/RevokeAccess", sharing.revoke),
                at(
                    "GET",
                    f"{_API}/RetrieveSharedPrincipalsAndAccess(Target=@{{target}})",
                    sharing.shared_with,
                ),
            ),
            missing=no_resource,
        ),
    ),
    rules=(
        references.REBIND_AT_ONCE,
        *solutions.RULES,
        *importing.RULES,
        *sharing.RULES,
        *activation.RULES,
        *dataverse_frame.RULES,
        *dataverse_rows.RULES,
    ),
)
