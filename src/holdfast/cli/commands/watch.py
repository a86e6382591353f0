"""`holdfast watch`: everything that recurs, in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit
from holdfast.cli.times import Length
from holdfast.cli.watching import Signals, alive, loop_options, on_a_terminal, own_name
from holdfast.core.errors import StoreError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.core.agenda import Run

COLUMNS = (
    Column("tenant", "Tenant"),
    Column("job", "Job"),
    Column("subjects", "Looked at", right=True),
    Column("failed", "Failed", right=True),
    Column("attention", "Needs you", right=True),
    Column("said", "Outcome"),
)

MEASURED_EVERY = timedelta(minutes=1)

OFTEN = 5.0
"""Seconds between two comparisons with the clock of a sandbox, which jumps when it is told to."""


@click.command()
@click.option(
    "--once", is_flag=True, help="Do what is due, and what will be due soon, and end: for cron and CI."
)
@click.option(
    "--every", type=Length(), default="1m", show_default=True, metavar="1m", help="Time between two rounds."
)
@click.option("--metrics", metavar="HOST:PORT", help="Serve metrics for Prometheus here: 127.0.0.1:9464.")
@loop_options
@common_options
def command(
    once: bool,
    every: timedelta,
    metrics: str | None,
    name: str | None,
    heartbeat: Path | None,
    form: str,
    invocation: Invocation,
) -> int:
    """Scan every tenant on schedule, look at what is due, go on with plans that wait.

    Runs until it is told to stop (Ctrl+C or SIGTERM); what it was doing then is finished or resumed by the next
    start. What was missed while nobody ran is made up for once. Several may run on one PostgreSQL store.
    """
    from holdfast.cli.logs import set_up
    from holdfast.cli.session import opened

    set_up(form)
    with opened(invocation) as holdfast:
        seat = own_name(name, "watch")
        address = None if metrics is None else _address(metrics)
        return asyncio.run(_watch(holdfast, invocation, seat, every, heartbeat, address, once=once))


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise click.UsageError(f"--metrics {text!r} is not HOST:PORT.")
    return host.strip("[]"), int(port)


async def _watch(
    holdfast: Holdfast,
    invocation: Invocation,
    seat: str,
    every: timedelta,
    heartbeat: Path | None,
    metrics: tuple[str, int] | None,
    *,
    once: bool,
) -> int:
    from holdfast.cli.looking import chosen
    from holdfast.compose.work import engine, watched
    from holdfast.engine.watching import TAKING_UP, Watching

    tenants = chosen(holdfast, invocation)
    told = alive(heartbeat, talks=on_a_terminal() and not once)
    with Signals().listening() as signals:
        async with engine(holdfast, seat) as started, _measured(holdfast, tenants, metrics):
            measure = OFTEN if invocation.sandbox else TAKING_UP
            watching = Watching(started, watched(tenants), holdfast.clock.now, told, measure)
            if once:
                runs = await watching.once(signals.stop)
                await _tell(holdfast, tenants)
            else:
                await watching.until(signals.stop, every.total_seconds())
    if once and not signals.stop.is_set():
        return _report(runs, tenants, invocation.output)
    return 130 if signals.interrupted else 0


async def _tell(holdfast: Holdfast, tenants: list[Tenant]) -> None:
    """The scans of this very round are told of in it; nobody comes back in a quarter of an hour."""
    if not holdfast.settings.alerts.channels:
        return
    from holdfast.compose.alerting import hand_on, look

    for tenant in tenants:
        await look(holdfast, tenant)
    await hand_on(holdfast)


@contextlib.asynccontextmanager
async def _measured(
    holdfast: Holdfast, tenants: list[Tenant], address: tuple[str, int] | None
) -> AsyncIterator[None]:
    """Meanwhile, metrics are served at the address and kept young."""
    if address is None:
        yield
        return
    from holdfast.adapters.metrics import Board
    from holdfast.compose.measuring import measures

    board = Board()
    board.serve(*address)

    async def keep_young() -> None:
        while True:
            # A store that is away keeps the last measures; `watch` itself tells of it.
            with contextlib.suppress(StoreError):
                board.put(await measures(holdfast, tenants))
            await holdfast.clock.sleep_until(holdfast.clock.now() + MEASURED_EVERY)

    task = asyncio.create_task(keep_young())
    try:
        yield
    finally:
        task.cancel()


def _report(runs: list[Run], tenants: list[Tenant], output: str) -> int:
    names = {tenant.id: tenant.name for tenant in tenants}
    rows = [row(run, names) for run in runs]
    emit(rows, COLUMNS, output, shape="holdfast.watch/1", empty="Nothing was due.")
    failed = [each for each in rows if each["failed"]]
    if rows and len(failed) == len(rows):
        return 3
    return 1 if failed or any(each["attention"] for each in rows) else 0


def row(run: Run, names: dict[str, str]) -> dict[str, Any]:
    """One run, as programs read it."""
    booked = run.booked
    return {
        "tenant": names.get(run.tenant, run.tenant),
        "job": run.job,
        "subjects": run.subjects,
        "failed": len(booked.again) if booked else run.subjects,
        "attention": booked.attention if booked else 0,
        "said": booked.said if booked else "not finished",
    }
