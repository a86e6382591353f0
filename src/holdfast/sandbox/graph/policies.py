"""Graph: Conditional Access policies, named locations, security defaults."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from holdfast.sandbox.entra.audits import note_policy
from holdfast.sandbox.entra.policy_events import drop_policy, policy_from, set_security_defaults
from holdfast.sandbox.frame import Call, Deed, answer
from holdfast.sandbox.graph.frame import (
    Shape,
    bad_request,
    context,
    fields,
    instant,
    is_bool,
    is_object,
    is_text,
    many,
    not_found,
    one,
    permitted,
)
from holdfast.sandbox.graph.limits import limited
from holdfast.sandbox.records.policies import NamedLocation, Policy

POLICIES = Shape("identity/conditionalAccess/policies")
LOCATIONS = Shape("identity/conditionalAccess/namedLocations")
WRITE = "Policy.ReadWrite.ConditionalAccess"
WRITABLE = {
    "displayName": is_text,
    "state": is_text,
    "conditions": is_object,
    "grantControls": is_object,
    "sessionControls": is_object,
    "id": is_text,
}
CONDITIONS = (
    "applications",
    "clientAppTypes",
    "clientApplications",
    "devices",
    "locations",
    "platforms",
    "servicePrincipalRiskLevels",
    "signInRiskLevels",
    "userRiskLevels",
    "users",
)


def row(policy: Policy) -> dict[str, Any]:
    """A policy, every condition named."""
    lists = ("clientAppTypes", "servicePrincipalRiskLevels", "signInRiskLevels", "userRiskLevels")
    conditions = {name: policy.conditions.get(name, [] if name in lists else None) for name in CONDITIONS}
    return {
        "id": policy.id,
        "templateId": None,
        "displayName": policy.display_name,
        "createdDateTime": instant(policy.created_at),
        "modifiedDateTime": instant(policy.modified_at),
        "state": policy.state,
        "conditions": conditions,
        "grantControls": policy.grant_controls,
        "sessionControls": policy.session_controls,
    }


def location_row(location: NamedLocation) -> dict[str, Any]:
    """A named location by address ranges."""
    return {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": location.id,
        "displayName": location.display_name,
        "createdDateTime": instant(location.created_at),
        "modifiedDateTime": instant(location.created_at),
        "isTrusted": location.is_trusted,
        "ipRanges": [
            {"@odata.type": f"#microsoft.graph.iPv{6 if ':' in one else 4}CidrRange", "cidrAddress": one}
            for one in location.ranges
        ],
    }


def _reader(call: Call) -> None:
    permitted(call, "Policy.Read.All")
    limited(call, "conditional access", most=1, seconds=1.0, says_when=False)


def list_policies(call: Call) -> Response:
    """GET /identity/conditionalAccess/policies."""
    _reader(call)
    return many(call, POLICIES, [row(policy) for policy in call.world.policies.values()])


def _asked(call: Call) -> Policy:
    policy = call.world.policies.get(call.params["id"].lower())
    if policy is None:
        raise not_found(call, call.params["id"])
    return policy


def get_policy(call: Call) -> Response:
    """GET /identity/conditionalAccess/policies/{id}."""
    _reader(call)
    return one(call, POLICIES, row(_asked(call)))


def create_policy(call: Call) -> Response:
    """POST /identity/conditionalAccess/policies."""
    caller = permitted(call, WRITE)
    body = fields(call, WRITABLE, "conditionalAccessPolicy")
    if not body.get("displayName") or not body.get("state") or not body.get("conditions"):
        raise bad_request(call, "displayName, state and conditions are required.")
    body.pop("id", None)
    try:
        policy = policy_from(body, call.world.fresh("policy"), call.now)
    except ValueError as error:
        raise bad_request(call, f"1037: The policy you have specified is not valid: {error}.") from None
    call.world.policies[policy.id] = policy
    note_policy(
        call.world,
        call.now,
        "Add Conditional Access policy",
        policy.id,
        policy.display_name,
        operation="Add",
        actor_id=caller.object_id,
    )
    created = one(call, POLICIES, row(policy))
    created.status_code = 201
    return created


def change_policy(call: Call) -> Response:
    """PATCH /identity/conditionalAccess/policies/{id}."""
    caller = permitted(call, WRITE)
    policy = _asked(call)
    body = fields(call, WRITABLE, "conditionalAccessPolicy")
    whole = {
        "displayName": policy.display_name,
        "state": policy.state,
        "conditions": policy.conditions,
        "grantControls": policy.grant_controls,
        "sessionControls": policy.session_controls,
        **{name: value for name, value in body.items() if name != "id"},
    }
    try:
        changed = policy_from(whole, policy.id, policy.created_at)
    except ValueError as error:
        raise bad_request(call, f"1037: The policy you have specified is not valid: {error}.") from None
    changed.modified_at = call.now
    call.world.policies[policy.id] = changed
    note_policy(
        call.world,
        call.now,
        "Update Conditional Access policy",
        policy.id,
        changed.display_name,
        actor_id=caller.object_id,
    )
    return Response(status_code=204)


def delete_policy(call: Call) -> Response:
    """DELETE /identity/conditionalAccess/policies/{id}."""
    caller = permitted(call, WRITE)
    policy = _asked(call)
    drop_policy(call.world, policy)
    note_policy(
        call.world,
        call.now,
        "Delete Conditional Access policy",
        policy.id,
        policy.display_name,
        operation="Delete",
        actor_id=caller.object_id,
    )
    return Response(status_code=204)


def list_locations(call: Call) -> Response:
    """GET /identity/conditionalAccess/namedLocations."""
    _reader(call)
    return many(call, LOCATIONS, [location_row(one) for one in call.world.named_locations.values()])


def get_security_defaults(call: Call) -> Response:
    """GET /policies/identitySecurityDefaultsEnforcementPolicy."""
    permitted(call, "Policy.Read.All")
    told = {
        "@odata.context": context(call, "policies/identitySecurityDefaultsEnforcementPolicy/$entity"),
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": call.world.security_defaults_since is not None,
    }
    return answer(told)


def change_security_defaults(call: Call) -> Response:
    """PATCH /policies/identitySecurityDefaultsEnforcementPolicy."""
    permitted(call, WRITE)
    body = fields(call, {"isEnabled": is_bool}, "identitySecurityDefaultsEnforcementPolicy")
    set_security_defaults(Deed(call.world, call.now, "", {"on": body.get("isEnabled", True)}))
    return Response(status_code=204)


def nothing(entity: str, permission: str) -> Any:
    """An endpoint for a collection that is empty in this tenant."""

    def list_nothing(call: Call) -> Response:
        permitted(call, permission)
        return many(call, Shape(entity), [])

    return list_nothing
