"""Environments, connectors, connections, connection references and flows, and who points at whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from holdfast.core.identity import Owner
from holdfast.core.operations import SqlOperation
from holdfast.core.schedule import Recurrence

EnvironmentId = NewType("EnvironmentId", str)
ConnectionId = NewType("ConnectionId", str)
ConnectorId = NewType("ConnectorId", str)
FlowId = NewType("FlowId", str)
ConnectionReferenceId = NewType("ConnectionReferenceId", str)

SQL_CONNECTORS = (ConnectorId("shared_sql"), ConnectorId("shared_sqldw"))
EVERY_CONNECTOR = ConnectorId("*")
"""Stands for all there are where connections are asked for; no connector is called so."""


class SignIn(StrEnum):
    """Whose credential a connection holds."""

    USER = "user"
    SERVICE_PRINCIPAL = "service_principal"
    CERTIFICATE = "certificate"
    SQL_LOGIN = "sql_login"
    WINDOWS = "windows"
    UNKNOWN = "unknown"

    @property
    def has_refresh_token(self) -> bool:
        """Only a person's sign-in leaves a refresh token, which idles and can be revoked."""
        return self is SignIn.USER

    @property
    def credential(self) -> str:
        """What kind of credential of an application it is; empty where it is no application's."""
        return {SignIn.SERVICE_PRINCIPAL: "secret", SignIn.CERTIFICATE: "certificate"}.get(self, "")


@dataclass(frozen=True, slots=True)
class Environment:
    """A Power Platform environment.

    Attributes:
        dataverse_url: scheme and host (and path prefix) of its Dataverse, None where it has none: then
            it has no solution flows and no connection references.
    """

    id: EnvironmentId
    display_name: str
    kind: str = ""
    is_default: bool = False
    region: str = ""
    dataverse_url: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault that the platform last recorded on a connection."""

    code: str
    message: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """One stored sign-in through a connector.

    Attributes:
        status: the last recorded state as the platform words it ("Connected", "Error"); not a live test.
        modified_at: last change of the object. A rename moves it, so it is never a witness alone.
        token_expires_at: expiry of the cached access token; None for passwords and never-authenticated ones.
        client_id: the application of a service principal connection, where the platform returns it.
        server: SQL server of a password connection, where the platform returns it.
    """

    id: ConnectionId
    environment: EnvironmentId
    connector: ConnectorId
    display_name: str
    sign_in: SignIn
    status: str
    fault: Fault | None = None
    owner: Owner | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    token_expires_at: datetime | None = None
    account_name: str | None = None
    client_id: str | None = None
    server: str | None = None
    database: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionReference:
    """A solution's pointer from flows to a connection; `connection` is None when it is unbound.

    Attributes:
        owned_by: None where nobody is told, or a team owns it.
    """

    id: ConnectionReferenceId
    environment: EnvironmentId
    logical_name: str
    display_name: str
    connector: ConnectorId
    connection: ConnectionId | None
    owned_by: Owner | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """One entry of a flow's connection map: through a reference, or directly on a connection.

    Attributes:
        key: how the definition names the entry; it says nothing by itself.
        reference: logical name of a ConnectionReference.
        is_invoker: whoever runs the flow brings the connection, so that the flow holds none.
    """

    key: str
    connector: ConnectorId
    reference: str | None = None
    connection: ConnectionId | None = None
    is_invoker: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """An automation.

    Attributes:
        is_suspended: switched off by the platform, most often by a data policy.
        bindings: which connections it uses; empty and not `is_readable` where the definition cannot be read.
        owner: of its row in Dataverse, an id there.
        owned_by: the same as people know it; None where nobody is told, or a team owns it.
        recurrence: how often it starts by itself, or looks into SQL Server whether to start; None where
            something else starts it.
        operations: what it does in SQL Server, without the text of its queries.
    """

    id: FlowId
    environment: EnvironmentId
    display_name: str
    is_on: bool
    is_suspended: bool = False
    bindings: tuple[Binding, ...] = ()
    is_readable: bool = True
    is_managed: bool = False
    owner: str | None = None
    modified_at: datetime | None = None
    recurrence: Recurrence | None = None
    operations: tuple[SqlOperation, ...] = ()
    owned_by: Owner | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """Logical names of the references whose connections it holds."""
        return tuple(bound.reference for bound in self.bindings if bound.reference and not bound.is_invoker)

    @property
    def connections(self) -> tuple[ConnectionId, ...]:
        """Connections that it holds directly."""
        return tuple(
            bound.connection
            for bound in self.bindings
            if bound.connection and not bound.reference and not bound.is_invoker
        )


@dataclass(frozen=True, slots=True)
class ListedFlow(Flow):
    """A flow as Power Automate's own list has it for an administrator who signed in, inside solutions or not.

    Of one that the reader is shown by Dataverse the definition is not read again, so that its bindings are empty.

    Attributes:
        has_row: whether it says to have a row in Dataverse; the id is then that of the row.
        name: by which that list calls it; "" where it is the id.
    """

    has_row: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of a flow, as its environment keeps it for 28 days. It tells nothing of single actions.

    Attributes:
        status: as the platform words it: Succeeded, Failed, Cancelled.
        code: of the run's error, empty where it succeeded; `message` likewise.
    """

    id: str
    flow: FlowId
    status: str
    started_at: datetime | None
    ended_at: datetime | None = None
    code: str = ""
    message: str = ""

    @property
    def succeeded(self) -> bool:
        """Both words are in use: the documents say Success, tools see Succeeded."""
        return self.status.casefold() in ("succeeded", "success")


@dataclass(frozen=True, slots=True)
class ActionFailure:
    """What an action of a run met with.

    Attributes:
        code: of the error, or the HTTP status that a connector answered.
        text: the error as told, a connector's whole answer in JSON where there is nothing better.
    """

    action: str
    code: str
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CanvasApp:
    """An app that people use. Which connections it uses is not told, only through which connectors."""

    id: str
    environment: EnvironmentId
    display_name: str
    owner: Owner | None
    connectors: frozenset[ConnectorId]
