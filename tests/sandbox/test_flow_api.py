from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.tenant import Host
from holdfast.wire.flows import ActionOutputs, Callback, Flow, FlowPage, RunActionPage, RunPage
from tests.sandbox.rooms import Answer, Rooms, paths

P = "/providers/Microsoft.ProcessSimple"
OPAQUE = (
    "definition",
    "triggerSchema",
    "connectionReferences",
    "definitionSummary",
    "installedConnectionReferences",
)


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def finance(rooms: Rooms) -> str:
    return next(one.id for one in rooms.world.environments.values() if one.display_name == "Finance")


def ask(
    rooms: Rooms,
    path: str,
    who: Account | Application | None,
    method: str = "GET",
    body: Any = None,
    **query: Any,
) -> Answer:
    return rooms.ask(
        Host.FLOW, P + path, who=who, method=method, body=body, api_version="2016-11-01", **query
    )


def place_of(rooms: Rooms, name: str) -> str:
    flow = rooms.flow(name)
    return f"/environments/{flow.environment_id}/flows/{flow.id}"


def follow(rooms: Rooms, link: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
    parts = urlsplit(link)
    query: dict[str, Any] = {name.replace("-", "_"): value for name, value in parse_qsl(parts.query)}
    return rooms.ask(
        Host.LINKS, unquote(parts.path), method=method, body=body, headers=dict(headers), **query
    )


def recorded(fixtures: Path, name: str) -> Any:
    return json.loads((fixtures / "power-platform" / name).read_text())


def test_the_administrators_list_has_the_recorded_shape(rooms, finance, fixtures):
    known = recorded(fixtures, "flows_admin_v2_list.json")["value"]
    shown = ask(rooms, f"/scopes/admin/environments/{finance}/v2/flows", rooms.account("Lee Brandt")).json
    FlowPage.model_validate(shown)
    solution = [one for one in shown["value"] if "workflowEntityId" in one["properties"]]
    assert set(paths(solution[0])) == set(paths(known[0]))
    assert {one["properties"]["displayName"] for one in shown["value"]} == {
        flow.display_name for flow in rooms.world.flows.values() if flow.environment_id == finance
    }


def test_one_flow_has_the_recorded_shape(rooms, fixtures):
    known = set(paths(recorded(fixtures, "flow_admin_get.json"), OPAQUE))
    lee = rooms.account("Lee Brandt")
    place = place_of(rooms, "Nightly order import").replace("/environments", "/scopes/admin/environments")
    shown = ask(rooms, place, lee).json
    Flow.model_validate(shown)
    # A recurrence has no schema for its caller.
    assert known - set(paths(shown, OPAQUE)) == {".properties.triggerSchema:dict"}
    assert set(paths(shown, OPAQUE)) <= known


def test_the_map_of_connections_has_the_recorded_fields(rooms, fixtures):
    known = recorded(fixtures, "flow_admin_get.json")["properties"]["connectionReferences"]
    shown = ask(rooms, place_of(rooms, "Nightly order import"), rooms.account("Dana Kim")).json
    for entry in shown["properties"]["connectionReferences"].values():
        for sample in known.values():
            assert set(entry) == set(sample) - {"swagger", "impersonation"}


@pytest.mark.parametrize("name", ["holdfast-reader", "holdfast-operator", "erp-nightly"])
def test_applications_are_not_served(rooms, finance, name):
    assert ask(rooms, f"/scopes/admin/environments/{finance}/v2/flows", rooms.app(name)).status == 403
    rooms.world.flips.append("flow_api_is_for_people")
    assert ask(rooms, f"/scopes/admin/environments/{finance}/v2/flows", rooms.app(name)).status == 401


def test_refusals_are_worded_as_recorded(rooms, finance, fixtures):
    known = recorded(fixtures, "errors_flow_api.json")
    nobody = "00000000-0000-0000-0000-000000000001"
    dana, lee = rooms.account("Dana Kim"), rooms.account("Lee Brandt")
    answer = ask(rooms, f"/environments/Default-{nobody}/flows", dana)
    assert (answer.status, answer.json["error"]["code"]) == (
        403,
        known["environment_access_denied"]["error"]["code"],
    )
    answer = ask(rooms, f"/environments/{finance}/flows/{nobody}", dana)
    wanted = known["connection_authorization_failed"]["error"]
    wanted["message"] = wanted["message"].replace("00000000-0000-0000-0000-000000000000", dana.object_id)
    assert (answer.status, answer.json["error"]) == (403, wanted)
    answer = ask(rooms, f"/scopes/admin/environments/{finance}/flows/{nobody}", lee)
    assert (answer.status, answer.json) == (404, known["flow_not_found"])


def test_runs_come_in_pages_of_50_with_a_skip_token(rooms, fixtures):
    known = recorded(fixtures, "flow_runs_list.json")
    rooms.advance(days=20)
    lee = rooms.account("Lee Brandt")
    seen: list[str] = []
    answer = ask(rooms, f"{place_of(rooms, 'Plant report')}/runs", lee)
    while True:
        page = answer.json
        RunPage.model_validate(page)
        seen += [run["name"] for run in page["value"]]
        if "nextLink" not in page:
            break
        assert len(page["value"]) == 50
        assert set(dict(parse_qsl(urlsplit(page["nextLink"]).query))) == set(
            dict(parse_qsl(urlsplit(known["nextLink"]).query))
        )
        token = dict(parse_qsl(urlsplit(page["nextLink"]).query))["$skiptoken"]
        answer = ask(rooms, f"{place_of(rooms, 'Plant report')}/runs", lee, __skiptoken=token)
    assert len(seen) == len(set(seen)) == 30 * 4 + 1
    assert seen == sorted(seen)


def test_a_failed_run_has_the_recorded_shape(rooms, fixtures):
    known = next(
        run
        for run in recorded(fixtures, "flow_runs_list.json")["value"]
        if run["properties"]["status"] == "Failed"
    )
    answer = ask(
        rooms,
        f"{place_of(rooms, 'Nightly invoice mail')}/runs",
        rooms.account("Sam Ortiz"),
        __filter="status eq 'Failed'",
    )
    run = answer.json["value"][0]
    assert run["properties"]["error"] == known["properties"]["error"]
    extra = {".properties.response", ".properties.correlation.clientKeywords", "Link"}
    wanted = {path for path in paths(known) if not any(part in path for part in [*extra, "clientKeywords"])}
    assert set(paths(run)) == wanted


def test_why_a_run_failed_lies_behind_the_link_of_the_action(rooms, fixtures):
    known = recorded(fixtures, "flow_run_actions_list.json")
    sam = rooms.account("Sam Ortiz")
    place = place_of(rooms, "Nightly invoice mail")
    run = ask(rooms, f"{place}/runs", sam).json["value"][0]["name"]
    actions = ask(rooms, f"{place}/runs/{run}/actions", sam).json
    RunActionPage.model_validate(actions)
    failed = actions["value"][0]
    assert set(paths(failed)) == set(paths(known["value"][0]))
    assert "error" not in failed["properties"]
    link = failed["properties"]["outputsLink"]["uri"]
    answer = follow(rooms, link)
    outputs = ActionOutputs.model_validate(answer.json)
    assert outputs.status_code == 401
    assert "AADSTS50173" in outputs.body["message"]
    assert len(answer.body) == failed["properties"]["outputsLink"]["contentSize"]


def test_a_signed_link_refuses_a_token_a_wrong_signature_and_its_own_end(rooms):
    sam = rooms.account("Sam Ortiz")
    place = place_of(rooms, "Nightly invoice mail")
    run = ask(rooms, f"{place}/runs", sam).json["value"][0]["name"]
    link = ask(rooms, f"{place}/runs/{run}/actions", sam).json["value"][0]["properties"]["outputsLink"]["uri"]
    assert follow(rooms, link, authorization="Bearer x").status == 401
    assert follow(rooms, link[:-1] + "#").status == 401
    assert follow(rooms, link.replace(run, run[:-1] + "9")).status == 401
    rooms.advance(hours=5)
    assert follow(rooms, link).status == 403


def test_a_folded_run_has_the_actions_of_the_executed_one_at_its_own_time(rooms):
    dana = rooms.account("Dana Kim")
    place = place_of(rooms, "Nightly stock check")
    runs = ask(rooms, f"{place}/runs", dana).json["value"]
    newest, oldest = (
        ask(rooms, f"{place}/runs/{run['name']}/actions", dana).json["value"][0]
        for run in (runs[0], runs[-1])
    )
    assert newest["properties"]["startTime"] > oldest["properties"]["startTime"]
    assert [
        follow(rooms, one["properties"]["outputsLink"]["uri"]).json["body"] for one in (newest, oldest)
    ] == [{"ResultSets": {"Table1": [{"n": 30}]}, "OutputParameters": {}}] * 2


def test_another_persons_flow_cannot_be_read(rooms):
    answer = ask(rooms, f"{place_of(rooms, 'Nightly invoice mail')}/runs", rooms.account("Dana Kim"))
    assert (answer.status, answer.code) == (403, "ConnectionAuthorizationFailed")


def test_admins_read_no_run_history(rooms):
    place = place_of(rooms, "Nightly stock check").replace("/environments", "/scopes/admin/environments")
    answer = ask(rooms, f"{place}/runs", rooms.account("Lee Brandt"))
    assert (answer.status, answer.body) == (404, b"")


def test_a_run_can_be_started_now_and_uses_the_connection(rooms):
    dana = rooms.account("Dana Kim")
    place = place_of(rooms, "Nightly stock check")
    rooms.advance(hours=3)
    before = rooms.connection("ERP orders").last_token_at
    answer = ask(rooms, f"{place}/triggers/Recurrence/run", dana, "POST")
    assert answer.status == 202
    assert rooms.connection("ERP orders").last_token_at == rooms.now != before
    assert (
        ask(rooms, f"{place}/runs", dana).json["value"][0]["name"] == answer.headers["x-ms-workflow-run-id"]
    )


def a_flow(rooms: Rooms, connection: str, **more: Any) -> dict[str, Any]:
    source = rooms.flow("Nightly stock check")
    references = {
        "shared_sql": {
            "connectionName": rooms.connection(connection).id,
            "source": "Embedded",
            "id": "/providers/Microsoft.PowerApps/apis/shared_sql",
        }
    }
    return {
        "properties": {
            "displayName": "mine",
            "definition": source.definition,
            "connectionReferences": references,
            **more,
        }
    }


def test_flows_outside_solutions_are_made_changed_and_removed(rooms, finance):
    dana = rooms.account("Dana Kim")
    made = ask(rooms, f"/environments/{finance}/flows", dana, "POST", a_flow(rooms, "ERP orders"))
    assert (made.status, made.json["properties"]["state"]) == (201, "Started")
    place = f"/environments/{finance}/flows/{made.json['name']}"
    assert (
        ask(rooms, place, dana, "PATCH", {"properties": {"displayName": "yours"}}).json["properties"][
            "displayName"
        ]
        == "yours"
    )
    assert ask(rooms, f"{place}/stop", dana, "POST").status == 200
    assert ask(rooms, place, dana).json["properties"]["state"] == "Stopped"
    assert ask(rooms, place, dana, "DELETE").status == 200
    assert ask(rooms, place, dana).status == 403


def test_a_flow_on_a_connection_of_somebody_else_is_not_made(rooms, finance):
    before = len(rooms.world.flows)
    answer = ask(
        rooms, f"/environments/{finance}/flows", rooms.account("Dana Kim"), "POST", a_flow(rooms, "Invoices")
    )
    assert (answer.status, answer.code) == (403, "ConnectionAuthorizationFailed")
    assert len(rooms.world.flows) == before


@pytest.mark.parametrize(
    "body",
    [None, [], {"properties": {}}, {"properties": {"displayName": "x", "definition": {}}}, {"other": 1}],
)
def test_a_body_that_is_no_flow_is_refused(rooms, finance, body):
    assert ask(rooms, f"/environments/{finance}/flows", rooms.account("Dana Kim"), "POST", body).status == 400


def test_a_manual_flow_is_started_by_its_signed_address(rooms, finance, fixtures):
    dana = rooms.account("Dana Kim")
    respond = {
        "type": "Response",
        "inputs": {"statusCode": 201, "body": "@triggerBody()?['name']"},
        "runAfter": {},
    }
    definition = {
        "triggers": {"manual": {"type": "Request", "kind": "Http"}},
        "actions": {"Respond": respond},
    }
    body = {"properties": {"displayName": "called", "definition": definition, "connectionReferences": {}}}
    made = ask(rooms, f"/environments/{finance}/flows", dana, "POST", body).json
    place = f"/environments/{finance}/flows/{made['name']}"
    told = ask(rooms, f"{place}/triggers/manual/listCallbackUrl", dana, "POST").json
    Callback.model_validate(told)
    assert set(paths(told)) == set(paths(recorded(fixtures, "flow_trigger_listcallbackurl.json")))
    answer = follow(rooms, told["response"]["value"], "POST", {"name": "x"})
    assert (answer.status, answer.json) == (201, "x")
    run = answer.headers["x-ms-workflow-run-id"]
    shown = ask(rooms, f"{place}/runs/{run}", dana).json
    known = recorded(fixtures, "flow_run_get.json")
    assert set(paths(shown)) == {path for path in paths(known) if ".trigger.inputsLink" not in path}
    assert follow(rooms, told["response"]["value"][:-1] + "#", "POST", {}).status == 401


def test_turns_of_a_loop_are_repetitions(rooms, finance):
    dana = rooms.account("Dana Kim")
    loop = {
        "type": "Foreach",
        "foreach": "@range(0,3)",
        "actions": {"Note": {"type": "Compose", "inputs": "@item()", "runAfter": {}}},
        "runAfter": {},
    }
    definition = {"triggers": {"manual": {"type": "Request", "kind": "Button"}}, "actions": {"Each": loop}}
    body = {"properties": {"displayName": "loop", "definition": definition}}
    made = ask(rooms, f"/environments/{finance}/flows", dana, "POST", body).json
    place = f"/environments/{finance}/flows/{made['name']}"
    run = ask(rooms, f"{place}/triggers/manual/run", dana, "POST").headers["x-ms-workflow-run-id"]
    actions = {
        one["name"]: one["properties"]
        for one in ask(rooms, f"{place}/runs/{run}/actions", dana).json["value"]
    }
    assert actions["Note"]["repetitionCount"] == 3
    turns = ask(rooms, f"{place}/runs/{run}/actions/Note/repetitions", dana).json["value"]
    assert [follow(rooms, one["properties"]["outputsLink"]["uri"]).json for one in turns] == [0, 1, 2]


def test_flipped_a_recurrence_is_not_run_by_hand(rooms):
    rooms.world.flips.append("any_trigger_can_be_run")
    place = place_of(rooms, "Nightly stock check")
    answer = ask(rooms, f"{place}/triggers/Recurrence/run", rooms.account("Dana Kim"), "POST")
    assert (answer.status, answer.code) == (400, "WorkflowTriggerNotRunnable")
