"""How a connection stands."""

import pytest

from holdfast.core.coverage import Outcome
from holdfast.core.horizon import Condition, Horizon
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import UNKNOWN, Actor, Cause, Remedy, Verdict
from holdfast.diagnosis.status import State, status
from tests.builders import SALES, a_broken_connection, a_connection, day

SIGN_IN = Remedy("sign_in_again", Actor.OWNER, "Sign in again.")
REVOKED = Verdict(Cause("session_revoked", "Revoked"), 0.9, remedies=(SIGN_IN,))


def a_horizon(at, cause="token_inactive", condition=Condition.IF_UNUSED):
    return Horizon(cause, condition, at, at, at)


def judged(verdict=None, *horizons):
    connection = a_connection()
    return Judgement(SALES, connection.connector, connection.id, verdict, horizons)


def stands(connection=None, judgement=None, outcome=Outcome.SCANNED):
    return status(connection or a_connection(), judgement or judged(), outcome, day(0))


def test_a_healthy_connection_is_ok():
    found = stands(judgement=judged(None, a_horizon(day(80))))

    assert (found.state, found.cause, found.next_action) == (State.OK, None, "")
    assert found.nearest == a_horizon(day(80))


def test_a_broken_connection_says_its_first_remedy():
    found = stands(a_broken_connection("c1", "AADSTS50173"), judged(REVOKED))

    assert (found.state, found.cause, found.confidence) == (State.BROKEN, "session_revoked", 0.9)
    assert found.next_action == "Sign in again."


def test_a_dead_connection_is_broken_though_its_status_says_connected():
    assert stands(judgement=judged(REVOKED)).state is State.BROKEN


def test_an_error_that_nobody_understands_is_broken_by_an_unknown_cause():
    found = stands(a_broken_connection("c1", "Hm."), judged(Verdict(UNKNOWN, 0.2)))

    assert (found.state, found.cause) == (State.BROKEN, "unknown")
    assert "holdfast show" in found.next_action


@pytest.mark.parametrize(
    ("days", "state"), [(80, State.OK), (14.1, State.OK), (13.9, State.AT_RISK), (-1, State.AT_RISK)]
)
def test_a_near_break_is_a_risk(days, state):
    assert stands(judgement=judged(None, a_horizon(day(days)))).state is state


def test_a_risk_names_its_cause_but_claims_no_confidence():
    found = stands(judgement=judged(None, a_horizon(day(9), "secret_expired", Condition.EXPECTED)))

    assert (found.cause, found.confidence) == ("secret_expired", None)
    assert f"{day(9):%Y-%m-%d}" in found.next_action


def test_a_policy_in_waiting_is_no_risk_yet():
    found = stands(judgement=judged(None, a_horizon(day(1), "mfa_required", Condition.IF_ENFORCED)))

    assert found.state is State.OK


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.TIMED_OUT, Outcome.PARTIAL, Outcome.MISSING])
def test_what_could_not_be_read_again_is_unknown(outcome):
    found = stands(outcome=outcome)

    assert found.state is State.UNKNOWN
    assert outcome.value in found.next_action


def test_a_break_that_was_seen_stays_said_though_it_cannot_be_read_again():
    assert stands(judgement=judged(REVOKED), outcome=Outcome.DENIED).state is State.BROKEN


def test_a_sign_in_that_could_have_died_silently_is_unknown():
    assert stands(judgement=judged(None, a_horizon(None))).state is State.UNKNOWN


def test_a_password_that_the_platform_calls_connected_is_ok():
    unknown = Horizon("password_expired", Condition.EXPECTED, None, None, None)

    assert stands(judgement=judged(None, unknown)).state is State.OK


def test_a_state_that_is_neither_is_unknown():
    assert stands(a_connection(status="PendingConfirmation")).state is State.UNKNOWN
