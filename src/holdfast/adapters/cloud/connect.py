"""One identity's way into one tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from holdfast.adapters.cloud.credentials import AnyCredential, AzureCli, Person
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.graph import GraphDirectory
from holdfast.adapters.cloud.hosts import HostTable, host_table
from holdfast.adapters.cloud.operator import CloudOperator
from holdfast.adapters.cloud.person import PersonSource
from holdfast.adapters.cloud.person_flows import PersonFlows
from holdfast.adapters.cloud.powerplatform import CloudPlatform, MakerPlatform
from holdfast.adapters.cloud.probes import probe
from holdfast.adapters.cloud.registry import GraphRegistry
from holdfast.adapters.cloud.tokens import MsalTokens
from holdfast.adapters.cloud.transport import Traffic, Transport
from holdfast.core.identity import Cloud, Role
from holdfast.core.probe import Probe
from holdfast.ports import Clock
from holdfast.wire.ledger import Audience, HostKind


@dataclass(frozen=True, slots=True)
class Access:
    """What one identity reaches in one tenant. Belongs to the event loop that first used it.

    Attributes:
        flows: for people only.
        is_person: somebody signed in, rather than an application.
    """

    hosts: HostTable
    platform: CloudPlatform
    directory: GraphDirectory
    flows: PersonFlows
    operator: CloudOperator
    registry: GraphRegistry
    traffic: Traffic
    transport: Transport
    tokens: MsalTokens
    is_person: bool

    @property
    def own(self) -> MakerPlatform | None:
        """The same for a maker, who can sign in for the own connections."""
        return self.platform if isinstance(self.platform, MakerPlatform) else None

    def probe(self, role: Role) -> AsyncIterator[Probe]:
        """Which calls of the ledger this identity may make in that role; writes nothing."""
        as_maker = isinstance(self.platform, MakerPlatform) and role is Role.READER
        return probe(self.transport, role, as_maker=as_maker, is_person=self.is_person)

    async def close(self) -> None:
        """Close every connection."""
        await self.transport.close()
        self.tokens.close()


def connect(
    tenant: str,
    credential: AnyCredential,
    clock: Clock,
    *,
    cloud: Cloud = Cloud.PUBLIC,
    hosts: Mapping[str, str] | None = None,
    dataverse: Iterable[str] = (),
    allow_custom_hosts: bool = False,
    ca_file: Path | None = None,
    wire: httpx2.AsyncBaseTransport | None = None,
    sign_in_wire: httpx2.BaseTransport | None = None,
    own_only: bool = False,
    traffic: Traffic | None = None,
) -> Access:
    """The way in; asks the cloud nothing yet.

    Args:
        tenant: id or domain.
        hosts: base URLs that replace the cloud's own, by kind; `dataverse` those of organisations.
        ca_file: certificates to believe instead of the operating system's.
        wire: where requests go instead of the network, for tests; `sign_in_wire` those for tokens.
        own_only: see what a maker sees, instead of what an administrator does.
        traffic: counts together with another way in, and spends the same budget.

    Raises:
        SettingsError: a host that is not allowed, or a certificate file that cannot be read.
    """
    table = host_table(cloud, hosts or {}, dataverse, allow_custom_hosts=allow_custom_hosts)
    traffic = Traffic() if traffic is None else traffic
    tokens = MsalTokens(table, tenant, credential, clock, traffic, ca_file=ca_file, wire=sign_in_wire)
    transport = Transport(table, tokens, clock, traffic, ca_file=ca_file, wire=wire)
    return Access(
        hosts=table,
        platform=MakerPlatform(transport) if own_only else CloudPlatform(transport),
        directory=GraphDirectory(transport),
        flows=PersonFlows(transport),
        operator=CloudOperator(transport),
        registry=GraphRegistry(transport),
        traffic=traffic,
        transport=transport,
        tokens=tokens,
        is_person=isinstance(credential, Person | AzureCli),
    )


@contextmanager
def person_at(
    tenant: str,
    person: Person,
    clock: Clock,
    *,
    cloud: Cloud = Cloud.PUBLIC,
    hosts: Mapping[str, str] | None = None,
    dataverse: Iterable[str] = (),
    allow_custom_hosts: bool = False,
    ca_file: Path | None = None,
    wire: httpx2.BaseTransport | None = None,
) -> Iterator[tuple[PersonSource, list[str]]]:
    """Where a person signs in, and the scopes to sign in for. Arguments as for `connect`.

    One sign-in serves every API that the public client has consent for; its first token is for Power Platform.

    Raises:
        SettingsError: as `connect`.
    """
    table = host_table(cloud, hosts or {}, dataverse, allow_custom_hosts=allow_custom_hosts)
    door = EntraDoor(table, clock, ca_file, wire)
    try:
        source = PersonSource(f"{table.bases[HostKind.AUTHORITY]}/{tenant}", person, door)
        yield source, [table.scopes[Audience.POWERAPPS]]
    finally:
        door.close()
