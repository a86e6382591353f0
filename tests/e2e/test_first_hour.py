"""The commands of the first hour, run as they stand in the page, by a shell, over HTTPS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-hour-admin.md"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no shell here")


@pytest.fixture(scope="module")
def transcript(tmp_path_factory) -> str:
    """What the tested block of the page printed, each command before its output."""
    folder = tmp_path_factory.mktemp("first-hour")
    block = re.search(r"<!-- tested -->\n```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    lines = [line.removeprefix("$ ") for line in block[1].splitlines()]
    # `status` exits 1 when something needs attention: not a failure of the page.
    script = "".join(f"echo '$ {i}'\n{line}\n" for i, line in enumerate(lines))
    end = "\ncode=$?\nkill %1\nwait\nexit $code\n"
    done = subprocess.run(
        ["bash", "-m", "-c", script + end],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "HOLDFAST_STATE_DIR": str(folder / "state"),
            "HOLDFAST_CONFIG": str(folder / "holdfast.toml"),
            "LANG": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_settings_are_written_and_the_secret_stored(transcript):
    assert "Wrote " in transcript
    assert "file:rehearsal-reader" in transcript


def test_the_doctor_asks_every_call(transcript):
    assert "bap.environments.admin_list" in transcript
    assert "lacks" not in transcript


def test_the_first_status_shows_holdfast_itself_and_the_connections(transcript):
    assert "holdfast itself, as reader" in transcript
    assert "ERP orders (Dana Kim)" in transcript


def test_no_command_fails(transcript):
    assert re.findall(r"^holdfast: .*$", transcript, re.MULTILINE) == []


def test_no_secret_is_printed(transcript):
    assert "~" not in transcript
