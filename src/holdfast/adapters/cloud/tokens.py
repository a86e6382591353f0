"""Access tokens of one identity, kept while they are good."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx2

from holdfast.adapters.cloud.application import ApplicationSource
from holdfast.adapters.cloud.azure_cli import AzureCliSource
from holdfast.adapters.cloud.credentials import AnyCredential, AzureCli, Credential, MachineIdentity
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.hosts import HostTable
from holdfast.adapters.cloud.machine import MachineSource
from holdfast.adapters.cloud.patience import patiently
from holdfast.adapters.cloud.person import PersonSource
from holdfast.adapters.cloud.sources import Source
from holdfast.adapters.cloud.transport import Traffic
from holdfast.ports import Clock
from holdfast.wire.ledger import TOKEN, HostKind

__all__ = ["Credential", "MsalTokens"]

# A token is renewed this long before it ends, so that none ends under way.
MARGIN: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    good_until: datetime


class MsalTokens:
    """Tokens of one identity in one tenant."""

    def __init__(
        self,
        hosts: HostTable,
        tenant: str,
        credential: AnyCredential,
        clock: Clock,
        traffic: Traffic,
        *,
        ca_file: Path | None = None,
        wire: httpx2.BaseTransport | None = None,
    ) -> None:
        """Signs in on the first call of `token`.

        Args:
            tenant: id or domain.
            wire: where requests go instead of the network, for tests.
        """
        self._clock = clock
        self._traffic = traffic
        self._door = EntraDoor(hosts, clock, ca_file, wire)
        authority = f"{hosts.bases[HostKind.AUTHORITY]}/{tenant}"
        self._source = source_of(authority, tenant, credential, self._door, clock, wire)
        self._held: dict[str, _Held] = {}
        self._turn = asyncio.Lock()

    async def token(self, scope: str) -> str:
        """An access token for `scope`.

        Raises:
            CloudError: Entra gave none.
            SettingsError: the credential cannot be used.
        """
        async with self._turn:  # one at a time: those who wait find the token there
            held = self._held.get(scope)
            if held is None or held.good_until <= self._clock.now():
                held = self._held[scope] = await self._renewed(scope)
            return held.token

    async def _renewed(self, scope: str) -> _Held:
        try:
            grant = await patiently(
                TOKEN, lambda: asyncio.to_thread(self._source.acquire, scope), self._repeating
            )
        finally:
            self._traffic.requests += self._door.sent
            self._door.sent = 0
        good_for = max(timedelta(seconds=grant.seconds) - MARGIN, timedelta())
        return _Held(grant.token, self._clock.now() + good_for)

    def forget(self, scope: str, token: str) -> None:
        """Ask anew next time, also for the secret: it may have been renewed."""
        held = self._held.get(scope)
        if held is not None and held.token == token:
            del self._held[scope]
            self._source.renew()

    def close(self) -> None:
        """Close every connection."""
        self._door.close()
        if isinstance(self._source, MachineSource):
            self._source.close()

    def _repeating(self, waited: float) -> None:
        self._traffic.retries += 1
        self._traffic.waited += waited


def source_of(
    authority: str,
    tenant: str,
    credential: AnyCredential,
    door: EntraDoor,
    clock: Clock,
    wire: httpx2.BaseTransport | None,
) -> Source:
    """Where tokens come from, by the kind of credential.

    Args:
        authority: the sign-in host and the tenant.
        wire: where requests of the machine's identity go instead of the network, for tests.
    """
    match credential:
        case Credential():
            return ApplicationSource(authority, credential, door)
        case MachineIdentity():
            return MachineSource(credential, wire)
        case AzureCli():
            return AzureCliSource(tenant, clock)
    return PersonSource(authority, credential, door)
