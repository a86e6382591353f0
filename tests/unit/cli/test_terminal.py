"""What a terminal is sent, and what it is not."""

import io
import sys

import pytest

from holdfast.cli.main import run
from tests.builders import a_broken_connection, an_environment
from tests.fakes.holdfast import ToldHoldfast


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def seen(monkeypatch):
    """Everything that a terminal, or a pipe, is sent by commands that style their words in both ways."""
    told = ToldHoldfast("contoso")
    cloud = told.tenants["contoso"].cloud
    cloud.listed = [an_environment("sales")]
    cloud.held = [a_broken_connection("c1", "AADSTS50173: The grant was revoked.")]
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def said(stream: io.StringIO) -> str:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        run(["scan"])
        run(["status"])
        return stream.getvalue()

    return said


def test_a_terminal_is_sent_styles(seen):
    assert "\x1b[1;31mbroken" in (told := seen(Terminal()))
    assert "\x1b[2mNext: holdfast status" in told


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_plain_text_gets_it(seen, monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    assert "broken" in (told := seen(Terminal()))
    assert "\x1b" not in told
    assert "\r" not in told


def test_a_pipe_gets_plain_text(seen):
    assert "\x1b" not in seen(io.StringIO())
