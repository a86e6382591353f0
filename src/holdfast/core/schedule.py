"""Schedule: when a flow starts by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurrence trigger, or the polling of another trigger, as its definition writes it.

    Attributes:
        frequency: "second", "minute", "hour", "day", "week" or "month".
        interval: so many of them; at least 1.
        start_at: of the first run, aware; None where it counts from when the flow was last turned on.
        zone: name of the time zone that hours and days are meant in; None is UTC.
        hours: of the day, with `minutes`; empty where the time of day is that of the start.
        week_days: 0 is Monday; empty where every day, or the day of the start, counts.
        month_days: of the month; -1 is the last.
    """

    frequency: str
    interval: int
    start_at: datetime | None = None
    zone: str | None = None
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
