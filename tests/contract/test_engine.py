"""The engine carries out what the agenda hands out, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from dbos import DBOS, SetWorkflowID

from holdfast.adapters.store.history import SqlHistory
from holdfast.adapters.system import SystemClock, new_id
from holdfast.core.agenda import Batch, Cadence, Job, Performed, Run
from holdfast.core.errors import RefusedError
from holdfast.engine import retention, workflows
from holdfast.engine.queues import Limits
from holdfast.engine.running import Engine, Timing, running

pytestmark = pytest.mark.slow
LIMITS = Limits(poll=0.05)
TIMING = Timing(beat=0.5, valid=30, dead=30, grace=0)
WEEK = Cadence(timedelta(days=7))
TENANT = "contoso"

Perform = Callable[[str, Sequence[str]], Awaitable[Performed]]


class Place(NamedTuple):
    """Where the engine of a test is."""

    history: SqlHistory
    tables: Path | str

    def running(self, *jobs: Job, name: str = "w1") -> AbstractAsyncContextManager[Engine]:
        return self._running(jobs, name)

    @asynccontextmanager
    async def _running(self, jobs: Sequence[Job], name: str) -> AsyncIterator[Engine]:
        workers, clock = self.history.workers(), SystemClock()
        async with (
            workers.seated(name) as seat,
            running(
                self.tables,
                seat,
                jobs,
                self.history.agenda(),
                workers,
                clock,
                new_id,
                lambda: 0.5,
                limits=LIMITS,
                timing=TIMING,
            ) as engine,
        ):
            yield engine


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        where: tuple[Path | str, Path | str] = tmp_path / "holdfast.db", tmp_path / "engine.db"
    else:
        url = request.getfixturevalue("database_url")
        where = url, url
    history = SqlHistory(where[0])
    yield Place(history, where[1])
    history.close()


def a_job(perform: Perform, *subjects: str, batch: int = 2, finds: bool = False, name: str = "look") -> Job:
    async def listed(_tenant: str) -> AsyncIterator[str]:
        for subject in subjects or ("a", "b", "c"):
            yield subject

    return Job(name, WEEK, listed, perform, batch, finds)


async def carried_out(engine: Engine, runs: Sequence[Run]) -> list[Run]:
    async with asyncio.timeout(30):
        while True:
            stand = await engine.outcome(runs)
            if all(run.booked for run in stand):
                return stand
            await asyncio.sleep(0.05)


async def due_now(engine: Engine) -> list[Run]:
    now = SystemClock().now()
    await engine.take_up(TENANT, now)
    return await engine.round(TENANT, now)


async def test_every_subject_is_looked_at_once_in_batches(place: Place):
    seen: list[tuple[str, ...]] = []

    async def perform(tenant: str, subjects: Sequence[str]) -> Performed:
        assert tenant == TENANT
        seen.append(tuple(subjects))
        return Performed("fine", attention=1)

    async with place.running(a_job(perform)) as engine:
        runs = await carried_out(engine, await due_now(engine))

    assert sorted(seen) == [("a", "b"), ("c",)]
    assert {(run.worker, run.booked.said, run.booked.attention) for run in runs if run.booked} == {
        ("w1", "fine", 1)
    }


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RefusedError("The reader may not.", "graph", "x"), "The reader may not."),
        (KeyError("hunter2"), "a bug in holdfast: KeyError"),
    ],
    ids=["a refusal", "a bug"],
)
async def test_what_fails_is_told_and_tried_again_soon(place: Place, error: Exception, said: str):
    async def perform(_tenant: str, _subjects: Sequence[str]) -> Performed:
        raise error

    async with place.running(a_job(perform, "a")) as engine:
        [run] = await carried_out(engine, await due_now(engine))
        due = await place.history.agenda().next_due(TENANT)

    assert run.booked is not None
    assert run.booked.said.startswith(said)
    assert "hunter2" not in run.booked.said
    assert due is not None
    assert due - run.handed_at == timedelta(minutes=1)


async def test_what_a_scan_found_is_looked_at_too(place: Place):
    found: list[str] = []
    seen: list[str] = []

    async def scan(_tenant: str, _subjects: Sequence[str]) -> Performed:
        found.append("new")
        return Performed()

    async def look(_tenant: str, subjects: Sequence[str]) -> Performed:
        seen.extend(subjects)
        return Performed()

    async def whatever_was_found(_tenant: str) -> AsyncIterator[str]:
        for subject in found:
            yield subject

    jobs = a_job(scan, "", finds=True, name="scan"), Job("look", WEEK, whatever_was_found, look)
    async with place.running(*jobs) as engine:
        await carried_out(engine, await due_now(engine))
        await carried_out(engine, await engine.round(TENANT, SystemClock().now()))

    assert seen == ["new"]


async def test_a_run_that_was_noted_and_never_started_is_started(place: Place):
    seen: list[str] = []

    async def perform(_tenant: str, subjects: Sequence[str]) -> Performed:
        seen.extend(subjects)
        return Performed()

    agenda, now = place.history.agenda(), SystemClock().now()
    await agenda.take_up(TENANT, "look", ["a"], now, lambda: 0.5)
    due = await agenda.due(TENANT, {"look": now}, 10)
    runs = await agenda.hand_out(
        [Batch("r1", TENANT, "look", tuple(due))], now
    )  # … and the planner was killed

    async with place.running(a_job(perform, "a")) as engine:
        await engine.mend()
        await carried_out(engine, runs)

    assert seen == ["a"]


async def test_a_run_that_the_engine_gave_up_is_booked_as_failed(place: Place):
    async def perform(_tenant: str, _subjects: Sequence[str]) -> Performed:
        await asyncio.Event().wait()
        return Performed()

    async with place.running(a_job(perform, "a")) as engine:
        [run] = await due_now(engine)
        await DBOS.cancel_workflow_async(run.id)
        await engine.mend()
        [over] = await engine.outcome([run])

    assert over.booked is not None
    assert (over.booked.said, over.booked.attention) == ("the engine gave this run up (cancelled)", 1)


async def test_a_job_of_another_version_waits_for_it(place: Place):
    async def perform(_tenant: str, _subjects: Sequence[str]) -> Performed:
        return Performed()

    agenda, now = place.history.agenda(), SystemClock().now()
    await agenda.take_up(TENANT, "newer", ["a"], now, lambda: 0.5)
    due = await agenda.due(TENANT, {"newer": now}, 10)
    runs = await agenda.hand_out([Batch("r1", TENANT, "newer", tuple(due))], now)
    async with place.running(a_job(perform)) as engine:
        await engine.mend()
        [run] = await carried_out(engine, runs)

    assert run.booked is not None
    assert "does not know the job 'newer'" in run.booked.said
    assert await agenda.next_due(TENANT) == now.replace(
        microsecond=now.microsecond // 1000 * 1000
    ) + timedelta(minutes=1)


@DBOS.workflow(name="returns_a_tuple")
async def returns_a_tuple() -> object:
    async def deed() -> object:
        return (1, 2)

    return await workflows.durably("deed", deed)


async def test_a_deed_whose_result_a_resume_would_change_is_refused(place: Place):
    async def perform(_tenant: str, _subjects: Sequence[str]) -> Performed:
        return Performed()

    async with place.running(a_job(perform)):
        with SetWorkflowID("t"):
            handle = await DBOS.start_workflow_async(returns_a_tuple)
        with pytest.raises(TypeError, match="JSON does not give back"):
            await handle.get_result()


async def test_finished_work_of_long_ago_is_forgotten(place: Place, monkeypatch: pytest.MonkeyPatch):
    async def perform(_tenant: str, _subjects: Sequence[str]) -> Performed:
        return Performed()

    monkeypatch.setattr(retention, "KEPT", timedelta(0))
    async with place.running(a_job(perform)) as engine:
        runs = await carried_out(engine, await due_now(engine))
        await until_noted(runs)
        await engine.tidy()
        left = await DBOS.list_workflows_async()
        known = await engine.outcome(runs)

    assert (left, known) == ([], [])


async def until_noted(runs: Sequence[Run]) -> None:
    """A run is booked a moment before the engine notes that its workflow has ended."""
    async with asyncio.timeout(30):
        while True:
            if len(await DBOS.list_workflows_async(status="SUCCESS")) == len(runs):
                break
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.1)  # the engine's instants on SQLite have whole seconds


async def test_the_tables_of_the_engine_hold_ids_and_no_pickles(tmp_path: Path):
    async def perform(_tenant: str, _subjects: Sequence[str]) -> Performed:
        return Performed("what was said")

    history = SqlHistory(tmp_path / "holdfast.db")
    async with Place(history, tmp_path / "engine.db").running(a_job(perform, "a")) as engine:
        [run] = await carried_out(engine, await due_now(engine))
    history.close()

    with sqlite3.connect(tmp_path / "engine.db") as tables:
        assert tables.execute("pragma journal_mode").fetchone() == ("wal",)
        [(kind, version)] = tables.execute(
            "select serialization, application_version from workflow_status"
        ).fetchall()
        dump = "\n".join(tables.iterdump())
    assert (kind, version) == ("portable_json", "holdfast-1")
    assert run.id in dump
    assert "what was said" not in dump
