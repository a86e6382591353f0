"""The loop of `watch` and `worker`: look after the engine, hand out what is due, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from holdfast.core.agenda import Run
from holdfast.core.errors import HoldfastError, StoreError
from holdfast.engine.lease import pause
from holdfast.engine.running import Engine

_log = structlog.stdlib.get_logger("holdfast.engine")

Skew = Callable[[], Awaitable[timedelta | None]]
"""How far a tenant's cloud is ahead of our clock; None where it did not answer."""

MENDING: Final = 60.0
"""Seconds between two looks for runs that were handed out and are not under way."""

TAKING_UP: Final = 3600.0
"""Seconds between two questions what there is to look at."""

TIDYING: Final = 24 * 3600.0
BUSY_PAUSE: Final = 2.0
"""Seconds between two rounds while something is under way."""

SOON: Final = 0.5


class Watched(NamedTuple):
    """One tenant that is watched.

    Attributes:
        id: as the store knows it.
        name: as people know it.
    """

    id: str
    name: str
    skew: Skew


class _Every:
    """Whether so many seconds have passed since the last time, by the loop's own clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, float("-inf")

    def is_over(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


class Watching:
    """The loop over one running engine.

    Args:
        now: our clock.
        measure_every: seconds between two comparisons of our clock with each cloud's.
        alive: called after each round, with the time and one line about it.
    """

    def __init__(
        self,
        engine: Engine,
        tenants: Mapping[str, Watched],
        now: Callable[[], datetime],
        alive: Callable[[datetime, str], None],
        measure_every: float = TAKING_UP,
        mend_every: float = MENDING,
    ) -> None:
        self._engine, self._tenants, self._now, self._alive = engine, tenants, now, alive
        self._skews: dict[str, timedelta] = {}
        self._measuring = {tenant: _Every(measure_every) for tenant in tenants}
        self._taking_up = {tenant: _Every(TAKING_UP) for tenant in tenants}
        self._mending, self._tidying = _Every(mend_every), _Every(TIDYING)
        self._away = False

    async def until(self, stop: asyncio.Event, every: float) -> None:
        """Go round until `stop`, or until the seat is lost.

        Whatever fails is told and tried again: a store that is away for an hour ends nothing.

        Args:
            every: seconds between two rounds.

        Raises:
            StoreError: the seat has gone to another process.
        """
        ended = asyncio.Event()
        bells = [asyncio.ensure_future(bell.wait()) for bell in (stop, self._engine.lease.lost)]
        for bell in bells:
            bell.add_done_callback(lambda _: ended.set())
        try:
            while not ended.is_set():
                more = await self._round()
                await pause(ended, BUSY_PAUSE if more else every)
        finally:
            for bell in bells:
                bell.cancel()
        if self._engine.lease.lost.is_set():
            name = self._engine.lease.seat.name
            raise StoreError(
                f"Another process works as {name!r} now: give this one its own name with --name."
            )

    async def once(self, stop: asyncio.Event) -> list[Run]:
        """Carry out what is due now, and what is at least half way to it; the runs and what came of them.

        Raises:
            StoreError: the store does not answer.
        """
        await self._engine.mend()
        if self._tidying.is_over():
            await self._engine.tidy()
        # What an earlier one was killed at is finished too.
        left = [run for run in await self._engine.left() if run.tenant in self._tenants]
        done = await self._over(left, stop) if left else []
        ahead = True
        while not stop.is_set():
            runs = []
            for tenant in self._tenants.values():
                now = await self._time(tenant)
                if self._taking_up[tenant.id].is_over():
                    await self._engine.take_up(tenant.id, now)
                runs += await self._engine.round(tenant.id, now, ahead=ahead)
            if not runs:
                break
            done += await self._over(runs, stop)
            ahead = False
        return done

    async def _over(self, runs: list[Run], stop: asyncio.Event) -> list[Run]:
        while True:
            stand = await self._engine.outcome(runs)
            if all(run.booked for run in stand) or self._engine.lease.lost.is_set():
                return stand
            if await pause(stop, SOON):
                return stand
            # On PostgreSQL others may carry them out, and die.
            await self._engine.take_over()
            if self._mending.is_over():
                await self._engine.mend()

    async def _round(self) -> bool:
        """One round over all tenants; whether something is under way, after which more may be due."""
        under_way = 0
        try:
            await self._engine.take_over()
            if self._mending.is_over():
                await self._engine.mend()
            if self._tidying.is_over():
                await self._engine.tidy()
            handed = sum([await self._look(tenant) for tenant in self._tenants.values()])
            under_way = len(await self._engine.left())
            self._alive(self._now(), f"{handed} runs handed out, {under_way} under way")
            self._away = False
        except StoreError as error:
            # Once per outage, not once per round.
            if not self._away:
                _log.warning("store_away", why=str(error))
            self._away = True
            self._alive(self._now(), "waiting for the store")
        return under_way > 0

    async def _look(self, tenant: Watched) -> int:
        try:
            now = await self._time(tenant)
            if self._taking_up[tenant.id].is_over():
                await self._engine.take_up(tenant.id, now)
            return len(await self._engine.round(tenant.id, now))
        except StoreError:
            raise
        except HoldfastError as error:
            # What stands in one tenant's way stops no other.
            _log.warning("tenant_not_looked_at", tenant=tenant.name, why=str(error))
            return 0

    async def _time(self, tenant: Watched) -> datetime:
        """The cloud's time in a tenant: what is due is due by it, since tokens die by it."""
        if self._measuring[tenant.id].is_over():
            try:
                measured = await tenant.skew()
            except StoreError:
                raise
            except HoldfastError as error:
                # What stands in one tenant's way stops no other; its runs then say the same.
                _log.warning("tenant_not_asked", tenant=tenant.name, why=str(error))
                measured = None
            if measured is not None:
                self._skews[tenant.id] = measured
        return self._now() + self._skews.get(tenant.id, timedelta(0))
