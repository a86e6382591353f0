"""`holdfast sandbox`: the pretend tenant as a server, and its control port by hand."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from holdfast.cli.control_port import control_port
from holdfast.cli.options import Invocation, Verbs, common_options, examples
from holdfast.cli.render import Column, emit, to_json
from holdfast.cli.times import Length
from holdfast.core.errors import SettingsError

RULE_COLUMNS = (
    Column("id", "Rule"),
    Column("mark", "Support"),
    Column("says", "In the sandbox"),
    Column("source", "Source"),
)

CLOCK_COLUMNS = (Column("now", "The clock shows"),)
EVENT_COLUMNS = (Column("event", "Event"), Column("at", "Happened at"))
HAPPENING_COLUMNS = (
    Column("event", "Event", wraps=False),
    Column("takes", "Takes"),
    Column("does", "What happens"),
)
FAULT_COLUMNS = tuple(
    Column(key, heading)
    for key, heading in (
        ("kind", "Fault"),
        ("host", "Host"),
        ("method", "Method"),
        ("path", "Path"),
        ("share", "Share"),
        ("times", "At most"),
        ("met", "Met"),
    )
)
RESET_COLUMNS = (Column("scenario", "Scenario"), Column("seed", "Seed"), Column("tenant_id", "Tenant"))
FLIP_COLUMNS = (Column("id", "Rule"), Column("holds", "Holds"), Column("so", "So"))


@click.group(cls=Verbs)
def command() -> None:
    """A pretend tenant with its own clock, for anybody's tests."""


@command.command(
    epilog=examples(
        "sandbox up --ready-file ready.json --frozen",
        "sandbox up --scenario contoso --seed 7 --port graph=18443 --ready-file ready.json",
    )
)
@click.option(
    "--scenario",
    default="story",
    metavar="NAME",
    help="Which world: story (the demo's), contoso, large, large-PERCENT.",
)
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
@click.argument("by", type=Length())
@common_options
def advance(invocation: Invocation, by: timedelta) -> int:
    """Jump ahead by a length of time such as 90d, 12h or 2w; everything due on the way happens."""
    with control_port(invocation) as port:
        told = {"now": port.advance(by).isoformat()}
    emit([told], CLOCK_COLUMNS, invocation.output, shape="holdfast.sandbox.clock/1")
    return 0


@command.command(
    "do",
    epilog=examples(
        "sandbox do reset_password dana.kim@contoso.example",
        "sandbox do add_policy dana.kim@contoso.example kind=sign_in_frequency hours=24 --sandbox=ready.json",
    ),
)
@click.argument("event")
@click.argument("target", default="")
@click.argument("details", nargs=-1, metavar="[NAME=VALUE]...")
@common_options
def happen(invocation: Invocation, event: str, target: str, details: tuple[str, ...]) -> int:
    """Let an EVENT happen to a TARGET: `do reset_password dana.kim@contoso.example`.

    TARGET is the id or user principal name of an account, the client id of an application, or the id of a
    connection, flow, environment, policy or database (SERVER/DATABASE). `holdfast sandbox events` lists the
    events and what each takes.
    """
    named = dict(_pairs(details))
    if twice := {"event", "target"} & set(named):
        raise click.BadParameter(f"{', '.join(sorted(twice))} is named already.")
    with control_port(invocation) as port:
        told = port.happen(event, target, **named)
    emit([told], EVENT_COLUMNS, invocation.output, shape="holdfast.sandbox.event/1")
    return 0


@command.command()
@common_options
def events(invocation: Invocation) -> int:
    """What can happen to the tenant by `do`, and what each event takes besides its target. Offline."""
    from holdfast.sandbox import happenings

    rows: list[dict[str, Any]] = list(happenings())
    emit(rows, HAPPENING_COLUMNS, invocation.output, shape="holdfast.sandbox.events/1")
    return 0


@command.command()
@click.argument("kind", default="")
@click.argument("details", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--unkind/--kind", default=None, help="Switch the default unkindness on or off.")
@click.option("--clear", is_flag=True, help="Remove all faults, the default ones too.")
@common_options
def faults(
    invocation: Invocation, kind: str, details: tuple[str, ...], unkind: bool | None, clear: bool
) -> int:
    """Plan a fault, or list what is planned.

    KIND is throttle, lag, drop_before, drop_after, garble or error; `faults error host=graph share=0.1 status=502`.
    """
    body = {**({"kind": kind} if kind else {}), **dict(_pairs(details))}
    if unkind is not None:
        body["unkind"] = unkind
    with control_port(invocation) as port:
        told = port.clear_faults() if clear else port.faults()
        if body:
            told = port.plan_faults(body)
    meta = {"unkind": told["unkind"]}
    emit(told["faults"], FAULT_COLUMNS, invocation.output, shape="holdfast.sandbox.faults/1", meta=meta)
    return 0


@command.command()
@click.option("--scenario", metavar="NAME", help="Another world; the same as before without.")
@click.option("--seed", type=int, metavar="N", help="Another seed; the same as before without.")
@common_options
def reset(invocation: Invocation, scenario: str | None, seed: int | None) -> int:
    """Begin again, at the same addresses; the state so far is gone."""
    with control_port(invocation) as port:
        told = port.reset(scenario, seed)
    emit([told], RESET_COLUMNS, invocation.output, shape="holdfast.sandbox.ready/1")
    return 0


def _pairs(words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """NAME=VALUE, the value as JSON where it is JSON, else as a text."""
    import json

    for word in words:
        name, is_pair, value = word.partition("=")
        if not is_pair or not name:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE.")
        try:
            yield name, json.loads(value)
        except ValueError:
            yield name, value


@command.command()
@click.option("--flip", metavar="RULE", help="Let an assumed rule stop to hold, or hold again.")
@common_options
def rules(invocation: Invocation, flip: str | None) -> int:
    """What the sandbox believes about the cloud, how surely, and who says so."""
    if flip:
        with control_port(invocation) as port:
            told = port.flip(flip)
        emit([told], FLIP_COLUMNS, invocation.output, shape="holdfast.sandbox.rule/1")
        return 0
    from holdfast.sandbox import believed

    rows: list[dict[str, Any]] = list(believed())
    emit(rows, RULE_COLUMNS, invocation.output, shape="holdfast.sandbox.rules/1")
    return 0
