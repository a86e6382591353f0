"""A plan as people read it: saga by saga, step by step, what each does and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from holdfast.cli.render import clean, put

if TYPE_CHECKING:
    from holdfast.core.plan import Plan, PlannedStep


def print_steps(plan: Plan) -> None:
    """Print what the plan does, under a heading for each saga; fits any width."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if not plan.steps:
        click.echo("Nothing to do.")
    for saga, steps in plan.sagas().items():
        page = Table.grid(padding=(0, 2))
        page.add_column(justify="right", no_wrap=True)
        page.add_column(overflow="fold")
        for number, step in enumerate(steps, 1):
            page.add_row(Text(f"{number}."), Text(clean(step.does)))
            for heading, words in about(step):
                # Text, never a plain string: rich would read markup in it.
                page.add_row("", Text(f"{heading}: {clean(words)}", style="dim"))
            for line in (
                line for show in step.shows if show.form == "text" for line in show.text.splitlines()
            ):
                page.add_row("", Text(clean(line), style="dim"))
        click.secho(f"Saga {clean(saga)}", bold=True)
        put(Padding(page, (0, 0, 0, 2)))


def about(step: PlannedStep) -> Iterator[tuple[str, str]]:
    """What is to be said about a step beside what it does."""
    for heading, words in (
        ("By", step.by),
        ("Risk", step.risk),
        ("Cost", step.cost),
        ("Undo", step.undo),
    ):
        if words:
            yield heading, words
