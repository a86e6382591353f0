"""Real time, chance and ids: the only module that reads them, and the only one that may call POSIX alone."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep by the event loop; returns at once if `instant` has passed."""
        delay = (instant - self.now()).total_seconds()
        if delay > 0:
            await asyncio.sleep(delay)


def new_id() -> str:
    """A fresh random id, lower-case hex without dashes."""
    return uuid.uuid4().hex


def draw() -> float:
    """A number from 0 up to but not including 1."""
    return secrets.SystemRandom().random()
