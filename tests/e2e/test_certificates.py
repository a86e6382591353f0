"""A connection moves to a certificate, and the certificate is renewed, command by command, on the embedded tenant.

Slower than others: proving takes 8 s of real time, once for the move and once for the renewal, and cannot be shortened.
"""

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


def apply(verb: str, plan: str) -> int:
    """As far as it goes at once."""
    return holdfast(verb, "apply", plan, "--yes", "--wait", "0s")


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    holdfast(*words, "-o", "jsonl")
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def standing(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    assert holdfast("scan") == 0
    return {row["name"]: row for row in rows(capsys, "status")}


def kept(capsys: pytest.CaptureFixture[str], state: Path) -> set[str]:
    """Names and texts of what lies in the secret store."""
    import asyncio

    from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile

    folder = state / "sandbox" / "story"
    store = EncryptedFile(folder / "secrets.enc", KeysInFile(folder / "secrets.key"))
    return set(asyncio.run(store.names()))


@pytest.mark.slow
def test_a_certificate_is_moved_to_renewed_and_taken_away_again(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
):
    holdfast("sandbox", "faults", "--clear")
    danas = standing(capsys)[DANA]["connection"]
    move, renewal = str(tmp_path / "move.json"), str(tmp_path / "rotate.json")

    # Move.
    assert holdfast("migrate", "plan", "--certificate", "--connection", danas, "--out", move) == 0
    assert apply("migrate", move) == 1
    holdfast("sandbox", "advance", "26h")
    assert apply("migrate", move) == 0
    [new] = [row for name, row in standing(capsys).items() if name.startswith("holdfast/")]
    assert (new["sign_in"], new["state"], len(new["flows"])) == ("certificate", "ok", 2)
    [first] = kept(capsys, state)

    # Renew, before it is due.
    client_id = first.split("/")[1]
    assert holdfast("rotate", "plan", "--app", client_id, "--out", renewal) == 0
    steps = json.loads(Path(renewal).read_text())["steps"]
    assert {step["arguments"]["kind"] for step in steps} == {"certificate"}
    codes = [apply("rotate", renewal)]
    for length in ("15m", "26h"):
        holdfast("sandbox", "advance", length)
        codes.append(apply("rotate", renewal))
    assert codes == [1, 1, 0]
    [second] = kept(capsys, state)
    assert second != first

    # The flows go on past the end of the first one.
    holdfast("sandbox", "advance", "30d")
    [new] = [row for name, row in standing(capsys).items() if name.startswith("holdfast/")]
    assert (new["sign_in"], new["state"], len(new["flows"])) == ("certificate", "ok", 2)

    # And back.
    assert holdfast("migrate", "undo", move, "--yes", "--wait", "0s") == 0
    assert not [name for name in standing(capsys) if name.startswith("holdfast/")]
    assert kept(capsys, state) == set()
