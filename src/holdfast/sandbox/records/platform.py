"""What the Power Platform keeps of an environment: connections, flows, references and who may use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.sandbox.records.runs import Look, RunRecord, Stretch


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
class CanvasApp:
    """A canvas app; `connection_ids` are the connections shared implicitly with its users."""

    id: str
    environment_id: str
    display_name: str
    owner_id: str
    created_at: datetime
    connection_ids: list[str] = field(default_factory=list)


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
