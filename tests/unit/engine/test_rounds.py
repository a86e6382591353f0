"""Rounds over an agenda in a file, with a clock that is moved by hand."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.agenda import Cadence, Job, Performed, Run
from holdfast.core.errors import RefusedError
from holdfast.engine.plan import bookings
from holdfast.engine.rounds import UNDER_WAY, Planner
from holdfast.engine.taking_up import Subjects
from tests.fakes.clock import START

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
IDS = map("r{}".format, itertools.count())


async def nothing(_tenant, _subjects) -> Performed:
    return Performed()


def a_job(*subjects: str, name: str = "look", every: timedelta = DAY, batch: int = 10) -> Job:
    async def listed(_tenant: str) -> AsyncIterator[str]:
        for subject in subjects:
            yield subject

    return Job(name, Cadence(every), listed, nothing, batch)


class Bench:
    """A planner whose runs are carried out at once, all well, when told to."""

    def __init__(self, history: SqlHistory, *jobs: Job) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.agenda = history.agenda()
        self.started: list[Run] = []
        self.planner = Planner(self.jobs, self.agenda, self._start, IDS.__next__)
        self.subjects = Subjects(self.jobs, self.agenda, lambda: 0.0)

    async def _start(self, runs) -> None:
        self.started += runs

    async def take_up(self, now: datetime = START) -> None:
        await self.subjects.take_up("contoso", now)

    async def round(self, now: datetime) -> list[str]:
        """Hand out and carry out; the subjects looked at."""
        seen = []
        for run in await self.planner.round("contoso", now):
            found = await self.agenda.appointments(run.id)
            assert found is not None
            dates = list(bookings(found[1], Performed(), self.jobs[run.job].cadence, run.handed_at))
            await self.agenda.book(run.id, now, "w", Performed(), dates)
            seen += [each.subject for each in found[1]]
        return seen


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqlHistory]:
    history = SqlHistory(tmp_path / "holdfast.db")
    yield history
    history.close()


async def test_what_is_new_is_looked_at_at_once_and_then_by_its_cadence(history):
    bench = Bench(history, a_job("a", "b"))
    await bench.take_up()

    assert await bench.round(START) == ["a", "b"]
    assert await bench.round(START + DAY - HOUR) == []
    assert await bench.round(START + DAY) == ["a", "b"]


async def test_a_month_without_us_is_made_up_for_once(history):
    bench = Bench(history, a_job("a"))
    await bench.take_up()
    await bench.round(START)

    assert await bench.round(START + 30 * DAY) == ["a"]
    assert await bench.round(START + 30 * DAY + HOUR) == []


@pytest.mark.parametrize("back", [3 * HOUR, 30 * DAY, 3650 * DAY], ids=["hours", "a month", "ten years"])
async def test_a_clock_that_was_set_back_makes_nothing_late(history, back):
    bench = Bench(history, a_job("a"))
    await bench.take_up()
    await bench.round(START)
    await bench.round(START + 20 * HOUR)  # four hours are left to wait

    wrong = START + 20 * HOUR - back
    assert await bench.round(wrong) == []
    assert await bench.round(wrong + 4 * HOUR) == ["a"]


async def test_a_clock_that_leapt_ahead_and_was_set_right_costs_one_look(history):
    bench = Bench(history, a_job("a"))
    await bench.take_up()
    await bench.round(START)

    assert await bench.round(START + 3650 * DAY) == ["a"]
    assert await bench.round(START + HOUR) == []
    assert await bench.round(START + HOUR + DAY) == ["a"]


async def test_no_more_runs_are_under_way_than_there_is_room_for(history):
    bench = Bench(history, a_job(*map(str, range(UNDER_WAY + 50)), batch=1))
    await bench.take_up()

    assert len(await bench.planner.round("contoso", START)) == UNDER_WAY
    assert await bench.planner.round("contoso", START) == []


async def test_a_run_that_is_under_way_is_not_handed_out_again(history):
    bench = Bench(history, a_job("a"))
    await bench.take_up()

    await bench.planner.round("contoso", START)

    assert await bench.planner.round("contoso", START + 2 * DAY) == []
    assert len(bench.started) == 1


async def test_a_subject_keeps_its_date_when_others_come_and_go(history):
    bench = Bench(history, a_job("a"))
    await bench.take_up()
    await bench.round(START)
    more = Bench(history, a_job("a", "b"))
    await more.take_up(START + HOUR)

    assert await more.round(START + HOUR) == ["b"]
    assert await more.round(START + DAY) == ["a"]


async def test_a_job_that_cannot_tell_its_subjects_stops_no_other(history):
    async def refused(_tenant: str) -> AsyncIterator[str]:
        yield "a"
        raise RefusedError("no", "graph", "x")

    bench = Bench(history, Job("broken", Cadence(DAY), refused, nothing), a_job("a"))
    await bench.take_up()

    assert await bench.round(START) == ["a"]
