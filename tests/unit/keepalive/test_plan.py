"""Which flow keeps which connections alive, and how often."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.horizon import Interval
from holdfast.core.identity import Owner
from holdfast.core.inventory import ConnectorId
from holdfast.core.plan import plan_text, read_plan
from holdfast.keepalive.plan import Cadence, Choices, clientdata_of, first_run, plan_keepalive, shows_of
from holdfast.keepalive.solution import deployment_settings
from holdfast.reading.flows import sql_operations
from holdfast.reading.schedules import recurrence_of
from tests.builders import a_connection, an_app_connection, an_environment, day
from tests.unit.keepalive.test_eligibility import a_case, judged

NOW = day(10)


def choices(**changes: Any) -> Choices:
    return replace(
        Choices("p1", "contoso", "Contoso", NOW, Cadence.WEEKLY, 0.3, "op1", "holdfast-operator"), **changes
    )


def case_of(id: str, owner: str = "o1", **changes: Any) -> Any:
    return a_case(connection=a_connection(id, owner=Owner(owner, owner.title())), **changes)


def test_an_owners_connections_in_an_environment_share_one_flow():
    plan = plan_keepalive([case_of("c1"), case_of("c2"), case_of("c3", "o2")], choices())

    flows = [step for step in plan.steps if step.name == "flow"]
    assert [[b["connection"] for b in step.arguments["branches"]] for step in flows] == [["c1", "c2"], ["c3"]]


def test_environments_do_not_share_a_flow():
    elsewhere = an_environment("lab", dataverse_url="https://lab.example")

    plan = plan_keepalive([case_of("c1"), case_of("c2", environment=elsewhere)], choices())

    assert len(plan.sagas()) == 2


def test_whom_it_does_not_help_is_declined_with_the_reason():
    plan = plan_keepalive(
        [case_of("c1"), a_case(connection=an_app_connection("c9")), case_of("c2", data_policies=None)],
        choices(),
    )

    assert [(d.connection, d.reason) for d in plan.declined] == [
        ("c9", "no_refresh_token"),
        ("c2", "not_looked_at:data_policies"),
    ]


def test_a_plan_survives_its_file():
    plan = plan_keepalive([case_of("c1"), case_of("c2")], choices())

    assert read_plan(plan_text(plan)) == plan
    assert all(shows_of(step) == step.shows for step in plan.steps)


def test_the_flow_is_what_our_own_reader_understands():
    plan = plan_keepalive([case_of("c1"), case_of("c2")], choices())
    step = next(step for step in plan.steps if step.name == "flow")
    document = json.loads(clientdata_of(step.arguments))

    operations = tuple(sql_operations(document))
    recurrence = recurrence_of(document["properties"]["definition"])

    assert [op.operation for op in operations] == ["ExecutePassThroughNativeQuery_V2"] * 2
    assert len({op.connection_key for op in operations}) == 2
    assert not any(op.needs_human or op.writes or op.reads for op in operations)
    assert recurrence is not None
    assert (recurrence.frequency, recurrence.interval) == ("week", 1)


def test_a_connection_of_another_connector_is_used_by_its_own():
    warehouse = a_connection("c2", owner=Owner("o1", "Ada"), connector=ConnectorId("shared_sqldw"))
    case = a_case(connection=warehouse, accepted=frozenset({"connector"}))
    plan = plan_keepalive([case_of("c1"), case], choices())
    step = next(step for step in plan.steps if step.name == "flow")

    operations = tuple(sql_operations(json.loads(clientdata_of(step.arguments))))
    bound = deployment_settings(plan, "sales")["ConnectionReferences"]

    assert [op.connector for op in operations] == ["shared_sql", "shared_sqldw"]
    assert [each["ConnectorId"].rpartition("/")[2] for each in bound] == ["shared_sql", "shared_sqldw"]


def test_no_branch_waits_for_another():
    plan = plan_keepalive([case_of("c1"), case_of("c2")], choices())
    step = next(step for step in plan.steps if step.name == "flow")

    actions = json.loads(clientdata_of(step.arguments))["properties"]["definition"]["actions"]

    assert all(action["runAfter"] == {} for action in actions.values())


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.5, 0.999])
@pytest.mark.parametrize("age", [0, 30, 80, 84, 89])
@pytest.mark.parametrize("cadence", list(Cadence))
def test_the_first_run_is_never_later_than_a_period_nor_than_the_horizon(draw, age, cadence):
    refreshed = NOW - timedelta(days=age)
    case = a_case(judgement=judged(refreshed=Interval(refreshed, refreshed)))

    first = first_run([case], choices(draw=draw, cadence=cadence), 7)

    assert NOW < first <= NOW + cadence.period
    assert first < refreshed + REFRESH_TOKEN_IDLE_LIMIT


def test_what_was_drawn_is_kept_in_the_plan():
    plan = plan_keepalive([case_of("c1")], choices(draw=0.42))

    assert plan.choices["draw"] == 0.42


def test_a_thousand_flows_do_not_start_together():
    plan = plan_keepalive([case_of(f"c{n}", f"o{n}") for n in range(1000)], choices())

    starts = {step.arguments["start_at"][:13] for step in plan.steps if step.name == "flow"}
    assert len(starts) > 120  # hours of a week, of which there are 168


def test_the_risk_of_a_month_is_larger_and_said():
    assert "12 runs" in Cadence.WEEKLY.risk
    assert "3 runs" in Cadence.MONTHLY.risk
