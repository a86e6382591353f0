"""The cloud's time, for what has to be compared with what the cloud tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from holdfast.ports import Clock


class CloudClock:
    """Our clock, set by the cloud's."""

    def __init__(self, clock: Clock, cloud_now: Callable[[], datetime | None]) -> None:
        """Tells our own time until the cloud has answered.

        Args:
            cloud_now: the cloud's time by its newest answer.
        """
        self._clock, self._cloud_now = clock, cloud_now

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._cloud_now() or self._clock.now()

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep as long as it takes by our own clock."""
        await self._clock.sleep_until(self._clock.now() + (instant - self.now()))
