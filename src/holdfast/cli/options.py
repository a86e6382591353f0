"""The options that every command takes, and the door from them to a composed holdfast."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from holdfast.cli.render import OUTPUTS


@dataclass(frozen=True, slots=True)
class Invocation:
    """What every command was told.

    Attributes:
        sandbox: scenario name or path of a ready file; None asks the real cloud.
    """

    output: str = "table"
    tenant: str | None = None
    config: Path | None = None
    sandbox: str | None = None


def command_line(words: str, invocation: Invocation) -> str:
    """A further command as it has to be typed to mean the same tenant: `holdfast scan --sandbox=ready.json`."""
    given = [f"--config {shlex.quote(str(invocation.config))}"] if invocation.config else []
    given += [f"--tenant {shlex.quote(invocation.tenant)}"] if invocation.tenant else []
    if invocation.sandbox is not None:
        given.append(f"--sandbox={shlex.quote(invocation.sandbox)}")
    return " ".join(["holdfast", words, *given])


def examples(*lines: str) -> str:
    """The end of a command's help: what people type most."""
    return "\n".join(("\b", "Examples:", *(f"  holdfast {line}" for line in lines)))


class Verbs(click.Group):
    """A group whose help tells the whole first sentence of each command."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, but cut nowhere."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, each.get_short_help_str(limit=500)) for name, each in commands.items() if each]
            )


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options; the command gets them as one `invocation` argument."""

    @click.option("-o", "--output", type=click.Choice(OUTPUTS), default="table", help="Form of the answer.")
    @click.option(
        "--tenant",
        metavar="NAME",
        help="Only this tenant of the settings; what plans or signs in needs it where there are several.",
    )
    @click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings file.")
    @click.option(
        "--sandbox",
        metavar="[=SCENARIO]",
        help="Run against a sandbox tenant: --sandbox, --sandbox=SCENARIO, or --sandbox=READY-FILE.",
    )
    @wraps(function)
    def wrapper(
        *args: Any,
        output: str,
        tenant: str | None,
        config: Path | None,
        sandbox: str | None,
        **kwargs: Any,
    ) -> Any:
        return function(*args, invocation=Invocation(output, tenant, config, sandbox), **kwargs)

    return wrapper
