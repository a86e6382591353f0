"""Which connections move together, and what the plan of a move says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.identity import Owner
from holdfast.core.inventory import ConnectionId
from holdfast.core.making import AppPolicy
from holdfast.core.plan import plan_text, read_plan
from holdfast.migration.after import deployment_settings, terraform
from holdfast.migration.choices import Choices
from holdfast.migration.names import connection_id, plain
from holdfast.migration.plan import plan_migration
from holdfast.migration.shown import shows_of
from tests.builders import a_connection, a_reference, an_environment, day
from tests.nasty import NASTY
from tests.unit.migration.test_eligibility import LOGIN, a_case, a_moving, an_app, an_operation


def choices(**changes: Any) -> Choices:
    return replace(Choices("p1", "t", "contoso", "tenant-id", day(10), "op1", AppPolicy()), **changes)


def case_of(id: str, *flows: str, **changes: Any) -> Any:
    return a_case(
        connection=a_connection(id),
        flows=tuple(a_moving(id=flow) for flow in flows),
        references=(a_reference(f"new_{id}", id),),
        **changes,
    )


def sagas(plan: Any) -> list[set[str]]:
    return [{step.connection for step in steps if step.connection} for steps in plan.sagas().values()]


def test_connections_that_share_a_flow_move_together():
    plan = plan_migration([case_of("c1", "f1"), case_of("c2", "f2"), case_of("c3", "f2", "f3")], choices())

    assert sagas(plan) == [{"c1"}, {"c2", "c3"}]


def test_one_principal_for_an_environment_is_said_to_be_wider():
    elsewhere = an_environment("lab", dataverse_url="https://lab.example")
    cases = [case_of("c1", "f1"), case_of("c2", "f2"), case_of("c3", "f3", environment=elsewhere)]

    plan = plan_migration(cases, choices(per_environment=True))

    assert sagas(plan) == [{"c1", "c2"}, {"c3"}]
    assert "One identity holds the rights" in plan.steps[0].risk


def test_rights_of_a_group_are_united_by_database():
    first = a_moving(an_operation(), id="f1")
    second = a_moving(an_operation(path="Add", operation="PostItem_V2"), id="f2")

    plan = plan_migration([a_case(flows=(first, second))], choices())

    [sql] = [step for step in plan.steps if step.name.startswith("sql:")]
    assert [(need["permission"], need["actions"]) for need in sql.arguments["needs"]] == [
        ("INSERT", ["f2: Add"]),
        ("SELECT", ["f1: Read", "f2: Add"]),
    ]
    assert "error 334" in sql.risk


def test_a_role_is_shown_as_wider_than_needed():
    plan = plan_migration([a_case()], choices(roles=("db_datareader",)))

    [sql] = [step for step in plan.steps if step.name.startswith("sql:")]
    assert "Wider than needed" in sql.risk
    assert "Wider than needed" in sql.shows[0].text


def test_every_object_that_somebody_gains_is_listed():
    plan = plan_migration([a_case()], choices())

    [made] = [step for step in plan.steps if step.name.startswith("connection:")]
    assert "Ada Kent can use it for: SELECT dbo.Orders in sql.example / erp" in made.risk


def test_an_owner_who_left_gains_nothing():
    plan = plan_migration([a_case(owner=None)], choices())

    [made] = [step for step in plan.steps if step.name.startswith("connection:")]
    assert made.arguments["shares"] == []


def test_a_plan_says_what_a_move_means_for_licences():
    moved, owned = (plan_migration([a_case()], choices(own_flows=own)) for own in (False, True))

    assert [step.name for step in moved.steps if "No licence more" in step.cost] == ["check"]
    assert {step.name.partition(":")[0] for step in owned.steps if "licence" in step.cost} == {"own"}


def owned_by(owner: Owner, id: str = "f1") -> Any:
    moving = a_moving(id=id)
    return replace(moving, flow=replace(moving.flow, owned_by=owner))


def test_whoever_owns_a_flow_gets_the_new_connection_too():
    flows = (
        a_moving(),
        owned_by(Owner("sam", "Sam Ortiz", has_left=False), "f2"),
        owned_by(Owner("gone", "Gone", has_left=True), "f3"),
        owned_by(Owner("bot", "Robot", kind="ServicePrincipal", has_left=False), "f4"),
    )

    plan = plan_migration([a_case(flows=flows)], choices())

    [made] = [step for step in plan.steps if step.name.startswith("connection:")]
    assert [each["name"] for each in made.arguments["shares"]] == ["Ada Kent", "Sam Ortiz"]
    assert "Ada Kent and Sam Ortiz can use it for: SELECT dbo.Orders" in made.risk


def test_an_app_of_a_flows_owner_may_hold_the_new_connection():
    shared = owned_by(Owner("sam", "Sam Ortiz"))

    plan = plan_migration([a_case(flows=(shared,), canvas_apps=(an_app("sam"),))], choices())

    assert [each.reason for each in plan.declined] == ["canvas_apps"]


def test_steps_without_an_administrator_name_who_acts():
    plan = plan_migration([a_case()], choices(has_sql_admin=False, has_app_admin=False))

    acting = {step.name.partition(":")[0]: step.by for step in plan.steps if step.by}
    assert acting["sql"] == "a SQL administrator"
    assert acting["app"] == acting["secret"] == "an application administrator"


def test_a_secret_lives_no_longer_than_the_tenant_allows():
    plan = plan_migration([a_case()], choices(policy=AppPolicy(longest_secret=timedelta(days=30))))

    [secret] = [step for step in plan.steps if step.name == "secret"]
    assert secret.arguments["life_seconds"] < timedelta(days=30).total_seconds()


def test_a_plan_survives_its_file():
    login = a_case(
        connection=replace(LOGIN, id=ConnectionId("c2")), flows=(a_moving(id="f2"),), rewrites=True
    )
    plan = plan_migration([a_case(), login], choices())

    again = read_plan(plan_text(plan))
    assert again == plan
    assert all(shows_of(step) == step.shows for step in again.steps)


def test_a_definition_is_rewritten_for_one_connection_at_a_time():
    logins = [
        a_case(connection=replace(LOGIN, id=ConnectionId(id)), rewrites=True, references=())
        for id in ("c1", "c2")
    ]

    plan = plan_migration(logins, choices())

    assert sagas(plan) == [{"c1"}]
    assert [each.reason for each in plan.declined] == ["another_first"]


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_a_hostile_name_stays_out_of_names_and_statements(name: str):
    plan = plan_migration([a_case(connection=a_connection(display_name=name))], choices())

    assert plain(name).isprintable()
    [sql] = [step for step in plan.steps if step.name.startswith("sql:")]
    assert "\n--" not in sql.arguments["name"]
    assert sql.shows == shows_of(sql)


def test_a_pipeline_is_told_the_new_connections():
    plan = plan_migration([case_of("c1", "f1")], choices())

    assert deployment_settings(plan, ["p1-1"])["sales"]["ConnectionReferences"] == [
        {
            "LogicalName": "new_c1",
            "ConnectionId": connection_id("p1-1", "c1"),
            "ConnectorId": "/providers/Microsoft.PowerApps/apis/shared_sql",
        }
    ]


def test_terraform_holds_no_secret_and_no_template_of_a_stranger():
    plan = plan_migration([a_case(connection=a_connection(display_name="${file(x)}"))], choices())

    told = terraform(plan, {"p1-1": "client"})
    assert "sensitive = true" in told
    assert "${file" not in told


def test_a_certificate_takes_the_place_of_the_secret_in_every_step():
    forbidden = AppPolicy(allows_secrets=False, longest_certificate=timedelta(days=30))
    case = a_case(certificate=True, sign_ins=frozenset({"certOauth"}), app_policy=forbidden)
    plan = plan_migration([case], choices(certificate=True, policy=forbidden))

    steps = {step.name.partition(":")[0]: step for step in plan.steps}
    assert "secret" not in steps
    assert steps["certificate"].arguments["life_seconds"] < timedelta(days=30).total_seconds()
    assert "certificate signs in" in steps["prove"].does
    shown = json.loads(steps["connection"].shows[0].text)["properties"]["connectionParametersSet"]
    assert (shown["name"], "token:clientCertificateSecret" in shown["values"]) == ("certOauth", True)
    assert read_plan(plan_text(plan)) == plan


def test_terraform_takes_a_certificate_as_an_object():
    case = a_case(certificate=True, sign_ins=frozenset({"certOauth"}))
    plan = plan_migration([case], choices(certificate=True))

    told = terraform(plan, {"p1-1": "client"})

    assert '"name" : "certOauth"' in told
    assert '"token:clientCertificateSecret" : { "value" : jsondecode(var.holdfast_p1_1_' in told
