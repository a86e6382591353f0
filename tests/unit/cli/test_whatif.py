"""`holdfast whatif` as a change board uses it."""

import json

import pytest

from holdfast.cli.main import run
from tests.builders import a_connection, an_environment
from tests.fakes.holdfast import ToldHoldfast

ADA = "ada@contoso.example"


@pytest.fixture
def scanned(monkeypatch):
    told = ToldHoldfast("contoso")
    cloud = told.tenants["contoso"].cloud
    cloud.listed = [an_environment("sales")]
    cloud.held = [a_connection("c1", display_name="Orders")]
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    run(["scan"])
    return told


def test_a_change_that_ends_something_is_exit_code_one(scanned, capsys):
    capsys.readouterr()

    assert run(["whatif", "disable-account", ADA, "-o", "jsonl"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert (told["connection"], told["certainty"], told["cause"]) == ("c1", "certain", "account_disabled")
    assert told["deaths"][0]["change"] == "disable-account"
    assert not any(key.startswith("_") for key in told)


def test_a_change_that_ends_nothing_is_exit_code_zero(scanned):
    assert run(["whatif", "advance", "10d"]) == 0


def test_people_read_what_dies(scanned, capsys):
    run(["whatif", "reset-password", ADA])

    out = capsys.readouterr().out
    assert "Orders" in out
    assert "1 surely" in out


def test_a_name_that_nobody_has_is_said(scanned, capsys):
    assert run(["whatif", "disable-account", "adda@contoso.example"]) == 0
    assert "no scanned connection belongs to 'adda@contoso.example'" in capsys.readouterr().err


def test_a_policy_file_is_judged(scanned, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(
        json.dumps(
            {
                "conditions": {
                    "users": {"includeUsers": ["All"]},
                    "applications": {"includeApplications": ["All"]},
                },
                "grantControls": {"builtInControls": ["block"]},
            }
        )
    )

    assert run(["whatif", "policy", str(policy)]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["explode"],
        ["reset-password"],
        ["reset-password", "advance", "9d"],
        ["advance", "soon"],
        ["policy", "/nowhere.json"],
        [],
    ],
)
def test_what_is_no_change_is_a_usage_error(scanned, words):
    assert run(["whatif", *words]) == 2


def test_the_help_lists_the_changes(capsys):
    assert run(["whatif", "--help"]) == 0
    assert "disable-account PERSON" in capsys.readouterr().out
