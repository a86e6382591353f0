"""Environments, connectors, connections, connection references and flows, and who points at whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from holdfast.core.identity import Owner

EnvironmentId = NewType("EnvironmentId", str)
ConnectionId = NewType("ConnectionId", str)
ConnectorId = NewType("ConnectorId", str)
FlowId = NewType("FlowId", str)
ConnectionReferenceId = NewType("ConnectionReferenceId", str)

SQL_CONNECTORS = (ConnectorId("shared_sql"), ConnectorId("shared_sqldw"))


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
    """A solution's pointer from flows to a connection; `connection` is None when it is unbound."""

    id: ConnectionReferenceId
    environment: EnvironmentId
    logical_name: str
    display_name: str
    connector: ConnectorId
    connection: ConnectionId | None


@dataclass(frozen=True, slots=True)
class Flow:
    """An automation. `references` are logical names, `connections` are ids that it names directly."""

    id: FlowId
    environment: EnvironmentId
    display_name: str
    is_on: bool
    references: tuple[str, ...] = ()
    connections: tuple[ConnectionId, ...] = ()
