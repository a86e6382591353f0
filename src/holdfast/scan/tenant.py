"""The scan of one tenant. Writes nothing to the cloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from holdfast.core.coverage import (
    ACCESS_POLICIES,
    ACCOUNTS,
    AUDITS,
    CANVAS_APPS,
    CONNECTIONS,
    DATA_POLICIES,
    ENVIRONMENTS,
    FLOWS,
    LISTED_FLOWS,
    PRINCIPALS,
    REFERENCES,
    SERVICE_PRINCIPALS,
    Outcome,
    ScanRecord,
    Sweep,
)
from holdfast.core.errors import CloudError
from holdfast.core.identity import ServicePrincipal
from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import (
    EVERY_CONNECTOR,
    SQL_CONNECTORS,
    CanvasApp,
    Connection,
    ConnectionId,
    ConnectionReference,
    ConnectorId,
    Environment,
    Flow,
    FlowId,
    ListedFlow,
)
from holdfast.core.policies import AccessPolicy
from holdfast.diagnosis.case import Use
from holdfast.diagnosis.known import NOTHING_COMES_ROUND, Recurrences
from holdfast.ports import Applications, Clock, Directory, FlowList, History, Platform, Runs, Thing
from holdfast.reading.accounts import Accounts
from holdfast.reading.changes import Changes
from holdfast.reading.masking import masked
from holdfast.scan.carried import carried, unseen_in
from holdfast.scan.dating import dated
from holdfast.scan.failing import RunLog
from holdfast.scan.judging import Bench, Read, TenantDirectory, Undated, judge_page
from holdfast.scan.listing import Listing
from holdfast.scan.owners import OwnerLog, newest
from holdfast.scan.ownership import Ownership
from holdfast.scan.part import CloudTime, Counts, Judge, Part, outcome_of, read_part
from holdfast.scan.shown import REACH, SignInLog

RESUMES_WITHIN: Final = timedelta(hours=12)
"""A scan that was broken off goes on where it stopped for so long; after that it would be too mixed a picture."""

T = TypeVar("T", bound=Thing)
Told = TypeVar("Told")

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
        resumed: whether it went on with a scan that had been broken off.
        dropped: observations older than what is to be kept.
    """

    tenant: str
    record: ScanRecord
    counts: Counts
    resumed: bool
    dropped: int = 0


