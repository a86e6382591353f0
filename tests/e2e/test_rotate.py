"""A secret that ends soon is renewed without a failed run, command by command, on the embedded tenant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run


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
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "rotate.json"
    assert holdfast("scan") == 0
    assert holdfast("rotate", "plan", "--out", str(file)) == 0
    return file


def apply(plan: Path, wait: str = "0s") -> int:
    return holdfast("rotate", "apply", str(plan), "--yes", "--wait", wait)


def finish(plan: Path) -> int:
    """New secrets spread within minutes, and the old ones are watched for a day."""
    apply(plan)
    for length in ("15m", "26h", "26h", "26h"):
        holdfast("sandbox", "advance", length)
        code = apply(plan, "10s")
        if code == 0:
            break
    return code


def test_the_secret_that_ends_first_is_planned(plan: Path):
    content = json.loads(plan.read_text())

    assert {step["arguments"]["name"] for step in content["steps"]} == {"erp-nightly"}


def test_it_outlives_the_old_secret(plan: Path, capsys: pytest.CaptureFixture[str]):
    [connection] = {
        step["connection"] for step in json.loads(plan.read_text())["steps"] if step["connection"]
    }
    before = [row for row in rows(capsys, "status") if row["connection"] == connection]

    assert finish(plan) == 0
    holdfast("sandbox", "advance", "30d")
    holdfast("scan")

    flows = {flow["id"] if isinstance(flow, dict) else flow for row in before for flow in row["flows"]}
    now = [
        row
        for row in rows(capsys, "status")
        if flows & {str(f["id"] if isinstance(f, dict) else f) for f in row["flows"]}
    ]
    assert now
    assert {row["state"] for row in now} == {"ok"}


def test_a_connection_whose_secret_somebody_removed_is_healed_once(
    plan: Path, capsys: pytest.CaptureFixture[str]
):
    [app] = {step["arguments"]["client_id"] for step in json.loads(plan.read_text())["steps"]}
    holdfast("sandbox", "do", "remove_secret", app)
    holdfast("sandbox", "advance", "26h")
    holdfast("scan")
    assert "secret_invalid" in {row["cause"] for row in rows(capsys, "status")}

    assert holdfast("rotate", "plan", "--out", str(plan)) == 0
    assert {step["arguments"]["client_id"] for step in json.loads(plan.read_text())["steps"]} == {app}
    assert finish(plan) == 0

    # The last scan saw it broken; what was put in since is asked for.
    assert holdfast("rotate", "plan", "--out", str(plan)) == 0
    assert json.loads(plan.read_text())["steps"] == []


def test_an_application_that_is_excepted_from_a_policy_is_renewed(plan: Path):
    wanted = json.loads(plan.read_text())["steps"]
    holdfast("sandbox", "do", "set_app_policy", "", "passwordAddition=true")
    assert holdfast("rotate", "plan", "--out", str(plan)) == 0
    forbidden = json.loads(plan.read_text())
    assert forbidden["steps"] == []
    assert "secrets_forbidden" in {each["reason"] for each in forbidden["declined"]}

    holdfast("sandbox", "do", "set_app_policy", wanted[0]["arguments"]["client_id"])
    assert holdfast("rotate", "plan", "--out", str(plan)) == 0

    assert [step["name"] for step in json.loads(plan.read_text())["steps"]] == [
        step["name"] for step in wanted
    ]


def test_undo_removes_the_new_secret_and_binds_as_before(plan: Path, capsys: pytest.CaptureFixture[str]):
    before = rows(capsys, "status")
    apply(plan)
    holdfast("sandbox", "advance", "15m")
    apply(plan, "10s")

    assert holdfast("rotate", "undo", str(plan), "--yes", "--wait", "0s") == 0
    holdfast("scan")

    after = rows(capsys, "status")
    assert [(row["connection"], row["flows"]) for row in after] == [
        (row["connection"], row["flows"]) for row in before
    ]
    assert rows(capsys, "rotate", "status")[0]["state"] == "undone"


def test_no_secret_is_in_anything_that_was_written(
    plan: Path, state: Path, capsys: pytest.CaptureFixture[str]
):
    from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile

    finish(plan)
    written = capsys.readouterr()
    folder = state / "sandbox" / "story"
    import asyncio

    store = EncryptedFile(folder / "secrets.enc", KeysInFile(folder / "secrets.key"))
    names = asyncio.run(store.names())
    texts = [asyncio.run(store.read(name)) for name in names]
    assert texts
    content = written.out + written.err + plan.read_text()
    for file in folder.rglob("*"):
        # The sandbox's own snapshot is the pretend cloud, which knows its secrets.
        if file.is_file() and not file.name.startswith("story."):
            content += file.read_bytes().decode("latin-1")
    for text in texts:
        assert text is not None
        assert text.reveal() not in content
