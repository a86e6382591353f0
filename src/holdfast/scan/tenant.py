"""The scan of one tenant. Writes nothing to the cloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, NamedTuple, TypeVar

from holdfast.core.coverage import (
    CONNECTIONS,
    ENVIRONMENTS,
    FLOWS,
    REFERENCES,
    SERVICE_PRINCIPALS,
    Outcome,
    ScanRecord,
    Sweep,
)
from holdfast.core.errors import CloudError, HoldfastError
from holdfast.core.identity import ServicePrincipal
from holdfast.core.inventory import (
    SQL_CONNECTORS,
    Connection,
    ConnectionReference,
    ConnectorId,
    Environment,
    Flow,
)
from holdfast.ports import Clock, Directory, History, Platform, Thing
from holdfast.reading.masking import masked
from holdfast.scan.judging import Diagnose, judge_all
from holdfast.scan.part import CloudTime, Counts, Part, read_part

RESUMES_WITHIN: Final = timedelta(hours=12)
"""A scan that was broken off goes on where it stopped for so long; after that it would be too mixed a picture."""

T = TypeVar("T", bound=Thing)

AT_ONCE: Final = 8
"""Environments read at the same time; the transport's limiters set the pace."""


class Progress(NamedTuple):
    """How far a scan is: environments read, of how many, and the connections seen in them."""

    environments: int
    of: int
    connections: int


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan did.

    Attributes:
        record: with the outcome of every part, the resumed ones included.
        counts: of connections: seen, new or changed, gone; without the parts that were read before a resume.
        judged: how many judgements were new.
        resumed: whether it went on with a scan that had been broken off.
    """

    tenant: str
    record: ScanRecord
    counts: Counts
    judged: int
    resumed: bool


async def scan(
    tenant: str,
    platform: Platform,
    directory: Directory,
    history: History,
    clock: Clock,
    diagnose: Diagnose,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    fresh: bool = False,
) -> ScanReport:
    """Read environments, SQL connections, flows and applications into history, and judge every connection.

    What one environment refuses is recorded and does not stop the others.

    Args:
        fresh: start over even if a scan was broken off a short while ago.

    Raises:
        CloudError: the environments could not be listed at all.
        StoreError: history could not be written, or somebody else scans the tenant.
    """
    async with history.scanning(tenant):
        time = CloudTime(clock, platform)
        listed, listing = await _environments(platform, time)
        before = await history.last_scan(tenant)
        resume_since = time.now() if fresh else time.now() - RESUMES_WITHIN
        begun = await history.begin(tenant, time.now(), resume_since)
        work = _Work(tenant, platform, directory, history, time, begun, progress)
        await history.observe(begun.id, time.now(), listed)
        await work.note_environments(listed, listing)
        await work.read_all(listed)
        record = replace(begun, skew=time.skew, sweeps=tuple(work.sweeps))
        judged = await judge_all(tenant, history, diagnose, record, before, time)
        await history.finish(begun.id, time.now(), time.skew)
        return ScanReport(
            tenant, replace(record, finished_at=time.now()), work.counts, judged, bool(begun.sweeps)
        )


async def _environments(platform: Platform, time: CloudTime) -> tuple[list[Environment], Sweep]:
    started = time.clock.now()
    listed: list[Environment] = []
    outcome, detail = Outcome.SCANNED, ""
    try:
        async for environment in platform.environments():
            listed.append(environment)
    except CloudError as error:
        if not listed:
            raise
        outcome, detail = Outcome.PARTIAL, str(error)
    time.measure()
    return listed, Sweep("", ENVIRONMENTS, outcome, started + time.skew, time.now(), len(listed), detail)


class _Work:
    """One running scan: what is left to read, and what came of the rest."""

    def __init__(
        self,
        tenant: str,
        platform: Platform,
        directory: Directory,
        history: History,
        time: CloudTime,
        begun: ScanRecord,
        progress: Callable[[Progress], None],
    ) -> None:
        self._tenant = tenant
        self._platform = platform
        self._directory = directory
        self._history = history
        self._time = time
        self._begun = begun
        self._progress = progress
        self.counts = Counts()
        # What could not be read is tried again on a resume.
        self.sweeps = [sweep for sweep in begun.sweeps if sweep.outcome.is_complete]

    async def note_environments(self, listed: Sequence[Environment], listing: Sweep) -> None:
        """Environments that a whole listing does not name are gone, with all that was in them."""
        self.sweeps = [s for s in self.sweeps if s.part != ENVIRONMENTS]
        self.sweeps.append(listing)
        if listing.outcome is not Outcome.SCANNED:
            await self._history.conclude(self._begun.id, listing)
            return
        present = {environment.id for environment in listed}
        known = self._history.current(self._tenant, Environment)
        gone = [environment.id async for environment in known if environment.id not in present]
        for environment in gone:
            for connector in SQL_CONNECTORS:
                sweep = Sweep(
                    environment, _part_of(connector), Outcome.MISSING, listing.started_at, listing.ended_at
                )
                await self._history.conclude(self._begun.id, sweep, Connection)
        await self._history.conclude(self._begun.id, listing, Environment, present)

    async def read_all(self, listed: Sequence[Environment]) -> None:
        """Every environment's connections, some at a time, and the directory meanwhile."""
        waiting = iter(listed)
        done = 0

        async def reader() -> None:
            nonlocal done
            for environment in waiting:
                for connector in SQL_CONNECTORS:
                    await self._connections(environment, connector)
                if environment.dataverse_url is not None:
                    await self._flows(environment)
                done += 1
                self._progress(Progress(done, len(listed), self.counts.seen))

        self._progress(Progress(0, len(listed), 0))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._service_principals())
                for _ in range(AT_ONCE):
                    group.create_task(reader())
        except* HoldfastError as failures:
            raise failures.exceptions[0] from None

    async def _connections(self, environment: Environment, connector: ConnectorId) -> None:
        part = Part(environment.id, _part_of(connector), Connection, f"{connector}/")
        if self._is_read(part):
            return
        source = self._platform.connections(environment, connector)
        sweep, counts = await self._read(part, _kept(source), lambda c: f"{c.connector}/{c.id}")
        self.sweeps.append(sweep)
        self.counts += counts

    async def _flows(self, environment: Environment) -> None:
        """The flows in solutions, after the references that they go through."""
        references = Part(environment.id, REFERENCES, ConnectionReference)
        if not self._is_read(references):
            source = self._platform.references(environment)
            sweep, _ = await self._read(references, source, lambda reference: reference.id)
            self.sweeps.append(sweep)
        flows = Part(environment.id, FLOWS, Flow)
        if not self._is_read(flows):
            sweep, _ = await self._read(flows, self._platform.flows(environment), lambda flow: flow.id)
            self.sweeps.append(sweep)

    async def _service_principals(self) -> None:
        part = Part("", SERVICE_PRINCIPALS, ServicePrincipal)
        if not self._is_read(part):
            sweep, _ = await self._read(part, self._directory.service_principals(), lambda a: a.object_id)
            self.sweeps.append(sweep)

    def _is_read(self, part: Part) -> bool:
        return any((s.environment, s.part) == (part.environment, part.name) for s in self.sweeps)

    async def _read(
        self, part: Part, source: AsyncIterator[T], key_of: Callable[[T], str]
    ) -> tuple[Sweep, Counts]:
        return await read_part(part, source, key_of, self._history, self._begun.id, self._time)


def _part_of(connector: ConnectorId) -> str:
    return f"{CONNECTIONS}:{connector}"


async def _kept(source: AsyncIterator[Connection]) -> AsyncIterator[Connection]:
    """As they may be kept: with quoted values in error texts masked."""
    async for connection in source:
        fault = connection.fault
        if fault is None:
            yield connection
        else:
            yield replace(connection, fault=replace(fault, message=masked(fault.message)))
