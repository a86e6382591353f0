"""Power Platform environments as BAP tells them to an administrator.

Recorded: fixtures/power-platform/environments_bap_admin_list.json, environments_bap_admin_list_2026.json,
environment_bap_admin_get.json.
"""

from __future__ import annotations

from typing import Any

from holdfast.wire.powerplatform import Principal
from holdfast.wire.shape import Page, Shape


class Named(Shape):
    """A state or a kind of operation, known by its id."""

    id: str | None = None


class ClientUris(Shape):
    """Where a person goes."""

    admin: str | None = None
    maker: str | None = None


class LinkedEnvironment(Shape):
    """Its Dataverse. `resourceId` is the organisation id, which is not the environment id."""

    resource_id: str | None = None
    friendly_name: str | None = None
    unique_name: str | None = None
    domain_name: str | None = None
    version: str | None = None
    instance_url: str | None = None
    instance_api_url: str | None = None
    base_language: int | None = None
    instance_state: str | None = None
    created_time: str | None = None
    background_operations_state: str | None = None
    scale_group: str | None = None
    platform_sku: str | None = None
    schema_type: str | None = None
    security_group_id: str | None = None
    crm_geo: str | None = None
    is_dormant: bool | None = None


class RuntimeState(Shape):
    """Enabled, Disabled or AdminMode."""

    id: str | None = None
    runtime_reason_code: str | None = None
    requested_by: Principal | None = None


class DisasterRecovery(Shape):
    """Whether there is a copy elsewhere."""

    id: str | None = None
    copy_location: str | None = None


class States(Shape):
    """What state its parts are in."""

    management: Named | None = None
    runtime: RuntimeState | None = None
    disaster_recovery: DisasterRecovery | None = None


class Reason(Shape):
    """Why an operation is not allowed, or under which condition it is."""

    message: str | None = None
    type: str | None = None


class LifecycleOperation(Shape):
    """One operation on an environment."""

    type: Named | None = None
    reason: Reason | None = None


class LifecycleOperations(Shape):
    """What may be done with the environment."""

    allowed_operations: tuple[LifecycleOperation, ...] | None = None
    disallowed_operations: tuple[LifecycleOperation, ...] | None = None


class Retention(Shape):
    """How far back it can be restored."""

    retention_period: str | None = None
    backups_available_from_date_time: str | None = None


class Protection(Shape):
    """Who holds the encryption key."""

    key_managed_by: str | None = None


class Cluster(Shape):
    """Where it runs."""

    category: str | None = None
    number: str | None = None
    uri_suffix: str | None = None
    geo_short_name: str | None = None
    environment: str | None = None
    scale_group_id: str | None = None


class Notification(Shape):
    """Banner of the maker portal."""

    state: str | None = None
    branding: str | None = None


class Governance(Shape):
    """Basic, or Standard for a managed environment."""

    protection_level: str | None = None
    settings: dict[str, Any] | None = None


class Capacity(Shape):
    """Storage of one kind. Consumption counts in `capacityUnit`."""

    capacity_type: str | None = None
    actual_consumption: float | None = None
    rated_consumption: float | None = None
    capacity_unit: str | None = None
    updated_on: str | None = None


class CopilotPolicies(Shape):
    """Data movement allowed for Copilot."""

    cross_geo_copilot_data_movement_enabled: bool | None = None
    cross_boundary_copilot_data_movement_enabled: bool | None = None


class CloudFlowPayments(Shape):
    """Pay-as-you-go of Power Automate."""

    cloud_flow_runs_pay_as_you_go_state: str | None = None
    desktop_flow_unattended_runs_pay_as_you_go_state: str | None = None
    desktop_flow_attended_runs_pay_as_you_go_state: str | None = None


class Payments(Shape):
    """Pay-as-you-go of another product."""

    pay_as_you_go_state: str | None = None


class BillingInstrument(Shape):
    """The Azure subscription that pays."""

    subscription_id: str | None = None
    resource_group: str | None = None
    location: str | None = None
    id: str | None = None
    provisioning_status: str | None = None


class BillingPolicy(Shape):
    """How the environment is paid for."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    status: str | None = None
    location: str | None = None
    power_automate_policy: CloudFlowPayments | None = None
    power_apps_policy: Payments | None = None
    storage_policy: Payments | None = None
    power_platform_requests_policy: Payments | None = None
    power_pages_policy: Payments | None = None
    power_virtual_agent_policy: Payments | None = None
    billing_instrument: BillingInstrument | None = None
    created_on: str | None = None
    created_by: Principal | None = None
    last_modified_on: str | None = None
    last_modified_by: Principal | None = None


class EnvironmentProperties(Shape):
    """All that is told about an environment.

    No `linkedEnvironmentMetadata`: no Dataverse, so no solution flows and no connection references.
    `runtimeEndpoints` names the regional host of each API.
    """

    tenant_id: str | None = None
    azure_region: str | None = None
    display_name: str | None = None
    description: str | None = None
    created_time: str | None = None
    parent_environment_group: Named | None = None
    created_by: Principal | None = None
    used_by: Principal | None = None
    billing_policy: BillingPolicy | None = None
    last_modified_time: str | None = None
    last_modified_by: Principal | None = None
    provisioning_state: str | None = None
    creation_type: str | None = None
    environment_sku: str | None = None
    environment_type: str | None = None  # in the answer to a maker only
    is_default: bool | None = None
    capacity: tuple[Capacity, ...] | None = None
    addons: tuple[Any, ...] | None = None
    client_uris: ClientUris | None = None
    runtime_endpoints: dict[str, str] | None = None
    database_type: str | None = None
    linked_environment_metadata: LinkedEnvironment | None = None
    trial_scenario_type: str | None = None
    notification_metadata: Notification | None = None
    retention_period: str | None = None
    states: States | None = None
    update_cadence: Named | None = None
    retention_details: Retention | None = None
    protection_status: Protection | None = None
    cluster: Cluster | None = None
    connected_groups: tuple[Any, ...] | None = None
    lifecycle_operations_enforcement: LifecycleOperations | None = None
    governance_configuration: Governance | None = None
    bing_chat_enabled: bool | None = None
    m365_enabled: bool | None = None
    copilot_policies: CopilotPolicies | None = None
    app_drafting_copilot_enabled: bool | None = None
    enable_analytics_for_makers: bool | None = None


class Environment(Shape):
    """One environment. `name` is its id: a GUID, or `Default-` and the tenant id."""

    id: str | None = None
    type: str | None = None
    location: str | None = None
    name: str
    properties: EnvironmentProperties


EnvironmentPage = Page[Environment]
