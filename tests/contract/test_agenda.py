"""What the agenda and the places of workers do, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.agenda import Batch, Booking, Performed
from holdfast.core.errors import StoreError
from tests.builders import START

HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlHistory]:
    where = tmp_path / "holdfast.db" if request.param == "sqlite" else request.getfixturevalue("database_url")
    history = SqlHistory(where)
    yield history
    history.close()


@pytest.fixture
def agenda(store: SqlHistory):
    return store.agenda()


def draws():
    return (number / 1000 for number in itertools.count()).__next__


async def take_up(agenda, *subjects: str, tenant: str = "contoso", job: str = "look"):
    return await agenda.take_up(tenant, job, subjects, START, draws())


async def due(agenda, at=START, tenant: str = "contoso", **jobs):
    return await agenda.due(tenant, jobs or {"look": at}, 100)


async def handed(agenda, run: str, appointments):
    return await agenda.hand_out([Batch(run, "contoso", "look", tuple(appointments))], START)


async def test_what_is_taken_up_is_due_at_once(agenda):
    assert await take_up(agenda, "a", "b") == (2, 0)

    assert [each.subject for each in await due(agenda)] == ["a", "b"]


async def test_the_draw_stays_when_the_same_is_taken_up_again(agenda):
    await take_up(agenda, "a", "b")
    before = await due(agenda)

    await agenda.take_up("contoso", "look", ["b", "a"], START + HOUR, lambda: 0.9)

    assert await due(agenda) == before


async def test_what_is_gone_is_dropped(agenda):
    await take_up(agenda, "a", "b")

    assert await take_up(agenda, "b", "c") == (1, 1)
    assert [each.subject for each in await due(agenda)] == ["b", "c"]


async def test_tenants_and_jobs_keep_apart(agenda):
    await take_up(agenda, "a")
    await take_up(agenda, "b", tenant="fabrikam")
    await take_up(agenda, "c", job="other")

    assert [each.subject for each in await due(agenda)] == ["a"]
    assert [each.subject for each in await due(agenda, tenant="fabrikam")] == ["b"]
    assert [each.subject for each in await due(agenda, other=START)] == ["c"]


async def test_what_is_handed_out_is_due_for_nobody_else(agenda):
    await take_up(agenda, "a", "b")
    seen_by_two = await due(agenda)

    [first] = await handed(agenda, "r1", seen_by_two)
    second = await handed(agenda, "r2", seen_by_two)

    assert (first.subjects, second) == (2, [])
    assert await due(agenda) == []
    assert [run.id for run in await agenda.under_way()] == ["r1"]


async def test_a_slower_planner_gets_what_the_faster_left(agenda):
    await take_up(agenda, "a", "b", "c")
    seen = await due(agenda)
    await handed(agenda, "r1", seen[:2])

    [second] = await handed(agenda, "r2", seen)

    run, appointments = await agenda.appointments("r2")
    assert run == second
    assert [each.subject for each in appointments] == ["c"]


async def test_a_booked_run_is_over_and_its_subjects_due_as_booked(agenda):
    await take_up(agenda, "a")
    [a] = await due(agenda)
    await handed(agenda, "r1", [a])

    booked = await agenda.book("r1", START, "w1", Performed("fine", 2), [Booking(a.id, START + HOUR, 3)])

    assert booked
    assert await agenda.under_way() == []
    assert await agenda.appointments("r1") is None
    assert await due(agenda) == []
    assert await due(agenda, START + HOUR) == [a._replace(due_at=START + HOUR, failures=3)]
    [run] = await agenda.find(["r1"])
    assert (run.worker, run.booked) == ("w1", Performed("fine", 2))


async def test_a_run_is_booked_once(agenda):
    await take_up(agenda, "a")
    [a] = await due(agenda)
    await handed(agenda, "r1", [a])
    await agenda.book("r1", START, "w1", Performed(), [Booking(a.id, START + HOUR, 0)])

    again = await agenda.book("r1", START, "w2", Performed(), [Booking(a.id, START + 9 * HOUR, 0)])

    assert not again
    assert await agenda.next_due("contoso") == START + HOUR


async def test_what_a_run_looks_at_is_not_dropped_before_it_is_over(agenda):
    await take_up(agenda, "a")
    [a] = await due(agenda)
    await handed(agenda, "r1", [a])

    assert await take_up(agenda) == (0, 0)
    await agenda.book("r1", START, "w1", Performed(), [Booking(a.id, START + HOUR, 0)])
    assert await take_up(agenda) == (0, 1)


async def test_a_clock_that_was_set_back_brings_what_is_due_nearer(agenda):
    await take_up(agenda, "a")
    [a] = await due(agenda)
    await handed(agenda, "r1", [a])
    await agenda.book("r1", START, "w1", Performed(), [Booking(a.id, START + 24 * HOUR, 0)])

    await agenda.saw("contoso", START - 5 * HOUR, 5 * HOUR)

    assert await agenda.next_due("contoso") == START + 19 * HOUR
    assert await agenda.clock("contoso") == START - 5 * HOUR


async def test_runs_of_long_ago_are_pruned(agenda):
    await take_up(agenda, "a")
    await handed(agenda, "r1", await due(agenda))
    assert await agenda.prune(START + HOUR) == 0
    await agenda.book("r1", START, "w1", Performed(), [])

    assert await agenda.prune(START + HOUR) == 1
    assert await agenda.find(["r1"]) == []


async def test_two_processes_cannot_work_under_one_name(store):
    workers = store.workers()
    async with workers.seated("w1"):
        with pytest.raises(StoreError, match="Another process works as 'w1'"):
            async with workers.seated("w1"):
                pass
    async with workers.seated("w1"):
        pass


async def test_a_place_that_is_taken_again_shuts_its_earlier_holder_out(store):
    workers = store.workers()
    async with workers.seated("w1") as before:
        assert await workers.beat(before)
    async with workers.seated("w1") as now:
        assert await workers.beat(now)
        assert not await workers.beat(before)
        assert not await workers.holds(before)


async def test_a_worker_whose_pulse_stands_still_is_evicted(store):
    workers = store.workers()
    async with workers.seated("w1") as seat:
        await workers.beat(seat)
    [pulse] = await workers.pulses()

    async with workers.evicted(pulse) as free:
        assert free
        assert not await workers.holds(seat)

    assert await workers.pulses() == []


async def test_a_worker_that_still_sits_there_is_not_evicted(store):
    workers = store.workers()
    async with workers.seated("w1") as seat:
        [pulse] = await workers.pulses()

        async with workers.evicted(pulse) as free:
            assert not free

        assert await workers.holds(seat)


async def test_a_worker_whose_pulse_moved_meanwhile_is_not_evicted(store):
    workers = store.workers()
    async with workers.seated("w1"):
        [pulse] = await workers.pulses()
    async with workers.seated("w1"):
        pass

    async with workers.evicted(pulse) as free:
        assert not free


async def test_nobody_sits_down_while_a_place_is_cleared(store):
    workers = store.workers()
    async with workers.seated("w1"):
        [pulse] = await workers.pulses()

    async with workers.evicted(pulse):
        with pytest.raises(StoreError, match="Another process works as"):
            async with workers.seated("w1"):
                pass
