"""Tables handed in: what they change, and what becomes of bad ones."""

from __future__ import annotations

import json

import pytest

from holdfast.cli.main import run
from holdfast.core.directory import Account
from holdfast.core.inventory import SignIn
from tests.builders import a_connection, an_environment, day
from tests.fakes.holdfast import ToldHoldfast


@pytest.fixture
def holdfast(monkeypatch):
    told = ToldHoldfast("contoso")
    cloud = told.tenants["contoso"].cloud
    cloud.listed = [an_environment("sales")]
    cloud.held = [
        a_connection("login", sign_in=SignIn.SQL_LOGIN, token_expires_at=None),
        a_connection("domain", sign_in=SignIn.WINDOWS, token_expires_at=None),
    ]
    cloud.people.append(
        Account("s1", "svc-erp@contoso.example", "ERP", is_synced=True, password_changed_at=day(-10))
    )
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    return told


def say(capsys, *words):
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def dates(capsys):
    say(capsys, "scan")
    found = [json.loads(line) for line in say(capsys, "forecast", "-o", "jsonl")[1].splitlines()]
    return {line["connection"]: line["earliest"] for line in found}


def test_a_table_of_passwords_dates_logins_at_the_next_scan(holdfast, capsys, tmp_path):
    say(capsys, "scan")
    dated, aged = tmp_path / "dated.csv", tmp_path / "aged.csv"
    dated.write_text(f"connection,login,kind,expires_at\nlogin,app,sql,{day(30).isoformat()}\n")
    aged.write_text("connection,login,kind,max_age_days\ndomain,CONTOSO\\svc-erp,windows,90\n")

    code, out, _ = say(capsys, "import", str(dated), str(aged))

    assert code == 0
    assert "2 passwords" in out
    assert dates(capsys) == {"login": day(30).isoformat(), "domain": day(80).isoformat()}


def test_a_later_table_takes_the_place_of_the_first(holdfast, capsys, tmp_path):
    say(capsys, "scan")
    table = tmp_path / "t.csv"
    table.write_text(f"connection,kind,expires_at\nlogin,sql,{day(30).isoformat()}\n")
    say(capsys, "import", str(table))
    table.write_text(f"connection,kind,expires_at\ndomain,windows,{day(40).isoformat()}\n")
    say(capsys, "import", str(table))

    assert dates(capsys) == {"login": None, "domain": day(40).isoformat()}


def test_a_bad_row_is_named_and_nothing_is_taken_in(holdfast, capsys, tmp_path):
    say(capsys, "scan")
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(f"connection,kind,expires_at\nlogin,sql,{day(30).isoformat()}\n")
    bad.write_text("connection,kind,expires_at\nlogin,sql,soon\n")

    code, _, err = say(capsys, "import", str(good), str(bad))

    assert code == 2
    assert "row 2" in err
    assert dates(capsys)["login"] is None


def test_a_connection_that_nobody_scanned_is_said_harmlessly(holdfast, capsys, tmp_path):
    say(capsys, "scan")
    table = tmp_path / "t.csv"
    table.write_text('connection,kind,expires_at\n"\x1b[2J=1+1",sql,2027-01-31\n')

    code, out, _ = say(capsys, "import", str(table))

    assert code == 0
    assert "no scanned connection" in out
    assert "\x1b" not in out
    assert "\x1b" not in say(capsys, "import", str(table), "-o", "csv")[1]


def test_another_encoding_is_named_with_its_row(holdfast, capsys, tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes(b"connection,kind,expires_at\nlogin,sql,2027-01-31\nGr\xf6\xdfe,sql,2027-01-31\n")

    code, _, err = say(capsys, "import", str(table))

    assert code == 2
    assert "row 3" in err


def test_flows_of_the_kit_are_named_where_a_date_stands_on_what_was_not_seen(holdfast, capsys, tmp_path):
    cloud = holdfast.tenants["contoso"].cloud
    cloud.listed = [an_environment("sales", dataverse_url="https://sales.crm.dynamics.com")]
    cloud.held = [a_connection("idle", token_expires_at=day(-69), modified_at=day(-69))]
    say(capsys, "scan")
    flows, uses = tmp_path / "flows.csv", tmp_path / "uses.csv"
    flows.write_text(
        "admin_flowid,admin_displayname,admin_flowenvironment,admin_flowstate\nF1,Old,sales,Started\n"
    )
    uses.write_text("admin_flow,admin_connector\nf1,SQL Server\n")

    say(capsys, "import", str(flows), str(uses))
    say(capsys, "scan")

    [line] = [json.loads(line) for line in say(capsys, "forecast", "-o", "jsonl")[1].splitlines()]
    assert any("'Old'" in sentence for sentence in line["assumptions"])
