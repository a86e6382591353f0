"""Graph: the sign-in log and the directory audit log."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.entra.first_party import BY_CLIENT_ID
from holdfast.sandbox.entra.policy_conditions import demands_of, frequency_of
from holdfast.sandbox.frame import Call
from holdfast.sandbox.graph.frame import Shape, instant, many, many_of_log, permitted, refuse
from holdfast.sandbox.graph.limits import limited
from holdfast.sandbox.odata import clauses_of
from holdfast.sandbox.records.logs import Audit, SignIn
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

RETENTION = timedelta(days=30)
INTERACTIVE_ONLY = Rule(
    "sign_ins_are_interactive_unless_asked",
    "v1.0, and beta without a filter on signInEventTypes, list interactive sign-ins of persons only.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs signin-list @00e146a, beta signin @027089b",
)
LOG_RETENTION = Rule(
    "logs_reach_30_days",
    "Sign-ins and audits are kept for 30 days.",
    Mark.DOCUMENTED,
    "entra-docs reference-reports-data-retention @1572fe1 (P1 and P2; 7 days without)",
)
PREMIUM = Rule(
    "sign_in_log_needs_premium",
    "A tenant without P1 or P2 is refused with Authentication_RequestFromNonPremiumTenantOrB2CTenant; this tenant has P1.",
    Mark.SECONDARY,
    "general knowledge, entra-graph.md section 7",
)
RULES = (INTERACTIVE_ONLY, LOG_RETENTION, PREMIUM)

SIGN_INS = Shape("auditLogs/signIns", page=1000, most=1000)
AUDITS = Shape("auditLogs/directoryAudits", page=1000, most=1000)
LOG_ROLES = frozenset(
    {"Reports Reader", "Security Reader", "Global Reader", "Security Administrator", "Global Administrator"}
)


def _reader(call: Call) -> None:
    """AuditLog.Read.All; a person needs a reader's role besides."""
    caller = permitted(call, "AuditLog.Read.All")
    limited(call, f"logs of {caller.object_id}", most=5, seconds=10.0, says_when=True)
    if caller.account is not None and LOG_ROLES.isdisjoint(caller.account.directory_roles):
        raise refuse(call, 403, "Authentication_RequestDenied", "User is not in the allowed roles.")


def sign_in_row(
    world: World, row: SignIn, *, beta: bool, policies: PolicyColumn | None = None
) -> dict[str, Any]:
    """One attempt; beta tells its kind and, for an application, which credential it showed."""
    policies = policies or PolicyColumn(world)
    account = world.accounts.get(row.principal_id)
    app = world.applications.get(row.client_id)
    resource = BY_CLIENT_ID.get(row.resource_id)
    told: dict[str, Any] = {
        "id": row.id,
        "createdDateTime": instant(row.at),
        "userDisplayName": account.display_name if account else None,
        "userPrincipalName": account.user_principal_name.lower() if account else None,
        "userId": account.object_id if account else None,
        "appId": row.client_id,
        "appDisplayName": app.display_name if app else None,
        "ipAddress": row.ip_address,
        "clientAppUsed": "Mobile Apps and Desktop clients" if account else "",
        "correlationId": row.correlation_id,
        "conditionalAccessStatus": _policy_status(row),
        "isInteractive": row.kind == "interactiveUser",
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes": [],
        "resourceDisplayName": resource.name if resource else None,
        "resourceId": row.resource_id,
        "status": {"errorCode": row.error_code, "failureReason": row.reason, "additionalDetails": None},
        "deviceDetail": {
            "deviceId": "",
            "displayName": None,
            "operatingSystem": None,
            "browser": None,
            "isCompliant": None,
            "isManaged": None,
            "trustType": None,
        },
        "location": {
            "city": None,
            "state": None,
            "countryOrRegion": None,
            "geoCoordinates": {"altitude": None, "latitude": None, "longitude": None},
        },
        "appliedConditionalAccessPolicies": policies.of(row),
    }
    return {**told, **_beta(row, told["appDisplayName"])} if beta else told


def _policy_status(row: SignIn) -> str:
    results = row.policies.values()
    return "failure" if "failure" in results else "success" if "success" in results else "notApplied"


