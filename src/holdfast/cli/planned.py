"""A plan as people read it: saga by saga, step by step, what each does and what it means."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from holdfast.cli.naming import connection_names
from holdfast.cli.render import Column, clean, emit, put

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.plan import Declined, Plan, PlannedStep

DECLINED_COLUMNS = (
    Column("name", "Left alone", "bold"),
    Column("reason", "Reason", wraps=False),
    Column("says", "Why"),
)
GROUPED_COLUMNS = (
    Column("reason", "Left alone", wraps=False),
    Column("connections", "Connections"),
    Column("says", "Why, of one of them"),
    Column("example", "For example"),
)
MOST_ALONE = 12
"""So many connections that are left alone are listed one by one; more are counted by their reason."""


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
    if len(plan.sagas()) > 1:
        click.echo(f"\n{len(plan.sagas())} sagas with {len(plan.steps)} steps in all.")


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


async def show_declined(plan: Plan, holdfast: Holdfast) -> None:
    """Print what the plan leaves alone, and why."""
    names = await connection_names(holdfast, plan.tenant, [each.connection for each in plan.declined])
    if len(plan.declined) <= MOST_ALONE:
        rows = [
            each._asdict() | {"name": names.get(each.connection, each.connection)} for each in plan.declined
        ]
        emit(rows, DECLINED_COLUMNS, "table", shape="holdfast.plan/1")
        return
    groups: defaultdict[str, list[Declined]] = defaultdict(list)
    for each in plan.declined:
        groups[each.reason].append(each)
    rows = []
    for reason, members in sorted(groups.items(), key=lambda group: -len(group[1])):
        says, _ = Counter(each.says for each in members).most_common(1)[0]
        example = next(each.connection for each in members if each.says == says)
        rows.append(
            {
                "reason": reason,
                "connections": len(members),
                "says": says,
                "example": names.get(example, example),
            }
        )
    emit(rows, GROUPED_COLUMNS, "table", shape="holdfast.plan/1")
    click.echo("Each one with its reason: -o json, or the plan's file.")
