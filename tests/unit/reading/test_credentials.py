"""Which secret a connection can be holding."""

from holdfast.core.horizon import Interval
from holdfast.core.inventory import SignIn
from holdfast.reading.credentials import candidates, dead_credential_evidence
from tests.builders import a_secret, an_app, an_app_connection, day


def ids(found):
    return [secret.key_id for secret in found]


def test_the_soonest_to_expire_comes_first():
    app = an_app(a_secret("late", expires=90), a_secret("never", expires=None), a_secret("soon", expires=9))

    assert ids(candidates(an_app_connection(), app)) == ["soon", "late", "never"]


def test_a_certificate_sign_in_holds_certificates_only():
    app = an_app(a_secret("password"), a_secret("paper", kind="certificate"))

    assert ids(candidates(an_app_connection(sign_in=SignIn.CERTIFICATE), app)) == ["paper"]


def test_a_secret_made_after_the_connection_was_last_changed_is_not_in_it():
    app = an_app(a_secret("old", starts=-10), a_secret("new", starts=10))

    assert ids(candidates(an_app_connection(modified_at=day(5)), app)) == ["old"]


def test_a_secret_that_had_expired_before_the_last_token_is_not_in_it():
    app = an_app(a_secret("gone", expires=2), a_secret("live", expires=50))
    connection = an_app_connection(modified_at=day(5))

    assert ids(candidates(connection, app, Interval(day(5), day(5)))) == ["live"]


def test_a_connection_changed_since_its_last_token_may_hold_another_secret():
    app = an_app(a_secret("first", expires=2), a_secret("second", starts=6))
    connection = an_app_connection(modified_at=day(7))

    assert ids(candidates(connection, app, Interval(day(1), day(1)))) == ["first", "second"]


def test_the_key_that_was_shown_is_the_one():
    app = an_app(a_secret("first"), a_secret("second"))
    connection = an_app_connection(modified_at=day(5))

    assert ids(candidates(connection, app, Interval(day(5), day(5)), frozenset({"second"}))) == ["second"]


def test_what_was_shown_before_the_last_change_counts_no_more():
    app = an_app(a_secret("first"), a_secret("second"))
    connection = an_app_connection(modified_at=day(7))

    assert ids(candidates(connection, app, Interval(day(5), day(5)), frozenset({"second"}))) == [
        "first",
        "second",
    ]


def test_a_connection_whose_every_secret_has_expired_is_dead():
    app = an_app(a_secret("a", expires=2), a_secret("b", expires=3))

    evidence = dead_credential_evidence(app, candidates(an_app_connection(), app), day(4))

    assert evidence is not None
    assert evidence.causes == ("secret_expired",)
    assert evidence.at == day(3)


def test_one_live_secret_is_enough_to_say_nothing():
    app = an_app(a_secret("a", expires=2), a_secret("b", expires=5))

    assert dead_credential_evidence(app, candidates(an_app_connection(), app), day(4)) is None


def test_a_secret_without_an_expiry_lives():
    app = an_app(a_secret("a", expires=2), a_secret("b", expires=None))

    assert dead_credential_evidence(app, candidates(an_app_connection(), app), day(4)) is None


def test_an_application_without_secrets_says_nothing():
    assert dead_credential_evidence(an_app(), (), day(4)) is None
