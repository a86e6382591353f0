"""Ask before what cannot be undone; never off a terminal."""

from __future__ import annotations

import sys

import click


def agreed(question: str, yes: bool) -> bool:
    """Whether to go on: by --yes, or by a person at the terminal.

    Raises:
        click.UsageError: nobody is there to ask, and --yes was not given.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is here to ask: give --yes.")
    return click.confirm(question)
