"""Witnesses before and after a run → refreshed or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.horizon import Interval
from holdfast.core.inventory import FlowId, FlowRun
from holdfast.core.proof import Answer, Proof
from holdfast.diagnosis.proving import answered, coming_run
from tests.builders import START, a_connection, a_flow, day

EXPIRY = START + timedelta(minutes=70)
DUE = Interval(day(1), day(1) + timedelta(minutes=10))


def a_proof(**changes: Any) -> Proof:
    c = a_connection()
    given = {"expires_at": EXPIRY, "flow": FlowId("f1"), "due": DUE, **changes}
    return Proof(c.environment, c.connector, c.id, day(0.5), "Connected", **given)


def a_run(status: str) -> FlowRun:
    return FlowRun("r1", FlowId("f1"), status, day(1))


CASES = {
    "the expiry moved": (a_connection(token_expires_at=day(1.1)), [], 1.2, "", Answer.REFRESHED),
    "the run is not due": (a_connection(), [], 0.9, "", Answer.WAITING),
    "the run may still go on": (a_connection(), [], 1.01, "", Answer.WAITING),
    "it ran well and moved nothing": (
        a_connection(),
        [a_run("Succeeded")],
        1.2,
        "",
        Answer.NOT_REFRESHED,
    ),
    "it failed": (a_connection(), [a_run("Failed")], 1.2, "", Answer.NOT_REFRESHED),
    "it never ran": (a_connection(), [], 1.2, "", Answer.NOT_REFRESHED),
    "its runs cannot be read": (a_connection(), None, 1.2, "", Answer.NOT_REFRESHED),
    "the platform says why not": (
        a_connection(status="Error"),
        [],
        0.9,
        "AADSTS50173",
        Answer.NOT_REFRESHED,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_witnesses_say_is_the_answer(name):
    now_is, runs, at, fault, expected = CASES[name]

    assert answered(a_proof(), now_is, runs, day(at), fault)[0] is expected


def test_a_run_that_succeeds_is_no_proof_without_a_witness():
    password = a_connection(token_expires_at=None)

    answer, says = answered(a_proof(expires_at=None), password, [a_run("Succeeded")], day(1.2), "")

    assert answer is Answer.NO_WITNESS
    assert "Succeeded" in says


def test_a_run_within_the_life_of_the_token_is_not_waited_for():
    hourly = a_flow(every=("hour", 1))
    lives_long = a_connection(token_expires_at=day(1))

    coming = coming_run(lives_long, [hourly], Interval(day(0), day(0)), day(0.1))

    assert coming is not None
    assert coming[1].latest >= day(1)


def test_no_run_is_named_where_no_flow_that_is_on_has_a_schedule():
    flows = [a_flow(every=("day", 1), is_on=False), a_flow("f2")]

    assert coming_run(a_connection(), flows, None, day(0)) is None
