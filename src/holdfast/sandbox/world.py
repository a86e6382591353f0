"""The tenant in memory: plain records in one `World`, the only place where the sandbox keeps state.

A room never keeps anything of its own: it reads the world, changes the world, and answers. Whatever stands
here survives a restart, because the whole of `World` is written to the snapshot by its types. So a new kind of
thing is a dataclass here and a dictionary in `World`; a new fact about a thing is a field with a default.

Secret texts (passwords, refresh tokens, client secrets) are not kept: they are derived from the seed and the id
of the thing, see `chance.secret`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.chance import draw, guid
from holdfast.sandbox.rules import Rule
from holdfast.sandbox.run_records import Look, RunRecord, Stretch
from holdfast.sandbox.sql.catalogue import Server
from holdfast.sandbox.vault_records import Vault


@dataclass(slots=True, kw_only=True)
class Account:
    """A user of the tenant.

    Attributes:
        tokens_valid_from: sign-ins before it are refused (``signInSessionsValidFromDateTime``).
        per_user_mfa: "disabled", "enabled" or "enforced".
        password_generation: counts changes; the password's text is derived from it.
        directory_roles: names such as "Power Platform Administrator".
    """

    object_id: str
    user_principal_name: str
    display_name: str
    created_at: datetime
    password_changed_at: datetime
    tokens_valid_from: datetime
    enabled: bool = True
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    hard_deleted_at: datetime | None = None
    user_type: str = "Member"
    password_generation: int = 0
    password_expired_at: datetime | None = None
    wrong_passwords: int = 0
    locked_until: datetime | None = None
    password_policies: str | None = None
    synced_from_on_premises: bool = False
    per_user_mfa: str = "disabled"
    mfa_required_since: datetime | None = None
    mfa_methods: list[str] = field(default_factory=list)
    directory_roles: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    accepted_terms: dict[str, datetime] = field(default_factory=dict)
    ip_address: str = "203.0.113.10"
    last_interactive_at: datetime | None = None
    last_noninteractive_at: datetime | None = None
    last_successful_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ClientSecret:
    """A password credential of an application; its text is derived, never kept."""

    key_id: str
    label: str
    starts_at: datetime
    expires_at: datetime
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Certificate:
    """A certificate credential: the public part, base64 DER as Graph has it, and its two thumbprints in hex."""

    key_id: str
    label: str
    der: str
    sha1: str
    sha256: str
    starts_at: datetime
    expires_at: datetime
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class FederatedCredential:
    """Trust in tokens of another issuer."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: list[str]
    description: str | None = None
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Application:
    """An app registration and its service principal in this tenant, by their one client id.

    Attributes:
        principal_id: object id of the service principal; None for a registration that has none yet.
        app_roles: application permissions granted, as "resource client id/role value".
        delegated: consents, as "resource client id/scope value".
        is_public: may redeem without a secret.
        is_first_party: one of Microsoft's, present in every tenant.
        consent_withdrawn: since when accounts that took back their own consent have done so, by object id.
        assignees: object ids of whom its tokens are for; None where assignment is not required.
    """

    client_id: str
    object_id: str
    display_name: str
    created_at: datetime
    principal_id: str | None = None
    principal_created_at: datetime | None = None
    enabled: bool = True
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    is_public: bool = False
    is_spa: bool = False
    is_first_party: bool = False
    identifier_uris: list[str] = field(default_factory=list)
    redirect_uris: list[str] = field(default_factory=list)
    secrets: list[ClientSecret] = field(default_factory=list)
    removed_secrets: list[ClientSecret] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    removed_certificates: list[Certificate] = field(default_factory=list)
    federated: list[FederatedCredential] = field(default_factory=list)
    app_roles: list[str] = field(default_factory=list)
    delegated: list[str] = field(default_factory=list)
    consent_revoked_at: datetime | None = None
    consent_withdrawn: dict[str, datetime] = field(default_factory=dict)
    assignees: list[str] | None = None
    assignment_changed_at: datetime | None = None
    owner_ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    sql_databases: list[str] = field(default_factory=list)
    is_platform_admin: bool = False


