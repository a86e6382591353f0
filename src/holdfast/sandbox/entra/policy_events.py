"""What administrators do to policies, and what people do about them (the control port's events)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.entra.audits import note_account, note_policy
from holdfast.sandbox.entra.policy_conditions import network_of
from holdfast.sandbox.frame import Deed, Event
from holdfast.sandbox.records.policies import NamedLocation, Policy, TermsOfUse
from holdfast.sandbox.world import World

STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
PARTS = ("displayName", "state", "conditions", "grantControls", "sessionControls")
KINDS = ("block", "mfa", "compliant_device", "joined_device", "sign_in_frequency", "terms_of_use")


def policy_from(body: Mapping[str, Any], policy_id: str, at: datetime) -> Policy:
    """A policy out of its Graph object. Raises ValueError for keys or values that no policy has."""
    if unknown := sorted(set(body) - set(PARTS)):
        raise ValueError(f"a policy has no {', '.join(unknown)}")
    state = body.get("state", "enabled")
    if state not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}")
    conditions, grants, session = (
        body.get(name) for name in ("conditions", "grantControls", "sessionControls")
    )
    for value in (conditions, grants, session):
        if value is not None and not isinstance(value, dict):
            raise ValueError("conditions, grantControls and sessionControls must be objects")
    check_conditions(conditions or {})
    return Policy(
        id=policy_id,
        display_name=str(body.get("displayName") or "Policy"),
        state=state,
        created_at=at,
        conditions=conditions or {},
        grant_controls=grants,
        session_controls=session,
    )


def check_conditions(conditions: Mapping[str, Any]) -> None:
    """Either persons or workloads; every condition an object or a list. Raises ValueError."""
    known = {
        "users": dict,
        "clientApplications": dict,
        "applications": dict,
        "locations": dict,
        "platforms": dict,
        "devices": dict,
        "clientAppTypes": list,
        "signInRiskLevels": list,
        "userRiskLevels": list,
        "servicePrincipalRiskLevels": list,
    }
    for name, value in conditions.items():
        if name not in known:
            raise ValueError(f"conditions have no {name}")
        if value is not None and not isinstance(value, known[name]):
            raise ValueError(f"conditions.{name} has the wrong kind")
    if conditions.get("users") and conditions.get("clientApplications"):
        raise ValueError("a policy is either for users or for clientApplications")


def add_policy(deed: Deed) -> dict[str, Any]:
    """A policy as Graph has it in ``policy``, or of a ``kind`` for the target: an account, an application, or all."""
    details = dict(deed.details)
    body = details.pop("policy", None)
    if body is None and set(details) & set(PARTS):
        body, details = details, {}
    if body is None:
        body = _of_kind(deed, details)
    if not isinstance(body, dict):
        raise ValueError("policy must be an object")
    policy = policy_from(body, deed.world.fresh("policy"), deed.now)
    deed.world.policies[policy.id] = policy
    note_policy(
        deed.world, deed.now, "Add Conditional Access policy", policy.id, policy.display_name, operation="Add"
    )
    return {"id": policy.id}


def _of_kind(deed: Deed, details: Mapping[str, Any]) -> dict[str, Any]:
    kind = details.get("kind", "block")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if unknown := sorted(set(details) - {"kind", "hours", "days", "report_only"}):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    body: dict[str, Any] = {
        "displayName": f"{kind} for {deed.target or 'everybody'}",
        "state": STATES[2] if details.get("report_only") else STATES[0],
        "conditions": {"applications": {"includeApplications": ["All"]}, **_who(deed)},
    }
    controls = {
        "block": "block",
        "mfa": "mfa",
        "compliant_device": "compliantDevice",
        "joined_device": "domainJoinedDevice",
    }
    if kind == "sign_in_frequency":
        unit = "days" if "days" in details else "hours"
        value = details.get(unit, 24)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{unit} must be a whole number from 1")
        body["sessionControls"] = {
            "signInFrequency": {
                "isEnabled": True,
                "type": unit,
                "value": value,
                "frequencyInterval": "timeBased",
            }
        }
    elif kind == "terms_of_use":
        body["grantControls"] = {"operator": "OR", "builtInControls": [], "termsOfUse": [_new_terms(deed).id]}
    else:
        body["grantControls"] = {"operator": "OR", "builtInControls": [controls[kind]]}
    return body


def _who(deed: Deed) -> dict[str, Any]:
    if not deed.target:
        return {"users": {"includeUsers": ["All"]}}
    app = deed.world.applications.get(deed.target)
    if app is not None:
        return {"clientApplications": {"includeServicePrincipals": [app.principal_id]}}
    return {"users": {"includeUsers": [deed.world.find_account(deed.target).object_id]}}


def remove_policy(deed: Deed) -> None:
    """The policy with this id or name is deleted."""
    named = [one for one in deed.world.policies.values() if deed.target in (one.id, one.display_name)]
    if not named or not deed.target:
        raise LookupError(f"policy {deed.target!r}")
    for policy in named:
        drop_policy(deed.world, policy)
        note_policy(
            deed.world,
            deed.now,
            "Delete Conditional Access policy",
            policy.id,
            policy.display_name,
            operation="Delete",
        )


def drop_policy(world: World, policy: Policy) -> None:
    """Delete a policy; the sign-in log keeps its name."""
    del world.policies[policy.id]
    world.former_policies[policy.id] = policy.display_name


def require_mfa(deed: Deed) -> None:
    """Per-user MFA is enforced for an account."""
    account = deed.world.find_account(deed.target)
    if account.per_user_mfa != "enforced":
        account.per_user_mfa, account.mfa_required_since = "enforced", deed.now
        note_account(deed.world, deed.now, "Enable Strong Authentication", account)


def remove_mfa(deed: Deed) -> None:
    """Per-user MFA is switched off."""
    account = deed.world.find_account(deed.target)
    if account.per_user_mfa != "disabled":
        account.per_user_mfa, account.mfa_required_since = "disabled", None
        note_account(deed.world, deed.now, "Disable Strong Authentication", account)


def change_mfa_method(deed: Deed) -> None:
    """The person registers another second factor, named by ``method``; no token minds."""
    account = deed.world.find_account(deed.target)
    method = str(deed.details.get("method", "phone"))
    activity = (
        "User changed default security info" if account.mfa_methods else "User registered security info"
    )
    account.mfa_methods = [method]
    note_account(
        deed.world,
        deed.now,
        activity,
        account,
        logged_by="Authentication Methods",
        actor_id=account.object_id,
    )


def require_terms(deed: Deed) -> dict[str, Any]:
    """New terms of use are demanded of an account, or of everybody without a target."""
    return add_policy(Deed(deed.world, deed.now, deed.target, {"kind": "terms_of_use"}))


def _new_terms(deed: Deed) -> TermsOfUse:
    terms = TermsOfUse(id=deed.world.fresh("terms"), display_name="Terms of use", published_at=deed.now)
    deed.world.terms[terms.id] = terms
    note_policy(
        deed.world, deed.now, "Publish Terms Of Use", terms.id, terms.display_name, logged_by="Terms Of Use"
    )
    return terms


def set_security_defaults(deed: Deed) -> None:
    """Security defaults are switched on, or off with ``on`` false."""
    wanted = deed.details.get("on", True)
    if not isinstance(wanted, bool):
        raise ValueError("on must be true or false")
    if wanted != (deed.world.security_defaults_since is not None):
        deed.world.security_defaults_since = deed.now if wanted else None
        note_policy(
            deed.world, deed.now, "Update security defaults", deed.world.tenant_id, "Security Defaults"
        )


def remember_mfa(deed: Deed) -> None:
    """MFA is remembered for a number of ``days`` only; without, until it is revoked."""
    days = deed.details.get("days")
    if days is not None and (not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 365):
        raise ValueError("days must be a whole number from 1 to 365")
    deed.world.remember_mfa_for = None if days is None else timedelta(days=days)


def add_location(deed: Deed) -> dict[str, Any]:
    """A named location with address ``ranges``; ``trusted`` unless said otherwise."""
    ranges = deed.details.get("ranges")
    if not isinstance(ranges, list) or not ranges:
        raise ValueError("ranges must be a list of address ranges such as 203.0.113.0/24")
    for one in ranges:
        network_of(str(one))
    location = NamedLocation(
        id=deed.world.fresh("location"),
        display_name=deed.target or "Office",
        ranges=[str(one) for one in ranges],
        is_trusted=deed.details.get("trusted", True) is True,
        created_at=deed.now,
    )
    deed.world.named_locations[location.id] = location
    note_policy(
        deed.world, deed.now, "Add named location", location.id, location.display_name, operation="Add"
    )
    return {"id": location.id}


EVENTS: Mapping[str, Event] = {
    "add_policy": add_policy,
    "remove_policy": remove_policy,
    "require_mfa": require_mfa,
    "remove_mfa": remove_mfa,
    "change_mfa_method": change_mfa_method,
    "require_terms": require_terms,
    "set_security_defaults": set_security_defaults,
    "remember_mfa": remember_mfa,
    "add_location": add_location,
}
