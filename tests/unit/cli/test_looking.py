"""scan, status, show and forecast as a person and a program use them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.cli.main import run
from holdfast.core.errors import RefusedError
from holdfast.core.identity import Owner
from holdfast.core.inventory import EnvironmentId, SignIn
from holdfast.scan.ourselves import OwnIdentity
from tests.builders import (
    a_broken_connection,
    a_connection,
    a_flow,
    a_reference,
    a_secret,
    an_app,
    an_app_connection,
    an_environment,
    day,
)
from tests.fakes.holdfast import ToldHoldfast

REVOKED = "AADSTS50173: The provided grant has expired due to it being revoked."


@pytest.fixture
def holdfast(monkeypatch):
    told = ToldHoldfast("contoso")
    told.tenants["contoso"].cloud.listed = [an_environment("sales"), an_environment("stock")]
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    return told


@pytest.fixture
def say(capsys):
    """Run a command; its exit code, and what it printed."""

    def said(*words):
        code = run(list(words))
        return code, capsys.readouterr().out

    return said


def cloud_of(holdfast, name="contoso"):
    return holdfast.tenants[name].cloud


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_healthy_tenant_needs_no_attention(holdfast, say):
    cloud_of(holdfast).held = [a_connection()]

    assert say("scan")[0] == 0
    assert say("status")[0] == 0


@pytest.mark.parametrize(
    "connection",
    [a_broken_connection("c1", REVOKED), a_connection(token_expires_at=day(-80))],
    ids=["broken", "at risk"],
)
def test_status_exits_with_one_when_something_needs_attention(holdfast, say, connection):
    cloud_of(holdfast).held = [connection]
    say("scan")

    assert say("status")[0] == 1


def test_status_gives_one_line_per_connection_in_the_agreed_shape(holdfast, say):
    cloud_of(holdfast).held = [a_connection("c1"), a_broken_connection("c2", REVOKED)]
    say("scan")

    fine, broken = lines(say("status", "-o", "jsonl")[1])

    assert fine == {
        "connection": "c1",
        "environment": "sales",
        "name": "c1",
        "connector": "shared_sql",
        "sign_in": "user",
        "state": "ok",
        "cause": None,
        "confidence": None,
        "flows": [],
        "flows_complete": False,
        "next_action": None,
    }
    assert (broken["state"], broken["cause"]) == ("broken", "password_changed")
    assert 0 < broken["confidence"] <= 1
    assert broken["next_action"].endswith(".")


def test_forecast_gives_one_line_per_cause_in_the_agreed_shape(holdfast, say):
    cloud_of(holdfast).held = [an_app_connection("c1")]
    cloud_of(holdfast).apps = [an_app(a_secret(expires=9))]
    say("scan")

    code, text = say("forecast", "-o", "jsonl")

    [line] = lines(text)
    assert code == 0
    assert line.pop("assumptions") != []
    assert line == {
        "connection": "c1",
        "environment": "sales",
        "cause": "secret_expired",
        "condition": "expected",
        "earliest": day(9).isoformat(),
        "likely": day(9).isoformat(),
        "latest": day(9).isoformat(),
        "runs_lost_per_week": None,
    }


@pytest.mark.parametrize(
    ("expires", "words", "code"),
    [
        (9, ["--fail-under", "14d"], 1),
        (9, ["--fail-under", "1w"], 0),
        (9, [], 0),
        (60, ["--fail-under", "14d"], 0),
    ],
)
def test_forecast_fails_on_an_expected_break_that_is_too_near(holdfast, say, expires, words, code):
    cloud_of(holdfast).held = [an_app_connection("c1")]
    cloud_of(holdfast).apps = [an_app(a_secret(expires=expires))]
    say("scan")

    assert say("forecast", *words)[0] == code


def test_a_forecast_that_fails_says_what_breaks_first(holdfast, say, capsys):
    cloud_of(holdfast).held = [an_app_connection("late"), an_app_connection("soon", client_id="app-2")]
    cloud_of(holdfast).apps = [
        an_app(a_secret(expires=12)),
        an_app(a_secret(expires=9), client_id="app-2"),
    ]
    say("scan")

    run(["forecast", "--fail-under", "14d", "-o", "jsonl"])

    told = capsys.readouterr().err
    assert "2 breaks are expected within 14 days (--fail-under), the first 'soon' on " in told


def test_forecast_does_not_fail_on_what_happens_only_if_unused(holdfast, say):
    cloud_of(holdfast).held = [a_connection(token_expires_at=day(-80))]
    say("scan")

    assert say("forecast", "--fail-under", "90d")[0] == 0


def test_forecast_within_leaves_out_what_is_later_or_unknown(holdfast, say):
    cloud_of(holdfast).held = [
        a_connection("near", token_expires_at=day(-80)),
        a_connection("far"),
        a_connection("dark", sign_in=SignIn.SQL_LOGIN, token_expires_at=None),
    ]
    say("scan")

    assert [line["connection"] for line in lines(say("forecast", "-o", "jsonl", "--within", "30d")[1])] == [
        "near"
    ]


def test_the_dates_can_be_a_calendar(holdfast, say, tmp_path):
    cloud_of(holdfast).held = [an_app_connection("c1", display_name="Nightly load"), a_connection("c2")]
    cloud_of(holdfast).apps = [an_app(a_secret(expires=9))]
    say("scan")

    code, text = say("forecast", "-o", "jsonl", "--within", "30d", "--ics", str(tmp_path / "breaks.ics"))

    told = (tmp_path / "breaks.ics").read_text(encoding="utf-8")
    assert code == 0
    assert len(lines(text)) == told.count("BEGIN:VEVENT") == 1
    assert "Nightly load" in told


def test_a_calendar_that_cannot_be_written_is_said(holdfast, say, tmp_path):
    say("scan")

    assert say("forecast", "--ics", str(tmp_path / "gone" / "breaks.ics"))[0] == 2


def test_forecasts_are_graded_by_what_came(holdfast, say):
    cloud_of(holdfast).held = [an_app_connection("c1")]
    cloud_of(holdfast).apps = [an_app(a_secret(expires=20))]
    say("scan")
    holdfast.clock.advance(days=21)
    say("scan")

    [told] = lines(say("forecast", "--grade", "-o", "jsonl")[1])

    assert (told["cause"], told["hits"], told["precision"]) == ("secret_expired", 1, 1.0)
    assert told["median_lead_days"] == 21
    assert "100.0%" in say("forecast", "--grade")[1]


def test_without_a_past_there_is_nothing_to_grade(holdfast, say):
    say("scan")

    assert "No forecast has fallen due" in say("forecast", "--grade")[1]


@pytest.mark.parametrize("bad", ["soon", "-3d", "3", "9999999999d", "3y"])
def test_a_length_that_is_none_is_a_usage_error(holdfast, say, bad):
    assert say("forecast", f"--within={bad}")[0] == 2


def test_nothing_can_be_said_before_the_first_scan(holdfast, say, capsys):
    for command in (["status"], ["forecast"], ["show", "c1"]):
        assert run(command) == 2
        assert "holdfast scan" in capsys.readouterr().err


def test_the_clouds_clock_decides_what_is_near(holdfast, say):
    cloud_of(holdfast).ahead = timedelta(days=80).total_seconds()
    cloud_of(holdfast).held = [a_connection()]
    say("scan")

    assert lines(say("status", "-o", "jsonl")[1])[0]["state"] == "at_risk"


def test_time_that_passes_after_the_scan_counts(holdfast, say):
    cloud_of(holdfast).held = [a_connection()]
    say("scan")
    holdfast.clock.advance(days=80)

    assert lines(say("status", "-o", "jsonl")[1])[0]["state"] == "at_risk"
    assert "Scanned 80 days ago" in say("status")[1]


def test_what_could_not_be_read_is_said_on_every_output(holdfast, say, capsys):
    cloud_of(holdfast).breaks["stock"] = (RefusedError("No.", "powerapps", "connections", 403), 0)
    say("scan")

    assert "Stock could not be read" in say("status")[1]
    assert json.loads(say("status", "-o", "json")[1])["scans"][0]["gaps"][0]["environment"] == "stock"
    run(["status", "-o", "jsonl"])
    assert "Stock could not be read" in capsys.readouterr().err


def test_a_scan_says_what_it_could_not_read(holdfast, say):
    cloud_of(holdfast).breaks["stock"] = (RefusedError("The reader may not.", "powerapps", "c", 403), 0)

    code, text = say("scan", "-o", "json")

    told = json.loads(text)
    assert code == 0
    assert told["scans"][0]["complete"] is False
    assert told["rows"][0]["outcome"] == "denied"
    assert "The reader may not." in told["rows"][0]["detail"]


def test_a_scan_says_what_it_took_and_waiting_apart(holdfast, say):
    cloud_of(holdfast).held = [a_connection()]

    assert (
        "12 requests (bap 1, powerapps 11), 2 of them repeated; 3.5 s of waiting, summed over what went on at once."
        in say("scan")[1]
    )
    requests = json.loads(say("scan", "-o", "json")[1])["scans"][0]["requests"]
    assert (requests["total"], requests["repeated"], requests["waited_seconds"]) == (12, 2, 3.5)


def test_a_cloud_that_cannot_be_asked_is_exit_code_three(holdfast, say):
    cloud_of(holdfast).breaks[""] = (RefusedError("The reader may not.", "bap", "environments", 403), 0)

    assert say("scan")[0] == 3


def test_many_connections_show_those_that_need_something(holdfast, say):
    cloud_of(holdfast).held = [a_connection(f"fine{number}") for number in range(40)]
    cloud_of(holdfast).held.append(a_broken_connection("bad", REVOKED))
    say("scan")

    short, long = say("status")[1], say("status", "--all")[1]

    assert "fine7" not in short
    assert "40 fine" in short
    assert "fine7" in long


def test_show_tells_all_about_one_connection(holdfast, say):
    cloud_of(holdfast).held = [a_broken_connection("c1", REVOKED, account_name="ada@contoso.example")]
    say("scan")

    code, text = say("show", "c1")

    assert code == 1
    for word in ("broken", "password_changed", "AADSTS50173", "Ada Kent", "Sales", "sign in"):
        assert word in text


def test_show_gives_programs_the_assumptions_of_each_date(holdfast, say):
    cloud_of(holdfast).held = [a_connection("c1")]
    say("scan")

    [told] = json.loads(say("show", "c1", "-o", "json")[1])["rows"]

    assert told["horizons"][0]["assumptions"] != []
    assert told["witnesses"][0]["source"] == "expiration_time"


def test_show_names_the_owners_and_marks_who_has_left(holdfast, say):
    cloud = cloud_of(holdfast)
    cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    cloud.held = [an_app_connection("c1")]
    cloud.automations = [replace(a_flow("f1", "new_sql"), owned_by=Owner("o2", "Bob Lee"))]
    cloud.pointers = [replace(a_reference("new_sql", "c1"), owned_by=Owner("o1", "Ada Kent"))]
    cloud.apps = [an_app(a_secret(expires=300))]
    say("scan")

    _, text = say("show", "c1")
    [told] = json.loads(say("show", "c1", "-o", "json")[1])["rows"]

    assert "owned by Bob Lee, who has left" in text
    assert "new_sql: owned by Ada Kent" in text
    assert "nobody owns it" in text
    assert told["flows_held"][0]["owner"]["has_left"] is True
    assert (told["references"][0]["owner"]["name"], told["application"]["owners"]) == ("Ada Kent", [])


@pytest.mark.parametrize("words", ["7a1f", "Nightly load", "7a1f0c9b2d3e4f50"])
def test_show_finds_by_the_beginning_of_an_id_or_by_name(holdfast, say, words):
    cloud_of(holdfast).held = [
        a_connection("7a1f0c9b2d3e4f50", display_name="Nightly load"),
        a_connection("8b1f0c9b2d3e4f50"),
    ]
    say("scan")

    assert json.loads(say("show", words, "-o", "jsonl")[1])["connection"] == "7a1f0c9b2d3e4f50"


def test_show_names_the_nearest_ids_to_one_that_is_not_there(holdfast, say, capsys):
    cloud_of(holdfast).held = [a_connection("connection-17"), a_connection("other")]
    say("scan")

    assert run(["show", "connection-71"]) == 2
    assert "connection-17" in capsys.readouterr().err


def test_show_does_not_guess_between_two_of_one_name(holdfast, say, capsys):
    cloud_of(holdfast).held = [a_connection("c1", display_name="ERP"), a_connection("c2", display_name="ERP")]
    say("scan")

    assert run(["show", "ERP"]) == 2
    error = capsys.readouterr().err
    assert "c1" in error
    assert "c2" in error


def test_the_same_id_in_two_environments_is_shown_twice(holdfast, say):
    cloud_of(holdfast).held = [a_connection("c1"), a_connection("c1", environment=EnvironmentId("stock"))]
    say("scan")

    assert len(lines(say("show", "c1", "-o", "jsonl")[1])) == 2


def test_several_tenants_are_told_apart(monkeypatch, say):
    told = ToldHoldfast("contoso", "fabrikam")
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    for name in told.tenants:
        cloud_of(told, name).listed = [an_environment()]
        cloud_of(told, name).held = [a_connection(f"of-{name}")]
    say("scan")

    both = lines(say("status", "-o", "jsonl")[1])
    one = lines(say("status", "-o", "jsonl", "--tenant", "fabrikam")[1])

    assert [line["tenant"] for line in both] == ["contoso", "fabrikam"]
    assert [line["connection"] for line in one] == ["of-fabrikam"]
    assert "tenant" not in one[0] or one[0]["tenant"] == "fabrikam"


def test_a_tenant_that_the_settings_do_not_name_is_a_usage_error(holdfast, say):
    assert say("status", "--tenant", "fabrikam")[0] == 2


@pytest.mark.parametrize("command", ["status", "forecast"])
def test_holdfast_itself_comes_first(holdfast, say, command):
    cloud = cloud_of(holdfast)
    cloud.held = [a_connection("c1"), an_app_connection("c2")]
    cloud.apps = [an_app(a_secret(expires=3)), an_app(a_secret("own", expires=200), client_id="own")]
    holdfast.tenants["contoso"].identities = [
        OwnIdentity(("reader",), SignIn.SERVICE_PRINCIPAL, "own"),
    ]
    say("scan")

    rows = lines(say(command, "-o", "jsonl")[1])

    assert rows[0]["connection"] == "holdfast/reader"
    assert {row["connection"] for row in rows} == {"holdfast/reader", "c1", "c2"}


def test_a_secret_of_our_own_that_ends_needs_attention(holdfast, say):
    cloud_of(holdfast).apps = [an_app(a_secret("own", expires=5), client_id="own")]
    holdfast.tenants["contoso"].identities = [OwnIdentity(("reader",), SignIn.SERVICE_PRINCIPAL, "own")]
    say("scan")

    assert say("status")[0] == 1
    assert say("forecast", "--fail-under", "14d")[0] == 1
