"""What Microsoft Graph tells about sign-ins, who changed what, and the policies that decide.

Documented samples: fixtures/entra/graph-signins-page.json, graph-directoryaudits.json, graph-ca-policy-workload.json,
graph-authentication-requirements.json. The fields that only the beta version has say so.
"""

from __future__ import annotations

from typing import Any

from holdfast.wire.shape import GraphPage, Shape


class SignInStatus(Shape):
    """`errorCode` is the AADSTS number, 0 for success."""

    error_code: int | None = None
    failure_reason: str | None = None
    additional_details: str | None = None


class AppliedPolicy(Shape):
    """What a Conditional Access policy did to a sign-in."""

    id: str | None = None
    display_name: str | None = None
    result: str | None = None
    enforced_grant_controls: tuple[str, ...] | None = None
    enforced_session_controls: tuple[str, ...] | None = None


class Device(Shape):
    """What a sign-in came from."""

    device_id: str | None = None
    display_name: str | None = None
    operating_system: str | None = None
    browser: str | None = None
    is_compliant: bool | None = None
    is_managed: bool | None = None
    trust_type: str | None = None


class Coordinates(Shape):
    """Where on earth."""

    altitude: float | None = None
    latitude: float | None = None
    longitude: float | None = None


class Place(Shape):
    """Where a sign-in came from."""

    city: str | None = None
    state: str | None = None
    country_or_region: str | None = None
    geo_coordinates: Coordinates | None = None


class SignIn(Shape):
    """One sign-in. Those by refresh token are non-interactive and in the beta version only.

    `servicePrincipalCredentialKeyId` (beta) tells which secret or certificate was used.
    """

    id: str
    created_date_time: str | None = None
    user_display_name: str | None = None
    user_principal_name: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    app_display_name: str | None = None
    ip_address: str | None = None
    client_app_used: str | None = None
    correlation_id: str | None = None
    conditional_access_status: str | None = None
    is_interactive: bool | None = None
    risk_detail: str | None = None
    risk_level_aggregated: str | None = None
    risk_level_during_sign_in: str | None = None
    risk_state: str | None = None
    risk_event_types: tuple[str, ...] | None = None
    resource_display_name: str | None = None
    resource_id: str | None = None
    status: SignInStatus | None = None
    device_detail: Device | None = None
    location: Place | None = None
    applied_conditional_access_policies: tuple[AppliedPolicy, ...] | None = None
    sign_in_event_types: tuple[str, ...] | None = None
    service_principal_id: str | None = None
    service_principal_name: str | None = None
    service_principal_credential_key_id: str | None = None
    client_credential_type: str | None = None
    incoming_token_type: str | None = None
    unique_token_identifier: str | None = None
    authentication_requirement: str | None = None
    session_lifetime_policies: tuple[dict[str, Any], ...] | None = None


class AuditUser(Shape):
    """A person who changed something."""

    id: str | None = None
    display_name: str | None = None
    user_principal_name: str | None = None
    ip_address: str | None = None
    user_type: str | None = None
    home_tenant_id: str | None = None
    home_tenant_name: str | None = None


class AuditApp(Shape):
    """An application that changed something. Documented, not in the sample."""

    app_id: str | None = None
    display_name: str | None = None
    service_principal_id: str | None = None
    service_principal_name: str | None = None


class AuditInitiator(Shape):
    """Who changed something."""

    app: AuditApp | None = None
    user: AuditUser | None = None


class ModifiedProperty(Shape):
    """What changed. Documented, not in the sample."""

    display_name: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class AuditTarget(Shape):
    """What was changed."""

    id: str | None = None
    display_name: str | None = None
    type: str | None = None
    user_principal_name: str | None = None
    group_type: str | None = None
    modified_properties: tuple[ModifiedProperty, ...] | None = None


class AuditDetail(Shape):
    """A further fact. Documented, not in the sample."""

    key: str | None = None
    value: str | None = None


class DirectoryAudit(Shape):
    """One change in the directory."""

    id: str
    category: str | None = None
    correlation_id: str | None = None
    result: str | None = None
    result_reason: str | None = None
    activity_display_name: str | None = None
    activity_date_time: str | None = None
    logged_by_service: str | None = None
    operation_type: str | None = None
    initiated_by: AuditInitiator | None = None
    target_resources: tuple[AuditTarget, ...] | None = None
    additional_details: tuple[AuditDetail, ...] | None = None


