"""All that is known about a connection → its verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.core.directory import Account, Change, SignInKind, SignInRecord
from holdfast.core.finding import End
from holdfast.core.horizon import Interval
from holdfast.core.identity import Principal
from holdfast.core.inventory import ConnectorId, FlowId, FlowRun
from holdfast.core.policies import AccessPolicy, DataPolicy, PolicyReach, PolicyState, Scope
from holdfast.diagnosis.case import Case, Use
from holdfast.diagnosis.judge import concluded
from holdfast.reading.accounts import Accounts
from holdfast.reading.changes import Changes
from holdfast.reading.texts import read_text
from tests.builders import a_connection, a_flow, an_app, an_app_connection, day

ADA = Account("o1", "ada@contoso.example", "Ada Kent", is_enabled=True)
REFRESHED = Interval(day(0), day(0) + timedelta(minutes=30))


def a_case(**changes: Any) -> Case:
    given = {"connection": a_connection(), "seen_at": day(5), "refreshed": REFRESHED, **changes}
    return Case(**{"accounts": Accounts.of([ADA]), **given})


def said(text: str) -> tuple[Any, ...]:
    return read_text(text, load_codebook(), "connection")


def a_change(activity: str, on: float, target: str = "o1", **more: Any) -> Change:
    return Change(f"r{on}", day(on), activity, True, "a1", "admin@contoso.example", (target,), **more)


def audits(*rows: Change) -> Changes:
    return Changes.of(rows, day(-25))


def a_policy(name: str = "Block", control: str = "block", on: float = 1, **changes: Any) -> AccessPolicy:
    everybody = Scope(frozenset({"All"}))
    return AccessPolicy(
        id=name,
        display_name=name,
        state=changes.pop("state", PolicyState.ENFORCED),
        users=changes.pop("users", everybody),
        applications=everybody,
        controls=(control,),
        created_at=day(on),
        **changes,
    )


DISABLED = "AADSTS50057: The user account is disabled."
REVOKED = "AADSTS50173: The provided grant has expired due to it being revoked."


def test_nothing_speaks_of_a_break_where_nothing_does():
    found = concluded(a_case())

    assert (found.verdict, found.findings, found.conflicts, found.is_lifted) == (None, (), (), False)


def test_who_disabled_the_account_is_named():
    case = a_case(
        accounts=Accounts.of([replace(ADA, is_enabled=False)]), changes=audits(a_change("Disable account", 1))
    )

    found = concluded(case)

    assert found.verdict is not None
    assert found.verdict.cause.id == "account_disabled"
    finding = found.findings[0]
    assert finding.end.comes_back
    assert finding.act is not None
    assert (finding.act.by and finding.act.by.user_principal_name, finding.act.at) == (
        "admin@contoso.example",
        day(1),
    )


def test_a_connection_that_still_says_connected_contradicts_the_directory():
    found = concluded(a_case(accounts=Accounts.of([replace(ADA, is_enabled=False)])))

    assert found.conflicts
    assert "The platform says Connected" in found.conflicts[0]


def test_a_refusal_whose_reason_is_gone_is_no_break_any_more():
    broken = a_connection(status="Error", modified_at=day(2))
    found = concluded(a_case(connection=broken, said=said(DISABLED)))

    assert found.is_lifted
    assert found.verdict is None
    assert "the account ada@contoso.example is enabled" in found.conflicts[0]


def test_without_the_directory_the_same_refusal_stands():
    broken = a_connection(status="Error", modified_at=day(2))
    found = concluded(a_case(connection=broken, said=said(DISABLED), accounts=None))

    assert not found.is_lifted
    assert found.verdict is not None
    assert found.verdict.cause.id == "account_disabled"


@pytest.mark.parametrize(
    ("activity", "cause"),
    [
        ("Reset password", "password_changed"),
        ("Update StsRefreshTokenValidFrom Timestamp", "session_revoked"),
        ("Disable account", "account_disabled"),
    ],
)
def test_what_ended_a_sign_in_for_good_is_read_from_the_audit_log(activity, cause):
    account = replace(ADA, sessions_valid_from=day(1))
    case = a_case(said=said(REVOKED), accounts=Accounts.of([account]), changes=audits(a_change(activity, 1)))

    found = concluded(case)

    assert found.verdict is not None
    assert found.verdict.cause.id == cause
    assert found.findings[0].end is End.REVOKED


def test_of_a_reset_and_the_revocation_that_it_brings_the_reset_is_the_reason():
    account = replace(ADA, sessions_valid_from=day(1))
    rows = audits(
        a_change("Update StsRefreshTokenValidFrom Timestamp", 1), a_change("Reset password", 1.0001)
    )

    found = concluded(a_case(accounts=Accounts.of([account]), changes=rows))

    assert found.verdict is not None
    assert found.verdict.cause.id == "password_changed"


def test_a_policy_that_let_the_last_token_through_is_not_the_reason():
    assert concluded(a_case(policies=(a_policy(on=-1),))).verdict is None


def test_a_policy_since_then_is():
    case = a_case(
        policies=(a_policy(on=1),), changes=audits(a_change("Add Conditional Access policy", 1, "Block"))
    )

    found = concluded(case)

    assert found.verdict is not None
    assert found.verdict.cause.id == "conditional_access_blocked"
    act = found.findings[0].act
    assert act is not None
    assert (act.id, act.does, act.thing) == ("Block", "added", "policy 'Block'")


def test_a_policy_that_only_reports_stops_nothing():
    assert concluded(a_case(policies=(a_policy(state=PolicyState.REPORT_ONLY),))).findings == ()


def test_a_demand_for_mfa_is_certain_only_once_it_refused():
    mfa = a_policy("MFA", "mfa")
    row = SignInRecord(
        "s1", day(2), SignInKind.NON_INTERACTIVE, "o1", "app", "sql", 50076, "MFA", blocked_by=("MFA",)
    )

    maybe = concluded(a_case(policies=(mfa,)))
    surely = concluded(a_case(policies=(mfa,), sign_ins=(row,)))

    assert maybe.verdict is None
    assert [one.is_certain for one in maybe.findings] == [False]
    assert surely.verdict is not None
    assert surely.verdict.cause.id == "mfa_required"


def test_where_no_policy_is_seen_the_sign_in_log_is_in_doubt():
    broken = a_connection(status="Error", modified_at=day(2))
    text = said("AADSTS50076: Due to a configuration change you must use multi-factor authentication.")

    assert concluded(a_case(connection=broken, said=text)).in_doubt == {"sign_ins", "mfa"}


def test_what_happened_after_the_last_refusal_comes_first_where_it_is_answered_first():
    broken = a_connection(status="Error", modified_at=day(2))
    account = replace(ADA, sessions_valid_from=day(1), is_enabled=False)
    rows = audits(a_change("Reset password", 1), a_change("Disable account", 3))

    found = concluded(
        a_case(connection=broken, said=said(REVOKED), accounts=Accounts.of([account]), changes=rows)
    )

    assert found.verdict is not None
    assert found.verdict.cause.id == "account_disabled"
    assert "password_changed" in found.verdict.alternatives


def test_a_passing_fault_breaks_nothing():
    broken = a_connection(status="Error", modified_at=day(5))
    found = concluded(a_case(connection=broken, said=said("AADSTS90033: A transient error has occurred.")))

    assert found.verdict is None
    assert found.findings[0].end is End.PASSING


def test_a_passing_fault_that_has_not_passed_in_a_day_needs_somebody():
    broken = a_connection(status="Error", modified_at=day(3))
    found = concluded(a_case(connection=broken, said=said("AADSTS90033: A transient error has occurred.")))

    assert found.verdict is not None
    assert found.verdict.cause.id == "service_transient"


def test_a_disabled_application_stops_its_connections():
    app = an_app()
    principal = Principal(app.client_id, "sp1", app.display_name, is_enabled=False)
    connection = an_app_connection()

    found = concluded(
        a_case(connection=connection, apps={app.client_id: app}, principals={app.client_id: principal})
    )

    assert found.verdict is not None
    assert found.verdict.cause.id == "app_disabled_or_missing"


def test_a_data_policy_that_blocks_the_connector_says_that_the_connection_itself_is_whole():
    policy = DataPolicy("d1", "Company", PolicyReach.ALL, frozenset(), "Blocked", {}, modified_at=day(1))

    found = concluded(a_case(data_policies=(policy,)))

    assert found.verdict is not None
    assert found.verdict.cause.id == "dlp_blocked"
    assert found.findings[0].end is End.BLOCKED


def test_what_a_failed_action_met_with_is_the_cause():
    flow = a_flow("f1")
    run = FlowRun("r1", FlowId("f1"), "Failed", day(4))
    text = read_text("Login failed for user 'app'. SqlErrorNumber 18456, State 8", load_codebook(), "run")

    found = concluded(a_case(flows=(flow,), uses=(Use(flow, run, text),)))

    assert found.verdict is not None
    assert found.findings[0].check == "failed_in_use"


def test_a_run_whose_error_nobody_may_read_is_a_contradiction_not_a_verdict():
    flow = a_flow("f1")
    run = FlowRun("r1", FlowId("f1"), "Failed", day(4))

    found = concluded(a_case(flows=(flow,), uses=(Use(flow, run),)))

    assert found.verdict is None
    assert "only a person who owns the flow may read" in found.conflicts[0]


def test_another_connector_is_not_blocked_with_this_one():
    groups = {ConnectorId("shared_twitter"): "Blocked"}
    policy = DataPolicy("d1", "Company", PolicyReach.ALL, frozenset(), "General", groups)

    assert concluded(a_case(data_policies=(policy,))).findings == ()
