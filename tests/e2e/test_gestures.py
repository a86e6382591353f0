"""The worklist and the proof, from the first look to the healed connection, command by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.test_agreement import Tenant, tenant

__all__ = ["tenant"]

SAM = "sam.ortiz@contoso.example"


@pytest.mark.slow
def test_a_gesture_is_named_made_and_verified(tenant: Tenant, tmp_path: Path):
    tenant.scan()
    (gesture,) = tenant.say("worklist", "--messages", str(tmp_path / "mail"))
    assert (gesture["who"], gesture["cause"], gesture["sign_in"]) == (SAM, "password_changed", True)
    assert gesture["environment"] in gesture["link"]
    (message,) = (tmp_path / "mail").iterdir()
    assert SAM in message.read_text()
    assert [row["healed"] for row in tenant.say("worklist", "--verify")] == [False]

    tenant.cloud.advance(hours=1)
    tenant.cloud.event("reconsent", gesture["connection"])

    assert [row["healed"] for row in tenant.say("worklist", "--verify")] == [True]
    tenant.scan()
    assert tenant.say("worklist") == []


@pytest.mark.slow
def test_a_run_that_refreshes_is_proven_after_it(tenant: Tenant):
    tenant.scan()
    nightly = "ERP orders (Dana Kim)"
    (begun,) = tenant.say("prove", nightly)
    assert begun["answer"] == "begun"
    assert begun["due_earliest"] is not None
    assert [line["answer"] for line in tenant.say("prove", nightly)] == ["waiting"]

    tenant.cloud.advance(days=2)

    (proven,) = tenant.say("prove", nightly)
    assert proven["answer"] == "refreshed"
    assert proven["after"][0]["latest"] > begun["before"][0]["latest"]
    assert proven["next_hard_date"] > begun["next_hard_date"]


@pytest.mark.slow
def test_a_run_that_is_refused_is_told_with_its_reason(tenant: Tenant):
    tenant.scan()
    tenant.say("prove", "ERP orders (Dana Kim)")
    tenant.cloud.event("disable_account", "dana.kim@contoso.example")
    tenant.cloud.advance(days=2)

    (told,) = tenant.say("prove", "ERP orders (Dana Kim)")

    assert told["answer"] == "not_refreshed"
    assert "AADSTS50057" in told["says"]


@pytest.mark.slow
def test_a_policy_that_breaks_many_is_named_with_the_list_behind_it(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
):
    from holdfast.cli.main import run

    tenant.scan()
    tenant.cloud.advance(hours=2)
    everybody = {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}
    policy = {
        "displayName": "Block all",
        "state": "enabled",
        "conditions": everybody,
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    }
    tenant.cloud.event("add_policy", "", policy=policy)
    tenant.cloud.advance(days=2)
    tenant.scan()

    run(["status", f"--sandbox={tenant.file}", "-o", "json"])
    told = json.loads(capsys.readouterr().out)
    (common,) = (one for one in told["common_causes"] if one["thing"] == "policy 'Block all'")
    assert common["explains"] == 2
    assert common["comes_back"]
    behind = {line["connection"] for line in tenant.say("status", "--behind", "1")}
    assert behind == {one["connection"] for one in common["connections"]}


@pytest.mark.slow
def test_what_nobody_could_look_at_is_not_called_fine(tenant: Tenant):
    tenant.scan()

    (told,) = tenant.say("show", "Invoices (Sam Ortiz)")

    checks = {each["check"]: each for each in told["checks"]}
    assert checks["failed_in_use"]["not_looked_at"] == "no flow that uses it was seen"
    assert checks["sign_in_revoked"]["found"]["by"] == "admin@contoso.example"
    assert checks["account_disabled"] == {
        "check": "account_disabled",
        "asks": "Is its account enabled?",
        "not_looked_at": None,
        "found": None,
    }
