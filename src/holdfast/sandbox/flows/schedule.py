"""When a recurrence comes round.

Rules as learn.microsoft.com/azure/logic-apps/concepts-schedule-automated-recurring-tasks-workflows says: without a start
time the first run is when the flow was saved or turned on; with hours and minutes, at those of each day that counts.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

WINDOWS_ZONES = {
    "utc": "UTC",
    "gmt standard time": "Europe/London",
    "greenwich standard time": "Atlantic/Reykjavik",
    "w. europe standard time": "Europe/Berlin",
    "central europe standard time": "Europe/Budapest",
    "romance standard time": "Europe/Paris",
    "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau",
    "eastern standard time": "America/New_York",
    "central standard time": "America/Chicago",
    "mountain standard time": "America/Denver",
    "pacific standard time": "America/Los_Angeles",
    "india standard time": "Asia/Kolkata",
    "china standard time": "Asia/Shanghai",
    "tokyo standard time": "Asia/Tokyo",
    "aus eastern standard time": "Australia/Sydney",
}
WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LENGTHS = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
SHORTEST = timedelta(minutes=1)
"""Source: power-automate-docs limits-and-config, minimum recurrence interval 60 seconds."""


class Schedule:
    """The instants at which a recurrence comes round, in order, without end.

    Args:
        recurrence: as a definition writes it.
        anchor: when the flow was saved or turned on; counts where there is no start time.

    Raises:
        ValueError: there is no such frequency, or the interval is no whole number above 0.
    """

    def __init__(self, recurrence: Mapping[str, Any], anchor: datetime) -> None:
        self._frequency = str(recurrence.get("frequency", "")).lower()
        interval = recurrence.get("interval", 1)
        if self._frequency not in (*LENGTHS, "day", "week", "month") or not _is_count(interval):
            raise ValueError("The recurrence must have a frequency and an interval above 0.")
        self._interval = int(interval)
        self._zone = _zone(str(recurrence.get("timeZone") or "UTC"))
        self._start = _start(recurrence.get("startTime"), self._zone) or anchor
        self._local = self._start.astimezone(self._zone)
        schedule = recurrence.get("schedule")
        self._schedule: Mapping[str, Any] = schedule if isinstance(schedule, dict) else {}
        self._times = tuple(sorted(self._times_of_day()))
        self._gap = (self._start, self._start)

    def _times_of_day(self) -> Iterator[time]:
        minutes = [int(minute) for minute in self._schedule.get("minutes") or ()]
        hours = [int(hour) for hour in self._schedule.get("hours") or ()]
        for hour in hours or [self._local.hour]:
            for minute in minutes or ([0] if hours else [self._local.minute]):
                yield time(hour, minute, 0 if hours or minutes else self._local.second)

    def after(self, at: datetime) -> datetime:
        """The first instant later than `at`."""
        if self._frequency in LENGTHS:
            return self._stepped(at)
        begins, ends = (
            self._gap
        )  # flows ask again and again about the gap between two instants that they are in
        if not begins <= at < ends:
            ends = self._first_after(at)
            self._gap = (at, ends)
        return ends

    def _first_after(self, at: datetime) -> datetime:
        day = max(at, self._start - timedelta(seconds=1)).astimezone(self._zone).date()
        while True:
            for moment in self._times if self._is_due_on(day) else ():
                instant = datetime.combine(day, moment, self._zone).astimezone(UTC)
                if instant > at and instant >= self._start:
                    return instant
            day = self._next_day(day)

    def _stepped(self, at: datetime) -> datetime:
        step = max(LENGTHS[self._frequency] * self._interval, SHORTEST)
        if at < self._start:
            return self._start
        return self._start + ((at - self._start) // step + 1) * step

    def _is_due_on(self, day: date) -> bool:
        first = self._local.date()
        if self._frequency == "day":
            return (day - first).days % self._interval == 0
        if self._frequency == "week":
            names = [str(name).lower() for name in self._schedule.get("weekDays") or ()]
            wanted = [WEEK_DAYS.index(name) for name in names if name in WEEK_DAYS] or [first.weekday()]
            weeks = (
                (day - timedelta(days=day.weekday())) - (first - timedelta(days=first.weekday()))
            ).days // 7
            return day.weekday() in wanted and weeks % self._interval == 0
        months = (day.year - first.year) * 12 + day.month - first.month
        days = [int(one) for one in self._schedule.get("monthDays") or ()] or [first.day]
        length = calendar.monthrange(day.year, day.month)[1]
        # A day that the month does not have falls on its last one: assumed.
        return months % self._interval == 0 and day.day in {
            min(one, length) if one > 0 else length + 1 + one for one in days
        }

    def _next_day(self, day: date) -> date:
        if self._frequency == "day" and self._interval > 1:
            passed = (day - self._local.date()).days % self._interval
            return day + timedelta(days=self._interval - passed)
        return day + timedelta(days=1)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The instants later than `after` and not later than `until`."""
        at = self.after(after)
        while at <= until:
            yield at
            at = self.after(at)

    def last(self, after: datetime, until: datetime) -> datetime | None:
        """The last of them; None if there is none."""
        if self._frequency in LENGTHS:
            step = max(LENGTHS[self._frequency] * self._interval, SHORTEST)
            steps = (until - self._start) // step
            at = self._start + steps * step
            return at if steps >= 0 and at > after else None
        last = None
        for at in self.between(max(after, until - timedelta(days=40 * max(self._interval, 1))), until):
            last = at
        return last

    def count(self, after: datetime, until: datetime) -> int:
        """How many there are later than `after` and not later than `until`."""
        if self._frequency in LENGTHS:
            step = max(LENGTHS[self._frequency] * self._interval, SHORTEST)
            return max(0, _steps(self._start, step, until) - _steps(self._start, step, after))
        return sum(1 for _ in self.between(after, until))


def _steps(start: datetime, step: timedelta, at: datetime) -> int:
    return (at - start) // step + 1 if at >= start else 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 500 * 24 * 3600


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(WINDOWS_ZONES.get(name.lower(), name))
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _start(text: object, zone: ZoneInfo) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


@lru_cache(maxsize=4096)
def _cached(key: tuple[Any, ...], anchor: datetime) -> Schedule:
    return Schedule(_thawed(key), anchor)


def schedule_of(recurrence: Mapping[str, Any], anchor: datetime) -> Schedule:
    """The schedule of a recurrence, worked out once."""
    return _cached(_frozen(recurrence), anchor)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ("{}", *((key, _frozen(inner)) for key, inner in value.items()))
    if isinstance(value, list):
        return ("[]", *map(_frozen, value))
    return value


def _thawed(value: Any) -> Any:
    if isinstance(value, tuple):
        if value[0] == "{}":
            return {key: _thawed(inner) for key, inner in value[1:]}
        return [_thawed(inner) for inner in value[1:]]
    return value
