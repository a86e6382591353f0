"""Conditional Access, MFA and terms of use, as the next refresh answers them."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.people import GRAPH, SQL, app_named, app_token, redeem


@pytest.fixture
def account(sandbox):
    return next(one for one in sandbox.ready["accounts"] if one["username"].startswith("dana"))


def code_of(got):
    return got.get("error_codes", [0])[0]


def policy(sandbox, **parts):
    """A policy for everybody and everything, but for what is said."""
    conditions = {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}
    conditions.update(parts.pop("conditions", {}))
    whole = {"displayName": "P", "state": "enabled", "conditions": conditions, **parts}
    return sandbox.event("add_policy", policy=whole)["id"]


BLOCK = {"operator": "OR", "builtInControls": ["block"]}
MFA = {"operator": "OR", "builtInControls": ["mfa"]}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("block", 53003),
        ("mfa", 50079),
        ("compliant_device", 53000),
        ("joined_device", 53001),
        ("terms_of_use", 50158),
    ],
)
def test_a_policy_is_answered_at_the_next_refresh_and_gone_with_it(sandbox, account, kind, code):
    made = sandbox.event("add_policy", account["username"], kind=kind)
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == code
    sandbox.event("remove_policy", made["id"])
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == 0


def test_mfa_is_demanded_in_the_recorded_shape(sandbox, fixtures, account):
    sandbox.event("change_mfa_method", account["username"])
    made = policy(sandbox, grantControls=MFA)
    lost = redeem(sandbox, account, account["refresh_token"])
    recorded = json.loads((fixtures / "entra" / "token-error-50076-claims.json").read_text())
    assert set(lost) == set(recorded)
    assert (lost["error"], lost["error_codes"], lost["suberror"]) == (
        "invalid_grant",
        [50076],
        "basic_action",
    )
    assert json.loads(lost["claims"])["access_token"]["capolids"]["values"] == [made]


def test_sign_in_frequency_ends_in_the_recorded_shape(sandbox, fixtures, account):
    sandbox.event("add_policy", account["username"], kind="sign_in_frequency", hours=72)
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == 0
    sandbox.advance(days=3)
    lost = redeem(sandbox, account, account["refresh_token"])
    recorded = json.loads((fixtures / "entra" / "token-error-70043.json").read_text())
    assert set(lost) == set(recorded)
    assert (lost["error_codes"], lost["suberror"]) == ([70043], "token_expired")
    assert "maximum allowed lifetime for this request is 259200" in lost["error_description"]


@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        ({}, True),
        ({"users": {"includeUsers": ["None"]}}, False),
        ({"users": {"includeUsers": ["All"], "excludeUsers": ["ME"]}}, False),
        ({"users": {"includeUsers": ["ME"]}}, True),
        ({"users": {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]}}, False),
        ({"applications": {"includeApplications": ["All"], "excludeApplications": ["SQL"]}}, False),
        ({"applications": {"includeApplications": ["SQL"]}}, True),
        ({"applications": {"includeApplications": ["00000003-0000-0000-c000-000000000000"]}}, False),
        ({"clientAppTypes": ["browser"]}, False),
        ({"clientAppTypes": ["mobileAppsAndDesktopClients"]}, True),
        ({"signInRiskLevels": ["high"]}, False),
        ({"locations": {"includeLocations": ["All"], "excludeLocations": ["OFFICE"]}}, False),
        ({"locations": {"includeLocations": ["AllTrusted"]}}, True),
        ({"locations": {"includeLocations": ["ELSEWHERE"]}}, False),
    ],
    ids=str,
)
def test_a_policy_meets_whom_its_conditions_name(sandbox, account, conditions, met):
    office = sandbox.event("add_location", "Office", ranges=["203.0.113.0/24"])["id"]
    elsewhere = sandbox.event("add_location", "Elsewhere", ranges=["198.51.100.0/24"], trusted=False)["id"]
    names = {
        "ME": account["object_id"],
        "SQL": "022907d3-0f1b-48f7-badc-1ba6abab6d66",
        "OFFICE": office,
        "ELSEWHERE": elsewhere,
    }
    text = json.dumps(conditions)
    for name, value in names.items():
        text = text.replace(f'"{name}"', f'"{value}"')
    policy(sandbox, conditions=json.loads(text), grantControls=BLOCK)
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == (53003 if met else 0)


@pytest.mark.parametrize(
    ("controls", "code"),
    [
        ({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}, 50079),
        ({"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}, 50079),
    ],
)
def test_controls_that_are_all_unmet_refuse(sandbox, account, controls, code):
    policy(sandbox, grantControls=controls)
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == code


@pytest.mark.parametrize("state", ["disabled", "enabledForReportingButNotEnforced"])
def test_a_policy_that_is_not_enforced_refuses_nobody(sandbox, account, state):
    policy(sandbox, state=state, grantControls=BLOCK)
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == 0


def test_changing_methods_or_no_longer_requiring_mfa_breaks_nothing(sandbox, account):
    sandbox.event("change_mfa_method", account["username"], method="phone")
    sandbox.event("require_mfa", account["username"])
    sandbox.event("remove_mfa", account["username"])
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == 0


def test_a_workload_policy_blocks_a_service_principal(sandbox):
    app = app_named(sandbox, "erp-nightly")
    made = sandbox.event("add_policy", app["client_id"], kind="block")
    lost = app_token(sandbox, app, SQL)
    assert code_of(lost) == 53003
    assert made["id"] in lost["claims"]
    assert "access_token" in app_token(sandbox, app_named(sandbox, "holdfast-reader"), GRAPH)


def test_security_defaults_ask_administrators_at_once_and_others_to_register(sandbox, account):
    admin = next(one for one in sandbox.ready["accounts"] if one["username"].startswith("lee"))
    sandbox.event("set_security_defaults")
    assert code_of(redeem(sandbox, admin, admin["refresh_token"])) == 50079
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == 0
    sandbox.advance(days=14)
    assert code_of(redeem(sandbox, account, account["refresh_token"])) == 50079


def connection_of(sandbox, name):
    truth = sandbox.control("/truth")
    return next(one for one in truth["connections"] if one.get("name", "").startswith(name))


def test_truth_names_every_cause_in_order(sandbox, account):
    mine = connection_of(sandbox, "ERP orders")
    assert mine["usable"]
    sandbox.event("require_mfa", account["username"])
    sandbox.event("disable_account", account["username"])
    told = connection_of(sandbox, "ERP orders")
    assert (told["usable"], told["cause"], told["causes"]) == (
        False,
        "account_disabled",
        ["account_disabled", "mfa_required"],
    )
    assert told["broke_at"] == sandbox.control("/clock")["now"]


@pytest.mark.parametrize(
    ("event", "details"),
    [("reset_password", {}), ("require_mfa", {}), ("require_terms", {}), ("revoke_sessions", {})],
)
def test_a_new_sign_in_heals(sandbox, account, event, details):
    mine = connection_of(sandbox, "ERP orders")
    sandbox.advance(seconds=1)
    sandbox.event(event, account["username"], **details)
    assert not connection_of(sandbox, "ERP orders")["usable"]
    sandbox.advance(seconds=1)
    sandbox.event("reconsent", mine["id"])
    assert connection_of(sandbox, "ERP orders")["usable"]


def test_a_new_sign_in_does_not_heal_what_no_person_can_give(sandbox, account):
    mine = connection_of(sandbox, "ERP orders")
    sandbox.event("add_policy", account["username"], kind="block")
    body = json.dumps({"event": "reconsent", "target": mine["id"]}).encode()
    reply = sandbox.ask(sandbox.ready["control"] + "/events", body=body)
    assert reply.status == 400
    assert "53003" in reply.json["error"]


def test_remembered_mfa_ends_a_sign_in_with_a_second_factor(sandbox, account):
    mine = connection_of(sandbox, "ERP orders")
    sandbox.event("require_mfa", account["username"])
    sandbox.event("reconsent", mine["id"])
    sandbox.event("remember_mfa", days=14)
    sandbox.advance(days=13)
    assert connection_of(sandbox, "ERP orders")["usable"]
    sandbox.advance(days=2)
    assert connection_of(sandbox, "ERP orders")["causes"] == ["mfa_required"]


@pytest.mark.parametrize(
    "body",
    [
        {"policy": {"conditions": {"nonsense": {}}}},
        {"policy": {"state": "sometimes"}},
        {"policy": {"colour": 1}},
        {"policy": 7},
        {"kind": "explode"},
        {"policy": {"conditions": {"users": {"includeUsers": ["All"]}, "clientApplications": {"x": 1}}}},
    ],
    ids=str,
)
def test_a_policy_that_makes_no_sense_is_refused(sandbox, body):
    reply = sandbox.ask(
        sandbox.ready["control"] + "/events", body=json.dumps({"event": "add_policy", **body}).encode()
    )
    assert reply.status == 400


def test_a_workload_policy_blocks_by_place(sandbox):
    """The platform signs in for connections from addresses of its own; an application from where it runs."""
    app = app_named(sandbox, "erp-nightly")
    theirs = sandbox.event("add_location", "Power Platform", ranges=["20.86.0.0/16"])["id"]
    ours = sandbox.event("add_location", "Servers", ranges=["203.0.113.0/24"])["id"]
    held = connection_of(sandbox, "ERP export")

    def left_out(*places):
        return {
            "displayName": "Robots",
            "conditions": {
                "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]},
                "applications": {"includeApplications": ["All"]},
                "locations": {"includeLocations": ["All"], "excludeLocations": list(places)},
            },
            "grantControls": BLOCK,
        }

    made = sandbox.event("add_policy", policy=left_out(theirs))["id"]
    assert code_of(app_token(sandbox, app, SQL)) == 53003
    assert connection_of(sandbox, held["name"])["usable"]

    sandbox.event("remove_policy", made)
    sandbox.event("add_policy", policy=left_out(ours))
    assert code_of(app_token(sandbox, app, SQL)) == 0
    assert connection_of(sandbox, held["name"])["cause"] == "conditional_access_blocked"
