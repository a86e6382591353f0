from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.platform import Share
from holdfast.sandbox.tenant import Host
from holdfast.wire.dataverse import ConnectionReferencePage, FlowRunPage, SystemUserPage, WorkflowPage
from tests.sandbox.rooms import Answer, Rooms, paths

API = "/contoso-finance/api/data/v9.2"
RECORDED_ANNOTATION = "mock.user@contoso.com"  # the recorder masked the key of a formatted value with it


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def operator(rooms: Rooms) -> Application:
    return rooms.app("holdfast-operator")


def ask(
    rooms: Rooms, path: str, who: Account | Application, method: str = "GET", body: Any = None, **more: Any
) -> Answer:
    headers = more.pop("headers", {})
    return rooms.ask(
        Host.DATAVERSE, f"{API}/{path}", who=who, method=method, body=body, headers=headers, **more
    )


def row_of(rooms: Rooms, name: str) -> str:
    return f"workflows({rooms.flow(name).workflow_id})"


def recorded(fixtures: Path, name: str) -> Any:
    return json.loads((fixtures / "power-platform" / name).read_text())


def a_flow(
    rooms: Rooms, reference: str = "con_sql_erp", name: str = "holdfast/1 keep-alive"
) -> dict[str, Any]:
    definition = rooms.flow("Nightly stock check").definition
    connections = {
        "shared_sql": {
            "runtimeSource": "embedded",
            "connection": {"connectionReferenceLogicalName": reference},
            "api": {"name": "shared_sql"},
        }
    }
    content = {
        "properties": {"connectionReferences": connections, "definition": definition},
        "schemaVersion": "1.0.0.0",
    }
    return {
        "category": 5,
        "type": 1,
        "name": name,
        "primaryentity": "none",
        "clientdata": json.dumps(content),
    }


def test_a_new_flow_has_every_recorded_column(rooms, operator, fixtures):
    body = recorded(fixtures, "dataverse_workflow_create_request.json")
    answer = ask(rooms, "workflows", operator, "POST", body, headers={"prefer": "return=representation"})
    assert answer.status == 201
    known = recorded(fixtures, "dataverse_workflow_create_response_201.json")
    assert set(paths(answer.json)) == set(paths(known))
    assert (
        json.loads(answer.json["clientdata"])["properties"]["definition"]
        == json.loads(body["clientdata"])["properties"]["definition"]
    )


def test_a_new_flow_is_off_whatever_it_says(rooms, operator):
    answer = ask(rooms, "workflows", operator, "POST", a_flow(rooms))
    assert answer.status == 204
    assert answer.headers["odata-entityid"].startswith(rooms.tenant.dataverse_url("contoso-finance"))
    assert rooms.flow("holdfast/1 keep-alive").state == "Stopped"


def test_queries_give_the_columns_that_were_chosen(rooms, operator, fixtures):
    known = recorded(fixtures, "dataverse_workflows_query.json")
    answer = ask(
        rooms,
        "workflows",
        operator,
        __select="workflowid,name,statecode",
        __filter="name eq 'Nightly stock check' and category eq 5",
    )
    assert answer.json["@odata.context"].endswith("$metadata#workflows(workflowid,name,statecode)")
    assert set(paths(answer.json)) == set(paths(known))
    WorkflowPage.model_validate(answer.json)


def test_connection_references_have_the_recorded_shape(rooms, operator, fixtures):
    known = recorded(fixtures, "dataverse_connectionreferences_list.json")
    chosen = "connectionreferenceid,connectionreferencelogicalname,connectionreferencedisplayname,connectorid,connectionid,statuscode"
    answer = ask(
        rooms,
        "connectionreferences",
        operator,
        __select=chosen,
        headers={"prefer": 'odata.include-annotations="*"'},
    )
    shown = json.loads(
        answer.body.replace(
            b"statuscode@OData.Community.Display.V1.FormattedValue", RECORDED_ANNOTATION.encode()
        )
    )
    assert set(paths(shown)) == set(paths(known)) - {".value[].connectionid:NoneType"}
    ConnectionReferencePage.model_validate(shown)


