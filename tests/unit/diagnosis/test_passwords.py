"""When passwords end, by what was handed in."""

from datetime import timedelta

import pytest

from holdfast.core.horizon import Condition
from holdfast.core.imported import PasswordTerm
from holdfast.core.inventory import ConnectionId, SignIn
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.reading.witnesses import witnesses
from tests.builders import a_connection, day


def foreseen(term, *, changed_at=None, sign_in=SignIn.WINDOWS):
    connection = a_connection(sign_in=sign_in, token_expires_at=None)
    known = Known(connection, (), None, None, day(1), password=term, password_changed_at=changed_at)
    [horizon] = forecast(known)
    return horizon


def a_term(**given):
    return PasswordTerm(ConnectionId("c1"), "CONTOSO\\svc", "windows", **given)


@pytest.mark.parametrize("sign_in", [SignIn.WINDOWS, SignIn.SQL_LOGIN])
def test_a_date_in_the_imported_table_is_expected(sign_in):
    horizon = foreseen(a_term(expires_from=day(30), expires_to=day(31)), sign_in=sign_in)

    assert (horizon.cause, horizon.condition) == ("password_expired", Condition.EXPECTED)
    assert (horizon.earliest, horizon.latest) == (day(30), day(31))


def test_an_age_counts_from_the_synced_accounts_last_change():
    horizon = foreseen(a_term(max_age=timedelta(days=90)), changed_at=day(-20))

    assert horizon.earliest == horizon.latest == day(70)


def test_an_age_without_a_last_change_is_unknown_with_what_would_tell():
    horizon = foreseen(a_term(max_age=timedelta(days=90)))

    assert not horizon.is_known
    assert "LOGINPROPERTY" in horizon.assumptions[0]


def test_a_date_that_passed_says_that_the_table_is_old():
    horizon = foreseen(a_term(expires_from=day(-3), expires_to=day(-2)))

    assert not horizon.is_known
    assert "newer table" in horizon.assumptions[0]


# --- a person's password -------------------------------------------------------------------------------


def test_a_password_that_was_changed_since_the_last_use_has_two_scenarios():
    connection = a_connection()
    known = Known(connection, witnesses(connection, day(2)), None, None, day(2), password_changed_at=day(1))

    [horizon] = [each for each in forecast(known) if each.cause == "password_changed"]

    assert not horizon.is_known
    assert horizon.assumptions[0].endswith("(AADSTS50173, by the platform's own page on broken connections);")
    assert horizon.assumptions[1].startswith("or nothing happens")


def test_a_connection_that_was_used_since_the_change_has_settled_it():
    connection = a_connection()
    known = Known(connection, witnesses(connection, day(2)), None, None, day(2), password_changed_at=day(-1))

    assert "password_changed" not in [each.cause for each in forecast(known)]
