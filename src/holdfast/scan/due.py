"""The scan as recurring work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final, Protocol

from holdfast.core.agenda import Cadence, Job, Performed, whole_tenant
from holdfast.diagnosis.known import Recurrences
from holdfast.ports import Applications, Clock, Directory, FlowList, History, Platform, Runs
from holdfast.scan.judging import Read
from holdfast.scan.tenant import ScanReport, scan

SPREAD: Final = 8
"""A scan may come earlier by this part of its cadence, so that a provider's tenants do not all come at once."""


class Way(Protocol):
    """What a scan reaches in a tenant."""

    @property
    def platform(self) -> Platform:
        """Power Platform, as the reader sees it."""
        ...

    @property
    def directory(self) -> Directory:
        """Entra, as the reader sees it."""
        ...

    @property
    def runs(self) -> Runs | None:
        """Flows of a person who is the reader."""
        ...

    @property
    def flow_list(self) -> FlowList | None:
        """Every flow, as a person sees it."""
        ...

    @property
    def applications(self) -> Applications:
        """Applications, as the reader sees them."""
        ...

    @property
    def recurrences(self) -> Recurrences:
        """What comes round for sign-ins, from the settings."""
        ...


def scanning(
    reached: Callable[[str], AbstractAsyncContextManager[Way]],
    history: History,
    clock: Clock,
    read: Read,
    every: timedelta,
    keep: timedelta | None = None,
) -> Job:
    """The job that keeps the picture of every tenant young.

    Args:
        reached: opens the way into a tenant, as the reader.
        keep: how far back history is to reach; None keeps all.
    """

    async def perform(tenant: str, _subjects: Sequence[str]) -> Performed:
        async with reached(tenant) as way:
            report = await scan(
                tenant,
                way.platform,
                way.directory,
                history,
                clock,
                read,
                keep=keep,
                runs=way.runs,
                recurrences=way.recurrences,
                flow_list=way.flow_list,
                applications=way.applications,
            )
        return Performed(said_of(report))

    return Job("scan", Cadence(every, every / SPREAD), whole_tenant, perform, finds=True)


def said_of(report: ScanReport) -> str:
    """What a scan brought, in one line."""
    counts, gaps = report.counts, len(report.record.gaps)
    said = f"{counts.seen} connections, {counts.news.things} new or changed, {counts.news.gone} gone"
    return f"{said}; {gaps} parts could not be read whole" if gaps else said
