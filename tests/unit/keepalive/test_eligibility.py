"""Whom keeping alive helps, and what is said to all the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.directory import Account
from holdfast.core.horizon import Interval
from holdfast.core.inventory import ConnectorId, SignIn
from holdfast.core.judgement import Judgement
from holdfast.core.operations import SqlOperation
from holdfast.core.policies import (
    AccessPolicy,
    DataPolicy,
    EndpointRule,
    OperationRules,
    PolicyReach,
    PolicyState,
    Scope,
)
from holdfast.core.schedule import Recurrence
from holdfast.core.verdict import Cause, Verdict
from holdfast.core.witness import Source, Witness
from holdfast.diagnosis.known import Recurrences
from holdfast.keepalive.eligibility import Case, Kind, Target, eligibility, target_of
from tests.builders import START, a_connection, a_flow, an_app_connection, an_environment, day

SQL = ConnectorId("shared_sql")
ALL = Scope(frozenset({"All"}))
ADA = Account("o1", "ada@contoso.example", "Ada Kent", is_enabled=True)


def judged(cause: str | None = None, refreshed: Interval | None = None) -> Judgement:
    at = refreshed or Interval(START, START)
    verdict = None if cause is None else Verdict(Cause(cause, cause), 0.9)
    return Judgement(*_key(), verdict, (), (Witness(Source.EXPIRY, at, "one"),))  # type: ignore[arg-type]


def _key() -> tuple[str, str, str]:
    return ("sales", "shared_sql", "c1")


def a_case(**changes: Any) -> Case:
    """A person's connection that nothing uses, with everything looked at."""
    case = Case(
        a_connection(),
        an_environment(dataverse_url="https://org.example"),
        day(10),
        judged(),
        flows_read=True,
        account=ADA,
        accounts_read=True,
        access_policies=(),
        data_policies=(),
        target=Target("sql.example", "sales"),
        owner_is_user=True,
    )
    return replace(case, **changes)


def a_data_policy(**changes: Any) -> DataPolicy:
    return DataPolicy("p", "No SQL", PolicyReach.ALL, frozenset(), "General", **changes)


FREQUENCY = AccessPolicy(
    "p",
    "Weekly sign-in",
    PolicyState.ENFORCED,
    users=ALL,
    applications=ALL,
    sign_in_frequency=timedelta(days=7),
)

FACTOR = replace(FREQUENCY, display_name="MFA", controls=("mfa",), sign_in_frequency=None)
TERMS = replace(FREQUENCY, display_name="Terms", terms_of_use=("t",), sign_in_frequency=None)
OLD = a_connection(created_at=day(-200), modified_at=day(-200))

