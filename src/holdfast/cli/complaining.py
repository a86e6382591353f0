"""Errors and warnings to standard error, one sentence each."""

from __future__ import annotations


def complain(sentence: str) -> None:
    """One line on stderr, cleaned of what a terminal would obey."""
    import click

    from holdfast.cli.render import clean

    click.echo(f"holdfast: {clean(sentence)}", err=True)
