"""Data policies of the Power Platform (DLP), new model.

Recorded: fixtures/power-platform/dlp_policies_list.json, dlp_policy_get*.json. The list has no connector groups.
"""

from __future__ import annotations

from pydantic import Field

from holdfast.wire.powerplatform import Principal
from holdfast.wire.shape import Page, Shape


class PolicyPart(Shape):
    """A connector or an environment that a policy names."""

    id: str | None = None
    name: str | None = None
    type: str | None = None


class ConnectorGroup(Shape):
    """Connectors of one class: General (non-business), Confidential (business), Blocked."""

    classification: str | None = None
    connectors: tuple[PolicyPart, ...] | None = None


class PolicyDefinition(Shape):
    """Whom a policy concerns. `environmentType`: AllEnvironments, OnlyEnvironments, ExceptEnvironments."""

    name: str
    display_name: str | None = None
    default_connectors_classification: str | None = None
    connector_groups: tuple[ConnectorGroup, ...] | None = None
    environment_type: str | None = None
    environments: tuple[PolicyPart, ...] | None = None
    created_by: Principal | None = None
    created_time: str | None = None
    last_modified_by: Principal | None = None
    last_modified_time: str | None = None
    etag: str | None = None
    is_legacy_schema_version: bool | None = None


class ActionRule(Shape):
    """Allow or Block for one operation."""

    action_id: str | None = None
    behavior: str | None = None


class ActionConfiguration(Shape):
    """Rules for the operations of one connector."""

    connector_id: str | None = None
    default_connector_action_rule_behavior: str | None = None
    action_rules: tuple[ActionRule, ...] | None = None


class EndpointRule(Shape):
    """Allow or Deny for one server name; some clients write `endpoint`."""

    order: int | None = None
    behavior: str | None = None
    end_point: str | None = None
    endpoint: str | None = Field(default=None, alias="endpoint")


class EndpointConfiguration(Shape):
    """Rules for the servers of one connector, in order."""

    connector_id: str | None = None
    endpoint_rules: tuple[EndpointRule, ...] | None = None


class ConnectorConfigurations(Shape):
    """Finer rules than the groups."""

    connector_action_configurations: tuple[ActionConfiguration, ...] | None = None
    endpoint_configurations: tuple[EndpointConfiguration, ...] | None = None


class UrlPattern(Shape):
    """A rule for custom connectors."""

    order: int | None = None
    custom_connector_rule_classification: str | None = None
    pattern: str | None = None


class UrlPatterns(Shape):
    """Rules for custom connectors, in order."""

    rules: tuple[UrlPattern, ...] | None = None


class Policy(Shape):
    """One data policy."""

    policy_definition: PolicyDefinition
    connector_configurations_definition: ConnectorConfigurations | None = None
    custom_connector_url_patterns_definition: UrlPatterns | None = None


PolicyPage = Page[Policy]
