"""Who may ask the flow API, and for what."""

from __future__ import annotations

from holdfast.sandbox.entra.bearer import Caller, TokenRefusedError, caller_of
from holdfast.sandbox.entra.first_party import FLOW
from holdfast.sandbox.frame import Call
from holdfast.sandbox.powerplatform.access import is_admin, refusal, versioned
from holdfast.sandbox.records.platform import Environment, Flow
from holdfast.sandbox.rules import Mark, Rule

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
    flipped="Only triggers that wait to be called can be run; a recurrence is refused with 400.",
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


def environment_of(call: Call) -> Environment:
    """The environment of the path; 403 EnvironmentAccessDenied (recorded) for one that is not there."""
    wanted = call.params["environment"].casefold()
    for environment in call.world.environments.values():
        if environment.id.casefold() == wanted or (wanted == "~default" and environment.is_default):
            return environment
    message = f"Access to the environment '{call.params['environment']}' is denied."
    raise refusal(403, "EnvironmentAccessDenied", message)


def administered(call: Call) -> Environment:
    """The environment, for a person who is administrator."""
    caller = person(call)
    environment = environment_of(call)
    if not is_admin(caller):
        message = f"Access to the environment '{environment.id}' is denied."
        raise refusal(403, "EnvironmentAccessDenied", message)
    return environment


def flow_as_admin(call: Call) -> Flow:
    """Any flow, for an administrator; 404 FlowNotFound (recorded)."""
    environment = administered(call)
    flow = call.world.flows.get(call.params["flow"].lower())
    if flow is None or flow.environment_id != environment.id:
        raise refusal(404, "FlowNotFound", f"Could not find flow '{call.params['flow']}'.")
    return flow


def own_flow(call: Call) -> tuple[Caller, Flow]:
    """The caller and his flow. 403 ConnectionAuthorizationFailed (recorded) for any other, also one that is not there."""
    caller = person(call)
    environment = environment_of(call)
    flow = call.world.flows.get(call.params["flow"].lower())
    if flow is None or flow.environment_id != environment.id or flow.owner_id != caller.object_id:
        message = (
            f"The caller with object id '{caller.object_id}' does not have permission for connection "
            f"'{call.params['flow']}' under Api 'shared_logicflows'."
        )
        raise refusal(403, "ConnectionAuthorizationFailed", message)
    return caller, flow
