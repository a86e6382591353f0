"""Every event of the control port has its effect on the truth, and everywhere it should."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from holdfast.sandbox.event_details import TAKES

DESIGNED = [
    "change_password",
    "reset_password",
    "expire_password",
    "revoke_sessions",
    "disable_account",
    "enable_account",
    "delete_account",
    "hard_delete_account",
    "require_mfa",
    "remove_mfa",
    "change_mfa_method",
    "add_policy",
    "remove_policy",
    "require_terms",
    "expire_secret",
    "remove_secret",
    "expire_certificate",
    "disable_app",
    "delete_app",
    "revoke_consent",
    "set_app_policy",
    "remove_licence",
    "share_connection",
    "delete_connection",
    "dlp_block",
    "dlp_allow",
    "edit_flow",
    "deploy_solution",
    "sql_firewall_deny",
    "sql_drop_user",
    "sql_revoke",
    "sql_pause",
    "sql_offline",
    "gateway_offline",
    "gateway_online",
    "turn_off_flow",
    "turn_on_flow",
    "reconsent",
]


def truth(sandbox):
    return sandbox.control("/truth")


def connection(sandbox, name):
    return next(one for one in truth(sandbox)["connections"] if one["name"].startswith(name))


def log(sandbox, path):
    """Rows of a log of Graph, as the reader sees them."""
    app = next(one for one in sandbox.ready["apps"] if one["name"] == "holdfast-reader")
    form = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    url = f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}/oauth2/v2.0/token"
    token = sandbox.ask(url, body=urlencode(form).encode()).json["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    return sandbox.ask(sandbox.ready["graph"] + path, headers=headers).json["value"]


def flow_of(sandbox, name):
    mine = connection(sandbox, name)
    return next(one for one in truth(sandbox)["flows"] if mine["id"] in one["connections"])


def now(sandbox):
    return sandbox.control("/clock")["now"]


def test_every_event_of_the_design_is_known(sandbox):
    reply = sandbox.ask(sandbox.ready["control"] + "/events", body=b'{"event": "?"}')
    known = reply.json["error"].split("known: ")[1].split(", ")
    assert set(DESIGNED) <= set(known)


ERP = "sql-contoso.database.windows.net/erp"
DANA = "dana.kim@contoso.example"


@pytest.mark.parametrize(
    ("event", "target", "details", "name", "cause"),
    [
        ("sql_firewall_deny", "sql-contoso.database.windows.net", {}, "ERP orders", "sql_firewall"),
        ("sql_pause", ERP, {}, "ERP orders", "sql_database_unavailable"),
        ("sql_offline", ERP, {}, "ERP orders", "sql_database_unavailable"),
        ("sql_drop_user", ERP, {"user": DANA}, "ERP orders", "sql_user_missing"),
        ("sql_revoke", ERP, {"user": DANA}, "ERP orders", "sql_permission_denied"),
        (
            "sql_revoke",
            ERP,
            {"user": DANA, "object": "dbo.PostTotals"},
            "ERP orders",
            "sql_permission_denied",
        ),
        ("sql_drop_user", ERP, {"user": "erp-nightly"}, "ERP export", "sql_user_missing"),
        ("sql_drop_user", "erp-nightly", {}, "ERP export", "sql_user_missing"),
        ("sql_drop_user", DANA, {}, "ERP orders", "sql_user_missing"),
        ("sql_revoke", "erp-nightly", {}, "ERP export", "sql_permission_denied"),
        ("gateway_offline", "GW-PLANT-01", {}, "plant-sql", "gateway_offline"),
        ("expire_secret", "erp-nightly", {}, "ERP export", "secret_expired"),
        ("remove_secret", "erp-nightly", {}, "ERP export", "secret_invalid"),
        ("disable_app", "erp-nightly", {}, "ERP export", "app_disabled_or_missing"),
        ("delete_app", "erp-nightly", {}, "ERP export", "app_disabled_or_missing"),
    ],
)
def test_a_connection_breaks_and_truth_says_since_when(sandbox, event, target, details, name, cause):
    apps = {app["name"]: app["client_id"] for app in sandbox.ready["apps"]}
    assert connection(sandbox, name)["usable"]
    sandbox.advance(seconds=5)
    sandbox.event(event, apps.get(target, target), **details)
    told = connection(sandbox, name)
    assert (told["usable"], told["cause"]) == (False, cause)
    assert told["broke_at"] == now(sandbox)


@pytest.mark.parametrize(
    ("breaks", "heals", "name"),
    [
        (("gateway_offline", "GW-PLANT-01"), ("gateway_online", "GW-PLANT-01"), "plant-sql"),
        (("disable_account", DANA), ("enable_account", DANA), "ERP orders"),
        (("require_mfa", DANA), ("remove_mfa", DANA), "ERP orders"),
        (("sql_offline", ERP), ("sql_online", ERP), "ERP orders"),
        (("sql_firewall_deny", "sql-contoso.database.windows.net"), ("sql_firewall_allow", "sql-contoso.database.windows.net"), "ERP orders"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_undone_works_again(sandbox, breaks, heals, name):
    sandbox.event(*breaks)
    assert not connection(sandbox, name)["usable"]
    sandbox.event(*heals)
    assert connection(sandbox, name)["usable"]


def test_the_next_run_meets_what_was_done(sandbox):
    sandbox.event("sql_drop_user", ERP, user=DANA)
    before = truth(sandbox)["counters"]["queries_failed"]
    sandbox.advance(days=1)
    assert flow_of(sandbox, "ERP orders")["last_run_ok"] is False
    assert truth(sandbox)["counters"]["queries_failed"] > before


def test_a_flow_that_is_off_does_not_run(sandbox):
    flow = flow_of(sandbox, "ERP orders")
    sandbox.event("turn_off_flow", flow["id"])
    sandbox.advance(days=3)
    assert flow_of(sandbox, "ERP orders")["last_run_at"] == flow["last_run_at"]
    assert flow_of(sandbox, "ERP orders")["on"] is False
    sandbox.event("turn_on_flow", flow["id"])
    sandbox.advance(days=1)
    assert flow_of(sandbox, "ERP orders")["last_run_at"] > flow["last_run_at"]


def test_without_a_licence_flows_stop_after_14_days(sandbox):
    sandbox.event("remove_licence", DANA)
    sandbox.advance(days=13)
    assert flow_of(sandbox, "ERP orders")["on"] is True
    sandbox.advance(days=2)
    assert flow_of(sandbox, "ERP orders")["on"] is False


def test_an_edited_flow_does_what_it_says_now(sandbox):
    flow = flow_of(sandbox, "Quarter close")
    definition = {
        "triggers": {"Recurrence": {"type": "Recurrence", "recurrence": {"frequency": "Day", "interval": 1}}},
        "actions": {},
    }
    sandbox.event("edit_flow", flow["id"], definition=definition)
    sandbox.advance(days=2)
    later = flow_of(sandbox, "Quarter close")
    assert datetime.fromisoformat(later["last_run_at"]) > datetime.fromisoformat(now(sandbox)) - timedelta(
        days=1
    )


def test_a_deployment_binds_references_anew(sandbox):
    flow, other = flow_of(sandbox, "ERP orders"), connection(sandbox, "ERP export")
    sandbox.event("deploy_solution", flow["id"], connection=other["id"])
    sandbox.advance(days=1)
    again = next(one for one in truth(sandbox)["flows"] if one["id"] == flow["id"])
    assert other["id"] in again["connections"]


@pytest.mark.parametrize(
    "body",
    [
        {"event": "turn_off_flow", "target": "nothing"},
        {"event": "edit_flow", "target": "nothing"},
        {"event": "gateway_offline", "target": "nothing"},
        {"event": "sql_pause", "target": "nothing"},
        {"event": "sql_drop_user", "target": ERP, "user": "nobody"},
        {"event": "sql_drop_user", "target": "lee.brandt@contoso.example"},
        {"event": "deploy_solution", "target": "nowhere"},
        {"event": "remove_licence", "target": "nobody"},
        {"event": "remove_licence", "target": DANA, "licence": "NONE_SUCH"},
        {"event": "reconsent", "target": "nothing"},
        {"event": "expire_certificate", "target": "nothing"},
    ],
    ids=lambda body: f"{body['event']} {body['target'][:12]}",
)
def test_an_event_for_nothing_changes_nothing(sandbox, body):
    before = truth(sandbox)
    reply = sandbox.ask(sandbox.ready["control"] + "/events", body=json.dumps(body).encode())
    assert reply.status == 404
    assert truth(sandbox) == before


@pytest.mark.parametrize("event", [*DESIGNED, "sql_trouble", "connector_outage", "set_security_defaults"])
def test_a_detail_that_no_event_takes_is_refused(sandbox, event):
    before = truth(sandbox)
    body = {"event": event, "target": DANA, "vai": "azure"}
    reply = sandbox.ask(sandbox.ready["control"] + "/events", body=json.dumps(body).encode())
    assert (reply.status, "vai" in reply.json["error"]) == (400, True)
    assert truth(sandbox) == before


def test_a_right_is_taken_from_somebody(sandbox):
    before = truth(sandbox)
    body = {"event": "sql_revoke", "target": ERP}
    reply = sandbox.ask(sandbox.ready["control"] + "/events", body=json.dumps(body).encode())
    assert (reply.status, "give `user`" in reply.json["error"]) == (400, True)
    assert truth(sandbox) == before


def test_every_detail_of_an_event_stands_on_the_page_for_others():
    page = Path("docs/sandbox.md").read_text(encoding="utf-8")
    undocumented = {
        f"{event}: {detail}"
        for event, details in TAKES.items()
        for detail in details
        if f"`{detail}`" not in page
    }
    assert not undocumented


def test_an_environment_names_its_gateways(sandbox):
    plant = connection(sandbox, "plant-sql")
    sandbox.event("gateway_offline", plant["environment"])
    assert connection(sandbox, "plant-sql")["causes"] == ["gateway_offline"]
    sandbox.event("gateway_online", plant["environment"])
    assert connection(sandbox, "plant-sql")["usable"]


def test_an_environment_names_its_flows_for_a_deployment(sandbox):
    assert sandbox.event("deploy_solution", connection(sandbox, "ERP orders")["environment"])["references"]


def test_two_runs_of_one_instant_are_two_runs(sandbox):
    flow = flow_of(sandbox, "ERP orders")
    runs = {sandbox.control("/run", {"flow": flow["id"]})["run"] for _ in range(3)}
    assert len(runs) == 3


def test_an_id_is_known_in_capitals_too(sandbox):
    dana = next(one for one in sandbox.ready["accounts"] if one["username"] == DANA)
    sandbox.event("disable_account", dana["object_id"].upper())
    assert "account_disabled" in connection(sandbox, "ERP orders")["causes"]


def test_consent_that_a_person_takes_back_is_gone_for_every_client(sandbox):
    dana = next(one for one in sandbox.ready["accounts"] if one["username"] == DANA)
    form = {
        "grant_type": "refresh_token",
        "client_id": dana["client_id"],
        "refresh_token": dana["refresh_token"],
        "scope": "https://database.windows.net//.default",
    }
    url = f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}/oauth2/v2.0/token"
    sandbox.event("revoke_consent", DANA)
    assert sandbox.ask(url, body=urlencode(form).encode()).json["error_codes"] == [65001]


def test_whoever_signs_in_again_stands_in_the_log_of_interactive_sign_ins(sandbox):
    sandbox.event("revoke_sessions", DANA)
    sandbox.event("reconsent", connection(sandbox, "ERP orders")["id"])
    rows = log(sandbox, "/v1.0/auditLogs/signIns")
    assert [(row["userPrincipalName"], row["status"]["errorCode"]) for row in rows] == [(DANA, 0)]


def test_consent_that_is_given_again_is_audited(sandbox):
    sandbox.event("revoke_consent", DANA)
    sandbox.event("reconsent", connection(sandbox, "ERP orders")["id"])
    activities = [row["activityDisplayName"] for row in log(sandbox, "/v1.0/auditLogs/directoryAudits")]
    assert "Consent to application" in activities


def test_the_rules_tell_what_is_true_when_they_are_flipped(sandbox):
    rules = {one["id"]: one for one in sandbox.control("/rules")["rules"]}
    assert rules["deleted_account_codes"]["flipped"]
    assert rules["revocation_matrix"]["flipped"] is None
