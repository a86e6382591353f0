"""Sentences for people: answers on standard output, errors and warnings on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def say(sentence: str, *, dim: bool = False, err: bool = False) -> None:
    """One sentence, cleaned of what a terminal would obey; a terminal gets no word cut in two, all else one line."""
    import click

    from holdfast.cli.render import clean

    words = clean(sentence)
    if (sys.stderr if err else sys.stdout).isatty():
        import shutil
        import textwrap

        # Not by rich, which takes long to import: errors come at once.
        width = shutil.get_terminal_size().columns
        words = textwrap.fill(words, width, break_long_words=False, break_on_hyphens=False)
    click.echo(click.style(words, dim=True) if dim else words, err=err)


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Say what takes long while it does, on a terminal that can draw; nothing elsewhere, and nothing is left of it."""
    from holdfast.cli.terminal import is_plain

    if not sys.stderr.isatty() or is_plain():
        yield
        return
    from rich.text import Text

    from holdfast.cli.render import clean, console

    with console(stderr=True).status(Text(clean(words))):
        yield


def complain(sentence: str) -> None:
    """What went wrong, on standard error."""
    say(f"holdfast: {sentence}", err=True)
