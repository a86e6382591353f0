"""What ends a person's sign-in though it is used."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.horizon import Condition
from holdfast.core.policies import AccessPolicy, PolicyState, Scope
from holdfast.diagnosis.forecast import Known
from holdfast.diagnosis.known import Recurrences
from holdfast.diagnosis.sign_in_limits import sign_in_limits
from tests.builders import a_connection, an_app_connection, day

EVERYBODY: dict[str, Any] = {"users": Scope(frozenset({"All"})), "applications": Scope(frozenset({"All"}))}
MFA = AccessPolicy("p1", "MFA for all", PolicyState.ENFORCED, **EVERYBODY, controls=("mfa",))
TERMS = AccessPolicy("p2", "Terms", PolicyState.ENFORCED, **EVERYBODY, terms_of_use=("t",))
WEEKLY = AccessPolicy("p3", "Weekly", PolicyState.ENFORCED, **EVERYBODY, sign_in_frequency=timedelta(days=40))


def limits(*policies, connection=None, verdict=None, now=1, **given):
    connection = connection or a_connection(created_at=day(0), modified_at=day(1))
    known = Known(
        connection, (), None, verdict, day(now), policies=policies, recurrences=Recurrences(**given)
    )
    return sign_in_limits(known)


@pytest.mark.parametrize(
    ("policy", "given", "cause"),
    [
        (MFA, {"remember_mfa": timedelta(days=14)}, "mfa_required"),
        (TERMS, {"terms": timedelta(days=14)}, "terms_of_use"),
    ],
)
def test_what_comes_round_counts_from_the_sign_in(policy, given, cause):
    [horizon] = limits(policy, **given)

    assert (horizon.cause, horizon.condition) == (cause, Condition.EXPECTED)
    assert (horizon.earliest, horizon.latest) == (day(14), day(15))


def test_a_sign_in_that_nobody_can_date_is_unknown():
    old = a_connection(created_at=day(-200), modified_at=day(0))

    [horizon] = limits(MFA, connection=old, remember_mfa=timedelta(days=14))

    assert not horizon.is_known


def test_without_the_setting_nothing_comes_round():
    assert limits(MFA, TERMS) == []


def test_a_policy_that_only_reports_limits_nothing():
    assert limits(replace(MFA, state=PolicyState.REPORT_ONLY), remember_mfa=timedelta(days=14)) == []


def test_a_sign_in_frequency_is_two_scenarios_and_no_date():
    [horizon] = limits(WEEKLY)

    assert not horizon.is_known
    assert len(horizon.assumptions) == 2
    assert f"{day(40):%Y-%m-%d}" in horizon.assumptions[0]


def test_a_connection_that_outlived_the_frequency_has_settled_the_matter():
    assert limits(WEEKLY, now=60) == []


def test_a_service_principal_signs_in_anew_each_time():
    assert limits(WEEKLY, MFA, connection=an_app_connection(), remember_mfa=timedelta(days=14)) == []
