"""Sentences fit the terminal that they are read on, and stay whole for everybody else."""

from __future__ import annotations

import io

import pytest

from holdfast.cli.saying import complain, say

LONG = (
    "The connection 'erp' of Finance is broken, and https://make.powerautomate.com/environments/x says why."
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("speak", [say, complain], ids=["said", "complained"])
def test_on_a_terminal_no_word_is_cut_in_two(monkeypatch, speak):
    # Not in a fixture: pytest puts its own streams back between the phases.
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "30")

    speak(LONG)

    told = screen.getvalue()
    assert told.count("\n") > 3
    assert " ".join(told.split()).removeprefix("holdfast: ") == LONG
    assert all(len(line) <= 30 or "https://" in line for line in told.splitlines())


def test_off_a_terminal_a_sentence_is_one_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")

    complain(LONG)

    assert capsys.readouterr().err == f"holdfast: {LONG}\n"


def test_what_a_stranger_wrote_moves_no_cursor(capsys):
    say("name \x1b[2J\nnext")

    assert capsys.readouterr().out == "name \ufffd[2J next\n"
