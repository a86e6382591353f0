"""Connections that holdfast makes, shares, lends and proves, over the Power Apps API and the connectors' own host."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from pydantic import SecretStr

from holdfast.adapters.cloud.powerplatform import connection as connection_in_our_words
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.errors import MissingError
from holdfast.core.inventory import (
    Connection,
    ConnectionId,
    ConnectorId,
    EnvironmentId,
)
from holdfast.core.making import Share, WantedConnection
from holdfast.wire import powerplatform
from holdfast.wire.ledger import OWN_CONNECTION, OWN_CONNECTIONS
from holdfast.wire.making.connections import (
    CONNECTION_SHARES,
    CONNECTOR,
    DELETE_CONNECTION,
    LEND_CONNECTION,
    PROOF_QUERY,
    PUT_CONNECTION,
    SHARE_CONNECTION,
)

_CONNECTORS = "/providers/Microsoft.PowerApps/apis"
_ENVIRONMENTS = "/providers/Microsoft.PowerApps/environments"


class MadeConnections:
    """The part of `ports.Operator` that is about connections."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def connection(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
    ) -> Connection:
        """See the port."""
        at = _at(environment, connector, connection)
        told = await self._transport.read(OWN_CONNECTION, powerplatform.Connection, at=at)
        return connection_in_our_words(told, environment)

    async def own_connections(
        self, environment: EnvironmentId, connector: ConnectorId
    ) -> AsyncIterator[Connection]:
        """See the port."""
        at = {"environment": environment}
        async for told in self._transport.items(OWN_CONNECTIONS, powerplatform.Connection, at=at):
            found = connection_in_our_words(told, environment)
            if found.connector == connector:
                yield found

    async def put_connection(self, wanted: WantedConnection) -> Connection:
        """See the port."""
        values: dict[str, powerplatform.AnyValue] = {
            key: powerplatform.ParameterValue(value=value) for key, value in wanted.values.items()
        }
        for key, secret in wanted.secrets.items():
            values[key] = powerplatform.HiddenValue(value=SecretStr(secret.reveal()))
        for key, secret in wanted.objects.items():
            values[key] = powerplatform.HiddenObject(
                value=powerplatform.SentCertificate(**json.loads(secret.reveal()))
            )
        properties = powerplatform.WantedProperties(
            display_name=wanted.display_name,
            environment=powerplatform.EnvironmentPointer(
                id=f"{_ENVIRONMENTS}/{wanted.environment}", name=wanted.environment
            ),
            connection_parameters_set=powerplatform.WantedSet(name=wanted.sign_in, values=values),
        )
        told = await self._transport.read(
            PUT_CONNECTION,
            powerplatform.Connection,
            at=_at(wanted.environment, wanted.connector, wanted.id),
            body=powerplatform.WantedConnection(properties=properties),
        )
        return connection_in_our_words(told, wanted.environment)

    async def delete_connection(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
    ) -> None:
        """See the port."""
        with suppress(MissingError):
            await self._transport.do(DELETE_CONNECTION, at=_at(environment, connector, connection))

    async def shares(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
    ) -> tuple[Share, ...]:
        """See the port."""
        at = _at(environment, connector, connection)
        return tuple(
            [
                Share(who.id, who.type or "User", told.properties.role_name or "")
                async for told in self._transport.items(CONNECTION_SHARES, powerplatform.Permission, at=at)
                if (who := told.properties.principal) is not None and who.id
            ]
        )

    async def share(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, share: Share
    ) -> None:
        """See the port."""
        at = _at(environment, connector, connection)
        await self._transport.do(SHARE_CONNECTION, at=at, body=_granting(share))

    async def unshare(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, principal: str
    ) -> None:
        """See the port."""
        at = _at(environment, connector, connection)
        with suppress(MissingError):
            await self._transport.do(SHARE_CONNECTION, at=at, body=_revoking(at, principal))

    async def lend(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, principal: str
    ) -> None:
        """See the port."""
        share = Share(principal, "ServicePrincipal", "CanView")
        at = _at(environment, connector, connection)
        await self._transport.do(LEND_CONNECTION, at=at, body=_granting(share))

    async def take_back(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, principal: str
    ) -> None:
        """See the port."""
        at = _at(environment, connector, connection)
        with suppress(MissingError):
            await self._transport.do(LEND_CONNECTION, at=at, body=_revoking(at, principal))

    async def sign_ins(
        self, environment: EnvironmentId, connector: ConnectorId
    ) -> Mapping[str, frozenset[str]]:
        """See the port."""
        at = {"environment": environment, "connector": connector}
        told = await self._transport.read(CONNECTOR, powerplatform.Connector, at=at)
        sets = told.properties.connection_parameter_sets
        return {one.name: frozenset(one.parameters or ()) for one in (sets.values if sets else None) or ()}

    async def query(self, connection: Connection, server: str, database: str, sql: str) -> None:
        """See the port."""
        at = {
            # The connector's name on its own host: shared_sql is /apim/sql (recorded for other connectors).
            "connector": connection.connector.removeprefix("shared_"),
            "connection": connection.id,
            "server": server,
            "database": database,
        }
        await self._transport.do(PROOF_QUERY, at=at, body=powerplatform.Query(query=sql))


def _at(environment: str, connector: str, connection: str) -> dict[str, str]:
    return {"environment": environment, "connector": connector, "connection": connection}


def _granting(share: Share) -> powerplatform.PermissionChanges:
    wanted = powerplatform.WantedShareProperties(
        role_name=share.role,
        capabilities=(),
        principal=powerplatform.WantedPrincipal(id=share.principal, type=share.kind, tenant_id=None),
        notify_share_target_option="DoNotNotify",
    )
    return powerplatform.PermissionChanges(put=(powerplatform.WantedShare(properties=wanted),), delete=())


def _revoking(at: Mapping[str, str], principal: str) -> powerplatform.PermissionChanges:
    pointer = f"{_CONNECTORS}/{at['connector']}/connections/{at['connection']}/permissions/{principal}"
    return powerplatform.PermissionChanges(put=(), delete=(powerplatform.PermissionPointer(id=pointer),))
