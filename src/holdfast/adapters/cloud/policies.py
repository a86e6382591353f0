"""Access, password and data policies as the cloud tells them, in our words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from holdfast.adapters.cloud.flows import connector_of
from holdfast.core.errors import UnfamiliarError
from holdfast.core.inventory import ConnectorId, EnvironmentId
from holdfast.core.making import AppPolicy
from holdfast.core.policies import (
    AccessPolicy,
    DataPolicy,
    EndpointRule,
    OperationRules,
    PasswordPolicy,
    PolicyReach,
    PolicyState,
    Scope,
)
from holdfast.wire import graph, policies, signins
from holdfast.wire.powerplatform import Principal
from holdfast.wire.shape import instant

_STATES: Final = {
    "enabled": PolicyState.ENFORCED,
    "enabledForReportingButNotEnforced": PolicyState.REPORT_ONLY,
}
_REACHES: Final = {
    "AllEnvironments": PolicyReach.ALL,
    "OnlyEnvironments": PolicyReach.ONLY,
    "ExceptEnvironments": PolicyReach.EXCEPT,
}
_LENGTH: Final = TypeAdapter(timedelta | None)  # reads ISO 8601
_NEVER: Final = 2147483647  # days; what Graph writes for passwords that do not expire


def app_policy(told: graph.AppManagementPolicy, made_at: datetime | None = None) -> AppPolicy:
    """What a policy, the tenant's or an application's own, forbids an application, in our words.

    Args:
        made_at: when the application was made; None for one that is new, which every restriction concerns.

    Raises:
        UnfamiliarError: a restriction cannot be read.
    """
    rules = (told.application_restrictions or told.restrictions) if told.is_enabled else None
    secrets = _restrictions(rules.password_credentials if rules else None, made_at)
    certificates = _restrictions(rules.key_credentials if rules else None, made_at)
    return AppPolicy(
        allows_secrets="passwordAddition" not in secrets,
        longest_secret=secrets.get("passwordLifetime"),
        longest_certificate=certificates.get("asymmetricKeyLifetime"),
        allows_self_signed="trustedCertificateAuthority" not in certificates,
    )


def _restrictions(
    told: Iterable[graph.Restriction] | None, made_at: datetime | None
) -> dict[str, timedelta | None]:
    try:
        return {
            one.restriction_type: _LENGTH.validate_python(one.max_lifetime)
            for one in told or ()
            if one.state != "disabled" and not _is_for_newer(one, made_at)
        }
    except ValidationError:
        raise UnfamiliarError(
            "Microsoft Graph limits the life of secrets in a form that holdfast cannot read.",
            "graph",
            "graph.app_management_policy.get",
        ) from None


def _is_for_newer(told: graph.Restriction, made_at: datetime | None) -> bool:
    since = instant(told.restrict_for_apps_created_after_date_time)
    return made_at is not None and since is not None and made_at <= since


def access_policy(told: signins.ConditionalAccessPolicy) -> AccessPolicy:
    """A Conditional Access policy in our words."""
    when = told.conditions or signins.PolicyConditions()
    users = when.users or signins.PolicyUsers()
    clients = when.client_applications or signins.PolicyClients()
    apps = when.applications or signins.PolicyApplications()
    places = when.locations or signins.PolicyLocations()
    grant = told.grant_controls or signins.GrantControls()
    return AccessPolicy(
        id=told.id or "",
        display_name=told.display_name or told.id or "",
        state=_STATES.get(told.state or "", PolicyState.OFF),
        users=_scope(users.include_users, users.exclude_users),
        groups=_scope(users.include_groups, users.exclude_groups),
        roles=_scope(users.include_roles, users.exclude_roles),
        principals=_scope(clients.include_service_principals, clients.exclude_service_principals),
        applications=_scope(apps.include_applications, apps.exclude_applications),
        locations=_scope(places.include_locations, places.exclude_locations),
        client_types=frozenset(when.client_app_types or ()),
        controls=tuple(grant.built_in_controls or ()),
        needs_all=(grant.operator or "").casefold() == "and",
        terms_of_use=tuple(grant.terms_of_use or ()),
        sign_in_frequency=_frequency(told.session_controls),
        further_conditions=tuple(_further(when, apps, grant)),
        created_at=instant(told.created_date_time),
        modified_at=instant(told.modified_date_time),
    )


def password_policy(told: signins.Domain) -> PasswordPolicy:
    """How long passwords of a domain live, in our words.

    Where the directory tells nothing the pages contradict each other: 90 days, or never.
    """
    days = told.password_validity_period_in_days
    return PasswordPolicy(
        domain=told.id,
        is_federated=(told.authentication_type or "").casefold() == "federated",
        validity=timedelta(days=days) if days is not None and days < _NEVER else None,
        is_told=days is not None,
    )


def data_policy(told: policies.Policy) -> DataPolicy:
    """A data policy in our words; its groups are told by reading it alone, not by the list."""
    what = told.policy_definition
    finer = told.connector_configurations_definition or policies.ConnectorConfigurations()
    return DataPolicy(
        id=what.name,
        display_name=what.display_name or what.name,
        reach=_REACHES.get(what.environment_type or "", PolicyReach.UNKNOWN),
        environments=frozenset(EnvironmentId(place.name) for place in what.environments or () if place.name),
        default_group=what.default_connectors_classification or "",
        groups={
            connector_of(connector.id): group.classification or ""
            for group in what.connector_groups or ()
            for connector in group.connectors or ()
        },
        modified_at=instant(what.last_modified_time),
        modified_by=_doer(what.last_modified_by),
        operations=dict(_operations(finer.connector_action_configurations or ())),
        endpoints=dict(_endpoints(finer.endpoint_configurations or ())),
    )


def _doer(told: Principal | None) -> str:
    return (told.user_principal_name or told.display_name or "") if told else ""


def _scope(included: Iterable[str] | None, excluded: Iterable[str] | None) -> Scope:
    return Scope(frozenset(included or ()), frozenset(excluded or ()))


def _frequency(controls: signins.SessionControls | None) -> timedelta | None:
    told = controls.sign_in_frequency if controls else None
    if told is None or not told.is_enabled:
        return None
    if told.frequency_interval == "everyTime":
        return timedelta()
    if told.value is None:
        return None
    return timedelta(days=told.value) if told.type == "days" else timedelta(hours=told.value)


def _further(
    when: signins.PolicyConditions, apps: signins.PolicyApplications, grant: signins.GrantControls
) -> Iterable[str]:
    given = {
        "platforms": when.platforms,
        "devices": when.devices,
        "signInRiskLevels": when.sign_in_risk_levels,
        "userRiskLevels": when.user_risk_levels,
        "servicePrincipalRiskLevels": when.service_principal_risk_levels,
        "userActions": apps.include_user_actions,
        "authenticationStrength": grant.authentication_strength,
        "customAuthenticationFactors": grant.custom_authentication_factors,
        **(when.model_extra or {}),
    }
    return (name for name, value in given.items() if value)


def _operations(
    told: Iterable[policies.ActionConfiguration],
) -> Iterable[tuple[ConnectorId, OperationRules]]:
    for configuration in told:
        allows = configuration.default_connector_action_rule_behavior != "Block"
        differing = "Block" if allows else "Allow"
        yield (
            connector_of(configuration.connector_id),
            OperationRules(
                allows_others=allows,
                exceptions=frozenset(
                    rule.action_id
                    for rule in configuration.action_rules or ()
                    if rule.action_id and rule.behavior == differing
                ),
            ),
        )


def _endpoints(
    told: Iterable[policies.EndpointConfiguration],
) -> Iterable[tuple[ConnectorId, tuple[EndpointRule, ...]]]:
    for configuration in told:
        rules = sorted(configuration.endpoint_rules or (), key=lambda rule: rule.order or 0)
        yield (
            connector_of(configuration.connector_id),
            tuple(
                EndpointRule(pattern, rule.behavior != "Deny")
                for rule in rules
                if (pattern := rule.end_point or rule.endpoint)
            ),
        )
