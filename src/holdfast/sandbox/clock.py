"""The cloud's clock: runs with real time, jumps when advanced, can stand still; never goes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def wall() -> datetime:
    """Real time, aware UTC. Only TLS certificates and client assertions live by it, as real clients do."""
    return datetime.now(UTC)


async def pause(seconds: float) -> None:
    """Let real time pass: a slow answer is slow for its client only."""
    await asyncio.sleep(seconds)


class Clock:
    """One time for the whole tenant.

    Args:
        start: aware UTC; what the clock shows when it is made.
        frozen: stand still, so that only `advance` moves it.
        ticks: monotonic seconds; handed in by tests.
    """

    def __init__(
        self, start: datetime, *, frozen: bool = False, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self.frozen = frozen
        self._ticks = ticks
        self._shown = start
        self._seen = self._begun = ticks()

    def now(self) -> datetime:
        """Aware UTC, never earlier than any answer before it."""
        seen = self._ticks()
        if not self.frozen and seen > self._seen:
            self._shown += timedelta(seconds=seen - self._seen)
        self._seen = seen
        return self._shown

    def moving(self) -> float:
        """Seconds since 1970 that pass even while the clock stands still: for technical waits such as Retry-After."""
        stood = self._ticks() - self._begun if self.frozen else 0.0
        return self.now().timestamp() + stood

    def advance(self, by: timedelta) -> datetime:
        """Jump ahead and give the new time.

        Raises:
            ValueError: `by` is negative, or leads past the year 2200.
        """
        if by < timedelta(0):
            raise ValueError("the clock never goes back")
        now = self.now()
        if by > LATEST - now:
            raise ValueError(f"the clock does not go past {LATEST:%Y-%m-%d}")
        self._shown = now + by
        return self._shown
