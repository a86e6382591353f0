"""What is due, in which batches, and when again. Pure: time, chance and ids are arguments.

Instants are the cloud's. A look that was missed while nobody ran is made up for once, not as often as it was missed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.agenda import Appointment, Batch, Booking, Cadence, Performed

FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=4)

CLOCK_TOLERANCE: Final = timedelta(minutes=2)
"""Clocks are set right by less than this all the time; it shifts nothing."""


def is_due(appointment: Appointment, cadence: Cadence, now: datetime, *, ahead: bool = False) -> bool:
    """Whether it is time.

    Args:
        ahead: take what is at least half way to its next look too, for those who run us rarely.
    """
    return appointment.due_at <= now + (cadence.every / 2 if ahead else timedelta(0))


def batches(
    due: Iterable[Appointment], sizes: Mapping[str, int], new_id: Callable[[], str]
) -> Iterator[Batch]:
    """The appointments in batches of one tenant and job each, the longest overdue first.

    Args:
        sizes: job → how many at once; appointments of a job that is not in it are left alone.
        new_id: a fresh id for each batch.
    """
    waiting: defaultdict[tuple[str, str], list[Appointment]] = defaultdict(list)
    for appointment in sorted(due, key=lambda each: (each.due_at, each.id)):
        place = appointment.tenant, appointment.job
        size = sizes.get(appointment.job)
        if size is None:
            continue
        waiting[place].append(appointment)
        if len(waiting[place]) == size:
            yield Batch(new_id(), *place, tuple(waiting.pop(place)))
    for place, rest in waiting.items():
        yield Batch(new_id(), *place, tuple(rest))


def next_due(cadence: Cadence, draw: float, handed_at: datetime) -> datetime:
    """When to look again: never later than `every` after the last look was handed out.

    Raises:
        ValueError: the spread is negative, or not shorter than the cadence.
    """
    if not timedelta(0) <= cadence.spread < cadence.every:
        raise ValueError(f"the spread must be shorter than the cadence: {cadence}")
    return handed_at + cadence.every - draw * cadence.spread


def retry_due(cadence: Cadence, failures: int, handed_at: datetime) -> datetime:
    """When to try again after so many failures in a row: later each time, never later than the cadence."""
    pause = min(FIRST_RETRY * (1 << min(failures - 1, 16)), LONGEST_RETRY)
    return handed_at + min(pause, cadence.every)


def bookings(
    appointments: Iterable[Appointment], performed: Performed, cadence: Cadence, handed_at: datetime
) -> Iterator[Booking]:
    """When each appointment of a batch is due next."""
    for each in appointments:
        if each.subject in performed.again:
            failures = each.failures + 1
            yield Booking(each.id, retry_due(cadence, failures, handed_at), failures)
        else:
            named = performed.next_at.get(each.subject)
            yield Booking(each.id, named or next_due(cadence, each.draw, handed_at), 0)


def set_back(seen_at: datetime | None, now: datetime) -> timedelta:
    """By how much the clock has been set back since it was last seen; zero where it was not.

    Everything that is due in the future has to come nearer by as much: what is left to wait does not grow
    because a clock was wrong.
    """
    if seen_at is None or now >= seen_at - CLOCK_TOLERANCE:
        return timedelta(0)
    return seen_at - now
