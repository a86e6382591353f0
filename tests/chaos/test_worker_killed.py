"""Workers are killed at random moments; whatever was due is done, and nothing twice.

`make chaos` kills a hundred times, `make test` a few.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from tests.chaos.nursery import TENANTS, World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 and fork are POSIX"),
]
ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("HOLDFAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(2**32)
KILLS = int(os.environ.get("HOLDFAST_CHAOS_KILLS", "6"))
PATIENCE = 240


class Nursery:
    """Starts workers and kills them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._started: list[int] = []

    def start(self, worker: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{worker}\n")
        self._process.stdin.flush()
        self._started.append(int(self._process.stdout.readline()))
        return self._started[-1]

    def close(self) -> None:
        """Leave nobody behind, also after a test that failed half way."""
        for worker in self._started:
            kill(worker)
        assert self._process.stdin is not None
        self._process.stdin.close()


@contextmanager
def nursery(world: Path, store: Path | str, engine: Path | str, how_many: int) -> Iterator[Nursery]:
    words = [sys.executable, "-m", "tests.chaos.nursery", *map(str, (world, store, engine, how_many))]
    with subprocess.Popen(
        words,
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(world.parent / "log").open("a"),
    ) as process:
        workers = Nursery(process)
        try:
            yield workers
        finally:
            workers.close()


def is_alive(worker: int) -> bool:
    try:
        os.kill(worker, 0)
    except ProcessLookupError:
        return False
    return True


def end_of(worker: int, seconds: float = PATIENCE) -> bool:
    """Wait for its end; False if it did not come."""
    until = time.monotonic() + seconds
    while is_alive(worker):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def kill(worker: int) -> bool:
    """Whether it was still running."""
    try:
        os.kill(worker, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return end_of(worker)


def wait_for_attempts(world: World, worker: str, how_many: int) -> None:
    until = time.monotonic() + PATIENCE
    while world.ask("select count(*) from attempts where worker = ?", worker)[0][0] < how_many:
        assert time.monotonic() < until, f"seed {SEED}: {worker} does not begin"
        time.sleep(0.02)


async def check(world: World, store: Path | str, how_many: int, words: str) -> None:
    labels = {f"{tenant}/{number}" for tenant in TENANTS for number in range(how_many)}
    things = world.ask("select label, whole from things")
    assert sorted(label for label, _ in things) == sorted(labels), words
    assert all(whole for _, whole in things), words
    history = SqlHistory(store)
    agenda = history.agenda()
    try:
        assert await agenda.under_way() == [], words
        for tenant in TENANTS:
            assert (await agenda.next_due(tenant)) is not None, words
    finally:
        history.close()


def test_nothing_is_missed_or_done_twice_however_often_the_worker_is_killed(tmp_path):
    chance, how_many = random.Random(SEED), 20 * KILLS
    world, store = World(tmp_path / "world.db"), tmp_path / "holdfast.db"
    while_working = 0

    with nursery(world.file, store, tmp_path / "engine.db", how_many) as workers:
        for _ in range(KILLS):
            worker = workers.start("w1")
            time.sleep(chance.uniform(0.05, 1.6))
            while_working += kill(worker)
        last = workers.start("w1")
        assert end_of(last), f"seed {SEED}: the last worker does not end"

    [(attempts,)] = world.ask("select count(*) from attempts")
    words = f"seed {SEED}: {while_working} kills, {attempts} attempts at {2 * how_many} things"
    print(words)
    asyncio.run(check(world, store, how_many, words))


def test_the_work_of_a_killed_worker_is_taken_over_by_the_other(tmp_path, database_url):
    chance, how_many = random.Random(SEED), 120
    world = World(tmp_path / "world.db")

    with nursery(world.file, database_url, database_url, how_many) as workers:
        first, second = workers.start("w1"), workers.start("w2")
        wait_for_attempts(world, "w1", chance.randrange(8, 60))
        assert kill(first), f"seed {SEED}: it was faster than its killer"
        assert end_of(second), f"seed {SEED}: the other worker does not end"

    by = dict(world.ask("select worker, count(*) from attempts group by worker"))
    words = f"seed {SEED}: {by}"
    print(words)
    assert by.get("w1"), words
    assert by.get("w2"), words
    asyncio.run(check(world, database_url, how_many, words))