@dataclass(slots=True, kw_only=True)
class RefreshToken:
    """One refresh token. Redeeming leaves it and makes another; a connection's own is replaced in place.

    Attributes:
        issued_at: when this very token was issued.
        used_at: when this very token was last redeemed with success.
        signed_in_at: the interactive sign-in at the root of its chain.
        methods: how the person proved himself then: "pwd", "mfa", "rsa" …
        token_class: "password", "nonpassword" or "confidential": its column in the revocation matrix.
        scopes: what was consented, as asked for.
        revoked_at: the user's TokensValidFrom date that ended it; `revoked_by` is the cause id of what moved it.
        held_by: id of the connection that stores it; None for one that a client holds.
    """

    id: str
    account_id: str
    client_id: str
    issued_at: datetime
    signed_in_at: datetime
    used_at: datetime | None = None
    methods: list[str] = field(default_factory=lambda: ["pwd"])
    token_class: str = "password"  # noqa: S105 - a column of the matrix
    is_spa: bool = False
    scopes: list[str] = field(default_factory=list)
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    held_by: str | None = None


@dataclass(slots=True, kw_only=True)
class AuthorizationCode:
    """A code of the authorize page, good once; its text is derived, never kept."""

    id: str
    account_id: str
    client_id: str
    redirect_uri: str
    scope: str
    methods: list[str]
    issued_at: datetime
    challenge: str | None = None
    is_hashed: bool = True
    nonce: str | None = None
    is_used: bool = False


@dataclass(slots=True, kw_only=True)
class DeviceCode:
    """A device that waits for a person; `state` is "pending", "allowed", "declined" or "used"."""

    id: str
    user_code: str
    client_id: str
    scope: str
    issued_at: datetime
    state: str = "pending"
    account_id: str | None = None
    methods: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Outage:
    """The SQL connector answers this HTTP status to every use; `until` None stands for no end."""

    status: int
    since: datetime
    until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Environment:
    """A Power Platform environment; `org` is the name of its Dataverse, None where it has none."""

    id: str
    display_name: str
    created_at: datetime
    sku: str = "Production"
    location: str = "europe"
    is_default: bool = False
    org: str | None = None
    org_id: str | None = None
    created_by: str | None = None
    outage: Outage | None = None


@dataclass(slots=True, kw_only=True)
class Fault:
    """The fault that the platform last recorded on a connection."""

    code: str
    message: str
    target: str = "token"


@dataclass(slots=True, kw_only=True)
class Share:
    """A right on a connection; `role` is CanView, CanViewWithShare or CanEdit."""

    principal_id: str
    principal_type: str
    role: str
    granted_at: datetime


@dataclass(slots=True, kw_only=True)
class Connection:
    """One stored sign-in through a connector, as the platform records it.

    `status`, `fault`, `modified_at` and `token_expires_at` are the record that lists show: they move only when
    the connection is used or edited. Whether it would work now is another matter: see `truth`.

    Attributes:
        parameter_set: "oauth", "oauthSP", "certOauth", "sqlAuthentication", "windowsAuthentication", …; None for the
            deprecated kind with plain parameters.
        parameters: the non-secret values as lists show them.
        secrets: secret values as the client sent them; never shown.
        owner_id: object id of who made it: the owner of the credential.
        refresh_token_id: its token in `World.refresh_tokens`; None where the kind has none.
        token_expires_at: expiry of the cached access token (``expirationTime``).
    """

    id: str
    environment_id: str
    connector: str
    display_name: str
    owner_id: str
    created_at: datetime
    modified_at: datetime
    owner_type: str = "User"
    parameter_set: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    status: str = "Connected"
    fault: Fault | None = None
    account_name: str | None = None
    refresh_token_id: str | None = None
    token_expires_at: datetime | None = None
    last_token_at: datetime | None = None
    gateway_id: str | None = None
    shares: list[Share] = field(default_factory=list)
    deleted_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Gateway:
    """An on-premises data gateway."""

    id: str
    display_name: str
    online: bool = True
    offline_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class FlowConnection:
    """How a flow's key names its connection: by a connection reference, or by the connection's id.

    Attributes:
        pinned: the connection that the flow still uses although its reference was bound to another one.
    """

    connector: str
    connection_id: str | None = None
    reference: str | None = None
    source: str = "Embedded"
    pinned: str | None = None


