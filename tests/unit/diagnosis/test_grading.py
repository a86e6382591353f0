"""Forecasts grade themselves."""

from datetime import timedelta

from holdfast.core.horizon import Condition, Horizon
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.grading import Bucket, Outcome, calibration, grades, summed
from tests.builders import SALES, a_connection, day

C = a_connection()


def said(at, until=None, *, cause="secret_expired", condition=Condition.EXPECTED):
    return Horizon(cause, condition, day(at), day(at), day(at if until is None else until))


def state(at, *horizons, broken=None):
    verdict = Verdict(Cause(broken, broken), 0.9) if broken else None
    return day(at), Judgement(SALES, C.connector, C.id, verdict, tuple(horizons))


def outcomes(*states, until=200):
    return [(grade.cause, grade.outcome.value) for grade in grades(states, day(until))]


def test_what_was_said_and_came_is_a_hit_with_its_lead():
    [grade] = grades([state(0, said(30)), state(31, broken="secret_expired")], day(60))

    assert grade.outcome is Outcome.HIT
    assert grade.lead == timedelta(days=31)


def test_what_came_unsaid_is_missed():
    assert outcomes(state(0), state(31, broken="session_revoked")) == [("session_revoked", "missed")]


def test_what_was_said_too_late_is_missed():
    found = outcomes(state(0), state(28, said(31)), state(31, broken="secret_expired"))

    assert found == [("secret_expired", "missed")]


def test_what_was_said_of_another_cause_is_no_hit():
    found = outcomes(state(0, said(90)), state(20, broken="session_revoked"))

    assert found == [("session_revoked", "missed")]


def test_a_break_before_the_day_that_was_said_is_missed():
    assert outcomes(state(0, said(60)), state(20, broken="secret_expired")) == [("secret_expired", "missed")]


def test_a_day_that_passed_without_a_break_is_a_false_alarm():
    assert outcomes(state(0, said(30)), until=60) == [("secret_expired", "false_alarm")]


def test_a_day_that_has_not_come_yet_is_no_grade():
    assert outcomes(state(0, said(90)), until=60) == []


def test_what_was_taken_back_in_time_is_withdrawn():
    assert outcomes(state(0, said(30)), state(20), until=60) == [("secret_expired", "withdrawn")]


def test_what_was_taken_back_only_after_its_day_is_a_false_alarm():
    assert outcomes(state(0, said(30)), state(45), until=60) == [("secret_expired", "false_alarm")]


def test_a_date_that_moves_is_one_forecast():
    found = outcomes(state(0, said(30)), state(10, said(40)), state(41, broken="secret_expired"))

    assert found == [("secret_expired", "hit")]


def test_what_happens_only_if_unused_is_not_graded():
    unused = said(30, cause="token_inactive", condition=Condition.IF_UNUSED)

    assert outcomes(state(0, unused), until=60) == []


def test_what_was_broken_at_the_first_look_gave_no_chance():
    assert outcomes(state(0, broken="secret_expired")) == []


def test_the_sum_counts_by_cause():
    found = [
        *grades([state(0, said(30)), state(31, broken="secret_expired")], day(60)),
        *grades([state(0, said(30))], day(60)),
        *grades([state(0), state(31, broken="session_revoked")], day(60)),
    ]

    secrets, sessions = summed(found)

    assert (secrets.hits, secrets.false_alarms, secrets.precision, secrets.recall) == (1, 1, 0.5, 1.0)
    assert (sessions.missed, sessions.precision, sessions.recall) == (1, None, 0.0)


# --- calibration ---------------------------------------------------------------------------------------


def test_intervals_that_held_are_counted_by_their_width():
    held = grades([state(0, said(30)), state(31, broken="secret_expired")], day(60))
    early = grades([state(0, said(30, 35)), state(20, broken="secret_expired")], day(60))
    late = grades([state(0, said(30, 35)), state(45, broken="secret_expired")], day(60))
    never = grades([state(0, said(30, 35))], day(60))

    assert calibration([*held, *early, *late, *never]) == [
        Bucket(timedelta(hours=1), 1, 1),
        Bucket(timedelta(days=7), 3, 0),
    ]


def test_what_was_taken_back_in_time_says_nothing_about_the_width():
    withdrawn = grades([state(0, said(90)), state(10)], day(60))

    assert calibration(withdrawn) == []