class PolicyApplications(Shape):
    """Which applications a policy concerns: ids, or All, Office365."""

    include_applications: tuple[str, ...] | None = None
    exclude_applications: tuple[str, ...] | None = None
    include_user_actions: tuple[str, ...] | None = None


class PolicyUsers(Shape):
    """Whom a policy concerns: object ids, or All, GuestsOrExternalUsers, None."""

    include_users: tuple[str, ...] | None = None
    exclude_users: tuple[str, ...] | None = None
    include_groups: tuple[str, ...] | None = None
    exclude_groups: tuple[str, ...] | None = None
    include_roles: tuple[str, ...] | None = None
    exclude_roles: tuple[str, ...] | None = None


class PolicyClients(Shape):
    """Which application identities a policy concerns: object ids, or ServicePrincipalsInMyTenant."""

    include_service_principals: tuple[str, ...] | None = None
    exclude_service_principals: tuple[str, ...] | None = None


class PolicyLocations(Shape):
    """From where a policy concerns a sign-in: ids, or All, AllTrusted."""

    include_locations: tuple[str, ...] | None = None
    exclude_locations: tuple[str, ...] | None = None


class PolicyConditions(Shape):
    """When a Conditional Access policy applies."""

    applications: PolicyApplications | None = None
    users: PolicyUsers | None = None
    client_applications: PolicyClients | None = None
    client_app_types: tuple[str, ...] | None = None
    locations: PolicyLocations | None = None
    platforms: dict[str, Any] | None = None
    devices: dict[str, Any] | None = None
    sign_in_risk_levels: tuple[str, ...] | None = None
    user_risk_levels: tuple[str, ...] | None = None
    service_principal_risk_levels: tuple[str, ...] | None = None


class GrantControls(Shape):
    """What must be shown: block, mfa, compliantDevice, domainJoinedDevice, …"""

    operator: str | None = None
    built_in_controls: tuple[str, ...] | None = None
    terms_of_use: tuple[str, ...] | None = None
    custom_authentication_factors: tuple[str, ...] | None = None
    authentication_strength: dict[str, Any] | None = None


class SignInFrequency(Shape):
    """How often to sign in anew: `value` of `type` (days, hours), or everyTime."""

    is_enabled: bool | None = None
    type: str | None = None
    value: int | None = None
    frequency_interval: str | None = None
    authentication_type: str | None = None


class SessionControls(Shape):
    """What limits a session."""

    sign_in_frequency: SignInFrequency | None = None
    persistent_browser: dict[str, Any] | None = None
    application_enforced_restrictions: dict[str, Any] | None = None
    cloud_app_security: dict[str, Any] | None = None
    disable_resilience_defaults: bool | None = None


class ConditionalAccessPolicy(Shape):
    """`state`: enabled, disabled, enabledForReportingButNotEnforced."""

    id: str | None = None
    template_id: str | None = None
    display_name: str | None = None
    state: str | None = None
    created_date_time: str | None = None
    modified_date_time: str | None = None
    conditions: PolicyConditions | None = None
    grant_controls: GrantControls | None = None
    session_controls: SessionControls | None = None


class Domain(Shape):
    """`id` is its name. `passwordValidityPeriodInDays` 2147483647: passwords do not expire."""

    id: str
    authentication_type: str | None = None
    availability_status: str | None = None
    is_admin_managed: bool | None = None
    is_default: bool | None = None
    is_initial: bool | None = None
    is_root: bool | None = None
    is_verified: bool | None = None
    supported_services: tuple[str, ...] | None = None
    model: str | None = None
    state: dict[str, Any] | None = None
    password_validity_period_in_days: int | None = None
    password_notification_window_in_days: int | None = None


class AuthenticationRequirements(Shape):
    """`perUserMfaState`: disabled, enabled, enforced. Beta."""

    per_user_mfa_state: str | None = None


SignInPage = GraphPage[SignIn]
DirectoryAuditPage = GraphPage[DirectoryAudit]
ConditionalAccessPolicyPage = GraphPage[ConditionalAccessPolicy]
DomainPage = GraphPage[Domain]
