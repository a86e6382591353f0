"""What a command's help gives as an example is understood by that command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from holdfast.cli.main import COMMANDS, cli, with_scenario


def commands(group: click.Group, context: click.Context) -> Iterator[click.Command]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, context)
        elif command is not None:
            yield command


def examples() -> list[str]:
    told = [command.epilog or "" for command in commands(cli, click.Context(cli))]
    return [line.strip() for text in told for line in text.splitlines() if line.startswith("  holdfast ")]


def test_the_commands_with_most_options_have_examples():
    assert {line.split()[1] for line in examples()} >= {
        "forecast",
        "keepalive",
        "migrate",
        "rotate",
        "explain",
    }


@pytest.mark.parametrize("line", examples())
def test_an_example_is_understood(line):
    words = with_scenario(shlex.split(line.partition(" < ")[0])[1:])
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found

    command.make_context("example", words, resilient_parsing="--input" in words)
    assert line.split()[1] in COMMANDS
