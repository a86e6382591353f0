"""Time, and the way to people."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from holdfast.core.alert import Message


class Clock(Protocol):
    """Our own time. The cloud's time is another: see `Platform.skew`."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return at or after `instant`; at once if it has passed."""
        ...


class Notifier(Protocol):
    """One channel to people or programs."""

    async def send(self, message: Message) -> None:
        """Hand it on; what arrives twice can be told by its id.

        Raises:
            UnreachableError: it did not take it.
        """
        ...
