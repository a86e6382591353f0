"""When a token was last refreshed, by what was seen."""

from datetime import timedelta

import pytest

from holdfast.core.horizon import Interval
from holdfast.core.inventory import SignIn
from holdfast.core.witness import Source
from holdfast.reading.witnesses import expiry_witness, idle_evidence, last_refresh, witnesses
from tests.builders import START, a_connection, day

HOUR = timedelta(hours=1)


def test_the_last_refresh_lies_one_token_life_before_the_expiry():
    found = expiry_witness(a_connection(token_expires_at=day(10)), seen_at=day(20))

    assert found is not None
    assert found.refreshed == Interval(day(10) - 1.5 * HOUR, day(10) - HOUR)


@pytest.mark.parametrize("sign_in", [SignIn.SQL_LOGIN, SignIn.WINDOWS, SignIn.USER])
def test_without_an_expiry_nothing_tells(sign_in):
    assert witnesses(a_connection(sign_in=sign_in, token_expires_at=None), day(1)) == ()


def test_a_refresh_does_not_lie_in_the_future():
    found = expiry_witness(a_connection(token_expires_at=day(1) + 1.2 * HOUR), seen_at=day(1))

    assert found is not None
    assert found.refreshed == Interval(day(1) - 0.3 * HOUR, day(1))


def test_a_token_that_lives_longer_than_most_widens_the_interval():
    found = expiry_witness(a_connection(token_expires_at=day(1)), seen_at=day(1) - 10 * HOUR)

    assert found is not None
    assert found.refreshed == Interval(day(1) - 28 * HOUR, day(1) - 10 * HOUR)


def test_a_rename_is_not_a_use():
    before = a_connection(modified_at=day(0))
    after = a_connection(modified_at=day(50), display_name="renamed")

    assert witnesses(after, day(60)) == witnesses(before, day(60))


def test_an_expiry_that_moved_between_two_looks_dates_the_refresh_by_them():
    earlier = witnesses(a_connection(token_expires_at=day(0)), day(1))

    found = witnesses(a_connection(token_expires_at=day(2)), day(3), earlier, Interval(day(1), day(3)))

    assert [witness.source for witness in found] == [Source.EXPIRY, Source.LOOKS]
    assert found[1].refreshed == Interval(day(1), day(3))


def test_an_expiry_that_stands_still_keeps_what_was_known():
    first = witnesses(a_connection(token_expires_at=day(0)), day(1))
    moved = witnesses(a_connection(token_expires_at=day(2)), day(3), first, Interval(day(1), day(3)))

    again = witnesses(a_connection(token_expires_at=day(2)), day(9), moved, Interval(day(3), day(9)))

    assert again == moved


def test_a_long_life_that_was_once_seen_is_not_forgotten():
    expires = day(1)
    first = witnesses(a_connection(token_expires_at=expires), expires - 10 * HOUR)

    again = witnesses(a_connection(token_expires_at=expires), day(2), first, Interval(day(0), day(2)))

    assert last_refresh(again) == Interval(expires - 28 * HOUR, expires - 10 * HOUR)


def test_the_first_look_knows_of_no_movement():
    found = witnesses(a_connection(), day(1), None, None)

    assert [witness.source for witness in found] == [Source.EXPIRY]


def test_witnesses_that_agree_sharpen_each_other():
    expires = day(2) + 1.25 * HOUR
    earlier = witnesses(a_connection(token_expires_at=day(0)), day(1))

    found = witnesses(a_connection(token_expires_at=expires), day(3), earlier, Interval(day(2), day(3)))

    assert last_refresh(found) == Interval(day(2), day(2) + 0.25 * HOUR)


def test_of_witnesses_that_contradict_each_other_the_later_counts():
    earlier = witnesses(a_connection(token_expires_at=day(0)), day(1))

    found = witnesses(a_connection(token_expires_at=day(3)), day(9), earlier, Interval(day(5), day(9)))

    assert last_refresh(found) == Interval(day(5), day(9))


def test_no_witness_no_date():
    assert last_refresh(()) is None


@pytest.mark.parametrize(("days", "dead"), [(89, False), (89.99, False), (90.01, True), (200, True)])
def test_a_sign_in_unused_past_the_limit_is_dead_whatever_its_status_says(days, dead):
    refreshed = Interval(START - HOUR, START)

    evidence = idle_evidence(refreshed, day(days))

    assert (evidence is not None) is dead
    if evidence is not None:
        assert evidence.causes == ("token_inactive",)
        assert f"{int(days)} days" in evidence.quote


def test_a_sign_in_that_may_still_live_is_not_called_dead():
    refreshed = Interval(START, START + HOUR)

    assert idle_evidence(refreshed, day(90) + 0.5 * HOUR) is None