def test_pages_follow_the_preferred_size(rooms, operator):
    seen: list[str] = []
    answer = ask(rooms, "workflows", operator, __select="name", headers={"prefer": "odata.maxpagesize=2"})
    while True:
        seen += [row["name"] for row in answer.json["value"]]
        link = answer.json.get("@odata.nextLink")
        if link is None:
            break
        token = link.rpartition("skiptoken=")[2]
        answer = ask(
            rooms,
            "workflows",
            operator,
            __select="name",
            __skiptoken=token,
            headers={"prefer": "odata.maxpagesize=2"},
        )
    wanted = sorted(flow.display_name for flow in rooms.world.flows.values() if flow.workflow_id)
    assert sorted(seen) == wanted
    assert len(wanted) > 2


def test_flows_outside_solutions_are_not_there(rooms, operator):
    names = [row["name"] for row in ask(rooms, "workflows", operator).json["value"]]
    assert "Nightly invoice mail" not in names


def test_a_maker_sees_his_own_flows_only(rooms):
    rows = ask(rooms, "workflows", rooms.account("Service account Reports"), __select="name").json["value"]
    assert [row["name"] for row in rows] == ["Quarterly close"]


def test_an_application_that_is_no_user_is_refused(rooms):
    answer = ask(rooms, "workflows", rooms.app("erp-nightly"))
    assert (answer.status, answer.code) == (403, "0x80072560")


def test_an_application_user_without_a_role_is_refused(rooms):
    app = rooms.app("holdfast-reader")
    member = next(one for one in rooms.world.org_users.values() if one.principal_id == app.principal_id)
    member.roles.clear()

    answer = ask(rooms, "workflows", app)

    assert (answer.status, answer.code) == (403, "0x80042f09")


def test_a_reader_may_not_write(rooms):
    answer = ask(
        rooms, row_of(rooms, "Nightly stock check"), rooms.app("holdfast-reader"), "PATCH", {"statecode": 0}
    )
    assert (answer.status, answer.code) == (403, "0x80040220")


def test_a_call_without_a_token_is_challenged(rooms):
    answer = rooms.ask(Host.DATAVERSE, f"{API}/workflows")
    assert answer.status == 401
    assert "authorization_uri=" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("workflows", {"__select": "nothing"}, 400, "0x80060888"),
        ("workflows", {"__filter": "name eq"}, 400, "0x80060888"),
        ("workflows(11111111-1111-1111-1111-111111111111)", {}, 404, "0x80040217"),
        ("nothings", {}, 404, "0x8006088a"),
    ],
)
def test_what_is_not_there_is_refused(rooms, operator, path, query, status, code):
    answer = ask(rooms, path, operator, **query)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"category": 4},
        {"clientdata": "no json"},
        {"clientdata": json.dumps({"properties": {"definition": {"triggers": {}, "actions": {}}}})},
        {"name": ""},
    ],
)
def test_a_body_that_nobody_documented_is_refused(rooms, operator, change):
    before = len(rooms.world.flows)
    answer = ask(rooms, "workflows", operator, "POST", {**a_flow(rooms), **change})
    assert answer.status == 400
    assert len(rooms.world.flows) == before


def test_only_somebody_who_may_use_the_connection_turns_a_flow_on(rooms, operator):
    ask(rooms, "workflows", operator, "POST", a_flow(rooms))
    place = row_of(rooms, "holdfast/1 keep-alive")
    answer = ask(rooms, place, operator, "PATCH", {"statecode": 1, "statuscode": 2})
    assert (answer.status, answer.code) == (403, "0x80060467")
    assert "ConnectionAuthorizationFailed" in answer.json["error"]["message"]
    assert rooms.flow("holdfast/1 keep-alive").state == "Stopped"

    share = Share(
        principal_id=operator.principal_id or "",
        principal_type="ServicePrincipal",
        role="CanView",
        granted_at=rooms.now,
    )
    rooms.connection("ERP orders").shares.append(share)
    assert ask(rooms, place, operator, "PATCH", {"statecode": 1}).status == 204
    assert rooms.flow("holdfast/1 keep-alive").state == "Started"


