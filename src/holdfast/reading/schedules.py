"""When a flow runs by itself: its trigger, read and laid out in time.

Rules: learn.microsoft.com/azure/logic-apps/concepts-schedule-automated-recurring-tasks-workflows, read 2026-11-23.
Time zones are not worked out: a run is placed as if its zone were UTC, and `PLACED_WITHIN` says how far off that
can be. What hangs on a schedule here is ninety days, not an hour.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from holdfast.core.schedule import Recurrence

PLACED_WITHIN: Final = timedelta(hours=15)
"""No zone is further from UTC, summer time included; a run in UTC is placed to the minute."""

FURTHEST: Final = 4000
"""Runs that are laid out at most; a daily flow's next ten years."""

_STEPS: Final = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_WEEK_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LONGEST_INTERVAL: Final = 1_000_000


def recurrence_of(definition: Any) -> Recurrence | None:
    """How often the flow starts by itself, None where something else starts it or it cannot be read.

    A trigger that polls (`recurrence` beside another type) counts only if it is on a SQL connector: then its
    polling uses the connection. Others start the flow when something happens, which no schedule tells.
    """
    triggers = definition.get("triggers") if isinstance(definition, dict) else None
    for trigger in triggers.values() if isinstance(triggers, dict) else ():
        if isinstance(trigger, dict) and str(trigger.get("type", "")).casefold() == "recurrence":
            found = _read(trigger.get("recurrence"))
            if found is not None:
                return found
    return None


def polling_of(trigger: Any) -> Recurrence | None:
    """How often a trigger looks whether there is something new."""
    return _read(trigger.get("recurrence")) if isinstance(trigger, dict) else None


def runs(recurrence: Recurrence, anchor: datetime, after: datetime) -> Iterator[datetime]:
    """Its runs later than `after`, in order; at most `FURTHEST` of them.

    Args:
        anchor: when it was last turned on, or a run of it that is known; a start time of its own counts more.
    """
    start = recurrence.start_at or anchor
    if recurrence.frequency in ("second", "minute", "hour"):
        yield from _stepped(_STEPS[recurrence.frequency] * recurrence.interval, start, after)
        return
    found = 0
    for day in _days(recurrence, start, after):
        for instant in _times(recurrence, start, day):
            if instant > after and instant >= start:
                yield instant
                found += 1
                if found >= FURTHEST:
                    return


def may_run(recurrence: Recurrence, after: datetime, until: datetime) -> bool:
    """Whether a run may begin between two instants, wherever its zone, its first run and its day are placed.

    Only the time of day is looked at: which days count is not told by every recurrence, and a day too many is safe.
    """
    start = recurrence.start_at
    if recurrence.frequency in ("second", "minute", "hour") or not (recurrence.hours or start):
        return True
    off = placed_within(recurrence)
    if not recurrence.minutes and start is None:
        off = max(off, timedelta(hours=1))  # the minute is that of a first run, which is not told
    day = (after - off).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= until + off:
        if any(after - off <= run <= until + off for run in _times(recurrence, start or day, day)):
            return True
        day += timedelta(days=1)
    return False


def longest_gap(recurrence: Recurrence) -> timedelta:
    """No two runs in a row are further apart than this."""
    if recurrence.frequency == "month":
        return timedelta(days=31 * recurrence.interval)
    return _STEPS[recurrence.frequency] * recurrence.interval


def placed_within(recurrence: Recurrence) -> timedelta:
    """How far off a run may be because its time zone is not worked out."""
    is_utc = recurrence.zone is None or recurrence.zone.casefold() in (
        "utc",
        "etc/utc",
        "coordinated universal time",
    )
    return timedelta(minutes=5) if is_utc else PLACED_WITHIN


