"""Data policies (DLP): what they forbid, and what they do to flows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from holdfast.sandbox.ageing import Due
from holdfast.sandbox.flows.definitions import Definition, DefinitionError, Operation, every_action, keys_used
from holdfast.sandbox.flows.runtime import definition_of
from holdfast.sandbox.flows.sql_operations import sql_call
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.records.policies import DataPolicy
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

VIOLATION = "CompanyDlpViolation"
CHECKED_WITHIN = timedelta(hours=24)

CHECKED = Rule(
    "data_policies_are_checked_within_a_day",
    "Flows are checked when they are saved or turned on, and within 24 hours of a change of a policy.",
    Mark.DOCUMENTED,
    "power-automate-docs prevent-dlp",
)
STAYS_SUSPENDED = Rule(
    "suspended_flows_stay_suspended",
    "A flow that a policy suspended is not turned on again when the policy is changed.",
    Mark.DOCUMENTED,
    "power-automate-docs prevent-dlp",
)
COMBINED = Rule(
    "all_data_policies_combine",
    "Of all policies that apply to an environment the most restrictive wins.",
    Mark.ASSUMED,
    "inferred from the document's description of several policies",
)
RULES = (CHECKED, STAYS_SUSPENDED, COMBINED)


def applies(policy: DataPolicy, environment_id: str) -> bool:
    """Whether the policy concerns an environment."""
    if policy.environment_type == "AllEnvironments":
        return True
    return (environment_id in policy.environment_ids) == (policy.environment_type == "OnlyEnvironments")


def group_of(policy: DataPolicy, connector: str) -> str:
    """General, Confidential or Blocked."""
    for group, connectors in policy.groups.items():
        if connector.casefold() in (one.casefold() for one in connectors):
            return group
    return policy.default_group


def violations(world: World, flow: Flow) -> Iterator[str]:
    """What the policies of the flow's environment forbid in it."""
    try:
        definition = definition_of(world, flow)
    except DefinitionError:
        return
    connectors = set(keys_used(definition).values())
    for policy in world.data_policies.values():
        if applies(policy, flow.environment_id):
            yield from _of_policy(policy, definition, connectors)


def _of_policy(policy: DataPolicy, definition: Definition, connectors: set[str]) -> Iterator[str]:
    groups = {connector: group_of(policy, connector) for connector in sorted(connectors)}
    for connector, group in groups.items():
        if group == "Blocked":
            yield f"The connector {connector} is blocked by the policy '{policy.display_name}'."
    if len({group for group in groups.values() if group != "Blocked"}) > 1:
        yield f"The policy '{policy.display_name}' does not allow these connectors together."
    operations = [
        definition.trigger.operation,
        *(action.operation for action in every_action(definition.actions)),
    ]
    for operation in operations:
        if operation is not None:
            yield from _of_operation(policy, operation)


def _of_operation(policy: DataPolicy, operation: Operation) -> Iterator[str]:
    rules = policy.action_rules.get(operation.connector)
    if (
        rules
        and operation.operation_id
        and rules.get(operation.operation_id, rules.get("", "Allow")) == "Block"
    ):
        yield f"The action {operation.operation_id} is blocked by the policy '{policy.display_name}'."
    call = sql_call(operation)
    server = call.server if call else None
    if server is None or server.startswith("@"):
        return
    for pattern, behaviour in policy.endpoint_rules.get(operation.connector, []):
        if fnmatchcase(server.casefold(), pattern.casefold()) or server.casefold().endswith(
            f".{pattern.casefold()}"
        ):
            if behaviour == "Deny":
                yield f"The server {server} is denied by the policy '{policy.display_name}'."
            return


def suspend_if_forbidden(world: World, flow: Flow, now: datetime) -> bool:
    """Suspend a flow that is on and that a policy forbids; whether it was."""
    if flow.state != "Started" or next(violations(world, flow), None) is None:
        return False
    flow.state, flow.state_changed_at, flow.suspended_at = "Suspended", now, now
    flow.suspension_reason = VIOLATION
    world.changed()
    return True


def policy_changed(world: World, now: datetime) -> None:
    """Some time within a day, every flow is checked."""
    due = now + CHECKED_WITHIN * world.draw("data policy check", now.isoformat())
    if world.data_policies_checked_at is None or due < world.data_policies_checked_at:
        world.data_policies_checked_at = due


def next_check(world: World) -> Due | None:
    """The check that a changed policy brings."""
    at = world.data_policies_checked_at
    return Due(at, "data policies", check_all) if at is not None else None


def check_all(world: World, now: datetime) -> None:
    """Suspend every flow that a policy forbids."""
    world.data_policies_checked_at = None
    for flow in world.flows.values():
        suspend_if_forbidden(world, flow, now)
