"""When each predictable cause can break a connection."""

from datetime import timedelta

import pytest

from holdfast.core.horizon import Condition
from holdfast.core.inventory import SignIn
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.reading.witnesses import witnesses
from tests.builders import START, a_connection, a_secret, an_app, an_app_connection, day

MINUTE = timedelta(minutes=1)


def foreseen(connection, *apps, readable=True, cause=None):
    verdict = Verdict(Cause(cause, cause), 0.9) if cause else None
    known = {app.client_id: app for app in apps} if readable else None
    return forecast(Known(connection, witnesses(connection, day(1)), known, verdict, day(1)))


def test_a_sign_in_expires_ninety_days_after_its_last_refresh_if_it_is_not_used():
    [horizon] = foreseen(a_connection(token_expires_at=START + 70 * MINUTE))

    assert (horizon.cause, horizon.condition) == ("token_inactive", Condition.IF_UNUSED)
    assert (horizon.earliest, horizon.latest) == (day(90) - 20 * MINUTE, day(90) + 10 * MINUTE)
    assert any("assumed" in sentence for sentence in horizon.assumptions)


def test_a_sign_in_that_nothing_dates_is_unknown_with_what_would_tell():
    [horizon] = foreseen(a_connection(token_expires_at=None))

    assert horizon.condition is Condition.IF_UNUSED
    assert (horizon.earliest, horizon.likely, horizon.latest) == (None, None, None)
    assert "would" in horizon.assumptions[0]


def test_what_never_signed_in_does_not_go_idle():
    assert foreseen(a_connection(token_expires_at=None), cause="connection_missing_or_unshared") == ()


@pytest.mark.parametrize(
    "cause", ["token_inactive", "password_changed", "session_revoked", "account_deleted"]
)
def test_a_sign_in_that_is_gone_does_not_go_idle(cause):
    assert foreseen(a_connection(), cause=cause) == ()


@pytest.mark.parametrize("cause", ["mfa_required", "account_disabled", "sql_firewall"])
def test_a_sign_in_that_is_only_refused_goes_idle_meanwhile(cause):
    assert [horizon.cause for horizon in foreseen(a_connection(), cause=cause)] == ["token_inactive"]


def test_a_service_principal_does_not_go_idle():
    app = an_app(a_secret())

    assert [h.cause for h in foreseen(an_app_connection(token_expires_at=START), app)] == ["secret_expired"]


def test_the_only_secret_tells_when_the_connection_breaks():
    [horizon] = foreseen(an_app_connection(), an_app(a_secret(expires=65)))

    assert (horizon.cause, horizon.condition) == ("secret_expired", Condition.EXPECTED)
    assert (horizon.earliest, horizon.likely, horizon.latest) == (day(65), day(65), day(65))


def test_secrets_that_expire_close_together_give_an_interval():
    [horizon] = foreseen(an_app_connection(), an_app(a_secret("a", expires=65), a_secret("b", expires=66)))

    assert (horizon.earliest, horizon.latest) == (day(65), day(66))


def test_secrets_that_expire_far_apart_are_unknown_with_both_dates_said():
    [horizon] = foreseen(an_app_connection(), an_app(a_secret("a", expires=65), a_secret("b", expires=68)))

    assert not horizon.is_known
    assert f"{day(65):%Y-%m-%d} to {day(68):%Y-%m-%d}" in horizon.assumptions[0]


@pytest.mark.parametrize(
    ("connection", "readable", "says"),
    [
        (an_app_connection(), False, "Application.Read.All"),
        (an_app_connection(client_id=None), True, "does not name the application"),
        (an_app_connection(client_id="stranger"), True, "not registered in this tenant"),
        (an_app_connection(sign_in=SignIn.CERTIFICATE), True, "no certificate"),
        (a_connection(sign_in=SignIn.SQL_LOGIN, token_expires_at=None), True, "LOGINPROPERTY"),
        (a_connection(sign_in=SignIn.WINDOWS, token_expires_at=None), True, "imported table"),
    ],
)
def test_what_cannot_be_known_is_said_with_what_would_tell(connection, readable, says):
    [horizon] = foreseen(connection, an_app(a_secret()), readable=readable)

    assert not horizon.is_known
    assert says in horizon.assumptions[0]


def test_a_secret_without_an_expiry_makes_the_date_unknown():
    [horizon] = foreseen(an_app_connection(), an_app(a_secret("a"), a_secret("b", expires=None)))

    assert not horizon.is_known


def test_a_cause_that_already_broke_it_is_not_foreseen():
    assert foreseen(an_app_connection(), an_app(a_secret(expires=-2)), cause="secret_expired") == ()


def test_a_certificate_is_foreseen_as_a_certificate():
    app = an_app(a_secret("paper", kind="certificate", expires=40))

    [horizon] = foreseen(an_app_connection(sign_in=SignIn.CERTIFICATE), app)

    assert (horizon.cause, horizon.likely) == ("certificate_invalid", day(40))
