"""What LOGINPROPERTY answers, in our words."""

from datetime import UTC, datetime

import pytest

from holdfast.adapters.sql.logins import question, state

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def answer(
    days, *, local="2026-03-04T09:30:00", universal="2026-03-04T09:30:00", last="2026-01-04T08:00:00", **flags
):
    numbers = (days, *(flags.get(name, 0) for name in ("locked", "expired", "must_change")))
    return state("app", ((*numbers, last, local, universal),))


@pytest.mark.parametrize(
    ("days", "ends_from", "ends_to"),
    [
        (0, datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, 9, 30, tzinfo=UTC)),
        (10, datetime(2026, 3, 14, tzinfo=UTC), datetime(2026, 3, 15, 9, 30, tzinfo=UTC)),
        (None, None, None),
        (-1, None, None),
    ],
    ids=["today", "later", "not by its settings", "not by the policy of Windows"],
)
def test_days_left_become_an_interval(days, ends_from, ends_to):
    found = answer(days)

    assert (found.ends_from, found.ends_to) == (ends_from, ends_to)


@pytest.mark.parametrize(
    ("local", "hours"), [("2026-03-04T11:30:00.003", 2), ("2026-03-03T22:30:00", -11)], ids=["east", "west"]
)
def test_the_servers_local_times_become_universal(local, hours):
    found = answer(1, local=local)

    assert found.at == NOW
    assert found.set_at == datetime(2026, 1, 4, 8 - hours if hours > 0 else 19, tzinfo=UTC)
    here = datetime.fromisoformat(local).replace(hour=0, minute=0, second=0, microsecond=0)
    assert (found.ends_from.replace(tzinfo=None) - here).total_seconds() == (24 - hours) * 3600


def test_a_login_that_is_not_told_of_is_none():
    assert answer(None, last=None) is None


def test_what_keeps_it_out_is_told():
    found = answer(0, locked=1, expired=1, must_change=1)

    assert (found.is_locked, found.is_expired, found.must_change) == (True, True, True)


def test_a_name_cannot_end_its_quotes():
    assert "N'o''brien'" in question("o'brien")
    with pytest.raises(ValueError, match="No text"):
        question("a\nb")
