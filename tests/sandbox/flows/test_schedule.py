from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sandbox.flows.schedule import Schedule

SAVED = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def recurring(frequency: str, interval: Any = 1, **more: Any) -> dict[str, Any]:
    return {"frequency": frequency, "interval": interval, **more}


def first(recurrence: dict[str, Any], count: int, after: datetime = SAVED) -> list[str]:
    schedule = Schedule(recurrence, SAVED)
    found = []
    for _ in range(count):
        after = schedule.after(after)
        found.append(f"{after:%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        (recurring("Minute", 20), ["01-31 09:50", "01-31 10:10"]),
        (recurring("Second", 5), ["01-31 09:31", "01-31 09:32"]),
        (recurring("Hour", 6), ["01-31 15:30", "01-31 21:30"]),
        (recurring("Day"), ["02-01 09:30", "02-02 09:30"]),
        (recurring("Day", 1, schedule={"hours": ["2"], "minutes": [0, 30]}), ["02-01 02:00", "02-01 02:30"]),
        (recurring("Day", 3, schedule={"hours": [23]}), ["01-31 23:00", "02-03 23:00"]),
        (
            recurring("Week", 1, schedule={"weekDays": ["Sunday"], "hours": ["3"]}),
            ["02-01 03:00", "02-08 03:00"],
        ),
        (
            recurring("Week", 2, schedule={"weekDays": ["Monday"], "hours": ["3"]}),
            ["02-09 03:00", "02-23 03:00"],
        ),
        (recurring("Month"), ["02-28 09:30", "03-31 09:30"]),
        (recurring("Month", 3), ["04-30 09:30", "07-31 09:30"]),
        (
            recurring("Month", 1, schedule={"monthDays": [1, -1], "hours": [6]}),
            ["02-01 06:00", "02-28 06:00"],
        ),
        (
            recurring("Day", 1, startTime="2026-03-28T02:30:00", timeZone="W. Europe Standard Time"),
            ["03-28 01:30", "03-29 01:30", "03-30 00:30"],
        ),
        (recurring("Day", 1, startTime="2027-05-01T00:00:00Z"), ["05-01 00:00", "05-02 00:00"]),
        (
            recurring("Day", 1, timeZone="Nowhere at all", schedule={"hours": [1]}),
            ["02-01 01:00", "02-02 01:00"],
        ),
    ],
)
def test_a_recurrence_comes_round(recurrence, expected):
    assert first(recurrence, len(expected)) == expected


@pytest.mark.parametrize(
    "recurrence", [{}, recurring("Fortnight"), recurring("Day", 0), recurring("Day", "often")]
)
def test_what_is_no_recurrence_is_refused(recurrence):
    with pytest.raises(ValueError, match="recurrence"):
        Schedule(recurrence, SAVED)


RECURRENCES = st.builds(
    recurring,
    st.sampled_from(["Minute", "Hour", "Day", "Week", "Month"]),
    st.integers(1, 40),
    schedule=st.fixed_dictionaries(
        {},
        optional={
            "hours": st.lists(st.integers(0, 23), max_size=3),
            "minutes": st.lists(st.integers(0, 59), max_size=2),
            "weekDays": st.lists(st.sampled_from(["Monday", "Friday"]), max_size=2),
        },
    ),
    timeZone=st.sampled_from(["UTC", "Eastern Standard Time", "Tokyo Standard Time"]),
)


@settings(deadline=None)
@given(RECURRENCES, st.integers(0, 400), st.integers(0, 60))
def test_counting_and_finding_the_last_agree_with_listing(recurrence, hours, days):
    schedule = Schedule(recurrence, SAVED)
    after = SAVED + timedelta(hours=hours)
    until = after + timedelta(days=days)
    listed = list(islice(schedule.between(after, until), 100_000))
    assert schedule.count(after, until) == len(listed)
    assert schedule.last(after, until) == (listed[-1] if listed else None)
    assert sorted(set(listed)) == listed
