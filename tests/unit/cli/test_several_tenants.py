"""One settings file with several tenants: nothing of one stops another, and every row says whose it is."""

from __future__ import annotations

import json

import pytest

from holdfast.cli.main import run
from holdfast.core.errors import RefusedError, SettingsError
from tests.builders import a_broken_connection, a_connection, an_environment
from tests.fakes.holdfast import ToldHoldfast

REVOKED = "AADSTS50173: The provided grant has expired due to it being revoked."


@pytest.fixture
def holdfast(monkeypatch):
    told = ToldHoldfast("contoso", "fabrikam", "litware")
    for name, tenant in told.tenants.items():
        tenant.cloud.listed = [an_environment("sales")]
        tenant.cloud.held = [a_connection(f"{name}-1")]
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    return told


@pytest.fixture
def say(capsys):
    """Run a command; its exit code, and what it printed."""

    def said(*words):
        code = run(list(words))
        return code, *capsys.readouterr()

    return said


def cannot_be_reached(tenant, error):
    def reached(*, budget=None):
        raise error

    tenant.reached = reached


def of(text):
    return [json.loads(line)["tenant"] for line in text.splitlines()]


def test_a_tenant_that_cannot_be_reached_does_not_stop_the_scan_of_the_others(holdfast, say):
    cannot_be_reached(holdfast.tenants["contoso"], SettingsError("The certificate file is gone."))

    code, out, err = say("scan", "-o", "jsonl")

    assert code == 2
    assert of(out) == ["fabrikam", "litware"]
    assert err == "holdfast: contoso: The certificate file is gone.\n"


def test_the_exit_code_of_a_scan_is_the_highest_of_its_tenants(holdfast, say):
    cannot_be_reached(holdfast.tenants["contoso"], SettingsError("No file."))
    cannot_be_reached(
        holdfast.tenants["fabrikam"], RefusedError("Entra refused to sign in.", "entra", "entra.token", 401)
    )

    code, out, err = say("scan")

    assert code == 3
    assert "litware: 1 environments" in out
    assert [line.split(": ")[1] for line in err.splitlines()] == ["contoso", "fabrikam"]


def test_what_stops_the_only_tenant_asked_for_is_the_error(holdfast, say):
    cannot_be_reached(holdfast.tenants["contoso"], SettingsError("The certificate file is gone."))

    assert say("scan", "--tenant", "contoso") == (2, "", "holdfast: The certificate file is gone.\n")


@pytest.fixture
def half_scanned(holdfast, say):
    """Two of three have a scan."""
    cannot_be_reached(holdfast.tenants["contoso"], SettingsError("No file."))
    say("scan")
    return holdfast


COMMANDS = {
    "status": (),
    "forecast": (),
    "worklist": (),
    "made": (),
    "whatif": ("advance", "90d"),
    "show": ("litware-1",),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_tenant_without_a_scan_is_told_of_and_hides_no_other(half_scanned, say, name):
    code, out, err = say(name, *COMMANDS[name])

    assert code == 1
    assert (
        err == "holdfast: Tenant 'contoso' has not been scanned yet: run `holdfast scan --tenant contoso`.\n"
    )
    assert "litware" in out or name == "made"


def test_the_only_one_that_was_scanned_still_says_whose_its_rows_are(holdfast, say):
    for name in ("contoso", "fabrikam"):
        cannot_be_reached(holdfast.tenants[name], SettingsError("No file."))
    say("scan")

    code, out, err = say("status", "-o", "jsonl")

    assert code == 1
    assert of(out) == ["litware"]
    assert "Tenants 'contoso', 'fabrikam' have not been scanned yet: run `holdfast scan`." in err


def test_where_none_was_scanned_that_is_the_error(holdfast, say):
    code, out, _ = say("status")

    assert (code, out) == (2, "")


def test_a_worklist_says_whose_each_gesture_is(holdfast, say):
    for tenant in holdfast.tenants.values():
        tenant.cloud.held = [a_broken_connection("c", REVOKED)]
    say("scan")

    _, table, _ = say("worklist")
    _, csv, _ = say("worklist", "-o", "csv")

    assert all(sum(name in line for line in table.splitlines()) >= 2 for name in holdfast.tenants)
    assert [line.split(",")[0] for line in csv.splitlines()] == ["tenant", *holdfast.tenants]


def test_a_name_that_fits_in_two_tenants_is_asked_back_with_both(holdfast, say):
    for name in ("fabrikam", "litware"):
        holdfast.tenants[name].cloud.held = [a_connection(f"erp-{name}", display_name="ERP")]
    say("scan")

    code, _, err = say("show", "ERP")

    assert code == 2
    assert "erp-fabrikam (ERP) in fabrikam; erp-litware (ERP) in litware" in err


def test_a_page_of_one_connection_says_whose_it_is(holdfast, say):
    say("scan")

    assert say("show", "litware-1")[1].split()[:2] == ["Tenant", "litware"]