async def scan(
    tenant: str,
    platform: Platform,
    directory: Directory,
    history: History,
    clock: Clock,
    read: Read,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    fresh: bool = False,
    connectors: Sequence[ConnectorId] = SQL_CONNECTORS,
    runs: Runs | None = None,
    keep: timedelta | None = None,
    recurrences: Recurrences = NOTHING_COMES_ROUND,
    flow_list: FlowList | None = None,
    applications: Applications | None = None,
) -> ScanReport:
    """Read environments, SQL connections, flows and applications into history, and judge every connection.

    What one environment refuses is recorded and does not stop the others.

    Args:
        runs: of flows as a person who owns them sees them; None for an application.
        connectors: whose connections to read; EVERY_CONNECTOR alone takes one call per environment.
        fresh: start over even if a scan was broken off a short while ago.
        keep: how far back history is to reach; older is dropped at the end. None keeps all.
        recurrences: of demands that no call of the cloud tells, from the settings.
        flow_list: every flow as an administrator who signed in sees it; None without such a person.
        applications: to be asked who owns those behind connections; None where nobody is to be asked.

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
        work = _Work(
            tenant, platform, directory, history, time, begun, before, read, progress, runs, recurrences
        )
        work.ownership = Ownership(applications)
        work.connectors = connectors
        work.listing = None if flow_list is None else Listing(flow_list)
        await history.observe(begun.id, time.now(), listed)
        await work.note_environments(listed, listing)
        await work.read_all(listed)
        await history.finish(begun.id, time.now(), time.skew)
        record = replace(begun, skew=time.skew, finished_at=time.now(), sweeps=tuple(work.sweeps.values()))
        dropped = 0 if keep is None else await history.prune(tenant, time.now() - keep)
        return ScanReport(tenant, record, work.counts, bool(begun.sweeps), dropped)


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
        before: ScanRecord | None,
        read: Read,
        progress: Callable[[Progress], None],
        runs: Runs | None = None,
        recurrences: Recurrences = NOTHING_COMES_ROUND,
    ) -> None:
        self.connectors: Sequence[ConnectorId] = SQL_CONNECTORS
        self.listing: Listing | None = None
        self.ownership = Ownership(None)
        self._people = runs
        self._recurrences = recurrences
        self._runs = RunLog(platform, runs, time, read)
        self._tenant = tenant
        self._platform = platform
        self._directory = directory
        self._history = history
        self._time = time
        self._begun = begun
        self._before = {(s.environment, s.part): s for s in before.sweeps} if before else {}
        self._read_text = read
        self._known = TenantDirectory()
        self._progress = progress
        self._undated: list[Undated] = []
        self.counts = Counts()
        # What could not be read is tried again on a resume.
        self.sweeps = {(s.environment, s.part): s for s in begun.sweeps if s.outcome.is_complete}

    async def note_environments(self, listed: Sequence[Environment], listing: Sweep) -> None:
        """Environments that a whole listing does not name are gone, with all that was in them."""
        self._note(listing)
        if listing.outcome is not Outcome.SCANNED:
            await self._history.conclude(self._begun.id, listing)
            return
        present = {environment.id for environment in listed}
        known = self._history.current(self._tenant, Environment)
        gone = [environment.id async for environment in known if environment.id not in present]
        for environment in gone:
            apps = Sweep(environment, CANVAS_APPS, Outcome.MISSING, listing.started_at, listing.ended_at)
            await self._history.conclude(self._begun.id, apps, CanvasApp)
            for connector in SQL_CONNECTORS:
                sweep = Sweep(
                    environment, _part_of(connector), Outcome.MISSING, listing.started_at, listing.ended_at
                )
                await self._history.conclude(self._begun.id, sweep, Connection)
        await self._history.conclude(self._begun.id, listing, Environment, present)

    async def read_all(self, listed: Sequence[Environment]) -> None:
        """The directory, by which connections are judged, and then every environment, some at a time."""
        self._known = await self._tenant_directory()
        waiting = iter(listed)
        done = 0

        async def reader() -> None:
            nonlocal done
            for environment in waiting:
                flows: Mapping[ConnectionId, tuple[Flow, ...]] = {}
                uses: Mapping[FlowId, Use] | None = None
                if environment.dataverse_url is not None or self._people or self.listing:
                    await self._flows(environment)
                    flows = await carried(self._history, self._tenant, environment.id)
                    if not all(self._is_read(_connections_of(environment, c)) for c in self.connectors):
                        uses = await self._uses(environment, flows)
                await self._canvas_apps(environment)
                for connector in self.connectors:
                    await self._connections(environment, connector, flows, uses)
                done += 1
                self._progress(Progress(done, len(listed), self.counts.seen))

        self._progress(Progress(0, len(listed), 0))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(reader())
        except BaseExceptionGroup as failures:
            # The first to fail stopped the others; it is what went wrong.
            raise failures.exceptions[0] from failures
        await self._date_by_sign_ins(listed)
        apps = self._known.apps or {}
        owned = await self.ownership.of_applications(apps.values(), self._known.principals)
        await self._history.observe(self._begun.id, self._time.now(), owned)
        for log in (self._known.log, self._known.owners):
            asked = log.sweep() if log else None
            if asked is not None:
                await self._history.conclude(self._begun.id, asked)
                self._note(asked)

    async def _date_by_sign_ins(self, listed: Sequence[Environment]) -> None:
        """What nothing else dates, by the logs of its owners, if every connection was seen."""
        log, accounts = self._known.owners, self._known.accounts
        parts = (_connections_of(each, connector) for each in listed for connector in self.connectors)
        listing = self.sweeps.get(("", ENVIRONMENTS))
        seen_all = (
            listing is not None
            and not listing.is_gap
            and all(
                self._is_read(part) and not self.sweeps[part.environment, part.name].is_gap for part in parts
            )
        )
        if log is None or accounts is None or not self._undated or not seen_all:
            return
        if not set(SQL_CONNECTORS) <= set(self.connectors) and EVERY_CONNECTOR not in self.connectors:
            return
        found = [each async for each in dated(self._history, self._tenant, log, accounts, self._undated)]
        await self._history.observe(self._begun.id, self._time.now(), found)

    async def _connections(
        self,
        environment: Environment,
        connector: ConnectorId,
        flows: Mapping[ConnectionId, tuple[Flow, ...]],
        uses: Mapping[FlowId, Use] | None,
    ) -> None:
        part = _connections_of(environment, connector)
        if self._is_read(part):
            return
        bench = Bench(
            self._read_text,
            self._known,
            self._before.get((part.environment, part.name)),
            self._time.now(),
            flows,
            self._is_whole(environment.id, LISTED_FLOWS)
            or all(self._is_whole(environment.id, each) for each in (FLOWS, REFERENCES)),
            uses,
            unseen_in(self._known.kit, environment, flows),
            await self._naming(environment, connector),
            self._undated,
            self._is_whole(environment.id, LISTED_FLOWS),
        )

        async def judged(page: Sequence[Connection], at: datetime) -> Sequence[Thing]:
            return await judge_page(self._history, self._tenant, bench, page, at)

        source = self.ownership.connections(self._platform.connections(environment, connector))
        # In two steps: others add to the sum while this one waits.
        counts = await self._read(part, _kept(source), lambda c: f"{c.connector}/{c.id}", judged)
        self.counts += counts

    async def _uses(
        self, environment: Environment, flows: Mapping[ConnectionId, tuple[Flow, ...]]
    ) -> Mapping[FlowId, Use] | None:
        """Runs that failed last, of the flows that hold a SQL connection; None where that cannot be told."""
        # Nobody but its owner is told the runs of a flow that the reader is not shown.
        held = {flow.id: flow for each in flows.values() for flow in each if not isinstance(flow, ListedFlow)}
        if not held:
            return None
        uses, sweep = await self._runs.failing(environment, held)
        await self._history.conclude(self._begun.id, sweep)
        self._note(sweep)
        return uses

    async def _flows(self, environment: Environment) -> None:
        """The flows in solutions, after the references that they go through; a maker's own where those are out of sight."""
        references = Part(environment.id, REFERENCES, ConnectionReference)
        if not self._is_read(references):
            pointers = self.ownership.owned(self._platform.references(environment))
            await self._read(references, pointers, lambda reference: reference.id)
        flows = Part(environment.id, FLOWS, Flow)
        if not self._is_read(flows):
            source = self._platform.flows(environment)
            if environment.dataverse_url is None and self._people is not None:
                source = self._people.own(environment)
            await self._read(flows, self.ownership.owned(source), lambda flow: flow.id)
        await self._listed_flows(environment)

    async def _listed_flows(self, environment: Environment) -> None:
        """Every flow by a person's list, if there is one; what an earlier one told is dropped if there is none now."""
        part = Part(environment.id, LISTED_FLOWS, ListedFlow)
        if self._is_read(part):
            return
        history, tenant = self._history, self._tenant
        if self.listing is not None:
            shown = {
                flow.id async for flow in history.current(tenant, Flow, environment.id) if flow.is_readable
            }
            known = {flow.id: flow async for flow in history.current(tenant, ListedFlow, environment.id)}
            source = self.ownership.owned(self.listing.of(environment, shown, known))
            await self._read(part, source, lambda flow: flow.id)
        elif (environment.id, LISTED_FLOWS) in self._before:
            now = self._time.now()
            over = Sweep(environment.id, LISTED_FLOWS, Outcome.MISSING, now, now)
            await history.conclude(self._begun.id, over, ListedFlow)

    async def _canvas_apps(self, environment: Environment) -> None:
        """Those that name a connector whose connections are read; the rest have nothing to do with any."""
        part = Part(environment.id, CANVAS_APPS, CanvasApp)
        if not self._is_read(part):
            await self._read(part, self._with_connector(environment), lambda app: app.id)

    async def _naming(self, environment: Environment, connector: ConnectorId) -> tuple[str, ...] | None:
        """Names of the canvas apps that name the connector; None where not all apps were read."""
        sweep = self.sweeps.get((environment.id, CANVAS_APPS))
        if sweep is None or sweep.outcome is not Outcome.SCANNED:
            return None
        apps = self._history.current(self._tenant, CanvasApp, environment.id) if sweep.counted else _none()
        wanted = {connector} if connector != EVERY_CONNECTOR else {*SQL_CONNECTORS}
        return tuple([app.display_name async for app in apps if app.connectors & wanted])

    async def _with_connector(self, environment: Environment) -> AsyncIterator[CanvasApp]:
        wanted = frozenset(self.connectors)
        async for app in self._platform.canvas_apps(environment):
            if EVERY_CONNECTOR in wanted or app.connectors & wanted:
                yield app

    async def _tenant_directory(self) -> TenantDirectory:
        """Applications and policies into history; accounts only to judge by, since most of them own nothing."""
        apps, policies = (
            Part("", SERVICE_PRINCIPALS, ServicePrincipal),
            Part("", ACCESS_POLICIES, AccessPolicy),
        )
        known = {app.client_id: app async for app in self._history.current(self._tenant, ServicePrincipal)}
        if not self._is_read(apps):
            source = self.ownership.applications(self._directory.service_principals(), known)
            await self._read(apps, source, lambda a: a.object_id)
        if not self._is_read(policies):
            await self._read(policies, self._directory.access_policies(), lambda policy: policy.id)
        accounts = await self._told(ACCOUNTS, self._directory.accounts())
        self.ownership.accounts = Accounts.of(accounts) if accounts is not None else None
        principals = await self._told(PRINCIPALS, self._directory.principals())
        since = self._time.now() - REACH
        changes = await self._told(AUDITS, newest(self._directory.changes(since)))
        data_policies = await self._told(DATA_POLICIES, self._platform.data_policies())
        history, tenant = self._history, self._tenant
        there = None
        if self._is_whole("", SERVICE_PRINCIPALS):
            there = {app.client_id: app async for app in history.current(tenant, ServicePrincipal)}
        return TenantDirectory(
            there,
            self.ownership.accounts,
            tuple([policy async for policy in history.current(tenant, AccessPolicy)])
            if self._is_whole("", ACCESS_POLICIES)
            else None,
            SignInLog(self._directory, self._time),
            None if principals is None else {one.client_id: one for one in principals},
            None if changes is None else Changes.of(changes, since),
            None if data_policies is None else tuple(data_policies),
            OwnerLog(self._directory, self._time),
            {term.connection: term async for term in history.current(tenant, PasswordTerm)},
            tuple([flow async for flow in history.current(tenant, KitFlow)]) or None,
            self._recurrences,
            {} if there is None else {client: app for client, app in known.items() if client not in there},
        )

    async def _told(self, part: str, source: AsyncIterator[Told]) -> list[Told] | None:
        """All of a list that is only judged by, None if not all of it could be read."""
        started, found = self._time.now(), []
        outcome, detail = Outcome.SCANNED, ""
        try:
            async for each in source:
                found.append(each)
        except CloudError as error:
            outcome, detail = outcome_of(error, saw_some=False), str(error)
        sweep = Sweep("", part, outcome, started, self._time.now(), len(found), detail)
        await self._history.conclude(self._begun.id, sweep)
        self._note(sweep)
        return found if outcome is Outcome.SCANNED else None

    def _is_read(self, part: Part) -> bool:
        return (part.environment, part.name) in self.sweeps

    def _is_whole(self, environment: str, part: str) -> bool:
        sweep = self.sweeps.get((environment, part))
        return sweep is not None and sweep.outcome is Outcome.SCANNED

    def _note(self, sweep: Sweep) -> None:
        self.sweeps[(sweep.environment, sweep.part)] = sweep

    async def _read(
        self,
        part: Part,
        source: AsyncIterator[T],
        key_of: Callable[[T], str],
        judge: Judge[T] | None = None,
    ) -> Counts:
        sweep, counts = await read_part(
            part, source, key_of, self._history, self._begun.id, self._time, judge
        )
        self._note(sweep)
        return counts


def _connections_of(environment: Environment, connector: ConnectorId) -> Part:
    under = "" if connector == EVERY_CONNECTOR else f"{connector}/"
    return Part(environment.id, _part_of(connector), Connection, under)


def _part_of(connector: ConnectorId) -> str:
    return f"{CONNECTIONS}:{connector}"


async def _none() -> AsyncIterator[CanvasApp]:
    return
    yield


async def _kept(source: AsyncIterator[Connection]) -> AsyncIterator[Connection]:
    """As they may be kept: with quoted values in error texts masked."""
    async for connection in source:
        fault = connection.fault
        if fault is None:
            yield connection
        else:
            yield replace(connection, fault=replace(fault, message=masked(fault.message)))
