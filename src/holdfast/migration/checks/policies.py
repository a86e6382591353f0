"""What the tenant's policies forbid: of credentials, of workloads, of data."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from holdfast.core.policies import AccessPolicy, DataPolicy, PolicyState
from holdfast.migration.case import Case, Finding

SHORTEST_LIFE: Final = timedelta(days=7)
"""A secret that lives shorter has to be renewed before the move has been watched."""


def is_allowed_its_credential(case: Case) -> Finding | None:
    """App management policies may forbid secrets, certificates or their length."""
    policy = case.app_policy
    if policy is None:
        return Finding("app_policy", "The tenant's app management policy could not be read.", not_seen=True)
    kind = "certificate" if case.certificate else "secret"
    if not case.certificate and not policy.allows_secrets:
        says = "The tenant's app management policy forbids new secrets: plan with --certificate."
        return Finding("secrets_forbidden", says)
    if case.certificate and not policy.allows_self_signed:
        says = "The tenant's app management policy takes certificates of named authorities only; holdfast's sign themselves."
        return Finding("self_signed_forbidden", says)
    longest = policy.longest_certificate if case.certificate else policy.longest_secret
    if longest is not None and longest < SHORTEST_LIFE:
        says = f"The tenant's app management policy lets a {kind} live {longest}, too short to move in."
        return Finding("life_too_short", says)
    return None


def meets_no_policy_for_workloads(case: Case) -> Finding | None:
    """Policies for workload identities can only block; they name single principals or all of them."""
    if case.access_policies is None:
        says = "Whether a Conditional Access policy blocks service principals could not be read."
        return Finding("access_policies", says, not_seen=True)
    for policy in case.access_policies:
        if (
            policy.state is PolicyState.ENFORCED
            and "ServicePrincipalsInMyTenant" in policy.principals.included
        ):
            says = (
                f"The policy {policy.display_name!r} blocks every service principal of the tenant {_places(policy)}, and a new one"
                " cannot be left out of it before it is there: --accept workload_policy=NAME:REASON where Power Platform's"
                " addresses are not blocked."
            )
            return Finding("workload_policy", says)
    return None


def may_meet_a_policy_for_workloads(case: Case) -> Finding | None:
    """One that only reports today."""
    for policy in case.access_policies or ():
        if (
            policy.state is PolicyState.REPORT_ONLY
            and "ServicePrincipalsInMyTenant" in policy.principals.included
        ):
            says = (
                f"The policy {policy.display_name!r} would block every service principal {_places(policy)} once it is enforced:"
                " leave the new one out of it then"
            )
            return Finding("workload_policy_reports", says, blocks=False)
    return None


def is_allowed_by_data_policies(case: Case) -> Finding | None:
    """Data policies may forbid the connector or the server."""
    if case.data_policies is None:
        return Finding("data_policies", "The data policies could not be read.", not_seen=True)
    for policy in case.data_policies:
        forbidden = _forbidden(policy, case) if policy.concerns(case.environment.id) else ""
        if forbidden:
            says = f"The data policy {policy.display_name!r} forbids {forbidden} there."
            return Finding("data_policy", says)
    return None


def _places(policy: AccessPolicy) -> str:
    """From where a policy blocks, in words; named places are known by their ids only."""
    words = {"AllTrusted": "the trusted places"}
    included = policy.locations.included - {"All"}
    left_out = sorted(words.get(each, f"the place {each}") for each in policy.locations.excluded)
    from_ = ", ".join(sorted(words.get(each, f"the place {each}") for each in included)) or "everywhere"
    return f"from {from_}" + (f" but {', '.join(left_out)}" if left_out else "")


def _forbidden(policy: DataPolicy, case: Case) -> str:
    connector = case.connection.connector
    if policy.group_of(connector) == "Blocked":
        return "the SQL connector"
    for one in case.grants:
        if one.place.server and not policy.allows_server(connector, one.place.server):
            return f"the server {one.place.server}"
    return ""
