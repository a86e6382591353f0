"""Which connections can move to a service principal, and the fact that keeps each of the others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.directory import Account
from holdfast.core.identity import Owner
from holdfast.core.inventory import CanvasApp, ConnectorId, EnvironmentId, SignIn
from holdfast.core.judgement import Judgement
from holdfast.core.making import AppPolicy, FlowRow
from holdfast.core.operations import QueryForm, SqlOperation
from holdfast.core.policies import (
    AccessPolicy,
    DataPolicy,
    EndpointRule,
    PolicyReach,
    PolicyState,
    Scope,
)
from holdfast.core.verdict import Cause, Verdict
from holdfast.migration.case import Case, Moving
from holdfast.migration.eligibility import Grade, readiness
from tests.builders import a_connection, a_flow, a_reference, an_app_connection, an_environment, day

SQL = ConnectorId("shared_sql")
ADA = Account("o1", "ada@contoso.example", "Ada Kent", is_enabled=True)
CLIENTDATA = json.dumps(
    {"properties": {"connectionReferences": {"new_sql": {"connection": {}}}, "definition": {"actions": {}}}}
)


def an_operation(**changes: Any) -> SqlOperation:
    given: dict[str, Any] = {
        "path": "Read",
        "kind": "action",
        "connector": "shared_sql",
        "connection_key": "new_sql",
        "operation": "GetItems_V2",
        "server": "sql.example",
        "database": "erp",
        "object": "[dbo].[Orders]",
    }
    return SqlOperation(**given | changes)


def a_moving(*operations: SqlOperation, id: str = "f1", **changes: Any) -> Moving:
    row = FlowRow(a_flow(id).id, EnvironmentId("sales"), id, True, False, False, "u1", CLIENTDATA, day(0))
    flow = a_flow(id, "new_sql", every=("day", 1))
    return replace(Moving(flow, frozenset({"new_sql"}), operations or (an_operation(),), row), **changes)


def a_case(**changes: Any) -> Case:
    """A person's connection with a nightly flow, everything looked at, nothing against it."""
    case = Case(
        a_connection(),
        an_environment(dataverse_url="https://org.example"),
        day(10),
        flows=(a_moving(),),
        flows_read=True,
        references=(a_reference(),),
        owner=ADA,
        accounts_read=True,
        canvas_apps=(),
        access_policies=(),
        data_policies=(),
        app_policy=AppPolicy(),
        sign_ins=frozenset({"oauth", "oauthSP"}),
    )
    return replace(case, **changes)


def judged(cause: str) -> Judgement:
    return Judgement("sales", "shared_sql", "c1", Verdict(Cause(cause, cause), 0.9))  # type: ignore[arg-type]


def an_app(owner: str) -> CanvasApp:
    return CanvasApp("a1", EnvironmentId("sales"), "Desk", Owner(owner), frozenset({SQL}))


def a_data_policy(**changes: Any) -> DataPolicy:
    return DataPolicy("p", "No SQL", PolicyReach.ALL, frozenset(), "General", **changes)


LOGIN = a_connection(sign_in=SignIn.SQL_LOGIN, server="sql.example", database="erp")
BY_CONNECTION = an_operation(server="default", database="default")
EVERY_PRINCIPAL = AccessPolicy(
    "p",
    "Robots",
    PolicyState.ENFORCED,
    principals=Scope(frozenset({"ServicePrincipalsInMyTenant"})),
    controls=("block",),
)

