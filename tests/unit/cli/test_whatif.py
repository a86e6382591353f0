"""`holdfast whatif` as a change board uses it."""

import json

import pytest

from holdfast.cli.main import run
from tests.builders import a_connection, a_secret, an_app, an_app_connection, an_environment
from tests.fakes.holdfast import ToldHoldfast

ADA = "ada@contoso.example"


@pytest.fixture
def scanned(monkeypatch):
    told = ToldHoldfast("contoso")
    cloud = told.tenants["contoso"].cloud
    cloud.listed = [an_environment("sales")]
    cloud.held = [a_connection("c1", display_name="Orders"), an_app_connection("c2")]
    cloud.apps = [an_app(a_secret("k1"), a_secret("k2")), an_app(client_id="app-2")]
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["disable-account", "adda@contoso.example"], "no person 'adda@contoso.example'"),
        (["require-mfa", "adda@contoso.example"], "Nearest: ada@contoso.example (Ada"),
        (["disable-app", "ap-1"], "no application 'ap-1'. Nearest: app-1 (App-1)"),
        (["delete-secret", "app"], "2 applications fit 'app'"),
        (["expire-secret", "app-1/k3"], "no secret 'k3' of App-1"),
        (["block-connector", "sails"], "Nearest: sales"),
        (["policy", "block everybody"], "no policy 'block everybody'"),
    ],
)
def test_a_name_that_nobody_has_is_refused_with_the_nearest(scanned, capsys, words, said):
    assert run(["whatif", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_rotation_of_an_application_that_nobody_knows_is_refused(scanned, capsys):
    assert run(["rotate", "plan", "--app", "nonsense", "--tenant", "contoso"]) == 2
    assert "no application 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("name", [ADA, "ada@", "o1", "Ada Kent"])
def test_a_person_goes_by_any_of_their_names(scanned, capsys, name):
    assert run(["whatif", "disable-account", name, "-o", "json"]) == 1
    assert [row["connection"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["c1"]


def test_one_of_two_secrets_is_perhaps_the_one_it_holds(scanned, capsys):
    capsys.readouterr()

    assert run(["whatif", "delete-secret", "App-1/k1", "-o", "json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert told["supposed"] == ["delete-secret App-1, k1"]
    assert [(row["connection"], row["certainty"]) for row in told["rows"]] == [("c2", "possible")]


def test_people_read_what_was_supposed(scanned, capsys):
    run(["whatif", "disable-account", "ada", "advance", "9d"])

    assert f"Supposed: disable-account {ADA}, then advance 9 days." in capsys.readouterr().out


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


def test_a_misspelt_change_is_answered_with_the_nearest(scanned, capsys):
    assert run(["whatif", "reset-pasword", ADA]) == 2

    assert "the nearest is reset-password." in capsys.readouterr().err


def test_what_is_lost_is_summed_up_in_a_sentence(scanned, capsys):
    capsys.readouterr()
    run(["whatif", "disable-account", ADA])

    assert "0 flows stop, 0 scheduled runs a week are lost." in capsys.readouterr().out
