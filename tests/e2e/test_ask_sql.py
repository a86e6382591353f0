"""`show --ask-sql`: what SQL Server says joins the verdict on a connection, by event and by identity."""

from __future__ import annotations

import asyncio
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile
from holdfast.cli.main import run
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from tests.e2e.tenants import app_of, settings_for
from tests.sandbox.conftest import Sandbox

ERP = "sql-contoso.database.windows.net/erp"


class Told:
    """One tenant, scanned, and what `show` says of its service principal connection."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self._folder = sandbox, folder
        reader, admin = app_of(sandbox.ready), app_of(sandbox.ready, "sql_admin")
        self._file = settings_for(
            sandbox.ready, folder, reader=f'client_id = "{reader["client_id"]}"\nsecret = "file:reader"'
        )
        sql = sandbox.ready["sql"]
        text = self._file.read_text().replace(
            "[tenants.c.hosts]", f'[tenants.c.hosts]\nsql = "{sql["host"]}:{sql["port"]}"'
        )
        text += f'[tenants.c.sql_admin]\nclient_id = "{admin["client_id"]}"\nsecret = "file:admin"\n'
        self._file.write_text('sql_driver = "python-tds"\n' + text)
        self.keep("reader", reader["secret"])
        self.keep("admin", admin["secret"])
        self.app = next(app for app in sandbox.ready["apps"] if app["name"] == "erp-nightly")
        self.run("scan")

    def keep(self, name: str, text: str) -> None:
        store = EncryptedFile(self._folder / "secrets.enc", KeysInFile(self._folder / "key"))
        asyncio.run(store.write(name, Secret(text)))

    def run(self, *words: str) -> tuple[int, Any]:
        with redirect_stdout(StringIO()) as out:
            code = run([*words, "--config", str(self._file), "-o", "json"])
        assert code in (0, 1)
        return code, json.loads(out.getvalue())

    def asked(self) -> tuple[int, dict[str, Any]]:
        code, rows = self.run("show", "ERP export (erp-nightly)", "--ask-sql")
        return code, _one(rows)["sql_server"]


def _one(rows: Any) -> dict[str, Any]:
    while not isinstance(rows, dict) or "sql_server" not in rows:
        rows = rows[0] if isinstance(rows, list) else next(v for v in rows.values() if isinstance(v, list))
    return rows


@pytest.fixture(scope="module")
def served():
    with embedded("story", frozen=True) as ready:
        yield Sandbox(ready)


@pytest.fixture
def told(served: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path))
    fresh = Sandbox(served.control("/reset", {"scenario": "story", "seed": 1}))
    fresh.control("/faults", method="DELETE")
    return Told(fresh, tmp_path)


def test_an_administrator_finds_the_user(told: Told):
    _, said = told.asked()

    assert [(each["as"], each["number"], each["user"]) for each in said["asked"]] == [
        ("sql_admin", None, "erp-nightly")
    ]
    assert said["cause"] is None


def test_an_administrator_finds_that_there_is_no_user(told: Told):
    told.sandbox.event("sql_drop_user", told.app["client_id"])

    code, said = told.asked()

    assert (code, said["cause"]) == (1, "sql_user_missing")


HAPPENED = {
    "sql_drop_user": (18456, "sql_user_missing"),
    "sql_pause": (40613, "sql_database_unavailable"),
    "sql_offline": (942, "sql_database_unavailable"),
    "sql_firewall_deny": (40615, "sql_firewall"),
}


@pytest.mark.parametrize(("event", "number", "cause"), [(e, *v) for e, v in HAPPENED.items()], ids=HAPPENED)
def test_the_application_itself_is_asked_where_we_keep_its_secret(
    told: Told, event: str, number: int, cause: str
):
    told.keep(f"app/{told.app['client_id']}/some-key", told.app["secret"])
    told.sandbox.event(event, told.app["client_id"] if event == "sql_drop_user" else ERP)

    code, said = told.asked()

    assert [(each["as"], each["number"]) for each in said["asked"]] == [("application", number)]
    assert (code, said["cause"]) == (1, cause)


def test_a_firewall_that_keeps_us_out_says_nothing_of_the_connection(told: Told):
    told.sandbox.event("sql_firewall_deny", ERP)

    _, said = told.asked()

    assert [each["number"] for each in said["asked"]] == [40615]
    assert said["cause"] is None
