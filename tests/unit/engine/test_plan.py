"""What is due and when again, by plain values."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.agenda import Appointment, Cadence, Performed
from holdfast.engine.plan import LONGEST_RETRY, batches, bookings, is_due, next_due, retry_due, set_back

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WEEKLY = Cadence(timedelta(days=7), DAY)
draws = st.floats(min_value=0, max_value=1, exclude_max=True)


def an_appointment(
    number: int = 1,
    *,
    tenant: str = "contoso",
    job: str = "keepalive",
    due_at: datetime = NOW,
    draw: float = 0.5,
    failures: int = 0,
) -> Appointment:
    return Appointment(number, tenant, job, f"c{number}", due_at, draw, failures)


def ids():
    return map(str, itertools.count()).__next__


@given(draws)
def test_the_spread_only_ever_makes_a_look_earlier(draw):
    due = next_due(WEEKLY, draw, NOW)

    assert NOW + WEEKLY.every - WEEKLY.spread <= due <= NOW + WEEKLY.every


def test_a_thousand_subjects_taken_up_together_do_not_stay_together():
    due = {next_due(WEEKLY, number / 1000, NOW) for number in range(1000)}

    assert len(due) == 1000


@pytest.mark.parametrize("spread", [timedelta(seconds=-1), timedelta(days=7), timedelta(days=8)])
def test_a_spread_that_could_make_a_look_late_or_immediate_is_refused(spread):
    with pytest.raises(ValueError, match="spread"):
        next_due(Cadence(timedelta(days=7), spread), 0.5, NOW)


def test_what_was_missed_for_a_month_is_due_once():
    missed = an_appointment(due_at=NOW - timedelta(days=30))

    [batch] = batches([missed], {"keepalive": 10}, ids())
    [booking] = bookings(batch.appointments, Performed(), WEEKLY, NOW)

    assert booking.due_at > NOW
    assert not is_due(missed._replace(due_at=booking.due_at), WEEKLY, NOW)


def test_somebody_who_runs_us_daily_finds_a_daily_look_due_every_day():
    daily = Cadence(DAY)
    due_at = next_due(daily, 0.0, NOW)
    a_little_early = NOW + DAY - timedelta(minutes=1)

    assert is_due(an_appointment(due_at=due_at), daily, a_little_early, ahead=True)
    assert not is_due(an_appointment(due_at=due_at), daily, a_little_early)


def test_a_second_run_within_the_hour_finds_nothing_due():
    due_at = next_due(Cadence(DAY), 0.0, NOW)

    assert not is_due(an_appointment(due_at=due_at), Cadence(DAY), NOW + timedelta(hours=1), ahead=True)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["scan", "keepalive"])), max_size=60))
def test_every_due_appointment_is_in_exactly_one_batch(places):
    due = [an_appointment(n, tenant=tenant, job=job) for n, (tenant, job) in enumerate(places)]

    planned = list(batches(due, {"scan": 1, "keepalive": 7}, ids()))

    assert sorted(each.id for batch in planned for each in batch.appointments) == [each.id for each in due]
    assert len({batch.run for batch in planned}) == len(planned)
    for batch in planned:
        assert {(each.tenant, each.job) for each in batch.appointments} == {(batch.tenant, batch.job)}
        assert len(batch.appointments) <= {"scan": 1, "keepalive": 7}[batch.job]


def test_the_longest_overdue_goes_first():
    due = [an_appointment(n, due_at=NOW - timedelta(hours=n)) for n in range(5)]

    order = [each.id for batch in batches(due, {"keepalive": 2}, ids()) for each in batch.appointments]

    assert order == [4, 3, 2, 1, 0]


def test_a_job_that_nobody_brings_any_more_is_left_alone():
    assert not list(batches([an_appointment(job="gone")], {"keepalive": 2}, ids()))


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, timedelta(minutes=1)), (2, timedelta(minutes=2)), (5, timedelta(minutes=16))]
)
def test_each_failure_in_a_row_waits_longer(failures, pause):
    assert retry_due(WEEKLY, failures, NOW) == NOW + pause


@pytest.mark.parametrize("failures", [9, 60, 10_000])
def test_a_failure_waits_no_longer_than_the_longest_pause(failures):
    assert retry_due(WEEKLY, failures, NOW) == NOW + LONGEST_RETRY


def test_a_retry_is_never_later_than_the_next_look():
    assert retry_due(Cadence(timedelta(minutes=5)), 9, NOW) == NOW + timedelta(minutes=5)


def test_what_failed_is_tried_again_and_the_rest_is_not():
    pair = [an_appointment(1), an_appointment(2, failures=3)]

    well, failed = bookings(pair, Performed(again={"c2": "throttled"}), WEEKLY, NOW)

    assert (well.failures, well.due_at) == (0, NOW + timedelta(days=6.5))
    assert (failed.failures, failed.due_at) == (4, NOW + timedelta(minutes=8))


def test_success_forgets_earlier_failures():
    [booking] = bookings([an_appointment(failures=7)], Performed(), WEEKLY, NOW)

    assert booking.failures == 0


def test_a_verb_may_know_the_next_date_better():
    tomorrow = NOW + DAY

    [booking] = bookings([an_appointment()], Performed(next_at={"c1": tomorrow}), WEEKLY, NOW)

    assert booking.due_at == tomorrow


@pytest.mark.parametrize(
    ("moved", "back"),
    [
        (timedelta(0), timedelta(0)),
        (timedelta(days=400), timedelta(0)),
        (-timedelta(seconds=30), timedelta(0)),
        (-timedelta(hours=3), timedelta(hours=3)),
        (-timedelta(days=3650), timedelta(days=3650)),
    ],
    ids=["not at all", "forward", "set right", "three hours back", "was ten years ahead"],
)
def test_by_how_much_a_clock_was_set_back(moved, back):
    assert set_back(NOW, NOW + moved) == back


def test_a_clock_never_seen_before_was_not_set_back():
    assert set_back(None, NOW) == timedelta(0)
