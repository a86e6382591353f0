"""`holdfast sandbox` as a person uses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

HOLDFAST = [sys.executable, "-m", "holdfast"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))

    def run(*words):
        return subprocess.run([*HOLDFAST, "sandbox", *words], capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture
def up(tmp_path):
    """A running sandbox: its process, and the ready file."""
    ready = tmp_path / "ready.json"
    process = subprocess.Popen([*HOLDFAST, "sandbox", "up", "--frozen", "--ready-file", str(ready)])
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.02)
    yield process, ready
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_told_to_and_takes_its_ready_file_along(up, number):
    process, ready = up
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert not ready.exists()


def test_a_running_one_is_steered_by_its_ready_file(up, run):
    _, ready = up
    where = f"--sandbox={ready}"
    account = json.loads(ready.read_text())["accounts"][0]
    before = json.loads(run("advance", "1h", where, "-o", "jsonl").stdout)["now"]
    after = json.loads(run("advance", "90d", where, "-o", "jsonl").stdout)["now"]
    assert after > before
    done = run("do", "disable_account", account["username"], where)
    assert done.returncode == 0, done.stderr
    planned = json.loads(run("faults", "error", "host=graph", "share=0.5", where, "-o", "jsonl").stdout)
    assert (planned["kind"], planned["host"], planned["share"]) == ("error", "graph", 0.5)
    assert json.loads(run("reset", "--seed", "7", where, "-o", "jsonl").stdout)["seed"] == 7


def test_an_embedded_one_keeps_its_clock_between_commands(run):
    first = json.loads(run("advance", "30d", "-o", "jsonl").stdout)["now"]
    second = json.loads(run("advance", "30d", "-o", "jsonl").stdout)["now"]
    assert 29 < (_days(second) - _days(first)) < 31


def _days(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp() / 86400


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["do", "explode"], 2, "unknown event"),
        (["do", "share_conection"], 2, "the nearest is share_connection"),
        (["do", "disable_account", "nobody@nowhere.example"], 2, "no account"),
        (["advance", "yesterday"], 2, "no length of time"),
        (["do", "disable_account", "x", "event=y"], 2, "named already"),
        (["faults", "explode"], 2, "kind must be"),
        (["reset", "--scenario", "nowhere"], 2, "no scenario"),
        (["advance", "1d", "--sandbox=/nowhere/ready.json"], 2, "no running sandbox"),
        (["up", "--scenario", "nowhere"], 2, "no scenario"),
        (["up", "--ready-file", "/nowhere/ready.json"], 2, "cannot be written"),
        (["up", "--ready-file", f"{__file__}/ready.json"], 2, "cannot be written"),
        (["rules", "--flip", "nothing"], 2, "no rule"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_said_in_one_sentence(run, words, code, says):
    done = run(*words)
    assert done.returncode == code, done
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_every_event_is_listed_with_what_it_does(run):
    rows = [json.loads(line) for line in run("events", "-o", "jsonl").stdout.splitlines()]

    assert all(row["does"] for row in rows), [row["event"] for row in rows if not row["does"]]
    assert {"event": "sql_pause", "takes": []}.items() <= next(
        r for r in rows if r["event"] == "sql_pause"
    ).items()
    assert next(r for r in rows if r["event"] == "share_connection")["takes"] == ["role", "with"]


def test_a_state_folder_that_cannot_be_is_told_in_one_sentence(up, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "file" / "state"))

    done = subprocess.run([*HOLDFAST, "status", f"--sandbox={up[1]}"], capture_output=True, text=True)

    assert done.returncode == 5
    assert "could not be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_dead_one_cannot_be_steered(up, run, tmp_path):
    process, ready = up
    kept = tmp_path / "kept.json"
    kept.write_bytes(ready.read_bytes())
    process.terminate()
    process.wait()
    done = run("advance", "1d", f"--sandbox={kept}")
    assert done.returncode == 3
    assert "does not answer" in done.stderr


def test_the_rules_are_listed_with_their_support(run):
    rows = [json.loads(line) for line in run("rules", "-o", "jsonl").stdout.splitlines()]
    assert {row["mark"] for row in rows} <= {
        "recorded",
        "documented",
        "code",
        "secondary",
        "assumed",
        "absent",
    }
    assert all(row["says"] and row["source"] for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