def test_the_rule_that_a_share_is_enough_can_be_flipped(rooms, operator):
    share = Share(
        principal_id=operator.principal_id or "",
        principal_type="ServicePrincipal",
        role="CanView",
        granted_at=rooms.now,
    )
    rooms.connection("ERP orders").shares.append(share)
    rooms.world.flips.append("a_share_is_enough_to_activate")
    ask(rooms, "workflows", operator, "POST", a_flow(rooms))
    answer = ask(rooms, row_of(rooms, "holdfast/1 keep-alive"), operator, "PATCH", {"statecode": 1})
    assert "ConnectionAuthorizationFailed" in answer.json["error"]["message"]


def test_a_flow_that_is_turned_off_runs_no_more(rooms):
    dana = rooms.account("Dana Kim")
    assert ask(rooms, row_of(rooms, "Nightly stock check"), dana, "PATCH", {"statecode": 0}).status == 204
    rooms.world.changed()
    before = ask(rooms, "flowruns", dana).json["value"]
    rooms.advance(days=3)
    flow = rooms.flow("Nightly stock check")
    after = ask(rooms, "flowruns", dana, __filter=f"_workflow_value eq {flow.workflow_id}").json["value"]
    assert max(row["starttime"] for row in after) <= max(row["starttime"] for row in before)


def test_binding_a_reference_moves_the_flows_to_the_other_connection(rooms):
    dana = rooms.account("Dana Kim")
    reference = next(one for one in rooms.world.references.values() if one.logical_name == "con_sql_erp")
    other = rooms.connection("ERP export")
    used_before = rooms.connection("ERP orders").last_token_at
    answer = ask(
        rooms,
        f"connectionreferences({reference.id})",
        dana,
        "PATCH",
        {"connectionid": other.id},
        headers={"if-match": "*"},
    )
    assert answer.status == 204
    rooms.world.changed()
    rooms.advance(days=1)
    assert rooms.connection("ERP orders").last_token_at == used_before


def test_a_reference_cannot_be_bound_to_a_connection_that_is_not_ones_own(rooms):
    dana = rooms.account("Dana Kim")
    reference = next(one for one in rooms.world.references.values() if one.logical_name == "con_sql_erp")
    other = rooms.connection("Quarter close")
    answer = ask(rooms, f"connectionreferences({reference.id})", dana, "PATCH", {"connectionid": other.id})
    assert (answer.status, answer.code) == (403, "0x80060467")
    assert reference.connection_id == rooms.connection("ERP orders").id


def test_with_the_rule_flipped_a_flow_keeps_its_old_connection_until_it_is_turned_off_and_on(rooms):
    rooms.world.flips.append("rebinding_reaches_flows_at_once")
    dana = rooms.account("Dana Kim")
    reference = next(one for one in rooms.world.references.values() if one.logical_name == "con_sql_erp")
    ask(
        rooms,
        f"connectionreferences({reference.id})",
        dana,
        "PATCH",
        {"connectionid": rooms.connection("ERP export").id},
    )
    rooms.world.changed()
    used_before = rooms.connection("ERP orders").last_token_at
    rooms.advance(days=1)
    assert rooms.connection("ERP orders").last_token_at != used_before
    old_use = rooms.connection("ERP orders").last_token_at
    for name in ("Nightly order import", "Nightly stock check"):
        for state in (0, 1):
            assert ask(rooms, row_of(rooms, name), dana, "PATCH", {"statecode": state}).status == 204
    rooms.advance(days=2)
    assert rooms.connection("ERP orders").last_token_at == old_use


