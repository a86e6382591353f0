"""Leaving: `made`, `purge` and `forget`."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.cli.main import run
from holdfast.core.deed import Deed, done
from holdfast.core.plan import Plan, PlannedStep
from tests.builders import START, a_connection, a_flow, a_secret, an_app, an_environment
from tests.fakes.holdfast import ToldHoldfast


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "holdfast.toml"
    path.write_text('[secrets]\nstore = "file"\nkey_file = "key"\n')
    return str(path)


@pytest.fixture
def state(config, tmp_path) -> Path:
    """A state folder with something of everything, and a stranger's file."""
    folder = tmp_path / "state"
    SqlHistory(folder / "holdfast.db").close()
    (folder / "holdfast.db.before-0002").write_text("a copy")
    (folder / "engine.db").write_text("notes of the engine")
    (folder / "engine.db-wal").write_text("its newest")
    (folder / "secrets.enc").write_text("secrets")
    (folder / "sandbox" / "story").mkdir(parents=True)
    (folder / "sandbox" / "story" / "story.json").write_text("{}")
    (folder / "notes.txt").write_text("not ours")
    return folder


def test_purge_shows_everything_first_and_deletes_nothing_unasked(state, config, capsys):
    code = run(["purge", "--config", config, "-o", "jsonl"])

    said = capsys.readouterr()
    shown = {Path(json.loads(line)["where"]).name for line in said.out.splitlines()}
    assert {"holdfast.db", "holdfast.db.before-0002", "secrets.enc", "sandbox"} <= shown
    assert code == 2
    assert "--yes" in said.err
    assert (state / "holdfast.db").exists()


def test_purge_deletes_what_holdfast_made_and_nothing_else(state, config):
    assert run(["purge", "--yes", "--config", config]) == 0

    assert [path.name for path in state.iterdir()] == ["notes.txt"]
    assert Path(config).exists()


def test_purge_waits_for_a_scan(state, config, capsys):
    from holdfast.adapters.system import lock_file

    turn = state / "holdfast.db.0123456789ab.turn"
    with turn.open("w+b") as file:
        assert lock_file(file)

        code = run(["purge", "--yes", "--config", config])

    assert code == 5
    assert "scanning" in capsys.readouterr().err
    assert (state / "holdfast.db").exists()


def test_purge_of_nothing_says_so(config, capsys):
    assert run(["purge", "--yes", "--config", config]) == 0

    assert "Nothing" in capsys.readouterr().out


def test_forgetting_nobody_is_told(state, config, capsys):
    assert run(["forget", "nobody@contoso.example", "--yes", "--config", config]) == 2

    assert "Nobody" in capsys.readouterr().err


def test_forgetting_off_a_terminal_needs_a_yes(state, config):
    assert run(["forget", "dana@contoso.example", "--config", config]) == 2


@pytest.fixture
def holdfast(monkeypatch):
    told = ToldHoldfast("contoso")
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    return told


def test_made_lists_what_carries_our_label_and_our_own_identities(holdfast, capsys):
    cloud = holdfast.tenants["contoso"].cloud
    cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    cloud.held = [a_connection("c1", display_name="holdfast/saga7 ERP"), a_connection("c2")]
    cloud.automations = [a_flow("f1", "r", display_name="holdfast/saga8 keep alive"), a_flow("f2", "r")]
    cloud.apps = [an_app(a_secret(), client_id="own"), an_app(a_secret(), client_id="other")]
    holdfast.tenants["contoso"].own = {"own": "reader"}
    run(["scan"])
    capsys.readouterr()

    assert run(["made", "-o", "jsonl"]) == 0

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = {row["id"]: row for row in printed}
    assert [row["id"] for row in printed] == ["f1", "c1", "own"]
    assert "-FlowName f1" in rows["f1"]["remove"]
    assert rows["c1"]["made_by"] == "saga7"
    assert "-ConnectionName c1" in rows["c1"]["remove"]
    assert rows["own"]["made_by"] == "you, as reader"


def test_made_names_secrets_of_ours_and_plans_that_nobody_undid(holdfast, capsys):
    cloud = holdfast.tenants["contoso"].cloud
    ours = replace(a_secret("k1"), display_name="holdfast/p1-1")
    cloud.apps = [an_app(ours, a_secret("k2"), client_id="app-1")]
    run(["scan"])
    step = PlannedStep("p1-1", "user", "Makes a user", "c1", "sales", {}, undo="Removes it")
    tenant = holdfast.tenants["contoso"].id
    plan = Plan("migrate", "p1", tenant, "contoso", START, (step,))

    async def applied() -> None:
        await holdfast.journal.keep(plan)
        async with holdfast.journal.turn(tenant) as turn:
            await holdfast.journal.note(turn, "p1", Deed("p1-1", "user", "do", done("Made."), START))

    asyncio.run(applied())
    capsys.readouterr()

    assert run(["made", "-o", "jsonl"]) == 0

    rows = {row["id"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(rows) == {"p1", "k1"}
    assert rows["p1"]["remove"].startswith("holdfast migrate undo")
    assert rows["k1"]["remove"].endswith("--key-id k1")
