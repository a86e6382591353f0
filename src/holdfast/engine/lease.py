"""A worker's right to do deeds: kept by its pulse, gone as soon as it cannot be shown.

Seconds here are the event loop's own, which no change of a clock moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from holdfast.core.agenda import Seat
from holdfast.core.errors import StoreError
from holdfast.ports import Workers

R = TypeVar("R")
_log = structlog.stdlib.get_logger("holdfast.engine")

BEAT: Final = 5.0
"""Seconds between two beats of a pulse."""

VALID: Final = 20.0
"""Seconds that a beat vouches for its worker; less than `DEAD`, so that it stops before another takes over."""

DEAD: Final = 40.0
"""Seconds that a pulse has to stand still, as another worker sees it, before that one takes over."""


async def pause(until: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the event; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return False
    return True


class Lease:
    """The seat of this process, as long as its pulse can be shown.

    Attributes:
        lost: set when the seat has gone to another holder: this process has to end.
    """

    def __init__(self, seat: Seat, workers: Workers, *, beat: float = BEAT, valid: float = VALID) -> None:
        self.seat, self.lost = seat, asyncio.Event()
        self._workers, self._every, self._valid = workers, beat, valid
        self._shown_at = asyncio.get_running_loop().time()

    @property
    def is_fresh(self) -> bool:
        """Whether the pulse was shown a short while ago."""
        return not self.lost.is_set() and asyncio.get_running_loop().time() - self._shown_at < self._valid

    async def keep(self) -> None:
        """Show the pulse until the seat is lost; the task ends then, or is cancelled."""
        silent = False
        while not self.lost.is_set():
            asked_at = asyncio.get_running_loop().time()
            try:
                if await self._workers.beat(self.seat):
                    self._shown_at, silent = asked_at, False
                else:
                    _log.error("seat_lost", worker=self.seat.name)
                    self.lost.set()
            except StoreError as error:
                if not silent:
                    _log.warning("pulse_not_shown", worker=self.seat.name, why=str(error))
                silent = True
            await pause(self.lost, self._every)

    async def under(self, deed: Callable[[], Awaitable[R]]) -> R:
        """What the deed gives, done while the lease is fresh.

        Where the lease lapses half way the deed is broken off, since another worker may do it by now, and done
        again once the pulse has been shown; so it has to bear being done again. Waits for ever once the seat is lost.
        """
        while True:
            await self._fresh()
            doing = asyncio.ensure_future(deed())
            watching = asyncio.ensure_future(self._lapse())
            try:
                await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
                if doing.done():
                    return doing.result()
                _log.warning("deed_broken_off", worker=self.seat.name)
            finally:
                doing.cancel()
                watching.cancel()
                await asyncio.gather(doing, watching, return_exceptions=True)

    async def _fresh(self) -> None:
        while not self.is_fresh:
            # Never set: what is waited for is the time.
            await pause(asyncio.Event(), self._every / 5)

    async def _lapse(self) -> None:
        while self.is_fresh:
            await pause(self.lost, self._every / 5)
