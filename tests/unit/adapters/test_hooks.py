"""A user's own command is told of a deed, and its failure is one."""

import sys
from pathlib import Path

import pytest

from holdfast.adapters.hooks import run_hook

READS = "import json, sys; about = json.load(sys.stdin); open(sys.argv[1], 'w').write(about['step'])"


async def test_it_is_told_on_standard_input(tmp_path: Path):
    file = tmp_path / "told"

    said = await run_hook([sys.executable, "-c", READS, str(file)], {"step": "secret"}, 20)

    assert (said, file.read_text()) == ("", "secret")


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        ("import time; time.sleep(60)", "still running after 1 seconds"),
    ],
)
async def test_failure_is_failure(program: str, says: str):
    assert says in await run_hook([sys.executable, "-c", program], {}, 1)


async def test_what_it_complains_of_is_seen_and_not_kept(capfd: pytest.CaptureFixture[str]):
    said = await run_hook([sys.executable, "-c", "raise SystemExit('change freeze')"], {}, 20)

    assert "change freeze" in capfd.readouterr().err
    assert "change freeze" not in said


async def test_a_command_that_is_not_there_is_said():
    assert "could not be started" in await run_hook(["/nowhere/hook"], {}, 1)


async def test_one_that_does_not_read_is_no_failure():
    assert await run_hook([sys.executable, "-c", "pass"], {"step": "x" * 1_000_000}, 20) == ""
