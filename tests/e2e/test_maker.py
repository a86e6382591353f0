"""A maker who signed in sees the own connections, by the same commands over HTTPS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msal
import pytest

from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.hosts import host_table
from holdfast.adapters.system import SystemClock
from holdfast.cli.main import run
from holdfast.compose import secret_stores
from holdfast.compose.credentials import sign_in_name
from holdfast.core.identity import Cloud, Role
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from holdfast.settings import load
from tests.e2e.tenants import KINDS, settings_for


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.fixture
def config(ready, tmp_path, monkeypatch) -> Path:
    """The settings of a maker, signed in: his tokens come from a refresh token of his."""
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    account = ready["accounts"][0]
    reader = f'client_id = "{account["client_id"]}"\nsign_in = true'
    file = settings_for(ready, tmp_path, reader=reader, scope='"own"')
    settings = load(file, {"HOLDFAST_STATE_DIR": str(tmp_path / "state")})
    name = sign_in_name(settings.chosen(), Role.READER)
    asyncio.run(secret_stores(settings)["file"].write(name, tokens_of(account, ready)))
    return file


def tokens_of(account: dict[str, Any], ready: dict[str, Any]) -> Secret:
    """What `holdfast login` would keep."""
    hosts = host_table(Cloud.PUBLIC, {kind: ready[kind] for kind in KINDS}, allow_custom_hosts=True)
    door = EntraDoor(hosts, SystemClock(), Path(ready["ca_file"]), None)
    cache = msal.SerializableTokenCache()
    app = msal.PublicClientApplication(
        account["client_id"],
        authority=f"{ready['authority']}/{ready['tenant_id']}",
        instance_discovery=False,
        http_client=door,
        token_cache=cache,
    )
    app.acquire_token_by_refresh_token(account["refresh_token"], ["https://service.powerapps.com/.default"])
    door.close()
    return Secret(cache.serialize())


@pytest.fixture
def say(config, capsys):
    def said(*words: str) -> tuple[int, str]:
        code = run([*words, "--config", str(config)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return said


def test_a_maker_sees_the_own_connections_and_no_others(say, ready):
    owner = ready["accounts"][0]

    code, printed = say("scan")
    assert code <= 1, printed
    _, printed = say("status", "-o", "json")

    rows = json.loads(printed)["rows"]
    assert rows[0]["connection"] == "holdfast/reader"
    names = [row["name"] for row in rows[1:]]
    assert names
    assert len(names) < 6
    assert owner["username"].split("@")[0].replace(".", " ") in " ".join(names).lower()


def test_the_table_says_that_it_is_not_everything(say):
    say("scan")

    assert "Only your own connections" in say("status")[1]


def test_the_doctor_asks_what_a_maker_asks(say):
    _, printed = say("doctor", "-o", "jsonl")

    rows = {row["check"]: row for row in map(json.loads, printed.splitlines()) if row["role"] == "reader"}
    assert rows["powerapps.environments.list"]["outcome"] == "allowed", rows
    assert rows["powerapps.connections.list"]["outcome"] == "allowed"
    assert "powerapps.connections.admin_list" not in rows


def test_after_logout_nobody_is_signed_in(say):
    say("logout")

    code, printed = say("scan")

    assert code == 3
    assert "holdfast login" in printed
