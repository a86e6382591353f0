"""Every event of the control port has its effect on the truth, and everywhere it should."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

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
        {"event": "sql_revoke", "target": ERP},
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
