"""`holdfast sandbox`: the pretend tenant as a server, and its control port by hand."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit, to_json
from holdfast.core.errors import SettingsError

RULE_COLUMNS = (
    Column("id", "Rule"),
    Column("mark", "Support"),
    Column("says", "In the sandbox"),
    Column("source", "Source"),
)


@click.group()
def command() -> None:
    """A pretend tenant with its own clock, for anybody's tests."""


@command.command()
@click.option("--scenario", default="story", metavar="NAME", help="Which world: story, contoso.")
@click.option(
    "--seed", type=int, metavar="N", help="Chance in the world; the same seed gives the same world."
)
@click.option(
    "--ready-file", type=click.Path(path_type=Path), metavar="FILE", help="Written when the tenant answers."
)
@click.option("--frozen", is_flag=True, help="The clock stands still unless it is advanced.")
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep the tenant there between runs."
)
@click.option("--port", "ports", multiple=True, metavar="HOST=PORT", help="A fixed port, as in graph=18443.")
def up(
    scenario: str,
    seed: int | None,
    ready_file: Path | None,
    frozen: bool,
    state: Path | None,
    ports: tuple[str, ...],
) -> int:
    """Run the tenant until it is told to stop (Ctrl+C or SIGTERM).

    Everything listens on loopback only. The ready file holds addresses, the authority's certificate, and the
    identities of the tenant with their secrets; without it they are printed.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    from holdfast.sandbox import SandboxError, embedded

    try:
        with embedded(
            scenario, seed=seed, state=state, frozen=frozen, ports=dict(_ports(ports)), ready_file=ready_file
        ) as ready:
            if ready_file is None:
                click.echo(to_json(ready, indent=2))
            click.echo(
                f"The sandbox {scenario!r} is ready; its control port is {ready['control']}.", err=True
            )
            stop.wait()
    except SandboxError as error:
        raise SettingsError(str(error)) from None
    return 0


def _ports(words: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Raises BadParameter for what is not HOST=PORT."""
    from holdfast.sandbox import HOSTS

    for word in words:
        host, _, port = word.partition("=")
        if host not in HOSTS or not port.isdecimal() or not 0 < int(port) < 65536:
            raise click.BadParameter(f"{word!r} is not HOST=PORT with a host of {', '.join(HOSTS)}.")
        yield host, int(port)


@command.command()
@common_options
def rules(invocation: Invocation) -> int:
    """What the sandbox believes about the cloud, how surely, and who says so."""
    from holdfast.sandbox import believed

    rows: list[dict[str, Any]] = list(believed())
    emit(rows, RULE_COLUMNS, invocation.output, shape="holdfast.sandbox.rules/1")
    return 0
