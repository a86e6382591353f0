"""What people do to servers, gateways and flows, and what `/truth` says of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from holdfast.sandbox.control import truth
from holdfast.sandbox.flows.folding import run_now
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.ready import password_text
from holdfast.sandbox.tenant import Host
from tests.sandbox.rooms import Answer, Rooms


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


def told(rooms: Rooms) -> dict[str, Any]:
    return truth(rooms.world, rooms.now, PARTS)


def standing(rooms: Rooms, start: str) -> tuple[Any, ...]:
    wanted = rooms.connection(start).id
    found = next(one for one in told(rooms)["connections"] if one["id"] == wanted)
    return found["usable"], found["cause"], found["broke_at"]


def run(rooms: Rooms, name: str) -> Answer:
    return rooms.ask(Host.CONTROL, "/run", method="POST", body={"flow": rooms.flow(name).id})


def test_the_story_begins_with_one_broken_connection(rooms):
    broken = [one for one in told(rooms)["connections"] if not one["usable"]]
    assert [one["id"] for one in broken] == [rooms.connection("Invoices").id]
    assert broken[0]["cause"] == "password_changed"


@pytest.mark.parametrize(
    ("event", "target", "details", "connection", "cause", "flow", "healing", "healing_details"),
    [
        ("sql_firewall_deny", "erp", {}, "ERP orders", "sql_firewall", "Nightly stock check", "sql_firewall_allow", {}),
        ("sql_pause", "erp", {}, "ERP orders", "sql_database_unavailable", "Nightly stock check", "sql_online", {}),
        ("sql_offline", "erp", {}, "ERP orders", "sql_database_unavailable", "Nightly stock check", "sql_online", {}),
        ("sql_drop_user", "erp", {"user": "dana.kim@contoso.example"}, "ERP orders", "sql_user_missing", "Nightly stock check", "sql_add_user", {"user": "dana.kim@contoso.example", "roles": ["db_owner"]}),
        ("sql_revoke", "erp", {"user": "dana.kim@contoso.example"}, "ERP orders", "sql_permission_denied", "Nightly stock check", "sql_grant", {"user": "dana.kim@contoso.example", "role": "db_owner"}),
        ("sql_revoke", "erp", {"user": "dana.kim@contoso.example", "permission": "CONNECT"}, "ERP orders", "sql_login_failed_other", "Nightly stock check", "sql_grant", {"user": "dana.kim@contoso.example", "permission": "CONNECT"}),
        ("sql_lock_login", "production", {"user": "CONTOSO\\svc-plant"}, "plant-sql", "account_locked", "Plant report", "sql_unlock_login", {"user": "CONTOSO\\svc-plant"}),
        ("gateway_offline", "GW-PLANT-01", {}, "plant-sql", "gateway_offline", "Plant report", "gateway_online", {}),
        ("dlp_block", "", {}, "ERP orders", "dlp_blocked", None, "dlp_allow", {}),
    ],
)  # fmt: skip
def test_an_event_breaks_a_connection_and_another_heals_it(
    rooms, event, target, details, connection, cause, flow, healing, healing_details
):
    rooms.advance(minutes=7)
    rooms.event(event, target, **details)
    at = rooms.now.isoformat()
    assert standing(rooms, connection) == (False, cause, at)
    if flow:
        assert run(rooms, flow).json["status"] == "Failed"
    rooms.event(healing, target, **healing_details)
    assert standing(rooms, connection) == (True, None, None)
    if flow:
        assert run(rooms, flow).json["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("event", "healing"), [("revoke_consent", "reconsent"), ("require_assignment", "assign")]
)
def test_what_entra_takes_from_a_person_breaks_the_next_token(rooms, event, healing):
    dana, connection = "dana.kim@contoso.example", rooms.connection("ERP orders")
    cause = {"revoke_consent": "consent_missing", "require_assignment": "role_or_assignment_missing"}[event]
    rooms.event(event, dana)
    assert standing(rooms, "ERP orders") == (False, cause, rooms.now.isoformat())
    rooms.advance(days=1)
    assert connection.status == "Error"
    assert connection.fault.message.count(
        {"revoke_consent": "AADSTS65001", "require_assignment": "AADSTS50105"}[event]
    )
    rooms.event(healing, connection.id if healing == "reconsent" else dana)
    rooms.advance(days=1)
    assert (connection.status, *standing(rooms, "ERP orders")) == ("Connected", True, None, None)


@pytest.mark.parametrize(
    ("event", "target", "details", "cause"),
    [
        ("sql_trouble", "erp", {"error": 40197}, "sql_transient"),
        ("sql_trouble", "erp", {"error": 10928, "hours": 1}, "throttled"),
        ("connector_outage", "Contoso (default)", {"status": 429}, "throttled"),
        ("connector_outage", "Contoso (default)", {}, "service_transient"),
    ],
)
def test_what_passes_by_itself_passes(rooms, event, target, details, cause):
    environment = rooms.world.environments[rooms.connection("ERP orders").environment_id]
    rooms.event(event, environment.id if event == "connector_outage" else target, **details)
    assert standing(rooms, "ERP orders") == (False, cause, rooms.now.isoformat())
    assert run(rooms, "Nightly stock check").json["status"] == "Failed"
    rooms.advance(hours=1)
    assert standing(rooms, "ERP orders") == (True, None, None)
    assert run(rooms, "Nightly stock check").json["status"] == "Succeeded"


def test_a_folded_flow_meets_the_end_of_an_outage(rooms):
    flow = rooms.flow("Nightly stock check")
    rooms.advance(days=2)
    rooms.event("connector_outage", flow.environment_id, hours=60)
    rooms.advance(days=2)
    assert flow.failing_since is not None
    rooms.advance(days=2)
    assert flow.failing_since is None


def test_a_service_principal_of_another_tenant_gets_no_token_here(rooms):
    rooms.connection("ERP export").parameters["token:TenantId"] = "fabrikam.example"
    rooms.world.changed()
    rooms.advance(days=1)
    assert standing(rooms, "ERP export")[1] == "token_audience_or_tenant_wrong"
    assert "AADSTS90002" in rooms.connection("ERP export").fault.message


def test_reading_the_truth_changes_nothing(rooms):
    rooms.event("sql_pause", "erp")
    run(rooms, "Nightly stock check")
    rooms.advance(minutes=2)
    assert standing(rooms, "ERP orders") == (True, None, None)
    assert rooms.world.servers["sql-contoso.database.windows.net"].databases["erp"].state == "PAUSED"
    assert told(rooms) == told(rooms)


def test_failed_queries_are_counted_folded_or_not(rooms):
    before = told(rooms)["counters"]["queries_failed"]
    rooms.event("gateway_offline", "GW-PLANT-01")
    rooms.advance(days=3)
    counters = told(rooms)["counters"]
    assert (
        counters["queries_failed"] - before == 3 * 4 + 3
    )  # and the broken connection of the story, once a night
    assert counters["runs_folded"] > 0


def test_a_flow_that_fails_for_14_days_is_turned_off(rooms):
    rooms.event("gateway_offline", "GW-PLANT-01")
    rooms.advance(days=13)
    assert rooms.flow("Plant report").state == "Started"
    rooms.advance(days=2)
    assert rooms.flow("Plant report").state == "Stopped"
    rooms.event("gateway_online", "GW-PLANT-01")
    rooms.event("turn_on_flow", rooms.flow("Plant report").id)
    rooms.advance(days=1)
    assert rooms.flow("Plant report").state == "Started"


def test_edited_flows_run_as_they_were_saved(rooms):
    flow = rooms.flow("Nightly stock check")
    definition = {
        **flow.definition,
        "actions": {"End": {"type": "Terminate", "inputs": {"runStatus": "Failed"}}},
    }
    rooms.event("edit_flow", flow.id, definition=definition)
    assert run(rooms, "Nightly stock check").json["status"] == "Failed"
    with pytest.raises(ValueError, match="trigger"):
        rooms.event("edit_flow", flow.id, definition={})


def test_a_deployed_flow_is_managed_and_bound_as_the_deployment_says(rooms):
    flow, other = rooms.flow("Nightly stock check"), rooms.connection("ERP export")
    rooms.event("deploy_solution", flow.workflow_id, connection=other.id)
    assert flow.is_managed
    assert (
        next(
            one for one in rooms.world.references.values() if one.logical_name == "con_sql_erp"
        ).connection_id
        == other.id
    )


@pytest.mark.parametrize(
    "event",
    [
        "edit_flow",
        "deploy_solution",
        "turn_off_flow",
        "turn_on_flow",
        "gateway_offline",
        "sql_pause",
        "sql_drop_user",
        "share_connection",
        "delete_connection",
    ],
)
def test_an_unknown_target_is_said(rooms, event):
    with pytest.raises(LookupError):
        rooms.event(event, "nothing of that name")


def hub(rooms: Rooms, start: str, who: str, rest: str = "testconnection") -> Answer:
    connection = rooms.connection(start)
    account = rooms.account(who)
    return rooms.ask(Host.APIHUB, f"/apim/sql/{connection.id}/{rest}", who=account)


def test_a_test_link_uses_the_connection(rooms):
    rooms.advance(hours=3)
    assert hub(rooms, "ERP orders", "Dana Kim").status == 200
    assert rooms.connection("ERP orders").last_token_at == rooms.now
    answer = hub(rooms, "Invoices", "Sam Ortiz")
    assert answer.status == 401
    assert "AADSTS50173" in answer.json["message"]
    assert hub(rooms, "ERP orders", "Lee Brandt").status == 403


def test_the_data_plane_carries_out_operations_by_their_paths(rooms):
    server = "sql-contoso.database.windows.net"
    answer = hub(rooms, "ERP orders", "Dana Kim", f"v2/datasets/{server},erp/tables/[dbo].[Orders]/items")
    assert answer.status == 200
    assert len(answer.json["value"]) == 12


def test_a_person_who_follows_the_consent_link_heals_the_connection(rooms):
    sam, connection = rooms.account("Sam Ortiz"), rooms.connection("Invoices")
    path = f"/providers/Microsoft.PowerApps/apis/shared_sql/connections/{connection.id}/getConsentLink"
    wanted = f"environment eq '{connection.environment_id}'"
    link = rooms.ask(
        Host.POWERAPPS,
        path,
        who=sam,
        method="POST",
        body={"redirectUrl": "https://x.example/done"},
        api_version="2021-02-01",
        __filter=wanted,
    ).json["consentLink"]
    parts = urlsplit(link)
    form = urlencode(
        {"username": sam.user_principal_name, "password": password_text(rooms.world, sam), "accept": "1"}
    ).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    back = rooms.ask(
        Host.AUTHORITY, parts.path, method="POST", body=form, headers=headers, written_query=parts.query
    )
    assert back.status == 302, back.body
    returned = urlsplit(back.headers["location"])
    answer = rooms.ask(Host.APIHUB, returned.path, written_query=returned.query)
    assert (answer.status, answer.headers["location"]) == (302, "https://x.example/done")
    assert connection.status == "Connected"
    assert run(rooms, "Nightly invoice mail").json["status"] == "Succeeded"
    assert standing(rooms, "Invoices") == (True, None, None)


def test_a_connection_that_is_used_too_often_is_told_when_to_come_back(rooms):
    rooms.world.is_unkind = True
    rest = "v2/datasets/sql-contoso.database.windows.net,erp/tables/dbo.Orders/items"
    assert hub(rooms, "ERP orders", "Dana Kim", rest).status == 200

    (seen,) = (times for name, times in rooms.tenant.recent.items() if name.startswith("connection "))
    seen.extend([rooms.tenant.clock.moving()] * 99)
    answer = hub(rooms, "ERP orders", "Dana Kim", rest)
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 11


def flipped(rooms: Rooms, rule: str) -> None:
    rooms.world.flips.append(rule)
    rooms.world.changed()


def test_flipped_a_revocation_counts_minutes_later(rooms):
    flipped(rooms, "revocation_is_immediate")
    rooms.event("revoke_sessions", "dana.kim@contoso.example")
    assert standing(rooms, "ERP orders")[:2] == (True, None)
    rooms.advance(minutes=4)
    assert standing(rooms, "ERP orders")[:2] == (False, "session_revoked")


def test_flipped_the_last_demand_is_answered_first(rooms):
    dana = "dana.kim@contoso.example"
    rooms.event("require_mfa", dana)
    rooms.event("add_policy", dana, kind="block")
    before = standing(rooms, "ERP orders")[1]
    flipped(rooms, "order_of_policy_answers")
    assert (before, standing(rooms, "ERP orders")[1]) == ("conditional_access_blocked", "mfa_required")


def test_flipped_a_test_link_uses_nothing(rooms):
    flipped(rooms, "test_link_uses_the_connection")
    rooms.advance(hours=3)
    before = rooms.connection("ERP orders").last_token_at
    assert hub(rooms, "ERP orders", "Dana Kim").status == 200
    assert rooms.connection("ERP orders").last_token_at == before
    assert "AADSTS50173" in hub(rooms, "Invoices", "Sam Ortiz").json["error"]["message"]


def test_flipped_a_gateway_that_is_offline_answers_502(rooms):
    flipped(rooms, "gateway_offline_is_504")
    rooms.event("gateway_offline", rooms.connection("plant-sql").id)
    run = run_now(rooms.world, rooms.flow("Plant report"), rooms.now)
    assert run.actions[0].outputs["statusCode"] == 502
