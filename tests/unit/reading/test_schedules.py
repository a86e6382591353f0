"""When flows run by themselves."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reading.schedules import longest_gap, may_run, placed_within, recurrence_of, runs
from tests.builders import START


def trigger(**recurrence):
    return {"triggers": {"Recurrence": {"type": "Recurrence", "recurrence": recurrence}}}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def first(count, after="2026-03-02T09:00", anchor="2026-03-02T09:00", **recurrence):
    found = recurrence_of(trigger(**recurrence))
    assert found is not None
    return [f"{run:%Y-%m-%d %H:%M}" for run in islice(runs(found, at(anchor), at(after)), count)]


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        ({"frequency": "Hour", "interval": 6}, ["2026-03-02 15:00", "2026-03-02 21:00"]),
        ({"frequency": "Day", "interval": 1}, ["2026-03-03 09:00", "2026-03-04 09:00"]),
        (
            {"frequency": "Day", "interval": 1, "schedule": {"hours": ["3", 12], "minutes": [30]}},
            ["2026-03-02 12:30", "2026-03-03 03:30"],
        ),
        ({"frequency": "Week", "interval": 2}, ["2026-03-16 09:00", "2026-03-30 09:00"]),
        (
            {
                "frequency": "Week",
                "interval": 1,
                "schedule": {"weekDays": ["Sunday", "Tuesday"], "hours": ["3"]},
            },
            ["2026-03-03 03:00", "2026-03-08 03:00"],
        ),
        ({"frequency": "Month", "interval": 3}, ["2026-06-02 09:00", "2026-09-02 09:00"]),
        ({"frequency": "Year", "interval": 1}, ["2027-03-02 09:00", "2028-03-02 09:00"]),
        (
            {"frequency": "Month", "interval": 1, "schedule": {"monthDays": [-1]}},
            ["2026-03-31 09:00", "2026-04-30 09:00"],
        ),
        (
            {"frequency": "Day", "interval": 100, "startTime": "2026-01-01T00:00:00Z"},
            ["2026-04-11 00:00", "2026-07-20 00:00"],
        ),
        (
            {"frequency": "Day", "interval": 1, "startTime": "2027-01-01T05:00:00Z"},
            ["2027-01-01 05:00", "2027-01-02 05:00"],
        ),
    ],
)
def test_runs_come_round(recurrence, expected):
    assert first(2, **recurrence) == expected


def test_a_month_without_that_day_takes_its_last():
    assert first(2, anchor="2026-01-31T09:00", frequency="Month", interval=1) == [
        "2026-03-31 09:00",
        "2026-04-30 09:00",
    ]


@pytest.mark.parametrize(
    "definition",
    [
        None,
        {},
        {"triggers": {"manual": {"type": "Request"}}},
        {
            "triggers": {
                "When": {"type": "OpenApiConnection", "recurrence": {"frequency": "Minute", "interval": 1}}
            }
        },
        trigger(frequency="Fortnight", interval=1),
        trigger(frequency="Day", interval=0),
        trigger(frequency="Day", interval="@parameters('x')"),
        {"triggers": {"Recurrence": {"type": "Recurrence", "recurrence": "@x"}}},
    ],
)
def test_what_nobody_can_lay_out_in_time_is_none(definition):
    assert recurrence_of(definition) is None


def test_a_quarter_can_be_longer_than_ninety_days():
    found = recurrence_of(trigger(frequency="Month", interval=3))
    assert found is not None

    run, following = islice(runs(found, START, START), 2)

    assert following - run == timedelta(days=92)
    assert longest_gap(found) >= timedelta(days=92)


def test_a_run_in_another_zone_is_placed_less_surely():
    berlin = recurrence_of(trigger(frequency="Day", interval=1, timeZone="W. Europe Standard Time"))
    utc = recurrence_of(trigger(frequency="Day", interval=1, timeZone="UTC"))
    assert berlin is not None
    assert utc is not None

    assert placed_within(berlin) > placed_within(utc)


@pytest.mark.parametrize(
    ("recurrence", "may"),
    [
        ({"frequency": "Minute", "interval": 5}, True),
        ({"frequency": "Day", "interval": 1}, True),
        ({"frequency": "Day", "interval": 1, "schedule": {"hours": [9], "minutes": [5]}}, True),
        ({"frequency": "Day", "interval": 1, "schedule": {"hours": [3], "minutes": [0]}}, False),
        ({"frequency": "Month", "interval": 1, "schedule": {"hours": [3], "minutes": [0]}}, False),
        ({"frequency": "Day", "interval": 1, "schedule": {"hours": [10]}}, True),
        ({"frequency": "Day", "interval": 1, "schedule": {"hours": [12]}}, False),
        ({"frequency": "Day", "interval": 1, "startTime": "2020-01-01T09:06:00Z"}, True),
        ({"frequency": "Week", "interval": 1, "startTime": "2020-01-01T17:00:00Z"}, False),
        (
            {
                "frequency": "Day",
                "interval": 1,
                "timeZone": "Tokyo Standard Time",
                "schedule": {"hours": [18], "minutes": [5]},
            },
            True,
        ),
    ],
)
def test_a_run_may_begin_soon_wherever_its_day_and_its_zone_are_placed(recurrence, may):
    found = recurrence_of(trigger(**recurrence))
    assert found is not None

    assert may_run(found, at("2026-03-02T09:00"), at("2026-03-02T09:12")) is may


def test_a_run_after_midnight_may_begin_soon():
    found = recurrence_of(trigger(frequency="Day", interval=1, schedule={"hours": [0], "minutes": [2]}))
    assert found is not None

    assert may_run(found, at("2026-03-02T23:55"), at("2026-03-03T00:07"))


RECURRENCES = st.fixed_dictionaries(
    {"frequency": st.sampled_from(["Hour", "Day", "Week", "Month"]), "interval": st.integers(1, 20)},
    optional={
        "schedule": st.fixed_dictionaries(
            {},
            optional={
                "hours": st.lists(st.integers(0, 23), max_size=3),
                "weekDays": st.lists(st.sampled_from(["Monday", "Friday"]), max_size=2),
                "monthDays": st.lists(st.integers(-1, 31), max_size=3),
            },
        )
    },
)


@given(RECURRENCES, st.integers(-1000, 1000))
def test_runs_are_in_order_and_after_the_instant_asked_for(told, days):
    found = recurrence_of(trigger(**told))
    assert found is not None
    after = START + timedelta(days=days)

    laid_out = list(islice(runs(found, START, after), 20))

    assert laid_out == sorted(laid_out)
    assert all(run > after for run in laid_out)


@given(RECURRENCES, st.integers(0, 400))
def test_asking_later_gives_the_rest_of_the_same_runs(told, days):
    found = recurrence_of(trigger(**told))
    assert found is not None
    early = list(islice(runs(found, START, START), 60))
    after = START + timedelta(days=days)

    late = list(islice(runs(found, START, after), 5))

    assert [run for run in early if run > after][:5] == late[: len([run for run in early if run > after][:5])]
