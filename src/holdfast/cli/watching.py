"""What `watch` and `worker` have in common: signals, the heartbeat file, the engine around a loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from holdfast.cli.render import clean
from holdfast.core.errors import SettingsError


def loop_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of both."""
    for option in (
        click.option(
            "--log",
            "form",
            type=click.Choice(("text", "json")),
            default="text",
            help="Form of the log on stderr.",
        ),
        click.option(
            "--heartbeat",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write this file anew after each round, for a health check that looks at its age.",
        ),
        click.option(
            "--name",
            metavar="NAME",
            help="The name to work under, one per process; this machine's by default.",
        ),
    ):
        function = option(function)
    return function


@dataclass
class Signals:
    """What stops the loop.

    Attributes:
        stop: set by SIGINT and SIGTERM.
        interrupted: whether it was SIGINT.
    """

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    interrupted: bool = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[Signals]:
        """Stop with grace at the first signal; a second SIGINT ends the process as usual.

        At the end the handlers are as they were: ours speak to a loop that is closed then.
        """
        loop = asyncio.get_running_loop()

        def heard(number: int) -> None:
            self.interrupted = number == signal.SIGINT
            if not self.stop.is_set() and on_a_terminal():
                click.echo(
                    "Stopping: what is under way is finished first; Ctrl+C again ends at once, and the next start"
                    " resumes it.",
                    err=True,
                )
            self.stop.set()
            signal.signal(signal.SIGINT, signal.default_int_handler)

        # Not by the loop's own handlers, which Windows does not have.
        before = {
            number: signal.signal(number, lambda n, _: loop.call_soon_threadsafe(heard, n))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def alive(heartbeat: Path | None, *, talks: bool) -> Callable[[datetime, str], None]:
    """What is called after each round: writes the file, and says on a terminal what is new.

    Raises:
        SettingsError: the file cannot be written; told at once, not after the first round.
    """
    last = ""

    def told(at: datetime, words: str) -> None:
        nonlocal last
        if heartbeat is not None:
            # A full disk must not end a watch; the file grows old, and whoever checks it knows.
            with contextlib.suppress(OSError):
                _write_whole(heartbeat, f"{at.isoformat(timespec='seconds')} {words}\n")
        if talks and words != last:
            last = words
            click.echo(clean(f"{at:%H:%M:%S}Z {words}"), err=True)

    if heartbeat is not None:
        try:
            _write_whole(heartbeat, "starting\n")
        except OSError as error:
            raise SettingsError(
                f"The heartbeat file {heartbeat} cannot be written: {error.strerror}."
            ) from None
    return told


def own_name(name: str | None, kind: str) -> str:
    """The name to work under. Raises SettingsError for one that is no plain word."""
    chosen = name or f"{kind}-{socket.gethostname()}"
    if not all(character.isalnum() or character in "._-" for character in chosen) or len(chosen) > 100:
        raise SettingsError(f"--name {chosen!r} must be letters, digits, dots, dashes and underscores.")
    return chosen


def on_a_terminal() -> bool:
    """Whether somebody is looking at what we say."""
    return sys.stderr.isatty()


def _write_whole(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    os.replace(name, file)