def _read(told: Any) -> Recurrence | None:
    if not isinstance(told, dict):
        return None
    frequency = str(told.get("frequency", "")).casefold()
    interval = told.get("interval", 1)
    if (
        frequency not in (*_STEPS, "month", "year")
        or not isinstance(interval, int)
        or isinstance(interval, bool)
    ):
        return None
    if not 1 <= interval <= _LONGEST_INTERVAL:
        return None
    if frequency == "year":
        frequency, interval = "month", interval * 12
    schedule = told.get("schedule")
    given: Mapping[str, Any] = schedule if isinstance(schedule, dict) else {}
    return Recurrence(
        frequency,
        interval,
        _instant(told.get("startTime")),
        told["timeZone"] if isinstance(told.get("timeZone"), str) else None,
        _numbers(given.get("hours"), range(24)),
        _numbers(given.get("minutes"), range(60)),
        tuple(sorted({_WEEK_DAYS.index(d) for d in _lower(given.get("weekDays")) if d in _WEEK_DAYS})),
        _numbers(given.get("monthDays"), range(-1, 32)),
    )


def _numbers(told: Any, allowed: range) -> tuple[int, ...]:
    """Designers write numbers and digits alike."""
    found = set()
    for each in told if isinstance(told, list) else ():
        text = str(each).strip()
        if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and int(text) in allowed:
            found.add(int(text))
    return tuple(sorted(found))


def _lower(told: Any) -> list[str]:
    return [str(each).casefold() for each in told] if isinstance(told, list) else []


def _instant(told: Any) -> datetime | None:
    if not isinstance(told, str):
        return None
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _stepped(step: timedelta, start: datetime, after: datetime) -> Iterator[datetime]:
    passed = max(0, -(-(after - start) // step)) if after >= start else 0
    at = start + passed * step
    if at <= after:
        at += step
    for _ in range(FURTHEST):
        yield at
        at += step


def _days(recurrence: Recurrence, start: datetime, after: datetime) -> Iterator[datetime]:
    """Midnights of the days that count, from around `after` on."""
    first = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if recurrence.frequency == "month":
        yield from _month_days(recurrence, first, after)
        return
    day = timedelta(days=1)
    unit = recurrence.interval * (7 if recurrence.frequency == "week" else 1)
    origin = first - day * first.weekday() if recurrence.frequency == "week" else first
    cycle = max(0, (after - origin).days // unit - 1)
    for number in range(cycle, cycle + FURTHEST):
        base = origin + day * unit * number
        if recurrence.frequency == "week":
            for week_day in recurrence.week_days or (first.weekday(),):
                yield base + day * week_day
        elif not recurrence.week_days or base.weekday() in recurrence.week_days:
            yield base


def _month_days(recurrence: Recurrence, first: datetime, after: datetime) -> Iterator[datetime]:
    months = (after.year - first.year) * 12 + after.month - first.month
    cycle = max(0, months // recurrence.interval - 1)
    for number in range(cycle, cycle + FURTHEST):
        index = first.month - 1 + number * recurrence.interval
        year, month = first.year + index // 12, index % 12 + 1
        if year > 9000:
            return
        last = calendar.monthrange(year, month)[1]
        wanted = sorted({last if d < 0 else d for d in recurrence.month_days or (min(first.day, last),)})
        for number_of_day in wanted:
            if 1 <= number_of_day <= last:
                yield first.replace(year=year, month=month, day=number_of_day)


def _times(recurrence: Recurrence, start: datetime, day: datetime) -> Iterator[datetime]:
    hours, minutes = recurrence.hours, recurrence.minutes
    for hour in hours or (start.hour,):
        for minute in minutes or ((0,) if hours else (start.minute,)):
            yield day.replace(hour=hour, minute=minute, second=0 if hours or minutes else start.second)


def runs_per_week(recurrence: Recurrence) -> float:
    """How often it runs in a week, on average over a quarter."""
    step = _STEPS.get(recurrence.frequency)
    if step is not None and recurrence.frequency in ("second", "minute", "hour"):
        return timedelta(weeks=1) / (step * recurrence.interval)
    start = datetime(2000, 1, 3, tzinfo=UTC)
    weeks = max(13, 5 * recurrence.interval)
    end = start + timedelta(weeks=weeks)
    return sum(1 for _ in takewhile(lambda run: run <= end, runs(recurrence, start, start))) / weeks
