"""Completion in a shell, from the table of commands."""

import os
import subprocess
import sys

import pytest

from holdfast.cli.main import COMMANDS, run


def completed(words: str, incomplete: str) -> list[str]:
    """What a fish shell would offer after `words`."""
    environ = {
        **os.environ,
        "_HOLDFAST_COMPLETE": "fish_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": incomplete,
    }
    done = subprocess.run(
        [sys.executable, "-m", "holdfast"], env=environ, capture_output=True, text=True, check=True
    )
    return [line.split("\t")[0].partition(",")[2] for line in done.stdout.splitlines()]


def test_every_command_is_offered():
    assert completed("holdfast ", "") == list(COMMANDS)


def test_the_beginning_of_a_command_is_completed():
    assert completed("holdfast con", "con") == ["config"]


def test_the_options_of_a_command_are_offered():
    assert "--print-setup" in completed("holdfast init --", "--")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell, capsys):
    assert run(["completion", shell]) == 0

    assert "_HOLDFAST_COMPLETE" in capsys.readouterr().out