BLOCKED = {
    "on a service principal already": ("service_principal", {"connection": an_app_connection()}),
    "behind a gateway": ("gateway", {"connection": a_connection(gateway="g")}),
    "a Windows account": ("windows", {"connection": a_connection(sign_in=SignIn.WINDOWS)}),
    "a sign-in nobody knows": ("not_looked_at:sign_in", {"connection": a_connection(sign_in=SignIn.UNKNOWN)}),
    "another connector": (
        "not_looked_at:connector",
        {"connection": a_connection(connector=ConnectorId("shared_sqldw"))},
    ),
    "no Dataverse": ("no_dataverse", {"environment": an_environment()}),
    "flows unread": ("not_looked_at:flows", {"flows_read": False}),
    "no flow": ("no_flow", {"flows": ()}),
    "a definition unread": ("not_looked_at:definitions", {"flows": (a_moving(row=None),)}),
    "version 1": ("v1_operation", {"flows": (a_moving(an_operation(api_version="v1")),)}),
    "broken otherwise": ("broken", {"judgement": judged("sql_firewall")}),
    "a SQL login": ("needs_rewriting", {"connection": LOGIN, "flows": (a_moving(BY_CONNECTION),)}),
    "a SQL login without a place": (
        "not_looked_at:place",
        {"connection": a_connection(sign_in=SignIn.SQL_LOGIN), "rewrites": True},
    ),
    "a managed flow to rewrite": (
        "managed_definition",
        {
            "connection": LOGIN,
            "rewrites": True,
            "flows": (a_moving(flow=a_flow("f1", "new_sql", is_managed=True)),),
        },
    ),
    "a definition in the old form": (
        "definition",
        {
            "connection": LOGIN,
            "rewrites": True,
            "flows": (a_moving(trouble="it is written in the old form."),),
        },
    ),
    "a dynamic object": (
        "rights",
        {"flows": (a_moving(an_operation(object=None, object_dynamic=True, object_expression="@x")),)},
    ),
    "a dynamic query": (
        "rights",
        {"flows": (a_moving(an_operation(object=None, query_dynamic=QueryForm.WHOLE)),)},
    ),
    "no place": ("not_looked_at:place", {"flows": (a_moving(BY_CONNECTION),)}),
    "sign-ins unread": ("not_looked_at:sign_ins", {"sign_ins": None}),
    "not offered": ("not_offered", {"sign_ins": frozenset({"oauth"})}),
    "app policy unread": ("not_looked_at:app_policy", {"app_policy": None}),
    "secrets forbidden": ("secrets_forbidden", {"app_policy": AppPolicy(allows_secrets=False)}),
    "secrets too short": ("life_too_short", {"app_policy": AppPolicy(longest_secret=timedelta(days=1))}),
    "certificates only": ("not_offered", {"sign_ins": frozenset({"oauth", "certOauth"})}),
    "no certificates": ("not_offered", {"certificate": True}),
    "certificates too short": (
        "life_too_short",
        {
            "certificate": True,
            "sign_ins": frozenset({"certOauth"}),
            "app_policy": AppPolicy(longest_certificate=timedelta(days=1)),
        },
    ),
    "certificates of named authorities only": (
        "self_signed_forbidden",
        {
            "certificate": True,
            "sign_ins": frozenset({"certOauth"}),
            "app_policy": AppPolicy(allows_self_signed=False),
        },
    ),
    "policies unread": ("not_looked_at:access_policies", {"access_policies": None}),
    "every principal blocked": ("workload_policy", {"access_policies": (EVERY_PRINCIPAL,)}),
    "data policies unread": ("not_looked_at:data_policies", {"data_policies": None}),
    "the connector blocked": ("data_policy", {"data_policies": (a_data_policy(groups={SQL: "Blocked"}),)}),
    "the server forbidden": (
        "data_policy",
        {"data_policies": (a_data_policy(endpoints={SQL: (EndpointRule("*", False),)}),)},
    ),
    "apps unread": ("not_looked_at:canvas_apps", {"canvas_apps": None}),
    "an app of the owner's": ("canvas_apps", {"canvas_apps": (an_app("o1"),)}),
    "an app that may hold a login": (
        "canvas_apps",
        {"connection": LOGIN, "rewrites": True, "canvas_apps": (an_app("o9"),)},
    ),
}


def test_a_persons_connection_with_a_nightly_flow_is_ready():
    assert readiness(a_case()) == (Grade.GO, None, ())


@pytest.mark.parametrize(("reason", "changes"), BLOCKED.values(), ids=BLOCKED)
def test_what_blocks_is_named(reason: str, changes: dict[str, Any]):
    found = readiness(a_case(**changes))

    assert found.grade is Grade.NO
    assert found.blocking is not None
    assert found.blocking.reason == reason
    assert found.blocking.says.endswith(".")


def test_a_policy_that_forbids_secrets_does_not_mind_certificates():
    forbidden = AppPolicy(allows_secrets=False, longest_secret=timedelta(days=1))
    case = a_case(certificate=True, sign_ins=frozenset({"oauthSP", "certOauth"}), app_policy=forbidden)

    assert readiness(case).grade is Grade.GO


CARES = {
    "workload_policy_reports": {
        "access_policies": (replace(EVERY_PRINCIPAL, state=PolicyState.REPORT_ONLY),)
    },
    "managed": {"flows": (a_moving(flow=a_flow("f1", "new_sql", is_managed=True)),)},
    "polling": {"flows": (a_moving(an_operation(kind="trigger", operation="GetOnNewItems_V2")),)},
    "outside_solutions": {"outside": ("Mine",)},
    "owner_left": {"owner": None},
    "owner_not_seen": {"accounts_read": False},
    "broken_now": {"judgement": judged("token_inactive")},
    "canvas_apps_near": {"canvas_apps": (an_app("o9"),)},
}


@pytest.mark.parametrize(("fact", "changes"), CARES.items(), ids=CARES)
def test_what_needs_care_is_named_and_does_not_block(fact: str, changes: dict[str, Any]):
    found = readiness(a_case(**changes))

    assert found.grade is Grade.CARE
    assert [care.fact for care in found.cares] == [fact]


def test_a_fact_that_nobody_could_look_at_can_be_answered_for():
    assert readiness(a_case(canvas_apps=None, accepted=frozenset({"canvas_apps"}))).grade is Grade.GO


def test_a_policy_that_blocks_by_place_says_which_places_it_leaves_out():
    by_place = replace(EVERY_PRINCIPAL, locations=Scope(frozenset({"All"}), frozenset({"AllTrusted", "p1"})))
    case = a_case(access_policies=(by_place,))

    found = readiness(case)

    assert found.blocking is not None
    assert "from everywhere but the place p1, the trusted places" in found.blocking.says
    assert readiness(replace(case, accepted=frozenset({"workload_policy"}))).grade is Grade.GO


def test_a_role_decides_what_is_dynamic():
    moving = a_moving(an_operation(object=None, object_dynamic=True), an_operation(path="Read_2"))

    assert readiness(a_case(flows=(moving,), roles=("db_datareader",))).grade is Grade.GO


def test_a_login_is_ready_when_definitions_may_be_rewritten():
    case = a_case(connection=LOGIN, flows=(a_moving(BY_CONNECTION),), rewrites=True)

    assert readiness(case).grade is Grade.GO
