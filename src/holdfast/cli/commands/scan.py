"""`holdfast scan`: the tenant's connections into the store."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from holdfast.cli.options import Invocation, command_line, common_options
from holdfast.cli.render import Column, console, emit, of_tenants
from holdfast.cli.saying import complain, say
from holdfast.cli.terminal import is_plain

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.core.coverage import Sweep
    from holdfast.core.inventory import Environment
    from holdfast.core.spent import Spent
    from holdfast.scan.differences import Sources
    from holdfast.scan.tenant import Progress, ScanReport


class Scanned(NamedTuple):
    """What a scan of one tenant did, and what it took.

    Attributes:
        sources: which source gave which flows.
        names: of its environments, by id.
    """

    tenant: str
    report: ScanReport
    spent: Spent
    sources: Sources | None
    names: dict[str, str]


COLUMNS = (
    Column("environment", "Environment"),
    Column("outcome", "Read"),
    Column("connections", "Connections", right=True),
    Column("flows", "Flows", right=True),
    Column("flows_listed", "Listed for a person", right=True),
    Column("detail", "Why not"),
)


@click.command()
@click.option("--fresh", is_flag=True, help="Start over even if a scan was broken off a short while ago.")
@click.option("--all-connectors", is_flag=True, help="Connections of every connector, not only those to SQL.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N requests to each API; the next scan goes on from there.",
)
@common_options
def command(fresh: bool, all_connectors: bool, budget: int | None, invocation: Invocation) -> int:
    """Read environments, SQL connections, flows and applications into the store.

    Only reads. What an environment refuses is noted and stops no other; a scan that was broken off goes on
    where it stopped. Of several tenants one that cannot be scanned stops no other; the exit code is then the
    highest of theirs.
    """
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_scan(holdfast, invocation, Wanted(budget, fresh, all_connectors)))


class Wanted(NamedTuple):
    """What the options say; see the command."""

    budget: int | None
    fresh: bool
    all_connectors: bool


async def _scan(holdfast: Holdfast, invocation: Invocation, wanted: Wanted) -> int:
    from holdfast.cli.looking import chosen, with_tenant
    from holdfast.core.errors import HoldfastError
    from holdfast.core.inventory import Environment

    tenants = chosen(holdfast, invocation)
    several = len(tenants) > 1
    rows: list[dict[str, Any]] = []
    reports: list[Scanned] = []
    failed = 0
    for tenant in tenants:
        try:
            scanned = await _scan_one(holdfast, tenant, wanted)
        except HoldfastError as error:
            if not several:
                raise
            # What stands in one tenant's way stops no other.
            complain(f"{tenant.name}: {error}")
            failed = max(failed, error.exit_code)
            continue
        reports.append(scanned)
        known = [each async for each in holdfast.history.current(tenant.id, Environment)]
        rows += [with_tenant(row, tenant.name, several) for row in _rows(scanned.report, known)]
    if reports:
        _print(rows, reports, invocation, several=several)
    return failed


async def _scan_one(holdfast: Holdfast, tenant: Tenant, wanted: Wanted) -> Scanned:
    from holdfast.core.inventory import EVERY_CONNECTOR, SQL_CONNECTORS, Environment
    from holdfast.scan.differences import sources_of
    from holdfast.scan.tenant import scan

    with _bar(tenant.name) as progress:
        async with tenant.reached(budget=wanted.budget) as reach:
            report = await scan(
                tenant.id,
                reach.platform,
                reach.directory,
                holdfast.history,
                holdfast.clock,
                holdfast.read,
                progress,
                fresh=wanted.fresh,
                connectors=[EVERY_CONNECTOR] if wanted.all_connectors else SQL_CONNECTORS,
                runs=reach.runs,
                keep=holdfast.settings.keep,
                recurrences=reach.recurrences,
                flow_list=reach.flow_list,
                applications=reach.applications,
            )
            spent = reach.spent()
    names = {
        str(each.id): each.display_name async for each in holdfast.history.current(tenant.id, Environment)
    }
    sources = await sources_of(holdfast.history, tenant.id, report.record, names)
    return Scanned(tenant.name, report, spent, sources, names)


def _rows(report: ScanReport, environments: list[Environment]) -> Iterator[dict[str, Any]]:
    """A row per environment, worst first."""
    from holdfast.core.coverage import CONNECTIONS, FLOWS, LISTED_FLOWS, Outcome

    worst = report.record.by_environment()
    order = list(Outcome)
    ranked = sorted(
        environments, key=lambda e: (-order.index(worst.get(e.id, Outcome.PARTIAL)), e.display_name)
    )
    parts_of: defaultdict[str, list[Sweep]] = defaultdict(list)
    for sweep in report.record.sweeps:
        parts_of[sweep.environment].append(sweep)
    for environment in ranked:
        parts = parts_of[environment.id]
        yield {
            "environment": environment.display_name,
            "environment_id": environment.id,
            "outcome": worst.get(environment.id, Outcome.PARTIAL).value,
            "connections": sum(s.counted for s in parts if s.part.startswith(CONNECTIONS)),
            "flows": sum(s.counted for s in parts if s.part == FLOWS),
            "flows_listed": next(
                (s.counted for s in parts if s.part == LISTED_FLOWS and (s.counted or not s.is_gap)), None
            ),
            "detail": next((s.detail for s in parts if s.detail), ""),
        }


def _print(
    rows: list[dict[str, Any]], reports: list[Scanned], invocation: Invocation, *, several: bool
) -> None:
    output = invocation.output
    columns = of_tenants(COLUMNS, several)
    if output == "table":
        shown = [row for row in rows if row["outcome"] != "scanned"] or rows if len(rows) > 30 else rows
        if not any(row["detail"] for row in shown):
            columns = tuple(column for column in columns if column.key != "detail")
        emit(shown, columns, output, shape="holdfast.scan/1", empty="There is no environment.")
        for scanned in reports:
            click.echo()
            _summary(scanned)
        then = ", ".join(command_line(verb, invocation) for verb in ("status", "forecast"))
        click.secho(f"Next: {then}", dim=True)
    else:
        emit(
            rows, columns, output, shape="holdfast.scan/1", meta={"scans": [_meta(each) for each in reports]}
        )


def _summary(scanned: Scanned) -> None:
    """What the scan brought and what it took, in a few lines."""
    from holdfast.cli.flow_sources import print_differences
    from holdfast.core.coverage import SERVICE_PRINCIPALS

    name, report, spent = scanned.tenant, scanned.report, scanned.spent
    counts, record = report.counts, report.record
    read = len({s.environment for s in record.sweeps if s.environment})
    say(
        f"{name}: {read} environments, {counts.seen} connections:"
        f" {counts.news.things} new or changed, {counts.news.gone} gone."
        + (" Went on with a scan that had been broken off." if report.resumed else "")
    )
    directory = record.sweep_of("", SERVICE_PRINCIPALS)
    if directory is not None and directory.detail:
        say(f"The directory could not be read, so no secret's end is known: {directory.detail}")
    if scanned.sources is not None:
        print_differences(scanned.sources, lambda id: scanned.names.get(id, id))
    say(_took(spent))
    if report.dropped:
        click.echo(f"{report.dropped} observations are older than retention_days and were dropped.")
    if record.gaps:
        click.echo(f"{len(record.gaps)} parts could not be read whole; nothing in them is taken for gone.")


def _took(spent: Spent) -> str:
    """The requests, and apart from them the time that was lost to waiting."""
    by_api = ", ".join(f"{api} {number:,}" for api, number in sorted(spent.by_api.items()))
    told = f"{spent.requests:,} requests ({by_api})" if by_api else f"{spent.requests:,} requests"
    if spent.retries:
        told += f", {spent.retries:,} of them repeated"
    if spent.waited.total_seconds() >= 0.1:
        told += f"; {spent.waited.total_seconds():,.1f} s of waiting, summed over what went on at once"
    return f"{told}."


def _meta(scanned: Scanned) -> dict[str, Any]:
    from holdfast.cli.flow_sources import sources_row

    name, report, spent = scanned.tenant, scanned.report, scanned.spent
    record = report.record
    return {
        "tenant": name,
        "started_at": record.started_at.isoformat(),
        "finished_at": record.finished_at.isoformat() if record.finished_at else None,
        "clock_skew_seconds": record.skew.total_seconds(),
        "complete": not record.gaps,
        "resumed": report.resumed,
        "connections": {
            "seen": report.counts.seen,
            "changed": report.counts.news.things,
            "gone": report.counts.news.gone,
        },
        "dropped": report.dropped,
        "flow_sources": sources_row(scanned.sources),
        "requests": {
            "total": spent.requests,
            "by_api": dict(spent.by_api),
            "repeated": spent.retries,
            "throttled": spent.throttled,
            "waited_seconds": spent.waited.total_seconds(),
        },
        "gaps": [
            {
                "environment": s.environment or None,
                "part": s.part,
                "outcome": s.outcome.value,
                "detail": s.detail,
            }
            for s in record.gaps
        ],
    }


@contextmanager
def _bar(tenant: str) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal that can draw one, nothing elsewhere."""
    screen = console(stderr=True)
    if not screen.is_terminal or is_plain():
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("environments, {task.fields[connections]} connections, done in", markup=False),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(f"Scanning {tenant}", total=None, connections=0)
        yield lambda seen: bar.update(
            task, completed=seen.environments, total=seen.of, connections=seen.connections
        )
