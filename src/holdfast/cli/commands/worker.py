"""`holdfast worker`: one more process that carries out what `watch` hands out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.watching import Signals, alive, loop_options, on_a_terminal, own_name

if TYPE_CHECKING:
    from holdfast.compose import Holdfast

EVERY = 15.0
"""Seconds between two looks after the other workers."""


@click.command()
@loop_options
@common_options
def command(name: str | None, heartbeat: Path | None, form: str, invocation: Invocation) -> int:
    """Carry out what `holdfast watch` hands out, on as many machines as wanted.

    All of them share one PostgreSQL database (store_url) and the same settings. The work of one that dies is taken
    over by the others within a minute.
    """
    from holdfast.cli.logs import set_up
    from holdfast.cli.session import opened

    set_up(form)
    with opened(invocation) as holdfast:
        return asyncio.run(_work(holdfast, own_name(name, "worker"), heartbeat))


async def _work(holdfast: Holdfast, seat: str, heartbeat: Path | None) -> int:
    from holdfast.compose.work import engine
    from holdfast.engine.watching import Watching

    told = alive(heartbeat, talks=on_a_terminal())
    with Signals().listening() as signals:
        async with engine(holdfast, seat, shared=True) as started:
            # No tenant of its own: what is due is handed out by `watch`.
            await Watching(started, {}, holdfast.clock.now, told).until(signals.stop, EVERY)
    return 130 if signals.interrupted else 0