@dataclass(slots=True, kw_only=True)
class Flow:
    """A cloud flow.

    Attributes:
        state: "Started", "Stopped" or "Suspended".
        workflow_id: its row in Dataverse; None for a flow outside solutions.
        connections: the flow's keys, in definition order.
        failing_since: the first failed run after the last good one.
        poll_mark: how far a polling trigger has read.
        next_look_at: when something about its runs has to be done next; None for never.
        look: the last executed occurrence; `runs` and `stretches` are what the history is made of.
        shares: rights on it besides the owner's, by object id.
    """

    id: str
    environment_id: str
    display_name: str
    owner_id: str
    created_at: datetime
    modified_at: datetime
    definition: dict[str, Any]
    connections: dict[str, FlowConnection] = field(default_factory=dict)
    description: str | None = None
    state: str = "Started"
    state_changed_at: datetime | None = None
    suspension_reason: str = "None"
    suspended_at: datetime | None = None
    workflow_id: str | None = None
    is_managed: bool = False
    last_run_at: datetime | None = None
    last_run_ok: bool | None = None
    failing_since: datetime | None = None
    poll_mark: Any = None
    next_look_at: datetime | None = None
    look: Look | None = None
    runs: list[RunRecord] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    shares: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class ConnectionReference:
    """A solution's pointer from flows to a connection; unbound when `connection_id` is None."""

    id: str
    environment_id: str
    logical_name: str
    display_name: str
    connector: str
    connection_id: str | None
    owner_id: str
    modified_at: datetime
    is_managed: bool = False
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Who made solutions; `prefix` begins the names of what is in them."""

    id: str
    environment_id: str
    unique_name: str
    display_name: str
    prefix: str
    option_prefix: int
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Solution:
    """A container of flows and references; `components` are ids of what was placed in it."""

    id: str
    environment_id: str
    unique_name: str
    display_name: str
    version: str
    publisher_id: str
    created_at: datetime
    description: str | None = None
    is_managed: bool = False
    components: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class StagedSolution:
    """A solution file that was handed in, in base64."""

    id: str
    environment_id: str
    content: str
    staged_at: datetime


@dataclass(slots=True, kw_only=True)
class SolutionImport:
    """An import; `error` is None for one that passed."""

    id: str
    operation_id: str
    environment_id: str
    started_at: datetime
    ends_at: datetime
    error: str | None = None


@dataclass(slots=True, kw_only=True)
class OrgUser:
    """An identity with security roles of its own in one environment's Dataverse.

    Every account is a user of every environment anyway, with the maker's roles; applications are not.

    Attributes:
        principal_id: object id of the account, or of the application's service principal.
    """

    id: str
    environment_id: str
    principal_id: str
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class CanvasApp:
    """A canvas app; `connection_ids` are the connections shared implicitly with its users."""

    id: str
    environment_id: str
    display_name: str
    owner_id: str
    created_at: datetime
    connection_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Policy:
    """A Conditional Access policy, its parts as Graph shows them."""

    id: str
    display_name: str
    state: str
    created_at: datetime
    modified_at: datetime | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    grant_controls: dict[str, Any] | None = None
    session_controls: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class NamedLocation:
    """A place that policies speak of, as address ranges in CIDR form."""

    id: str
    display_name: str
    ranges: list[str]
    is_trusted: bool
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class TermsOfUse:
    """An agreement that a policy can demand."""

    id: str
    display_name: str
    published_at: datetime


@dataclass(slots=True, kw_only=True)
class DataPolicy:
    """A data policy (DLP) of the Power Platform.

    Attributes:
        default_group: "General", "Confidential" or "Blocked" for connectors that no group names.
        groups: connectors by group.
        action_rules: by connector, "Allow" or "Block" by operation; "" is for all others.
        endpoint_rules: by connector, patterns of servers with "Allow" or "Deny"; the first that matches counts.
    """

    id: str
    display_name: str
    created_at: datetime
    modified_at: datetime
    default_group: str = "General"
    groups: dict[str, list[str]] = field(default_factory=dict)
    environment_type: str = "AllEnvironments"
    environment_ids: list[str] = field(default_factory=list)
    action_rules: dict[str, dict[str, str]] = field(default_factory=dict)
    endpoint_rules: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    etag: str = ""


@dataclass(slots=True, kw_only=True)
class SignIn:
    """A row of the sign-in log.

    Attributes:
        kind: "interactiveUser", "nonInteractiveUser" or "servicePrincipal".
        policies: results of the Conditional Access policies whose conditions were met, by id.
    """

    id: str
    at: datetime
    kind: str
    principal_id: str
    client_id: str
    resource_id: str
    correlation_id: str
    error_code: int = 0
    reason: str | None = None
    ip_address: str = ""
    key_id: str | None = None
    credential: str = "none"
    policies: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Audit:
    """A row of the directory audit log."""

    id: str
    at: datetime
    activity: str
    category: str
    logged_by: str
    operation: str
    correlation_id: str
    target_id: str
    target_type: str
    target_name: str | None = None
    actor_id: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class PlannedFault:
    """A planned misbehaviour; see `faults`.

    Attributes:
        host, method, path: which requests it meets; None or an empty path meets all. `path` is searched for.
        share: of those, how many, from 0 to 1; `times`: how many at most.
        seen: requests it could have met so far; `met`: those that it did.
    """

    id: str
    kind: str
    host: str | None = None
    method: str | None = None
    path: str = ""
    share: float = 1.0
    times: int | None = None
    status: int = 503
    retry_after: int = 1
    seconds: float = 1.0
    seen: int = 0
    met: int = 0


@dataclass(slots=True, kw_only=True)
class Crowd:
    """How many there are of what is worked out when it is asked for instead of being kept; see `crowd`.

    Attributes:
        definitions: what its flows do; each does one of these.
    """

    environments: int
    flows: int
    connections: int
    definitions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, weakref_slot=True, kw_only=True)
class World:
    """Everything there is, at the instant `settled_at`.

    Attributes:
        former_policies: names of deleted policies, which old rows of the sign-in log still tell.
        security_defaults_since: when security defaults were switched on; None while they are off.
        remember_mfa_for: the tenant's "remember MFA on trusted devices"; None lets a proof last until revoked.
        flips: ids of the rules that are flipped, see `holds`.
        unlicensed: accounts that lost the licence for premium flows, and when.
        is_unkind: whether the default unkindness is on: slow spreading of what is new, and throttling.
        series: how many of each kind of id were handed out, see `fresh`.
        counts: counters that `/truth` shows.
        changes: counts what clients and events changed, see `changed`.
        folds: whether runs that would repeat the one before are counted instead of executed. It makes no difference to
            what can be seen; a test turns it off to prove that.
    """

    tenant_id: str
    domain: str
    seed: int
    scenario: str
    born_at: datetime
    settled_at: datetime
    display_name: str = "Contoso"
    accounts: dict[str, Account] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    device_codes: dict[str, DeviceCode] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    references: dict[str, ConnectionReference] = field(default_factory=dict)
    publishers: dict[str, Publisher] = field(default_factory=dict)
    solutions: dict[str, Solution] = field(default_factory=dict)
    staged_solutions: dict[str, StagedSolution] = field(default_factory=dict)
    imports: dict[str, SolutionImport] = field(default_factory=dict)
    apps: dict[str, CanvasApp] = field(default_factory=dict)
    org_users: dict[str, OrgUser] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    data_policies: dict[str, DataPolicy] = field(default_factory=dict)
    data_policies_checked_at: datetime | None = None
    servers: dict[str, Server] = field(default_factory=dict)
    vault: Vault = field(default_factory=Vault)
    former_policies: dict[str, str] = field(default_factory=dict)
    named_locations: dict[str, NamedLocation] = field(default_factory=dict)
    terms: dict[str, TermsOfUse] = field(default_factory=dict)
    security_defaults_since: datetime | None = None
    remember_mfa_for: timedelta | None = None
    sign_ins: list[SignIn] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    published: dict[str, Any] = field(default_factory=dict)
    flips: list[str] = field(default_factory=list)
    unlicensed: dict[str, datetime] = field(default_factory=dict)
    is_unkind: bool = True
    faults: list[PlannedFault] = field(default_factory=list)
    series: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    folds: bool = True
    crowd: Crowd | None = None

    def changed(self) -> None:
        """Note that somebody changed something: what repeats by itself has to be looked at anew."""
        self.changes += 1

    def holds(self, rule: Rule) -> bool:
        """Whether the rule is obeyed in this world."""
        return rule.default ^ (rule.id in self.flips)

    def find_account(self, target: str) -> Account:
        """The account with this object id or user principal name; LookupError if there is none."""
        account = self.accounts.get(target.lower())
        if account is None:
            named = (
                one for one in self.accounts.values() if one.user_principal_name.lower() == target.lower()
            )
            account = next(named, None)
        if account is None:
            raise LookupError(f"account {target!r}")
        return account

    def find_application(self, target: str) -> Application:
        """The application with this client id; LookupError if there is none."""
        app = self.applications.get(target.lower())
        if app is None:
            raise LookupError(f"application {target!r}")
        return app

    def fresh(self, kind: str) -> str:
        """The next GUID of its kind: seeded, never the same twice in one world."""
        self.series[kind] = self.series.get(kind, 0) + 1
        return guid(self.seed, kind, self.series[kind])

    def draw(self, *names: object) -> float:
        """Chance that belongs to a thing: the same names draw the same number, from 0 up to 1."""
        return draw(self.seed, *names)

    def count(self, name: str, by: int = 1) -> None:
        """Raise a counter of `/truth`."""
        self.counts[name] = self.counts.get(name, 0) + by

    def connections_in(self, environment_id: str) -> list[Connection]:
        """The connections of one environment that are not deleted, in the order they were made."""
        return [
            connection
            for connection in self.connections.values()
            if connection.environment_id == environment_id and connection.deleted_at is None
        ]
