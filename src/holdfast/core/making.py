"""What is made in a tenant, as it is asked for and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.core.inventory import ConnectionId, ConnectorId, EnvironmentId, FlowId
from holdfast.core.secret import Secret


class Share(NamedTuple):
    """A right on a connection.

    Attributes:
        principal: object id of the person, or of the application's identity in the tenant.
        kind: "User", "ServicePrincipal" or "Group".
        role: "CanView", "CanViewWithShare", "CanEdit" or "Owner".
    """

    principal: str
    kind: str
    role: str


@dataclass(frozen=True, slots=True)
class WantedConnection:
    """A connection as it should be.

    Attributes:
        id: chosen by us; the same id again changes the connection.
        sign_in: name of the parameter set: "oauthSP".
        values: its plain values; `secrets` are told to the connector and to nobody else, and so are `objects`,
            whose texts are JSON objects.
    """

    id: ConnectionId
    environment: EnvironmentId
    connector: ConnectorId
    display_name: str
    sign_in: str
    values: Mapping[str, str]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    objects: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeCertificate:
    """A certificate with its key.

    Attributes:
        public: the certificate alone, DER.
        kept: JSON with "pfx" (base64 of PKCS #12) and "password", as connections take it.
    """

    public: bytes
    kept: Secret


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A flow in a solution with its whole definition, which is kept nowhere.

    Attributes:
        owner: id of the owner among the users of the environment.
        clientdata: connection references and definition, as JSON in a string.
        modified_at: aware UTC; moves when name, definition or owner change.
    """

    id: FlowId
    environment: EnvironmentId
    display_name: str
    is_on: bool
    is_suspended: bool
    is_managed: bool
    owner: str | None
    clientdata: str
    modified_at: datetime | None


class AppPolicy(NamedTuple):
    """What the tenant forbids applications to sign in with.

    Attributes:
        allows_secrets: False where none may be added.
        longest_secret: None where their life is not limited; `longest_certificate` likewise.
        allows_self_signed: False where certificates must come from an authority that the tenant names.
    """

    allows_secrets: bool = True
    longest_secret: timedelta | None = None
    longest_certificate: timedelta | None = None
    allows_self_signed: bool = True
