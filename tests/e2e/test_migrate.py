"""Nightly flows move from a person's sign-in to a service principal and back, command by command, on the embedded tenant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run

DANA = "ERP orders (Dana Kim)"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def holdfast(*words: str) -> int:
    return run([*words, "--sandbox=story"])


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    holdfast(*words, "-o", "jsonl")
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def danas(capsys: pytest.CaptureFixture[str]) -> str:
    """The connection that is ready; the tenant answers at once what is new."""
    holdfast("sandbox", "faults", "--clear")
    assert holdfast("scan") == 0
    return next(row["connection"] for row in rows(capsys, "status") if row["name"] == DANA)


@pytest.fixture
def plan(tmp_path: Path, danas: str, capsys: pytest.CaptureFixture[str]) -> Path:
    file = tmp_path / "plan.json"
    assert holdfast("migrate", "plan", "--connection", danas, "--out", str(file)) == 0
    capsys.readouterr()
    return file


def apply(plan: Path, wait: str = "0s") -> int:
    return holdfast("migrate", "apply", str(plan), "--yes", "--wait", wait)


def moved(plan: Path) -> None:
    """To its end: a night passes in which the flows run."""
    assert apply(plan, "30s") == 1
    holdfast("sandbox", "advance", "26h")
    assert apply(plan) == 0


def test_the_plan_shows_every_grant_with_the_action_that_needs_it(plan: Path):
    steps = {step["name"].partition(":")[0]: step for step in json.loads(plan.read_text())["steps"]}

    [script] = steps["sql"]["shows"]
    assert (
        "-- Nightly order import: Post_totals\nGRANT EXECUTE ON OBJECT::[dbo].[PostTotals]" in script["text"]
    )
    assert "SELECT dbo.OrderLines" in steps["connection"]["risk"]


def test_what_cannot_move_is_left_alone_with_the_reason(tmp_path: Path, danas: str):
    file = tmp_path / "all.json"
    holdfast("migrate", "plan", "--out", str(file))

    assert {"gateway", "no_flow", "service_principal"} <= {
        each["reason"] for each in json.loads(file.read_text())["declined"]
    }


def test_what_an_administrator_reads_goes_into_a_file(tmp_path: Path, danas: str):
    file = tmp_path / "grants.sql"

    assert holdfast("migrate", "plan", "--connection", danas, "--for-dba", "--out", str(file)) == 0

    assert "GRANT" in file.read_text()
    assert not file.read_text().startswith("{")


def test_a_life_that_is_too_short_to_move_in_is_refused(danas: str, capsys: pytest.CaptureFixture[str]):
    assert holdfast("migrate", "plan", "--connection", danas, "--life", "6d") == 2

    assert "--life is too short" in capsys.readouterr().err


def test_planning_writes_nothing(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert {row["name"].startswith("holdfast/") for row in rows(capsys, "made")} == {False}


def test_flows_run_green_on_the_new_connection(plan: Path, danas: str, capsys: pytest.CaptureFixture[str]):
    moved(plan)
    holdfast("scan")

    standing = {row["name"]: row for row in rows(capsys, "status")}
    [new] = [row for name, row in standing.items() if name.startswith("holdfast/")]
    assert (new["state"], len(new["flows"])) == ("ok", 2)
    assert standing[DANA]["flows"] == []


def test_grants_that_no_run_used_are_listed_with_their_action(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert apply(plan, "30s") == 1
    before = rows(capsys, "migrate", "status", "--unused")
    holdfast("sandbox", "advance", "26h")
    assert apply(plan) == 0

    assert {row["action"] for row in before} == {
        "Nightly order import: Read_open_orders",
        "Nightly order import: Post_totals",
        "Nightly stock check: Count_lines",
    }
    assert rows(capsys, "migrate", "status", "--unused") == []


def test_undo_leaves_nothing_and_every_binding_as_it_was(plan: Path, capsys: pytest.CaptureFixture[str]):
    moved(plan)

    assert holdfast("migrate", "undo", str(plan), "--yes", "--wait", "0s") == 0
    holdfast("scan")

    standing = {row["name"]: row for row in rows(capsys, "status")}
    assert len(standing[DANA]["flows"]) == 2
    assert not [name for name in standing if name.startswith("holdfast/")]
    assert not [row for row in rows(capsys, "made") if row["name"].startswith("holdfast/")]


def test_what_an_administrator_runs_names_the_application(plan: Path, capsys: pytest.CaptureFixture[str]):
    holdfast("migrate", "for-dba", str(plan))
    before = capsys.readouterr().out
    apply(plan, "30s")
    capsys.readouterr()
    holdfast("migrate", "for-dba", str(plan))
    after = capsys.readouterr().out

    assert "To be read, not run" in before
    assert "To be read, not run" not in after
    assert "TYPE = E" in after


def test_a_plan_of_another_command_is_refused(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert holdfast("rotate", "apply", str(plan), "--yes") == 2
    assert "holdfast migrate" in capsys.readouterr().err
