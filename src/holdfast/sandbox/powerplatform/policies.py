"""Data policies on BAP, in the new model and the old one, and the registration of management applications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.frame import Call, Deed, Part, Room, answer, at
from holdfast.sandbox.powerplatform import data_policies
from holdfast.sandbox.powerplatform.access import admin, authenticated, is_admin, refusal
from holdfast.sandbox.powerplatform.data_policies import policy_changed
from holdfast.sandbox.powerplatform.shapes import instant, maker_path
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.records.policies import DataPolicy
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World

REGISTRATION_BY_PEOPLE = Rule(
    "people_register_management_applications",
    "Only a person who is an administrator registers an application as management application; no application does.",
    Mark.DOCUMENTED,
    "power-platform powerplatform-api-create-service-principal",
)

ENVIRONMENT_TYPE = "Microsoft.BusinessAppPlatform/scopes/environments"
GROUPS = {"Confidential": "hbi", "General": "lbi", "Blocked": "blocked"}
"""The groups of the new model by their names in the old one."""


# --- the new model ---------------------------------------------------------------------------------------


def list_policies(call: Call) -> Response:
    """Every data policy, without its connectors."""
    admin(call, is_versioned=False)
    return answer(
        {"value": [{"policyDefinition": _definition(one)} for one in call.world.data_policies.values()]}
    )


def get_policy(call: Call) -> Response:
    """One data policy with its connectors and finer rules."""
    admin(call, is_versioned=False)
    policy = call.world.data_policies.get(call.params["policy"].lower())
    if policy is None:
        raise refusal(404, "PolicyNotFound", f"The policy '{call.params['policy']}' could not be found.")
    groups = [_group(policy, name) for name in ("Confidential", "General", "Blocked")]
    definition = _definition(policy)
    head = {name: definition.pop(name) for name in ("name", "displayName", "defaultConnectorsClassification")}
    return answer(
        {
            "policyDefinition": {**head, "connectorGroups": groups, **definition},
            "connectorConfigurationsDefinition": {
                "connectorActionConfigurations": [_actions(*one) for one in policy.action_rules.items()],
                "endpointConfigurations": [_endpoints(*one) for one in policy.endpoint_rules.items()],
            },
            "customConnectorUrlPatternsDefinition": {
                "rules": [{"order": 1, "customConnectorRuleClassification": "Ignore", "pattern": "*"}]
            },
        }
    )


def _definition(policy: DataPolicy) -> dict[str, Any]:
    return {
        "name": policy.id,
        "displayName": policy.display_name,
        "defaultConnectorsClassification": policy.default_group,
        "environmentType": policy.environment_type,
        "environments": [
            {
                "id": f"/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{one}",
                "name": one,
                "type": ENVIRONMENT_TYPE,
            }
            for one in policy.environment_ids
        ],
        "createdBy": {"displayName": "admin"},
        "createdTime": instant(policy.created_at),
        "lastModifiedBy": {"displayName": "admin"},
        "lastModifiedTime": instant(policy.modified_at),
        "etag": policy.etag,
        "isLegacySchemaVersion": False,
    }


def _group(policy: DataPolicy, name: str) -> dict[str, Any]:
    connectors = [
        {"id": maker_path(one), "name": one, "type": "Microsoft.PowerApps/apis"}
        for one in policy.groups.get(name, [])
    ]
    return {"classification": name, "connectors": connectors}


def _actions(connector: str, rules: dict[str, str]) -> dict[str, Any]:
    return {
        "connectorId": maker_path(connector),
        "actionRules": [
            {"actionId": name, "behavior": behaviour} for name, behaviour in rules.items() if name
        ],
        "defaultConnectorActionRuleBehavior": rules.get("", "Allow"),
    }


def _endpoints(connector: str, rules: list[tuple[str, str]]) -> dict[str, Any]:
    listed = [
        {"order": n, "behavior": behaviour, "endPoint": pattern}
        for n, (pattern, behaviour) in enumerate(rules, 1)
    ]
    return {"connectorId": maker_path(connector), "endpointRules": listed}


# --- the old model ---------------------------------------------------------------------------------------


def list_old_policies(call: Call) -> Response:
    """The same policies in the old model, which has no finer rules."""
    admin(call)
    return answer({"value": [_old(one) for one in call.world.data_policies.values()]})


def _old(policy: DataPolicy) -> dict[str, Any]:
    names = {name: policy.groups.get(group, []) for group, name in GROUPS.items()}
    definition: dict[str, Any] = {
        "$schema": "https://schema.management.azure.com/providers/Microsoft.BusinessAppPlatform/schemas/2018-11-01/apiPolicyDefinition.json#",
        "apiGroups": {
            name: {
                "apis": [
                    {"id": maker_path(one), "name": one, "type": "/providers/Microsoft.PowerApps/apis"}
                    for one in connectors
                ]
            }
            for name, connectors in names.items()
        },
        "defaultApiGroup": GROUPS[policy.default_group],
        "constraints": {},
    }
    if policy.environment_type != "AllEnvironments":
        definition["constraints"]["environmentFilter1"] = {
            "type": "environmentFilter",
            "parameters": {
                "filterType": "include" if policy.environment_type == "OnlyEnvironments" else "exclude",
                "environments": [{"name": one} for one in policy.environment_ids],
            },
        }
    return {
        "name": policy.id,
        "id": f"/providers/Microsoft.BusinessAppPlatform/scopes/admin/apiPolicies/{policy.id}",
        "type": "Microsoft.BusinessAppPlatform/scopes/apiPolicies",
        "properties": {
            "displayName": policy.display_name,
            "definition": definition,
            "createdTime": instant(policy.created_at),
            "lastModifiedTime": instant(policy.modified_at),
        },
    }


# --- management applications -----------------------------------------------------------------------------


def list_applications(call: Call) -> Response:
    """The registered management applications; answered to one that is registered, which is how it checks itself."""
    admin(call)
    registered = [app for app in call.world.applications.values() if app.is_platform_admin]
    return answer({"value": [{"applicationId": app.client_id} for app in registered]})


def register_application(call: Call) -> Response:
    """Register an application: from then on it may do what administrators do."""
    caller = admin(call)
    if caller.account is None:
        raise refusal(
            403,
            "Forbidden",
            f"The service principal with id '{caller.object_id}' does not have permission to access the path '{call.path}'.",
        )
    app = _application(call)
    app.is_platform_admin = True
    return answer({"applicationId": app.client_id})


def unregister_application(call: Call) -> Response:
    """Take the registration back."""
    caller = authenticated(call)
    if not is_admin(caller):
        raise refusal(
            403,
            "Forbidden",
            f"The user with object id '{caller.object_id}' does not have permission to access the path '{call.path}'.",
        )
    _application(call).is_platform_admin = False
    return Response(status_code=200)


def _application(call: Call) -> Application:
    app = call.world.applications.get(call.params["application"].lower())
    if app is None or app.deleted_at is not None or app.is_first_party:
        raise refusal(
            404,
            "ApplicationNotFound",
            f"The application '{call.params['application']}' could not be found in the tenant.",
        )
    return app


# --- events ----------------------------------------------------------------------------------------------


def dlp_block(deed: Deed) -> dict[str, Any]:
    """A policy blocks a connector (``connector``, else SQL): the target policy, or a new one for the target environment.

    With ``action`` only that operation is blocked, with ``server`` only servers that match are denied.
    """
    connector = str(deed.details.get("connector", "shared_sql"))
    policy = _policy(deed)
    if action := deed.details.get("action"):
        policy.action_rules.setdefault(connector, {"": "Allow"})[str(action)] = "Block"
    elif server := deed.details.get("server"):
        policy.endpoint_rules.setdefault(connector, []).insert(0, (str(server), "Deny"))
    else:
        _move(policy, connector, "Blocked")
    _touched(deed, policy)
    return {"policy": policy.id}


def dlp_allow(deed: Deed) -> dict[str, Any]:
    """The connector is allowed again, by every policy that blocks it or by the target only."""
    connector = str(deed.details.get("connector", "shared_sql"))
    named = [one for one in deed.world.data_policies.values() if _concerns(one, deed.target)]
    if not named:
        raise LookupError(f"data policy {deed.target!r}")
    for policy in named:
        policy.action_rules.pop(connector, None)
        policy.endpoint_rules.pop(connector, None)
        if data_policies.group_of(policy, connector) == "Blocked":
            _move(policy, connector, "General")
        _touched(deed, policy)
    return {"policies": [one.id for one in named]}


def _concerns(policy: DataPolicy, target: str) -> bool:
    return not target or target == policy.id or target in policy.environment_ids


def _policy(deed: Deed) -> DataPolicy:
    world = deed.world
    if deed.target in world.data_policies:
        return world.data_policies[deed.target]
    if deed.target and deed.target not in world.environments:
        raise LookupError(f"data policy or environment {deed.target!r}")
    made = DataPolicy(
        id=world.fresh("data policy"),
        display_name="Blocked by an administrator",
        created_at=deed.now,
        modified_at=deed.now,
        environment_type="OnlyEnvironments" if deed.target else "AllEnvironments",
        environment_ids=[deed.target] if deed.target else [],
        etag=world.fresh("etag"),
    )
    world.data_policies[made.id] = made
    return made


def _move(policy: DataPolicy, connector: str, group: str) -> None:
    for connectors in policy.groups.values():
        if connector in connectors:
            connectors.remove(connector)
    policy.groups.setdefault(group, []).append(connector)


def _touched(deed: Deed, policy: DataPolicy) -> None:
    policy.modified_at, policy.etag = deed.now, deed.world.fresh("etag")
    policy_changed(deed.world, deed.now)


def truth(world: World, now: datetime) -> dict[str, Any]:
    """The data policies, so that events can name them."""
    named = [{"id": one.id, "name": one.display_name} for one in world.data_policies.values()]
    return {"data_policies": named}


def blocking(world: World, environment_id: str, connector: str) -> DataPolicy | None:
    """The first policy that blocks a connector in an environment as a whole."""
    for policy in world.data_policies.values():
        if (
            data_policies.applies(policy, environment_id)
            and data_policies.group_of(policy, connector) == "Blocked"
        ):
            return policy
    return None


_BAP = "/providers/Microsoft.BusinessAppPlatform"
_GOVERNANCE = "/providers/PowerPlatform.Governance"

PART = Part(
    "data policies",
    rooms=(
        Room(
            Host.BAP,
            (
                at("GET", f"{_GOVERNANCE}/v2/policies", list_policies),
                at("GET", f"{_GOVERNANCE}/v2/policies/{{policy}}", get_policy),
                at("GET", f"{_BAP}/scopes/admin/apiPolicies", list_old_policies),
                at("GET", f"{_BAP}/adminApplications", list_applications),
                at("PUT", f"{_BAP}/adminApplications/{{application}}", register_application),
                at("DELETE", f"{_BAP}/adminApplications/{{application}}", unregister_application),
            ),
        ),
    ),
    rules=(REGISTRATION_BY_PEOPLE, *data_policies.RULES),
    events={"dlp_block": dlp_block, "dlp_allow": dlp_allow},
    agenda=(data_policies.next_check,),
    truth=truth,
)