class PolicyColumn:
    """The policies of many attempts at one moment: of most they are the same."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made = sorted(policy.created_at for policy in world.policies.values())
        self._known: dict[Any, list[dict[str, Any]]] = {}

    def of(self, row: SignIn) -> list[dict[str, Any]]:
        """Every policy of that time, with its result."""
        key = (bisect_right(self._made, row.at), *row.policies.items())
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = list(_policies(self._world, row))
        return known


def _policies(world: World, row: SignIn) -> Iterator[dict[str, Any]]:
    """Every policy of that time, with its result; a deleted one by its name only."""
    not_met = {
        "enabled": "notApplied",
        "disabled": "notEnabled",
        "enabledForReportingButNotEnforced": "reportOnlyNotApplied",
    }
    for policy in world.policies.values():
        result = row.policies.get(policy.id)
        if result is not None or policy.created_at <= row.at:
            controls = demands_of(policy) if result else []
            frequency = ["signInFrequency"] if result and frequency_of(policy) else []
            yield _policy(
                policy.id, policy.display_name, result or not_met[policy.state], controls, frequency
            )
    for policy_id, result in row.policies.items():
        if policy_id in world.former_policies:
            yield _policy(policy_id, world.former_policies[policy_id], result, [], [])


def _policy(policy_id: str, name: str, result: str, grants: list[str], session: list[str]) -> dict[str, Any]:
    return {
        "id": policy_id,
        "displayName": name,
        "enforcedGrantControls": grants,
        "enforcedSessionControls": session,
        "result": result,
    }


def _beta(row: SignIn, name: str | None) -> dict[str, Any]:
    is_app = row.kind == "servicePrincipal"
    return {
        "signInEventTypes": [row.kind],
        "servicePrincipalId": row.principal_id if is_app else "",
        "servicePrincipalName": name if is_app else None,
        "servicePrincipalCredentialKeyId": row.key_id,
        "clientCredentialType": row.credential,
        "incomingTokenType": "none" if is_app or row.kind == "interactiveUser" else "refreshToken",
        "authenticationRequirement": "singleFactorAuthentication",
        "sessionLifetimePolicies": [],
        "uniqueTokenIdentifier": row.id,
    }


def list_sign_ins(call: Call) -> Response:
    """GET /auditLogs/signIns, newest first."""
    _reader(call)
    beta = call.path.startswith("/beta")
    lay_out = partial(sign_in_row, call.world, beta=beta, policies=PolicyColumn(call.world))
    return many_of_log(call, SIGN_INS, _attempts(call, beta=beta), lay_out)


_OF_ONE: dict[str, Callable[[SignIn], str]] = {
    "userid": attrgetter("principal_id"),
    "appid": attrgetter("client_id"),
}


def _attempts(call: Call, *, beta: bool) -> Iterator[SignIn]:
    """What the filter can let pass, newest first: it would drop the others, too, after each was laid out whole."""
    oldest, asked = call.now - RETENTION, call.query.get("$filter", "")
    rows: Iterable[SignIn] = reversed(call.world.sign_ins)
    for name, operator, value in clauses_of(asked):
        if (name, operator) == ("createddatetime", "ge") and isinstance(value, datetime):
            # As laid out an instant has no fractions of a second, so this drops no more than the filter.
            oldest = max(oldest, value)
        elif operator == "eq" and name in _OF_ONE:
            rows = _of(rows, _OF_ONE[name], value)
    persons_only = not beta or "signineventtypes" not in asked.lower()
    for row in rows:
        if row.at >= oldest and not (persons_only and row.kind != "interactiveUser"):
            yield row


def _of(rows: Iterable[SignIn], whose: Callable[[SignIn], str], wanted: Any) -> Iterable[SignIn]:
    return (row for row in rows if whose(row) == wanted)


def audit_row(world: World, row: Audit) -> dict[str, Any]:
    """One deed."""
    return {
        "id": row.id,
        "category": row.category,
        "correlationId": row.correlation_id,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": row.activity,
        "activityDateTime": instant(row.at),
        "loggedByService": row.logged_by,
        "operationType": row.operation,
        "initiatedBy": _initiator(world, row.actor_id),
        "targetResources": [
            {
                "id": row.target_id,
                "displayName": row.target_name if row.target_type != "User" else None,
                "type": row.target_type,
                "userPrincipalName": row.target_name if row.target_type == "User" else None,
                "groupType": None,
                "modifiedProperties": row.changes,
            }
        ],
        "additionalDetails": [],
    }


def _initiator(world: World, actor_id: str | None) -> dict[str, Any]:
    account = world.accounts.get(actor_id or "")
    app = next(
        (one for one in world.applications.values() if actor_id and one.principal_id == actor_id), None
    )
    if app is not None:
        named = {
            "appId": app.client_id,
            "displayName": app.display_name,
            "servicePrincipalId": actor_id,
            "servicePrincipalName": app.display_name,
        }
        return {"app": named, "user": None}
    return {
        "app": None,
        "user": {
            "id": account.object_id if account else None,
            "displayName": account.display_name if account else None,
            "userPrincipalName": account.user_principal_name if account else f"admin@{world.domain}",
            "ipAddress": account.ip_address if account else None,
            "userType": None,
            "homeTenantId": None,
            "homeTenantName": None,
        },
    }


def list_audits(call: Call) -> Response:
    """GET /auditLogs/directoryAudits, newest first."""
    _reader(call)
    oldest = call.now - RETENTION
    return many(
        call, AUDITS, [audit_row(call.world, row) for row in reversed(call.world.audits) if row.at >= oldest]
    )
