"""`holdfast ledger`: every cloud call that holdfast can make."""

from __future__ import annotations

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit

COLUMNS = (
    Column("id", "Call", wraps=False),
    Column("does", "Does"),
    Column("needs", "Needs"),
    Column("unlocks", "Unlocks"),
    Column("writes", "Writes", wraps=False),
    Column("support", "Support", wraps=False),
)
EVERY_COLUMN = (
    *COLUMNS,
    Column("method", "Method"),
    Column("path", "Path"),
    Column("host", "Host"),
    Column("audience", "Token for"),
    Column("who", "Who may call"),
    Column("roles", "Roles"),
    Column("permission", "Permission"),
    Column("repeatable", "Repeatable"),
    Column("source", "Source"),
)


@click.command()
@common_options
def command(invocation: Invocation) -> None:
    """Every cloud call that holdfast can make, what it needs, and how well it is known.

    holdfast makes no other call. Support: recorded (seen in a real answer), documented (a page of the
    vendor), code (a shipped client does it), secondary (one other public source), assumed (nobody has
    recorded it). Offline.
    """
    from holdfast.compose import ledger

    everything = invocation.output != "table"
    emit(ledger(), EVERY_COLUMN if everything else COLUMNS, invocation.output, shape="holdfast.ledger/1")
