"""Which connections die of a supposed change."""

from datetime import timedelta

import pytest

from holdfast.core.finding import End
from holdfast.core.inventory import SignIn
from holdfast.core.verdict import UNKNOWN, Verdict
from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.forecast import Known
from holdfast.diagnosis.whatif import VERBS, Certainty, Supposition, consequence
from holdfast.reading.witnesses import witnesses
from tests.builders import START, a_connection, a_flow, a_secret, an_app, an_app_connection, day

ADA = "ada@contoso.example"
NOW = day(1)


def known(connection=None, *apps, flows=(), verdict=None):
    connection = connection or a_connection()
    by_id = {app.client_id: app for app in apps}
    return Known(connection, witnesses(connection, NOW), by_id, verdict, NOW, tuple(flows), True)


def dies(about, *changes):
    return consequence(about, [c if isinstance(c, Supposition) else Supposition(*c) for c in changes], NOW)


def advance(days):
    return Supposition("advance", length=timedelta(days=days))


@pytest.mark.parametrize(
    ("verb", "cause", "end", "certainty"),
    [
        ("reset-password", "password_changed", End.REVOKED, Certainty.CERTAIN),
        ("change-password", "password_changed", End.REVOKED, Certainty.POSSIBLE),
        ("revoke-sessions", "session_revoked", End.REVOKED, Certainty.CERTAIN),
        ("disable-account", "account_disabled", End.REFUSED, Certainty.CERTAIN),
        ("delete-account", "account_deleted", End.REFUSED, Certainty.CERTAIN),
        ("require-mfa", "mfa_required", End.REFUSED, Certainty.POSSIBLE),
    ],
)
def test_a_change_to_a_person_ends_that_persons_connections(verb, cause, end, certainty):
    found = dies(known(), (verb, ADA))

    assert (found.deaths[0].cause, found.deaths[0].end, found.deaths[0].certainty) == (cause, end, certainty)
    assert dies(known(), (verb, "somebody@else.example")) is None


@pytest.mark.parametrize("name", ["ADA@contoso.example", "o1", "svc@contoso.example"])
def test_a_person_is_met_by_every_name(name):
    connection = a_connection(account_name="svc@contoso.example")

    assert dies(known(connection), ("disable-account", name)) is not None


@pytest.mark.parametrize("sign_in", [SignIn.SQL_LOGIN, SignIn.WINDOWS])
@pytest.mark.parametrize("verb", [v for v, meant in VERBS.items() if meant.operand.startswith("person")])
def test_nothing_that_happens_in_entra_ends_a_password_of_sql(sign_in, verb):
    assert dies(known(a_connection(sign_in=sign_in, token_expires_at=None)), (verb, ADA)) is None


def test_no_change_to_a_person_ends_a_service_principal():
    assert dies(known(an_app_connection(), an_app(a_secret())), ("disable-account", ADA)) is None


def test_it_dies_when_the_token_it_holds_ends():
    connection = a_connection(token_expires_at=NOW + timedelta(minutes=40))

    assert dies(known(connection), ("disable-account", ADA)).deaths[0].at == NOW + timedelta(minutes=40)
    assert dies(known(a_connection()), ("disable-account", ADA)).deaths[0].at == NOW


def test_without_a_name_everybody_is_meant():
    assert dies(known(), ("require-mfa", "")) is not None


@pytest.mark.parametrize(
    ("verb", "cause", "code"),
    [
        ("delete-secret", "secret_invalid", "AADSTS7000215"),
        ("expire-secret", "secret_expired", "AADSTS7000222"),
        ("disable-app", "app_disabled_or_missing", "AADSTS7000112"),
        ("delete-app", "app_disabled_or_missing", "AADSTS700016"),
    ],
)
@pytest.mark.parametrize("name", ["app-1", "App-1", "object-of-app-1"])
def test_a_change_to_an_application_ends_its_connections(verb, cause, code, name):
    found = dies(known(an_app_connection(), an_app(a_secret())), (verb, name))

    assert (found.deaths[0].cause, found.deaths[0].code) == (cause, code)
    assert found.deaths[0].certainty is Certainty.CERTAIN


def test_one_of_several_secrets_may_be_the_one():
    about = known(an_app_connection(), an_app(a_secret("a"), a_secret("b", expires=300)))

    assert dies(about, ("delete-secret", "app-1/a")).deaths[0].certainty is Certainty.POSSIBLE
    assert dies(about, ("delete-secret", "app-1")).deaths[0].certainty is Certainty.CERTAIN
    assert dies(about, ("delete-secret", "app-1/c")) is None


