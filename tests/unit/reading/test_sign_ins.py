"""What an owner's sign-in log tells of one of the owner's connections."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.directory import SignInKind, SignInRecord
from holdfast.core.horizon import Interval
from holdfast.core.inventory import ConnectionId
from holdfast.reading.sign_ins import CONNECTIONS_CLIENT, NEAR, SQL_APPLICATION, dated_by_sign_ins
from tests.builders import a_connection, day

MINE = a_connection("c1", token_expires_at=None)
OTHER = ConnectionId("c2")


def a_row(at, **changes):
    given: dict[str, Any] = {"client_id": CONNECTIONS_CLIENT, "resource_id": SQL_APPLICATION, "code": 0}
    return SignInRecord(f"row {at}", at, SignInKind.NON_INTERACTIVE, "o1", **given | changes)


def test_the_newest_row_of_an_only_connection_dates_it():
    found = dated_by_sign_ins([a_row(day(3)), a_row(day(9))], MINE, {MINE.id: None}, day(20))

    assert found is not None
    assert found.refreshed == Interval(day(9) - NEAR, day(9) + NEAR)


@pytest.mark.parametrize(
    "row",
    [
        a_row(day(9), code=50173),
        a_row(day(9), client_id="a0c73c16-a7e3-4564-9a95-2bdf47383716"),
        a_row(day(9), resource_id="00000003-0000-0000-c000-000000000000"),
        a_row(day(-300)),
    ],
    ids=["refused", "another client", "for another resource", "before it was made"],
)
def test_a_row_that_it_cannot_have_made_tells_nothing(row):
    assert dated_by_sign_ins([row], MINE, {MINE.id: None}, day(20)) is None


def test_where_another_connection_of_the_owner_may_have_made_it_nothing_is_said():
    assert dated_by_sign_ins([a_row(day(9))], MINE, {MINE.id: None, OTHER: None}, day(20)) is None


def test_another_connection_that_rested_then_did_not_make_it():
    rested = Interval(day(1), day(2))

    found = dated_by_sign_ins([a_row(day(9))], MINE, {MINE.id: None, OTHER: rested}, day(20))

    assert found is not None
    assert found.refreshed.latest == day(9) + NEAR


def test_rows_may_still_appear_for_what_happened_lately():
    found = dated_by_sign_ins([a_row(day(9))], MINE, {MINE.id: None}, day(9) + timedelta(hours=5))

    assert found is not None
    assert found.refreshed == Interval(day(9) - NEAR, day(9) + timedelta(hours=5))