def test_a_flow_can_be_given_to_another_owner(rooms, operator):
    users = ask(rooms, "systemusers", operator, __filter="fullname eq 'Lee Brandt'").json
    SystemUserPage.model_validate(users)
    lee = users["value"][0]["systemuserid"]
    body = {"ownerid@odata.bind": f"systemusers({lee})"}
    assert ask(rooms, row_of(rooms, "Quarterly close"), operator, "PATCH", body).status == 204
    assert rooms.flow("Quarterly close").owner_id == rooms.account("Lee Brandt").object_id


def test_references_are_made_found_and_removed(rooms, operator):
    body = {
        "connectionreferencelogicalname": "holdfast_1",
        "connectionreferencedisplayname": "holdfast/1",
        "connectorid": "/providers/Microsoft.PowerApps/apis/shared_sql",
    }
    assert ask(rooms, "connectionreferences", operator, "POST", body).status == 204
    assert ask(rooms, "connectionreferences", operator, "POST", body).status == 412
    found = ask(
        rooms, "connectionreferences", operator, __filter="connectionreferencelogicalname eq 'holdfast_1'"
    ).json["value"]
    place = f"connectionreferences({found[0]['connectionreferenceid']})"
    assert ask(rooms, place, operator, "DELETE").status == 204
    assert ask(rooms, place, operator).status == 404


def test_a_reference_in_use_cannot_be_removed(rooms, operator):
    reference = next(one for one in rooms.world.references.values() if one.logical_name == "con_sql_erp")
    assert ask(rooms, f"connectionreferences({reference.id})", operator, "DELETE").status == 400


def test_runs_of_the_last_28_days_can_be_read(rooms, operator):
    flow = rooms.flow("Nightly stock check")
    answer = ask(
        rooms,
        "flowruns",
        operator,
        __filter=f"_workflow_value eq {flow.workflow_id}",
        __orderby="starttime desc",
    )
    FlowRunPage.model_validate(answer.json)
    rows = answer.json["value"]
    assert len(rows) == 28
    assert {row["status"] for row in rows} == {"Succeeded"}
    assert rows == sorted(rows, key=lambda row: row["starttime"], reverse=True)
    assert (
        ask(rooms, "flowruns", operator, __filter=f"_workflow_value eq {flow.workflow_id}", __top="3").json[
            "value"
        ]
        == rows[:3]
    )


def test_the_caller_learns_who_he_is(rooms, operator):
    told = ask(rooms, "WhoAmI", operator).json
    users = ask(rooms, "systemusers", operator, __filter=f"systemuserid eq {told['UserId']}").json["value"]
    assert users[0]["applicationid"] == operator.client_id


# --- owners and shares -----------------------------------------------------------------------------------


def test_the_owner_of_a_row_comes_along_where_that_is_asked(rooms, operator):
    expand = "owninguser($select=fullname,azureactivedirectoryobjectid)"
    dana = rooms.account("Dana Kim")

    flow = ask(rooms, row_of(rooms, "Nightly stock check"), operator, __expand=expand).json
    by_name = "connectionreferencelogicalname eq 'con_sql_erp'"
    told = ask(rooms, "connectionreferences", operator, __filter=by_name, __expand=expand)
    [reference] = told.json["value"]

    assert flow["owninguser"]["fullname"] == dana.display_name
    assert set(flow["owninguser"]) - {"@odata.etag"} == {
        *("fullname", "azureactivedirectoryobjectid", "systemuserid")
    }
    assert reference["owninguser"]["azureactivedirectoryobjectid"] == dana.object_id


@pytest.mark.parametrize("expand", ["nobody", "owninguser($select=shoesize)"])
def test_a_row_that_does_not_exist_cannot_come_along(rooms, operator, expand):
    assert ask(rooms, "workflows", operator, __expand=expand).status == 400


