"""A worker does deeds only while it can show that it holds its seat."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from holdfast.core.agenda import Pulse, Seat
from holdfast.core.errors import StoreError
from holdfast.engine.lease import Lease
from holdfast.engine.workers import Watchman

SEAT = Seat("w1", 1)


class ToldWorkers:
    """Says what the test wants it to."""

    def __init__(self) -> None:
        self.away = self.gone = False
        self.seen: list[Pulse] = []
        self.free = True

    async def beat(self, _seat: Seat) -> bool:
        if self.away:
            raise StoreError("the store is away")
        return not self.gone

    async def pulses(self) -> list[Pulse]:
        return self.seen

    @asynccontextmanager
    async def evicted(self, _pulse: Pulse):
        yield self.free


@asynccontextmanager
async def kept(workers: ToldWorkers, valid: float = 60.0):
    lease = Lease(SEAT, workers, beat=0.01, valid=valid)  # type: ignore[arg-type]
    task = asyncio.create_task(lease.keep())
    yield lease
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


async def test_a_deed_under_a_fresh_lease_is_done_once():
    done = []

    async def deed() -> str:
        done.append(1)
        return "well"

    async with kept(ToldWorkers()) as lease:
        assert await lease.under(deed) == "well"
    assert done == [1]


async def test_what_a_deed_raises_is_raised():
    async def deed() -> None:
        raise LookupError("no")

    async with kept(ToldWorkers()) as lease:
        with pytest.raises(LookupError):
            await lease.under(deed)


async def test_no_deed_begins_while_the_pulse_cannot_be_shown():
    workers, begun = ToldWorkers(), []

    async def deed() -> None:
        begun.append(1)

    workers.away = True
    async with kept(workers, valid=0.05) as lease:
        await until(lambda: not lease.is_fresh)
        waiting = asyncio.create_task(lease.under(deed))
        await asyncio.sleep(0.05)
        assert not begun
        workers.away = False
        await waiting
    assert begun == [1]


async def test_a_deed_is_broken_off_when_the_lease_lapses_and_done_again_after():
    workers, begun, broken = ToldWorkers(), [], []
    go_on = asyncio.Event()

    async def deed() -> None:
        begun.append(1)
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            broken.append(1)
            raise

    async with kept(workers, valid=0.05) as lease:
        doing = asyncio.create_task(lease.under(deed))
        await until(lambda: begun)
        workers.away = True
        await until(lambda: broken)
        workers.away = False
        go_on.set()
        await doing
    assert (len(begun), len(broken)) == (2, 1)


async def test_a_seat_that_went_to_another_is_told_and_no_deed_begins_any_more():
    workers, begun = ToldWorkers(), []

    async def deed() -> None:
        begun.append(1)

    workers.gone = True
    async with kept(workers) as lease:
        await until(lease.lost.is_set)
        waiting = asyncio.create_task(lease.under(deed))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert not begun


class Desk:
    """Notes whose work was resumed."""

    def __init__(self) -> None:
        self.resumed: list[str] = []

    async def resume(self, worker: str) -> int:
        self.resumed.append(worker)
        return 1


def a_watchman(workers: ToldWorkers, desk: Desk, dead_after: float = 0.0) -> Watchman:
    return Watchman(workers, "me", desk.resume, dead_after)  # type: ignore[arg-type]


async def test_a_pulse_that_stands_still_is_taken_over_at_the_second_look():
    workers, desk = ToldWorkers(), Desk()
    workers.seen = [Pulse("w2", 1, 5)]
    watchman = a_watchman(workers, desk)

    assert await watchman.look() == []
    assert await watchman.look() == ["w2"]
    assert desk.resumed == ["w2"]


async def test_a_pulse_that_moves_is_never_taken_over():
    workers, desk = ToldWorkers(), Desk()
    watchman = a_watchman(workers, desk)

    for beats in range(5):
        workers.seen = [Pulse("w2", 1, beats)]
        await watchman.look()

    assert desk.resumed == []


async def test_a_pulse_has_to_stand_still_long_enough():
    workers, desk = ToldWorkers(), Desk()
    workers.seen = [Pulse("w2", 1, 5)]
    watchman = a_watchman(workers, desk, dead_after=3600)

    for _ in range(3):
        await watchman.look()

    assert desk.resumed == []


async def test_a_still_pulse_whose_holder_lives_is_left_alone():
    workers, desk = ToldWorkers(), Desk()
    workers.seen, workers.free = [Pulse("w2", 1, 5)], False
    watchman = a_watchman(workers, desk)

    for _ in range(3):
        await watchman.look()

    assert desk.resumed == []


async def test_nobody_takes_over_from_itself():
    workers, desk = ToldWorkers(), Desk()
    workers.seen = [Pulse("me", 1, 5)]
    watchman = a_watchman(workers, desk)

    for _ in range(3):
        await watchman.look()

    assert desk.resumed == []
