"""What an account tells of a connection before the connection has noticed."""

from datetime import timedelta

import pytest

from holdfast.core.directory import Account
from holdfast.core.horizon import Interval
from holdfast.core.identity import Owner
from holdfast.core.inventory import SignIn
from holdfast.reading.accounts import Accounts, account_evidence
from tests.builders import START, a_connection, an_app_connection, day

REFRESHED = Interval(START - timedelta(minutes=30), START)


def ada(**changes):
    return Account("o1", "ada@contoso.example", "Ada Kent", **({"is_enabled": True} | changes))


def told(connection=None, *accounts, refreshed=REFRESHED):
    found = account_evidence(
        connection or a_connection(), Accounts.of(accounts or [ada()]), refreshed, day(1)
    )
    return found.causes[0] if found else None


def test_a_healthy_account_says_nothing():
    assert told() is None


def test_a_disabled_account_ends_its_connections():
    assert told(None, ada(is_enabled=False)) == "account_disabled"


def test_an_account_that_is_gone_was_deleted():
    assert told(None, Account("o2", "bo@contoso.example", "Bo")) == "account_deleted"


def test_a_revocation_after_the_last_refresh_ends_the_sign_in():
    assert told(None, ada(sessions_valid_from=day(0.5))) == "session_revoked"


def test_a_password_that_changed_with_it_is_the_reason():
    when = day(0.5)

    assert (
        told(None, ada(sessions_valid_from=when, password_changed_at=when - timedelta(seconds=2)))
        == "password_changed"
    )
    assert told(None, ada(sessions_valid_from=when, password_changed_at=day(-50))) == "session_revoked"


@pytest.mark.parametrize("since", [day(-3), REFRESHED.latest, REFRESHED.earliest])
def test_a_sign_in_from_after_the_revocation_lives(since):
    assert told(None, ada(sessions_valid_from=since)) is None


def test_without_a_witness_no_revocation_is_claimed():
    assert told(None, ada(sessions_valid_from=day(0.5)), refreshed=None) is None


def test_the_account_that_signed_in_counts_more_than_who_made_it():
    connection = a_connection(account_name="SVC@contoso.example")
    service = Account("o9", "svc@contoso.example", "Service", is_enabled=False)

    assert told(connection, ada(), service) == "account_disabled"


def test_an_unknown_state_is_not_disabled():
    assert told(None, ada(is_enabled=None)) is None


@pytest.mark.parametrize("sign_in", [SignIn.SQL_LOGIN, SignIn.WINDOWS])
def test_a_password_of_sql_hangs_on_no_account(sign_in):
    assert told(a_connection(sign_in=sign_in), ada(is_enabled=False)) is None


def test_a_service_principal_hangs_on_no_account():
    assert told(an_app_connection(), ada(is_enabled=False)) is None


def test_what_no_person_made_is_not_called_deleted():
    assert told(a_connection(owner=Owner("sp", kind="ServicePrincipal")), ada()) is None
    assert told(a_connection(owner=None), ada()) is None