CASES = {
    "idle": (a_case(), Kind.YES, "idle_if_unused"),
    "service principal": (a_case(connection=an_app_connection()), Kind.CANNOT_HELP, "no_refresh_token"),
    "SQL login": (a_case(connection=a_connection(sign_in=SignIn.SQL_LOGIN)), Kind.CANNOT_HELP, "no_refresh_token"),
    "told nowhere": (a_case(connection=a_connection(sign_in=SignIn.UNKNOWN)), Kind.NOT_LOOKED_AT, "sign_in_unknown"),
    "another connector": (a_case(connection=a_connection(connector=ConnectorId("shared_sqldw"))), Kind.NOT_LOOKED_AT, "connector"),
    "broken": (a_case(judgement=judged("session_revoked")), Kind.CANNOT_HELP, "broken"),
    "throttled": (a_case(judgement=judged("throttled")), Kind.YES, "idle_if_unused"),
    "owner deleted": (a_case(account=None), Kind.CANNOT_HELP, "owner_gone"),
    "owner disabled": (a_case(account=replace(ADA, is_enabled=False)), Kind.CANNOT_HELP, "owner_disabled"),
    "owner not looked at": (a_case(account=None, accounts_read=False), Kind.NOT_LOOKED_AT, "owner"),
    "sign-in frequency": (a_case(access_policies=(FREQUENCY,)), Kind.CANNOT_HELP, "signin_frequency"),
    "sign-in frequency beside a second factor": (a_case(access_policies=(replace(FREQUENCY, controls=("mfa",)),)), Kind.CANNOT_HELP, "signin_frequency"),
    "sign-in frequency of half a year": (a_case(access_policies=(replace(FREQUENCY, sign_in_frequency=timedelta(days=180)),)), Kind.YES, "idle_if_unused"),
    "refreshed though older than the frequency": (a_case(connection=OLD, access_policies=(replace(FREQUENCY, created_at=day(-300)),)), Kind.YES, "idle_if_unused"),
    "refreshed before the frequency was set": (a_case(connection=OLD, access_policies=(replace(FREQUENCY, created_at=day(5)),)), Kind.CANNOT_HELP, "signin_frequency"),
    "second factor for good": (a_case(access_policies=(FACTOR,)), Kind.YES, "idle_if_unused"),
    "second factor every fortnight": (a_case(access_policies=(FACTOR,), recurrences=Recurrences(timedelta(days=14))), Kind.CANNOT_HELP, "mfa_required"),
    "second factor once a year": (a_case(access_policies=(FACTOR,), recurrences=Recurrences(timedelta(days=365))), Kind.YES, "idle_if_unused"),
    "terms of use every month": (a_case(access_policies=(TERMS,), recurrences=Recurrences(terms=timedelta(days=30))), Kind.CANNOT_HELP, "terms_of_use"),
    "terms of use once": (a_case(access_policies=(TERMS,), recurrences=Recurrences(timedelta(days=14))), Kind.YES, "idle_if_unused"),
    "frequency that only reports": (a_case(access_policies=(replace(FREQUENCY, state=PolicyState.REPORT_ONLY),)), Kind.YES, "idle_if_unused"),
    "policies not looked at": (a_case(access_policies=None), Kind.NOT_LOOKED_AT, "access_policies"),
    "nightly flow with proof": (a_case(flows=(a_flow(recurrence=Recurrence("day", 1)),), seen_at=day(1)), Kind.NOT_NEEDED, "kept_alive"),
    "nightly flow without proof": (a_case(flows=(a_flow(recurrence=Recurrence("day", 1)),), seen_at=day(40)), Kind.YES, "idle_if_unused"),
    "quarterly flow": (a_case(flows=(a_flow(recurrence=Recurrence("month", 3)),), seen_at=day(1)), Kind.YES, "idle_if_unused"),
    "flow that is off": (a_case(flows=(a_flow(recurrence=Recurrence("day", 1), is_on=False),), seen_at=day(1)), Kind.YES, "idle_if_unused"),
    "flow of ours": (a_case(flows=(a_flow(display_name="holdfast/p1-1 keeps"),)), Kind.NOT_NEEDED, "deployed"),
    "another plan is at it": (a_case(planned="p1"), Kind.NOT_NEEDED, "planned"),
    "no Dataverse": (a_case(environment=an_environment()), Kind.CANNOT_HELP, "no_dataverse"),
    "flows not looked at": (a_case(flows_read=False), Kind.NOT_LOOKED_AT, "flows"),
    "no target": (a_case(target=None), Kind.NOT_LOOKED_AT, "target"),
    "gateway without a table": (a_case(connection=a_connection(gateway="g")), Kind.CANNOT_HELP, "gateway"),
    "gateway with a table": (a_case(connection=a_connection(gateway="g"), target=Target("default", "default", "[dbo].[t]")), Kind.YES, "idle_if_unused"),
    "connector blocked": (a_case(data_policies=(a_data_policy(groups={SQL: "Blocked"}),)), Kind.CANNOT_HELP, "data_policy"),
    "query blocked": (a_case(data_policies=(a_data_policy(operations={SQL: OperationRules(True, frozenset({"ExecutePassThroughNativeQuery_V2"}))}),)), Kind.CANNOT_HELP, "data_policy"),
    "server denied": (a_case(data_policies=(a_data_policy(endpoints={SQL: (EndpointRule("*.example", False),)}),)), Kind.CANNOT_HELP, "data_policy"),
    "policy elsewhere": (a_case(data_policies=(replace(a_data_policy(groups={SQL: "Blocked"}), reach=PolicyReach.ONLY),)), Kind.YES, "idle_if_unused"),
    "named by flows of other people's connections": (a_case(invoked=True), Kind.NOT_LOOKED_AT, "invoker_only"),
    "named by those and used by others": (a_case(invoked=True, flows=(a_flow(),)), Kind.YES, "idle_if_unused"),
    "serverless": (a_case(is_serverless=True), Kind.WOULD_COST, "serverless"),
    "serverless, and somebody pays": (a_case(is_serverless=True, accepted=frozenset({"serverless"})), Kind.YES, "idle_if_unused"),
    "owner no user of Dataverse": (a_case(owner_is_user=False), Kind.CANNOT_HELP, "no_dataverse_user"),
    "users of Dataverse not looked at": (a_case(owner_is_user=None), Kind.NOT_LOOKED_AT, "dataverse_user"),
    "data policies not looked at": (a_case(data_policies=None), Kind.NOT_LOOKED_AT, "data_policies"),
}  # fmt: skip


@pytest.mark.parametrize(("case", "kind", "reason"), CASES.values(), ids=CASES.keys())
def test_a_connection_is_answered(case: Case, kind: Kind, reason: str):
    answer = eligibility(case)

    assert (answer.kind, answer.reason) == (kind, reason)
    assert answer.says.endswith(".")


def test_somebody_can_answer_for_what_nobody_could_look_at():
    answer = eligibility(a_case(data_policies=None, accepted=frozenset({"data_policies"})))

    assert answer.kind is Kind.YES


@pytest.mark.parametrize(
    ("case", "kind", "reason"),
    [each for each in CASES.values() if each[1] in (Kind.NOT_LOOKED_AT, Kind.WOULD_COST)],
    ids=[name for name, each in CASES.items() if each[1] in (Kind.NOT_LOOKED_AT, Kind.WOULD_COST)],
)
def test_somebody_can_answer_for_all_but_where_to_ask(case: Case, kind: Kind, reason: str):
    answer = eligibility(replace(case, accepted=frozenset({reason})))

    assert (answer.kind is Kind.YES) == (reason != "target")


def test_nobody_can_answer_for_what_was_seen():
    answer = eligibility(a_case(account=None, accepted=frozenset({"owner_gone"})))

    assert answer.kind is Kind.CANNOT_HELP


def op(**changes: Any) -> SqlOperation:
    return SqlOperation("a", "action", "shared_sql", operation="GetItems_V2", **changes)


@pytest.mark.parametrize(
    ("operations", "target"),
    [
        ([], None),
        ([op(server="s", database="d")], Target("s", "d")),
        ([op(server="s", database="e"), op(server="s", database="d"), op(server="s", database="d")], Target("s", "d")),
        ([op(server_dynamic=True, database="d")], None),
        ([op(server="default", database="default")], None),
    ],
)  # fmt: skip
def test_the_target_is_where_its_flows_ask(operations, target):
    assert target_of(a_connection(), operations) == target


def test_a_connection_that_holds_its_server_is_asked_there():
    assert target_of(a_connection(server="s", database="d"), []) == Target("default", "default")
