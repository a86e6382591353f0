"""The directory over Microsoft Graph, in our words."""

from __future__ import annotations

from collections.abc import AsyncIterator

from holdfast.adapters.cloud.powerplatform import count_strangers
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.wire import graph
from holdfast.wire.ledger import APPLICATIONS
from holdfast.wire.shape import instant


class GraphDirectory:
    """`ports.Directory` over Graph."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def service_principals(self) -> AsyncIterator[ServicePrincipal]:
        """Every application registered in the tenant, with all its credentials."""
        async for told in self._transport.items(APPLICATIONS, graph.Application):
            count_strangers(self._transport.traffic.strangers, "application", told)
            yield application(told)


def application(told: graph.Application) -> ServicePrincipal:
    """An application in our words; `object_id` is that of its registration."""
    secrets = [_credential(part, "secret") for part in told.password_credentials or ()]
    certificates = [_credential(part, "certificate") for part in told.key_credentials or ()]
    return ServicePrincipal(
        client_id=told.app_id,
        object_id=told.id,
        display_name=told.display_name or told.app_id,
        secrets=(*secrets, *certificates),
    )


def _credential(told: graph.PasswordCredential | graph.KeyCredential, kind: str) -> ClientSecret:
    return ClientSecret(
        key_id=told.key_id,
        display_name=told.display_name or "",
        kind=kind,
        starts_at=instant(told.start_date_time),
        expires_at=instant(told.end_date_time),
    )
