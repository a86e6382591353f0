from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.sandbox.records.policies import DataPolicy
from holdfast.sandbox.tenant import Host
from holdfast.wire.policies import Policy, PolicyPage
from tests.sandbox.rooms import Answer, Rooms, paths

GOVERNANCE = "/providers/PowerPlatform.Governance/v2/policies"
BAP = "/providers/Microsoft.BusinessAppPlatform"


@pytest.fixture
def rooms() -> Rooms:
    rooms = Rooms()
    rooms.world.data_policies.clear()
    return rooms


@pytest.fixture
def finance(rooms: Rooms) -> str:
    return next(one.id for one in rooms.world.environments.values() if one.display_name == "Finance")


def a_policy(rooms: Rooms, **more: Any) -> DataPolicy:
    policy = DataPolicy(
        id="00000000-0000-0000-0000-00000000000a",
        display_name="a",
        created_at=rooms.now,
        modified_at=rooms.now,
        **more,
    )
    rooms.world.data_policies[policy.id] = policy
    return policy


def ask(rooms: Rooms, path: str, name: str = "holdfast-reader", **query: Any) -> Answer:
    return rooms.ask(Host.BAP, path, who=rooms.app(name), **query)


def recorded(fixtures: Path, name: str) -> Any:
    return json.loads((fixtures / "power-platform" / name).read_text())


def test_the_new_model_has_the_recorded_shape(rooms, finance, fixtures):
    policy = a_policy(
        rooms,
        environment_type="OnlyEnvironments",
        environment_ids=[finance],
        groups={"General": ["shared_sql"], "Blocked": ["shared_azureblob"]},
        action_rules={"shared_sql": {"": "Allow", "DeleteItem_V2": "Block"}},
        endpoint_rules={"shared_sql": [("contoso.com", "Allow"), ("*", "Deny")]},
    )
    listed = ask(rooms, GOVERNANCE).json
    PolicyPage.model_validate(listed)
    assert set(paths(listed)) == set(paths(recorded(fixtures, "dlp_policies_list.json")))
    told = ask(rooms, f"{GOVERNANCE}/{policy.id}").json
    Policy.model_validate(told)
    assert set(paths(told)) == set(
        paths(recorded(fixtures, "dlp_policy_get_sql_action_and_endpoint_rules.json"))
    )


def test_the_old_model_tells_the_same_groups(rooms, finance):
    a_policy(
        rooms,
        environment_type="ExceptEnvironments",
        environment_ids=[finance],
        groups={"Blocked": ["shared_sql"]},
    )
    told = ask(rooms, f"{BAP}/scopes/admin/apiPolicies", api_version="2021-04-01").json["value"][0][
        "properties"
    ]["definition"]
    assert [one["name"] for one in told["apiGroups"]["blocked"]["apis"]] == ["shared_sql"]
    assert told["defaultApiGroup"] == "lbi"
    assert told["constraints"]["environmentFilter1"]["parameters"]["filterType"] == "exclude"


def test_policies_are_for_administrators(rooms):
    assert ask(rooms, GOVERNANCE, "erp-nightly").status == 403
    assert ask(rooms, f"{GOVERNANCE}/00000000-0000-0000-0000-000000000000").status == 404


def test_a_blocked_connector_suspends_its_flows_within_a_day(rooms, finance):
    rooms.event("dlp_block", finance)
    assert rooms.flow("Nightly stock check").state == "Started"
    rooms.advance(hours=24)
    flow = rooms.flow("Nightly stock check")
    assert (flow.state, flow.suspension_reason) == ("Suspended", "CompanyDlpViolation")
    ran = flow.last_run_at
    rooms.advance(days=5)
    assert flow.last_run_at == ran


def test_a_flow_stays_suspended_when_the_policy_is_lifted(rooms, finance):
    rooms.event("dlp_block", finance)
    rooms.advance(hours=24)
    rooms.event("dlp_allow", finance)
    rooms.advance(days=3)
    flow = rooms.flow("Nightly stock check")
    assert flow.state == "Suspended"
    place = f"/contoso-finance/api/data/v9.2/workflows({flow.workflow_id})"
    dana = rooms.account("Dana Kim")
    assert rooms.ask(Host.DATAVERSE, place, who=dana).json["statecode"] == 2
    assert rooms.ask(Host.DATAVERSE, place, who=dana, method="PATCH", body={"statecode": 1}).status == 204
    assert flow.state == "Started"


def test_a_forbidden_flow_is_suspended_when_it_is_turned_on(rooms, finance):
    rooms.event("dlp_block", finance)
    flow = rooms.flow("Nightly stock check")
    place = f"/contoso-finance/api/data/v9.2/workflows({flow.workflow_id})"
    for state in (0, 1):
        rooms.ask(
            Host.DATAVERSE, place, who=rooms.account("Dana Kim"), method="PATCH", body={"statecode": state}
        )
    assert flow.state == "Suspended"


@pytest.mark.parametrize(
    ("details", "suspended"),
    [
        ({"action": "ExecutePassThroughNativeQuery_V2"}, {"Nightly stock check", "Nightly ERP export"}),
        (
            {"server": "*.database.windows.net"},
            {
                "Nightly stock check",
                "Nightly ERP export",
                "Nightly order import",
                "Quarterly close",
                "Nightly invoice mail",
            },
        ),
        ({"server": "other.example"}, set()),
        ({"connector": "shared_office365"}, set()),
    ],
)
def test_finer_rules_suspend_what_they_name(rooms, details, suspended):
    rooms.event("dlp_block", "", **details)
    rooms.advance(hours=24)
    assert {
        flow.display_name for flow in rooms.world.flows.values() if flow.state == "Suspended"
    } == suspended


def test_an_environment_that_is_excepted_is_left_alone(rooms, finance):
    a_policy(
        rooms,
        environment_type="ExceptEnvironments",
        environment_ids=[finance],
        groups={"Blocked": ["shared_sql"]},
    )
    rooms.event("dlp_allow", finance, connector="shared_office365")
    rooms.advance(hours=24)
    assert rooms.flow("Nightly stock check").state == "Started"


def test_only_people_register_management_applications(rooms):
    app = rooms.app("erp-nightly")
    path = f"{BAP}/adminApplications/{app.client_id}"
    query = {"method": "PUT", "api_version": "2020-10-01"}
    assert rooms.ask(Host.BAP, path, who=rooms.app("holdfast-reader"), **query).status == 403
    assert rooms.ask(Host.BAP, path, who=rooms.account("Dana Kim"), **query).status == 403
    assert rooms.ask(Host.BAP, path, who=rooms.account("Lee Brandt"), **query).json == {
        "applicationId": app.client_id
    }
    assert ask(rooms, f"{BAP}/adminApplications", "erp-nightly", api_version="2020-10-01").status == 200
    assert ask(rooms, GOVERNANCE, "erp-nightly").status == 200
