"""Whether what is known to use a connection keeps its sign-in from going idle."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.core.horizon import Interval
from holdfast.core.schedule import Recurrence
from holdfast.diagnosis.usage import idle_break
from tests.builders import START, a_flow, day

REFRESHED = Interval(START - timedelta(minutes=15), START)
"""On 2 March 2026: a quarter later is 92 days later."""


def breaks(*flows, seen=1, read=True, refreshed=REFRESHED, failing=()):
    return idle_break(refreshed, flows, day(seen), flows_read=read, failing=failing)


@pytest.mark.parametrize("every", [("hour", 1), ("day", 1), ("week", 1), ("month", 1), ("month", 2)])
def test_a_flow_that_runs_often_enough_keeps_it(every):
    assert breaks(a_flow(every=every)) is None


def test_a_quarterly_flow_comes_too_late():
    found = breaks(a_flow(every=("month", 3), display_name="Quarter close"))

    assert found is not None
    assert (found.at.earliest, found.at.latest) == (day(90) - timedelta(minutes=15), day(90))
    assert "Quarter close" in found.because[0]
    assert "2026-06-02" in found.because[0]


def test_two_quarterly_flows_a_month_apart_keep_it():
    late = a_flow("f2", recurrence=Recurrence("month", 3, start_at=day(-50)))

    assert breaks(a_flow("f1", recurrence=Recurrence("month", 3, start_at=START)), late) is None


def test_a_pause_that_comes_only_after_some_runs_is_found():
    february = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)  # to May it is 89 days, from May to August 92

    found = breaks(
        a_flow(recurrence=Recurrence("month", 3, february)), refreshed=Interval(february, february)
    )

    assert found is not None
    assert f"{found.at.middle:%Y-%m-%d}" == "2026-07-30"


@pytest.mark.parametrize("change", [{"is_on": False}, {"recurrence": None}])
def test_a_flow_that_does_not_run_by_itself_keeps_nothing(change):
    flow = a_flow(every=("day", 1), **change)

    assert breaks(flow, seen=70) is not None
    assert breaks(flow, seen=10) is None


def test_a_daily_flow_that_has_not_used_it_for_long_keeps_nothing():
    found = breaks(a_flow(every=("day", 1), display_name="Nightly"), seen=70)

    assert found is not None
    assert "Nightly" in found.because[0]


def test_what_nothing_has_used_for_two_months_goes_idle_as_things_stand():
    found = breaks(seen=66)

    assert found is not None
    assert found.at.latest == day(90)
    assert "not seen" in found.because[-1]


def test_what_was_used_lately_may_be_used_again():
    assert breaks(seen=60) is None


def test_without_the_flows_nothing_is_said_to_be_unused():
    assert breaks(seen=80, read=False) is None


def test_a_run_at_about_the_same_time_as_the_end_is_no_certainty():
    same_day = a_flow(recurrence=Recurrence("day", 90, start_at=START))

    assert breaks(same_day) is None


def test_when_it_was_turned_on_may_decide():
    sooner = a_flow(every=("month", 3), modified_at=day(-60))

    assert breaks(sooner) is None


# --- keep-alive flows ----------------------------------------------------------------------------------

OURS = "holdfast/7f3a keeps alive for Ada"


def a_keep_alive(**changes):
    return a_flow("k1", every=("week", 1), display_name=OURS, **changes)


def test_a_keep_alive_flow_that_runs_counts_as_the_flow_that_it_is():
    assert breaks(a_keep_alive()) is None


@pytest.mark.parametrize(
    ("flow", "failing", "word"),
    [
        (a_keep_alive(is_on=False), (), "switched off"),
        (a_keep_alive(is_on=False, is_suspended=True), (), "suspended"),
        (a_keep_alive(), (OURS,), "failing"),
    ],
    ids=["off", "suspended", "failing"],
)
def test_without_its_keep_alive_flow_a_connection_is_expected_to_go_idle(flow, failing, word):
    found = breaks(flow, failing=failing)

    assert found is not None
    assert (found.at, word in found.because[0]) == (
        Interval(day(90) - timedelta(minutes=15), day(90)),
        True,
    )


def test_a_stopped_keep_alive_flow_is_not_missed_where_another_flow_runs():
    assert breaks(a_keep_alive(is_on=False), a_flow(every=("day", 1))) is None


def test_a_connection_that_was_used_since_its_keep_alive_flow_stopped_has_another_user():
    assert breaks(a_keep_alive(is_on=False, modified_at=day(-10))) is None


def test_a_persons_flow_that_is_off_is_no_keep_alive():
    assert breaks(a_flow(every=("week", 1), is_on=False)) is None