def user_id(rooms: Rooms, operator: Application, name: str) -> str:
    id = rooms.account(name).object_id
    told = ask(rooms, "systemusers", operator, __filter=f"azureactivedirectoryobjectid eq {id}")
    [row] = told.json["value"]
    return str(row["systemuserid"])


def sharing(rooms: Rooms, user: str, rights: str | None = "ReadAccess,WriteAccess") -> dict[str, Any]:
    target = {
        "@odata.type": "Microsoft.Dynamics.CRM.workflow",
        "workflowid": rooms.flow("Nightly stock check").workflow_id,
    }
    who = {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": user}
    if rights is None:
        return {"Target": target, "Revokee": who}
    return {"Target": target, "PrincipalAccess": {"Principal": who, "AccessMask": rights}}


def shared(rooms: Rooms, operator: Application) -> list[dict[str, Any]]:
    query = urlencode({"@t": f"{{'@odata.id':'{row_of(rooms, 'Nightly stock check')}'}}"})
    path = "RetrieveSharedPrincipalsAndAccess(Target=@t)"
    return list(ask(rooms, path, operator, written_query=query).json["PrincipalAccesses"])


def test_a_flow_is_shared_until_that_is_taken_back(rooms, operator):
    sam = user_id(rooms, operator, "Sam Ortiz")

    for rights in ("ReadAccess", "WriteAccess"):
        assert ask(rooms, "GrantAccess", operator, "POST", sharing(rooms, sam, rights)).status == 204
    told = shared(rooms, operator)
    assert ask(rooms, row_of(rooms, "Nightly stock check"), rooms.account("Sam Ortiz")).status == 200
    for _ in range(2):
        assert ask(rooms, "RevokeAccess", operator, "POST", sharing(rooms, sam, None)).status == 204

    assert told == [
        {
            "AccessMask": "ReadAccess,WriteAccess",
            "Principal": {"@odata.type": "#Microsoft.Dynamics.CRM.systemuser", "ownerid": sam},
        }
    ]
    assert shared(rooms, operator) == []
    assert ask(rooms, row_of(rooms, "Nightly stock check"), rooms.account("Sam Ortiz")).status == 404


def test_a_flow_of_somebody_else_cannot_be_shared(rooms, operator):
    sam = user_id(rooms, operator, "Sam Ortiz")

    refused = ask(rooms, "GrantAccess", rooms.account("Sam Ortiz"), "POST", sharing(rooms, sam))

    assert refused.status == 404
    assert shared(rooms, operator) == []


@pytest.mark.parametrize("rights", ["EveryAccess", ""])
def test_rights_that_do_not_exist_are_refused(rooms, operator, rights):
    sam = user_id(rooms, operator, "Sam Ortiz")

    assert ask(rooms, "GrantAccess", operator, "POST", sharing(rooms, sam, rights)).status == 400


@pytest.mark.parametrize(
    ("flip", "state", "is_shared"),
    [
        ("", "Started", True),
        ("a_flow_stays_on_when_it_is_assigned", "Stopped", True),
        ("shares_survive_another_owner", "Started", False),
    ],
)
def test_what_another_owner_means_for_state_and_shares_can_be_flipped(
    rooms, operator, flip, state, is_shared
):
    rooms.world.flips += [flip] if flip else []
    ask(rooms, "GrantAccess", operator, "POST", sharing(rooms, user_id(rooms, operator, "Sam Ortiz")))

    lee = user_id(rooms, operator, "Lee Brandt")
    body = {"ownerid@odata.bind": f"systemusers({lee})"}
    assert ask(rooms, row_of(rooms, "Nightly stock check"), operator, "PATCH", body).status == 204

    assert rooms.flow("Nightly stock check").state == state
    assert bool(shared(rooms, operator)) == is_shared
