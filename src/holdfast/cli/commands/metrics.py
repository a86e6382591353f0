"""`holdfast metrics`: numbers for Prometheus."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli.options import Invocation, common_options

if TYPE_CHECKING:
    from holdfast.core.measure import Measure


@click.command()
@click.option(
    "--textfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write them here, for the node exporter's textfile collector; the name has to end in .prom.",
)
@click.option("--per-connection", is_flag=True, help="Also a series per connection: many in a large tenant.")
@common_options
def command(textfile: Path | None, per_connection: bool, invocation: Invocation) -> None:
    """Print what monitoring should know of the last scan, in Prometheus' text format. Asks the cloud nothing.

    `holdfast watch --metrics HOST:PORT` serves the same.
    """
    from holdfast.adapters.metrics import Board
    from holdfast.cli.looking import chosen
    from holdfast.cli.session import opened
    from holdfast.compose.measuring import measures

    with opened(invocation) as holdfast:

        async def measured() -> list[Measure]:
            return await measures(holdfast, chosen(holdfast, invocation), per_connection=per_connection)

        board = Board()
        board.put(asyncio.run(measured()))
    if textfile is None:
        click.echo(board.text().decode(), nl=False)
    else:
        board.write(textfile)
