"""Planned misbehaviour, as a client on the wire sees it."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error

import pytest

from tests.sandbox.people import GRAPH, Graph, app_named, ask_token

USERS = "/v1.0/users"
LOST = (http.client.RemoteDisconnected, ConnectionResetError, urllib.error.URLError)


@pytest.fixture
def reader(sandbox):
    return Graph(sandbox, "holdfast-reader")


@pytest.fixture
def admin(sandbox):
    return Graph(sandbox, "holdfast-app-admin")


def test_a_throttled_call_says_when_to_come_again(sandbox, reader):
    sandbox.control("/faults", {"kind": "throttle", "host": "graph", "times": 2, "retry_after": 7})
    answers = [reader("GET", "/users") for _ in range(3)]
    assert [one.status for one in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"


def test_a_throttled_token_endpoint_answers_in_plain_text(sandbox):
    sandbox.control("/faults", {"kind": "throttle", "host": "authority"})
    reply = ask_token(sandbox, grant_type="client_credentials")
    assert (reply.status, reply.body) == (429, b"Too Many Requests")


def test_a_share_of_calls_is_met_and_the_same_ones_each_time(sandbox):
    def run():
        sandbox.control("/reset", {"seed": 1})
        sandbox.control("/faults", method="DELETE")
        sandbox.control("/faults", {"kind": "error", "host": "powerapps", "share": 0.5, "status": 502})
        return [sandbox.ask(sandbox.ready["powerapps"] + "/x").status for _ in range(40)]

    first = run()
    assert run() == first
    assert 8 < first.count(502) < 32


def test_a_call_dropped_before_the_deed_leaves_the_world(sandbox, admin):
    sandbox.control(
        "/faults", {"kind": "drop_before", "method": "POST", "path": "/applications$", "times": 1}
    )
    with pytest.raises(LOST):
        admin("POST", "/applications", {"displayName": "lost"})
    assert not [app for app in admin("GET", "/applications").json["value"] if app["displayName"] == "lost"]


def test_a_call_dropped_after_the_deed_has_happened(sandbox, admin):
    sandbox.control("/faults", {"kind": "drop_after", "method": "POST", "path": "/applications$", "times": 1})
    with pytest.raises(LOST):
        admin("POST", "/applications", {"displayName": "lost"})
    assert [app for app in admin("GET", "/applications").json["value"] if app["displayName"] == "lost"]


def test_a_garbled_answer_is_no_json(sandbox, reader):
    sandbox.control("/faults", {"kind": "garble", "host": "graph"})
    reply = reader("GET", "/users")
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        assert reply.json


def test_a_slow_answer_is_slow_for_its_own_client_only(sandbox, reader):
    import threading

    sandbox.control("/faults", {"kind": "lag", "host": "graph", "seconds": 2, "times": 1})
    slow = threading.Thread(target=reader, args=("GET", "/users"))
    begun = time.monotonic()
    slow.start()
    while not sandbox.control("/faults")["faults"][0]["met"]:
        time.sleep(0.01)
    assert reader("GET", "/users").status == 200
    assert slow.is_alive()
    slow.join()
    assert time.monotonic() - begun >= 2


def test_the_default_unkindness_can_be_switched_off(start):
    sandbox = start("story", frozen=True)
    plain = [sandbox.ask(sandbox.ready["graph"] + USERS).status for _ in range(300)]
    assert 1 <= plain.count(429) <= 20
    sandbox.control("/faults", {"unkind": False})
    assert {sandbox.ask(sandbox.ready["graph"] + USERS).status for _ in range(300)} == {401}


def test_deleting_all_faults_ends_the_default_ones_too(sandbox):
    sandbox.control("/faults", {"kind": "error", "host": "graph"})
    told = sandbox.control("/faults", method="DELETE")
    assert told == {"unkind": False, "faults": []}
    app = app_named(sandbox, "erp-nightly")
    added = Graph(sandbox, "holdfast-app-admin")("POST", f"/applications/{app['object_id']}/addPassword", {})
    form = {"client_id": app["client_id"], "client_secret": added.json["secretText"], "scope": GRAPH[0]}
    assert ask_token(sandbox, grant_type="client_credentials", **form).status == 200


@pytest.mark.parametrize(
    "plan",
    [{"kind": "explode"}, {"kind": "error", "share": 2}, {"kind": "error", "path": "("}, {"kind": "lag", "seconds": "x"}, {"kind": "error", "host": "control"}, {"kind": "error", "colour": 1}],
    ids=str,
)  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused(sandbox, plan):
    url = sandbox.ready["control"] + "/faults"
    assert sandbox.ask(url, body=json.dumps(plan).encode()).status == 400
    assert sandbox.control("/faults")["faults"] == []


def test_an_assumed_rule_can_be_flipped_and_changes_the_world(sandbox):
    account = sandbox.ready["accounts"][0]
    form = {"client_id": account["client_id"], "refresh_token": account["refresh_token"], "scope": GRAPH[0]}
    sandbox.control("/rules", {"id": "disabled_account_is_refused_not_revoked", "holds": False})
    sandbox.event("disable_account", account["username"])
    sandbox.event("enable_account", account["username"])
    assert ask_token(sandbox, grant_type="refresh_token", **form).json["error_codes"] == [50173]


def test_a_documented_rule_cannot_be_flipped(sandbox):
    body = json.dumps({"id": "refresh_token_idle_limit"}).encode()
    reply = sandbox.ask(sandbox.ready["control"] + "/rules", body=body)
    assert reply.status == 400
    assert "documented" in reply.json["error"]


def test_flipped_a_throttled_power_platform_says_nothing_but_when(sandbox):
    sandbox.control("/rules", {"id": "bodies_of_429", "holds": False})
    sandbox.control("/faults", {"kind": "throttle", "host": "bap", "retry_after": 3})
    reply = sandbox.ask(sandbox.ready["bap"] + "/providers/Microsoft.BusinessAppPlatform/environments")
    assert (reply.status, reply.headers["retry-after"], reply.body) == (429, "3", b"")
