"""`holdfast config show`: what is set, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time, timedelta
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
            yield key, _printed(value), name in table.model_fields_set


def _printed(value: Any) -> bool | str | list[str]:
    if isinstance(value, bool):
        return value
    is_list = type(value) is tuple and not _is_span(value)
    return [in_words(part) for part in value] if is_list else in_words(value)


def _is_span(value: Any) -> bool:
    return type(value) is tuple and all(isinstance(part, time) for part in value)


def in_words(value: Any) -> str:
    """A value as the settings file says it: a length as 12h, a time of day as 08:00, a span as 20:00-07:00."""
    if isinstance(value, timedelta):
        minutes = value // timedelta(minutes=1)
        units = (("w", 7 * 24 * 60), ("d", 24 * 60), ("h", 60), ("m", 1))
        return next(f"{minutes // each}{unit}" for unit, each in units if minutes % each == 0)
    if _is_span(value):
        return "-".join(in_words(part) for part in value)
    return value.isoformat("minutes") if isinstance(value, time) else str(value)
