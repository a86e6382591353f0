"""`watch` and `worker` as a person or a supervisor runs them, on a running sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from holdfast.sandbox import embedded

pytestmark = pytest.mark.slow
HOLDFAST = [sys.executable, "-m", "holdfast"]

SOMETHING_IS_DUE = 1
"""The secret of `story` that ends soon needs a person."""


class Place(NamedTuple):
    """A running sandbox, and where holdfast keeps what it learns of it."""

    ready: Path
    state: Path

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "HOLDFAST_STATE_DIR": str(self.state), "COLUMNS": "120"}

    def run(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*HOLDFAST, *words, f"--sandbox={self.ready}"],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def once(self, code: int = 0) -> list[dict[str, Any]]:
        done = self.run("watch", "--once", "-o", "jsonl", code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextmanager
    def watching(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [*HOLDFAST, "watch", *words, f"--sandbox={self.ready}"],
            env=self.env,
            text=True,
            stderr=subprocess.PIPE,
        ) as process:
            yield process
            if process.poll() is None:
                process.kill()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    ready = tmp_path / "ready.json"
    with embedded("story", ready_file=ready):
        yield Place(ready, tmp_path / "state")


def wait_for(file: Path, words: str) -> None:
    until = time.monotonic() + 60
    while not (file.exists() and words in file.read_text()):
        assert time.monotonic() < until, file.read_text() if file.exists() else "no file"
        time.sleep(0.1)


def test_the_first_time_everything_is_due_and_right_after_nothing(place: Place):
    first = place.once(code=SOMETHING_IS_DUE)

    assert [(row["tenant"], row["job"], row["failed"]) for row in first] == [
        ("sandbox", "scan", 0),
        ("sandbox", "rotation", 0),
    ]
    assert place.once() == []
    assert "has not been scanned" not in place.run("status", code=None).stderr


def test_what_is_due_is_due_by_the_clouds_clock(place: Place):
    place.once(code=SOMETHING_IS_DUE)

    place.run("sandbox", "advance", "30d")

    assert {row["job"] for row in place.once(code=SOMETHING_IS_DUE)} == {"scan", "rotation"}


def test_a_cloud_that_is_gone_is_exit_3_and_tried_again_soon(place: Place, tmp_path: Path):
    with embedded("story", state=tmp_path / "sandbox", ready_file=tmp_path / "gone.json"):
        (tmp_path / "kept.json").write_text((tmp_path / "gone.json").read_text())
    gone = place._replace(ready=tmp_path / "kept.json")

    [row] = gone.once(code=3)

    assert row["failed"] == 1
    assert row["said"]


def test_a_watch_stops_with_grace_at_sigterm(place: Place, tmp_path: Path):
    beat = tmp_path / "heartbeat"
    with place.watching("--heartbeat", str(beat), "--every", "1m") as process:
        wait_for(beat, "under way")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_watch_that_is_interrupted_says_so_by_its_exit_code(place: Place, tmp_path: Path):
    beat = tmp_path / "heartbeat"
    with place.watching("--heartbeat", str(beat), "--log", "json") as process:
        wait_for(beat, "under way")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        events = [json.loads(line)["event"] for line in process.stderr]
    assert "subjects" in events


def test_two_under_one_name_is_an_error_that_says_what_to_do(place: Place, tmp_path: Path):
    beat = tmp_path / "heartbeat"
    with place.watching("--heartbeat", str(beat), "--name", "w1") as process:
        wait_for(beat, "under way")
        done = place.run("watch", "--once", "--name", "w1", code=5)
        process.terminate()
        process.wait(60)

    assert "Another process works as 'w1' already" in done.stderr
    assert "--name" in done.stderr


def test_a_worker_needs_a_store_that_is_shared(place: Place):
    done = place.run("worker", code=2)

    assert "store_url" in done.stderr


def test_a_heartbeat_that_cannot_be_written_is_told_at_once(place: Place, tmp_path: Path):
    done = place.run("watch", "--once", "--heartbeat", str(tmp_path / "no" / "folder"), code=2)

    assert "heartbeat" in done.stderr


@pytest.mark.parametrize("name", ["a b", "../w", "w" * 101])
def test_a_name_that_is_no_plain_word_is_refused(place: Place, name: str):
    assert "--name" in place.run("watch", "--once", "--name", name, code=2).stderr


def test_nothing_secret_is_in_the_tables_of_the_engine(place: Place):
    place.once(code=SOMETHING_IS_DUE)

    secrets = [app["secret"] for app in json.loads(place.ready.read_text())["apps"]]
    files = [file for file in place.state.rglob("*") if file.is_file() and "engine.db" in file.name]
    assert files
    assert not [secret for secret in secrets for file in files if secret.encode() in file.read_bytes()]
