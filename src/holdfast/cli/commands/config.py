"""`holdfast config show`: what is set, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, Verbs, common_options
from holdfast.cli.render import Column, emit

if TYPE_CHECKING:
    from pydantic import BaseModel

    from holdfast.settings import Settings

COLUMNS = (Column("key", "Setting"), Column("value", "Value"), Column("origin", "Set in"))


@click.group(cls=Verbs)
def command() -> None:
    """The settings in effect, secrets masked."""


@command.command()
@common_options
def show(invocation: Invocation) -> None:
    """Print every setting, its value and where it comes from.

    Keys without a value are left out of the tables that nobody opened.
    """
    from holdfast.cli.session import settings_of

    with settings_of(invocation) as settings:
        emit(
            rows(settings),
            COLUMNS,
            invocation.output,
            shape="holdfast.config/1",
            meta={"file": str(settings.source) if settings.source else None},
        )


@command.command()
@common_options
def path(invocation: Invocation) -> None:
    """Print where the settings file is looked for."""
    import os

    from holdfast.settings import config_file

    click.echo(str(config_file(invocation.config, os.environ)))


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row per setting that has a value."""
    from holdfast.settings import place

    for key, value, is_set in _leaves("", settings):
        origin = place(tuple(key.split(".")), settings.origins) if is_set else "default"
        yield {"key": key, "value": value, "origin": origin}


def _leaves(prefix: str, table: BaseModel) -> Iterator[tuple[str, Any, bool]]:
    """Dotted key, value as printed, whether anybody set it."""
    from pydantic import BaseModel, SecretStr

    for name, value in table:
        key = f"{prefix}.{name}".lstrip(".")
        if value is None or value == () or name in ("name", "source", "origins"):
            continue
        if isinstance(value, BaseModel):
            yield from _leaves(key, value)
        elif isinstance(value, Mapping):
            for inner, entry in value.items():
                yield from _leaves(f"{key}.{inner}", entry)
        elif isinstance(value, SecretStr):
            yield key, "(a secret)", True
        else:
            words = value if isinstance(value, bool) else _words(value)
            yield key, words, name in table.model_fields_set


def _words(value: Any) -> str | list[str]:
    return [str(part) for part in value] if type(value) is tuple else str(value)
