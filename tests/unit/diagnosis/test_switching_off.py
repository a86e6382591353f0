"""Flows that the platform is about to switch off."""

from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.forecast import Known
from holdfast.diagnosis.known import Failing
from holdfast.diagnosis.switching_off import switching_off
from tests.builders import a_connection, a_flow, day

BROKEN = Verdict(Cause("account_disabled", "x"), 0.9)


def known(*flows, verdict=None, failing=()):
    return Known(a_connection(), (), None, verdict, day(20), tuple(flows), True, failing=failing)


def test_a_flow_that_fails_is_switched_off_within_fourteen_days():
    [horizon] = switching_off(known(verdict=BROKEN, failing=(Failing("Nightly", day(19)),)))

    assert not horizon.is_known
    assert f"by {day(33):%Y-%m-%d}" in horizon.assumptions[0]


def test_a_flow_that_failed_for_another_reason_is_no_matter_of_the_connection():
    assert switching_off(known(failing=(Failing("Nightly", day(19)),))) == []


def test_a_yearly_flow_may_be_dormant_and_nobody_tells_its_owners_plan():
    [horizon] = switching_off(known(a_flow(every=("month", 12))))

    assert not horizon.is_known
    assert "paid plan" in horizon.assumptions[0]


def test_a_quarterly_flow_is_not_called_dormant():
    assert switching_off(known(a_flow(every=("month", 3)))) == []
