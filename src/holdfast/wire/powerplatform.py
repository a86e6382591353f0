"""Power Platform: connections, who may use them, connectors, and environments.

Recorded: fixtures/power-platform/connection*.json, connectors_list.json, environment*.json. No recorded answer
for a `shared_sql` connection or its connector's parameter sets was found: those are modelled on the documents.
"""

from __future__ import annotations

from typing import Any

from holdfast.wire.shape import Hidden, Page, PlainShape, Shape


class Principal(Shape):
    """A person, group or application, as the platform names whoever created, owns or may use a thing."""

    id: str | None = None
    display_name: str | None = None
    email: str | None = None
    type: str | None = None
    tenant_id: str | None = None
    user_principal_name: str | None = None
    preferred_language: str | None = None


# --- connections ---------------------------------------------------------------------------------------


class StatusError(Shape):
    """Why a connection is in the state Error."""

    code: str | None = None
    message: str | None = None


class ConnectionStatus(Shape):
    """The last recorded state: "Connected" or "Error" seen. Not a live test."""

    status: str
    target: str | None = None
    error: StatusError | None = None


class ParameterValue(Shape):
    """A value of a parameter set. Secrets never come back."""

    value: Any = None


class ConnectionParametersSet(Shape):
    """Which way to sign in was chosen. The case of `name` differs between connectors."""

    name: str
    values: dict[str, ParameterValue] | None = None


class HiddenValue(Shape):
    """A secret value in a parameter set; written, never answered."""

    value: Hidden


class SentCertificate(PlainShape):
    """A client certificate as a connection takes it (Logic Apps' shape for clientCertificate; assumed for shared_sql)."""

    pfx: Hidden
    password: Hidden


class HiddenObject(Shape):
    """A secret value that is an object; written, never answered."""

    value: SentCertificate


AnyValue = ParameterValue | HiddenValue | HiddenObject


class WantedSet(Shape):
    """The parameter set of a connection to be made or changed."""

    name: str
    values: dict[str, AnyValue]


class TestLink(Shape):
    """A ready request that uses the connection."""

    __test__ = False  # not a test class

    request_uri: str
    method: str


class EnvironmentPointer(Shape):
    """The environment that a thing lies in."""

    id: str | None = None
    name: str | None = None


class PermissionProperties(Shape):
    """Who may do what with a connection: CanView, CanViewWithShare, CanEdit, Owner."""

    role_name: str | None = None
    principal: Principal | None = None
    notify_share_target_option: str | None = None
    invite_guest_to_tenant: bool | None = None


class Permission(Shape):
    """One share of a connection."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: PermissionProperties


class ConnectionProperties(Shape):
    """All that is told about a connection.

    `expirationTime` is the expiry of the cached access token; it is absent on password connections and on
    those that were never authenticated. `permissions` comes in the maker's connectivity list only.
    """

    api_id: str | None = None
    display_name: str | None = None
    icon_uri: str | None = None
    statuses: tuple[ConnectionStatus, ...] | None = None
    connection_parameters: dict[str, Any] | None = None
    connection_parameters_set: ConnectionParametersSet | None = None
    keywords_remaining: int | None = None
    is_sso_connection: bool | None = None
    created_by: Principal | None = None
    created_time: str | None = None
    last_modified_time: str | None = None
    expiration_time: str | None = None
    test_links: tuple[TestLink, ...] | None = None
    environment: EnvironmentPointer | None = None
    permissions: tuple[Permission, ...] | None = None
    account_name: str | None = None
    allow_sharing: bool | None = None


class Connection(Shape):
    """One connection. `name` is its id; `id` is its path, with the admin prefix in the admin scope."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: ConnectionProperties


# --- connectors ----------------------------------------------------------------------------------------


class ConsentRequest(Shape):
    """Where the browser goes after the sign-in."""

    redirect_url: str


class ConsentLink(Shape):
    """Where the owner signs in for a connection. Known from a client, not recorded."""

    consent_link: str | None = None


class Constraints(Shape):
    """How a parameter is offered. Truth values are strings."""

    required: str | None = None
    hidden: str | None = None
    tab_index: int | None = None
    clear_text: bool | None = None
    capability: tuple[str, ...] | None = None
    allowed_values: tuple[dict[str, Any], ...] | None = None