def test_a_secret_that_the_connection_cannot_hold_may_go():
    about = known(an_app_connection(modified_at=day(0)), an_app(a_secret("old"), a_secret("new", starts=0.5)))

    assert dies(about, ("delete-secret", "app-1/new")) is None


def test_time_that_passes_ends_what_ends_by_time():
    about = known(an_app_connection(), an_app(a_secret(expires=20)))

    assert dies(about, advance(10)) is None
    assert dies(about, advance(30)).deaths[0].cause == "secret_expired"


def test_an_idle_sign_in_possibly_ends_if_nothing_uses_it():
    found = dies(known(), advance(100))

    assert (found.deaths[0].cause, found.deaths[0].certainty) == ("token_inactive", Certainty.POSSIBLE)


def test_a_sign_in_that_a_daily_flow_uses_outlives_the_time():
    assert dies(known(flows=[a_flow(every=("day", 1))]), advance(400)) is None


def test_a_sign_in_that_a_quarterly_flow_uses_ends_surely():
    found = dies(known(flows=[a_flow(every=("month", 3))]), advance(120))

    assert (found.deaths[0].cause, found.deaths[0].certainty) == ("token_inactive", Certainty.CERTAIN)


def test_a_sign_in_that_is_refused_for_ninety_days_is_lost_for_good():
    about = known(flows=[a_flow(every=("day", 1))])

    found = dies(about, ("disable-account", ADA), advance(100))

    assert [death.cause for death in found.deaths] == ["account_disabled", "token_inactive"]
    assert found.deaths[1].end is End.EXPIRED


def test_a_sign_in_that_is_refused_for_a_month_can_come_back():
    about = known(flows=[a_flow(every=("day", 1))])

    assert [d.cause for d in dies(about, ("disable-account", ADA), advance(30)).deaths] == [
        "account_disabled"
    ]


def test_the_surest_death_comes_first():
    found = dies(known(), ("change-password", ADA), ("disable-account", ADA))

    assert [death.cause for death in found.deaths] == ["account_disabled", "password_changed"]


def test_flows_that_are_on_stop_with_it():
    flows = [a_flow("on", every=("hour", 6)), a_flow("off", is_on=False, every=("hour", 1)), a_flow("manual")]

    found = dies(known(flows=flows), ("disable-account", ADA))

    assert [flow.id for flow in found.stops] == ["on", "manual"]
    assert found.runs_lost_per_week == 28


def test_without_a_schedule_nobody_counts_runs():
    assert dies(known(flows=[a_flow("manual")]), ("disable-account", ADA)).runs_lost_per_week is None


def test_what_is_broken_already_does_not_die_again():
    assert dies(known(verdict=Verdict(UNKNOWN, 0.5)), ("disable-account", ADA)) is None


def test_a_connector_blocked_in_one_environment_spares_the_others():
    assert dies(known(), ("block-connector", "sales")).deaths[0].end is End.BLOCKED
    assert dies(known(), ("block-connector", "stock")) is None
    assert dies(known(), ("block-connector", "")) is not None


def test_what_helps_before_is_not_what_helps_afterwards():
    assert all(step.id != "sign_in_again" for step in dies(known(), ("reset-password", ADA)).before)


def test_every_death_names_a_cause_of_the_knowledge_base():
    about = known(an_app_connection(), an_app(a_secret()))
    deaths = [
        death
        for verb, meant in VERBS.items()
        for each in (known(), about)
        if (found := dies(each, Supposition(verb, operand(meant), length=timedelta(days=400))))
        for death in found.deaths
    ]

    assert {death.verb for death in deaths} > {"disable-account", "delete-secret"}
    assert {death.cause for death in deaths} <= set(BY_ID)
    assert all(death.because and death.at >= START for death in deaths)


def operand(meant) -> str:
    return {"person": ADA, "application": "app-1"}.get(meant.operand.rstrip("?"), "")


@pytest.mark.parametrize("apps", [{}, None], ids=["an application of elsewhere", "directory not read"])
def test_secrets_that_could_not_be_read_may_be_the_one_it_holds(apps):
    about = known(an_app_connection())._replace(apps=apps)

    found = dies(about, ("delete-secret", "app-1"))

    assert (found.deaths[0].cause, found.deaths[0].certainty) == ("secret_invalid", Certainty.POSSIBLE)
    assert dies(about, ("delete-secret", "app-2")) is None
