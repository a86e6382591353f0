"""When the password of a SQL login ends: SQL Server is asked, the forecast knows it, and then it ends."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from bench.forecast_tenant import tenant_of
from holdfast.cli.main import run
from holdfast.sandbox import embedded
from holdfast.sandbox.scenarios import named
from holdfast.sandbox.steering import Steering
from tests.e2e.tenants import NOON

SIZE = 28


@pytest.fixture
def ready(monkeypatch):
    kinds: dict[str, tuple[int, str]] = {}
    monkeypatch.setitem(named.SCENARIOS, "logins", tenant_of(SIZE, 30, kinds, random.Random(5), further=True))
    with embedded("logins", seed=5, frozen=True, born_at=NOON) as made:
        Steering(made["control"]).plan_faults({"unkind": False})
        yield made, {kind: (id, f"login{number}") for id, (number, kind) in kinds.items() if "SQL" in kind}


@pytest.fixture
def say(ready, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    file = tmp_path / "ready.json"
    file.write_text(json.dumps(ready[0]))

    def said(*words: str) -> Any:
        code = run([*words, f"--sandbox={file}"])
        printed = capsys.readouterr()
        assert code <= 1, printed.err
        return json.loads(printed.out) if "json" in words else printed.out

    return said


def dates_of(say, id: str) -> list[dict[str, Any]]:
    say("scan")
    return [row for row in say("forecast", "-o", "json")["rows"] if row["connection"] == id]


def test_a_password_ends_when_sql_server_said_it_would(say, ready):
    made, logins = ready
    id, login = logins["SQL login"]
    [before] = dates_of(say, id)
    assert before["earliest"] is None

    [shown] = say("show", id, "--ask-sql", "--login", login, "-o", "json")["rows"]
    [after] = dates_of(say, id)

    assert shown["sql_server"]["asked"][0]["login"]["name"] == login
    assert "SQL Server said so" in after["assumptions"][0]
    earliest, latest = (datetime.fromisoformat(after[key]) for key in ("earliest", "latest"))
    assert latest - earliest <= timedelta(days=2)
    steering = Steering(made["control"])
    steering.advance(latest - steering.now() + timedelta(hours=1))
    [broke] = [one for one in steering.truth()["connections"] if one["id"] == id]
    assert broke["cause"] == "password_expired"
    assert earliest <= datetime.fromisoformat(broke["broke_at"]) <= latest


def test_a_login_that_its_policy_never_ends_is_foreseen_nothing_of(say, ready):
    id, login = ready[1]["SQL login without an end"]
    say("scan")

    assert "ends it never" in say("show", id, "--ask-sql", "--login", login)
    assert dates_of(say, id) == []


def test_an_imported_login_needs_not_be_named_again(say, ready, tmp_path):
    id, login = ready[1]["SQL login"]
    say("scan")
    assert "--login" in say("show", id, "--ask-sql")
    table = tmp_path / "logins.csv"
    table.write_text(f"connection,login,kind\n{id},{login},sql\n")
    say("import", str(table))

    assert f"login {login} was set" in say("show", id, "--ask-sql")


def test_a_locked_login_is_the_cause(say, ready):
    made, logins = ready
    id, login = logins["SQL login without an end"]
    say("scan")
    Steering(made["control"]).happen("sql_lock_login", "sql-contoso.database.windows.net/erp0", user=login)

    [shown] = say("show", id, "--ask-sql", "--login", login, "-o", "json")["rows"]

    assert shown["sql_server"]["cause"] == "account_locked"
