"""A process that has everything imported and forks a worker for each line it reads, so that a kill costs no second.

The workers deploy things into a world of their own, an SQLite file that knows nothing of keys or uniqueness: what is
deployed twice stands there twice.

    python -m tests.chaos.nursery WORLD STORE ENGINE HOW_MANY

STORE and ENGINE are SQLite files, or both the URL of one PostgreSQL database. A line is the name of a worker; the answer
is its process id. A worker ends by itself when nothing is left to do.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

from holdfast.adapters.store.history import SqlHistory
from holdfast.adapters.system import SystemClock, draw, new_id
from holdfast.cli.logs import set_up
from holdfast.core.agenda import Cadence, Job, Performed
from holdfast.core.errors import StoreError
from holdfast.engine.queues import Limits
from holdfast.engine.running import Engine, Timing, running
from holdfast.engine.watching import Watched, Watching

TENANTS = ("contoso", "fabrikam")
LIMITS = Limits(per_worker=6, per_tenant=4, starts=100, window=1.0, poll=0.05)
TIMING = Timing(beat=0.2, valid=1.0, dead=2.0, grace=0)
HALF = 0.01
"""Seconds between the two halves of a deed."""


def place(text: str) -> Path | str:
    """A path, or a URL as it is."""
    return text if "://" in text else Path(text)


class World:
    """Where things are deployed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with closing(self._open()) as world:
            world.execute("pragma journal_mode = wal")
            world.execute("create table if not exists things (label text, whole integer)")
            world.execute("create table if not exists attempts (label text, worker text)")
            world.commit()

    def ask(self, statement: str, *values: object) -> list[tuple]:
        with closing(self._open()) as world:
            rows = world.execute(statement, values).fetchall()
            world.commit()
        return rows

    def _open(self) -> sqlite3.Connection:
        world = sqlite3.connect(self.file, timeout=30)
        # What a killed process wrote is there all the same; only a power cut could take it.
        world.execute("pragma synchronous = off")
        return world


def deploying(world: World, how_many: int, worker: str) -> Job:
    """A job whose every subject is one thing to deploy, once, in two halves: look, clear strays, do."""

    async def subjects(tenant: str) -> AsyncIterator[str]:
        for number in range(how_many):
            yield f"{tenant}/{number}"

    async def perform(_tenant: str, labels: Sequence[str]) -> Performed:
        clock = SystemClock()
        for label in labels:
            world.ask("insert into attempts values (?, ?)", label, worker)
            if world.ask("select 1 from things where label = ? and whole", label):
                continue
            world.ask("delete from things where label = ? and not whole", label)
            world.ask("insert into things values (?, 0)", label)
            await clock.sleep_until(clock.now() + timedelta(seconds=HALF))
            world.ask("update things set whole = 1 where label = ?", label)
        return Performed(f"{len(labels)} deployed")

    return Job("deploy", Cadence(timedelta(days=7), timedelta(days=1)), subjects, perform, batch=4)


async def no_skew() -> timedelta:
    return timedelta(0)


async def ring_when_done(world: World, how_many: int, started: Engine, stop: asyncio.Event) -> None:
    """Let the worker end when everything stands and is booked."""
    clock = SystemClock()
    while True:
        await clock.sleep_until(clock.now() + timedelta(seconds=0.2))
        if world.ask("select count(*) from things where whole")[0][0] < len(TENANTS) * how_many:
            continue
        with suppress(StoreError):
            if not await started.left():
                stop.set()
                return


async def work(world: World, store: Path | str, engine: Path | str, how_many: int, worker: str) -> None:
    """One worker, planner and executor in one, until nothing is left to do."""
    history, clock, stop = SqlHistory(store), SystemClock(), asyncio.Event()
    agenda, workers = history.agenda(), history.workers()
    jobs = [deploying(world, how_many, worker)]
    async with (
        workers.seated(worker) as seat,
        running(
            engine, seat, jobs, agenda, workers, clock, new_id, draw, limits=LIMITS, timing=TIMING
        ) as started,
    ):
        watched = {tenant: Watched(tenant, tenant, no_skew) for tenant in TENANTS}
        watching = Watching(started, watched, clock.now, lambda _at, _words: None, mend_every=1.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(watching.until(stop, 0.05))
            group.create_task(ring_when_done(world, how_many, started, stop))
    history.close()


def main() -> None:
    world, store, engine, how_many = sys.argv[1:]
    set_up("text")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    made = World(Path(world))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asyncio.run(work(made, place(store), place(engine), int(how_many), line.strip()))
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