class UiDefinition(Shape):
    """Words for a person."""

    display_name: str | None = None
    description: str | None = None
    tooltip: str | None = None
    tab_index: int | None = None
    constraints: Constraints | None = None


class OAuthSettings(Shape):
    """How the connector signs in by OAuth."""

    identity_provider: str | None = None
    client_id: str | None = None
    scopes: tuple[str, ...] | None = None
    redirect_mode: str | None = None
    redirect_url: str | None = None
    properties: dict[str, Any] | None = None
    custom_parameters: dict[str, ParameterValue] | None = None


class GatewaySettings(Shape):
    """Which data source of the on-premises gateway a parameter chooses."""

    data_source_type: str | None = None
    connection_details: tuple[Any, ...] | None = None


class ConnectionParameter(Shape):
    """One parameter: string, securestring, oauthSetting, gatewaySetting, ..."""

    type: str
    metadata: dict[str, Any] | None = None
    allowed_values: tuple[dict[str, Any], ...] | None = None
    default_value: Any = None
    o_auth_settings: OAuthSettings | None = None
    gateway_settings: GatewaySettings | None = None
    ui_definition: UiDefinition | None = None


class ParameterSet(Shape):
    """One way to sign in, by its name: `oauth`, `oauthSP`, `sqlAuthentication`. Documented, not recorded."""

    name: str
    ui_definition: UiDefinition | None = None
    parameters: dict[str, ConnectionParameter] | None = None
    metadata: dict[str, Any] | None = None


class ParameterSets(Shape):
    """Every way to sign in. Documented, not recorded."""

    ui_definition: UiDefinition | None = None
    values: tuple[ParameterSet, ...] | None = None


class Promises(Shape):
    """What the connector says it will and will not do."""

    will: tuple[str, ...] | None = None
    wont: tuple[str, ...] | None = None


class ConnectorProperties(Shape):
    """All that is told about a connector."""

    display_name: str | None = None
    icon_uri: str | None = None
    icon_brand_color: str | None = None
    api_environment: str | None = None
    is_custom_api: bool | None = None
    connection_parameters: dict[str, ConnectionParameter] | None = None
    connection_parameter_sets: ParameterSets | None = None
    runtime_urls: tuple[str, ...] | None = None
    primary_runtime_url: str | None = None
    metadata: dict[str, Any] | None = None
    capabilities: tuple[str, ...] | None = None
    interfaces: dict[str, Any] | None = None
    description: str | None = None
    created_time: str | None = None
    changed_time: str | None = None
    release_tag: str | None = None
    tier: str | None = None
    publisher: str | None = None
    scopes: Promises | None = None


class Connector(Shape):
    """One connector; the wire calls it an api. `name` is its id: shared_sql."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: ConnectorProperties


# --- canvas apps ---------------------------------------------------------------------------------------


class WantedProperties(Shape):
    """What a connection should be."""

    display_name: str
    environment: EnvironmentPointer
    connection_parameters_set: WantedSet


class WantedConnection(Shape):
    """Body that makes or changes a connection."""

    properties: WantedProperties


class WantedPrincipal(Shape):
    """With whom to share."""

    id: str
    type: str
    tenant_id: str | None


class WantedShareProperties(Shape):
    """What to let somebody do."""

    role_name: str
    capabilities: tuple[str, ...]
    principal: WantedPrincipal
    notify_share_target_option: str


class WantedShare(Shape):
    """One share to be written."""

    properties: WantedShareProperties


class PermissionPointer(Shape):
    """One share to be taken back."""

    id: str


class PermissionChanges(Shape):
    """Body of modifyPermissions."""

    put: tuple[WantedShare, ...]
    delete: tuple[PermissionPointer, ...]


class Query(Shape):
    """Body of a native query."""

    query: str


class AppProperties(Shape):
    """What is told about a canvas app. Modelled on what the admin PowerShell reads; not recorded.

    Each entry of `connectionReferences` names a connector in its `id`; which connection is not told.
    """

    display_name: str | None = None
    owner: Principal | None = None
    environment: EnvironmentPointer | None = None
    connection_references: dict[str, dict[str, Any]] | None = None


class CanvasApp(Shape):
    """One canvas app. `name` is its id."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: AppProperties


ConnectionPage = Page[Connection]
PermissionPage = Page[Permission]
ConnectorPage = Page[Connector]
