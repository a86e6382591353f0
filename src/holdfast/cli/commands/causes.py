"""`holdfast causes`: the knowledge base, page by page."""

from __future__ import annotations

import difflib
from typing import Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit, put
from holdfast.cli.verdicts import remedies_table, remedy_row
from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.pages import Page, page, pages, to_markdown

COLUMNS = (
    Column("id", "Cause", style="cyan", wraps=False),
    Column("title", "Title", style="bold"),
    Column("summary", "In short"),
)


@click.command()
@click.argument("cause", required=False, metavar="[ID]")
@common_options
def command(invocation: Invocation, cause: str | None) -> None:
    """Print the knowledge base: the list of causes, or the page of one.

    A page says what you see, why it breaks, how to know it, what to do, what will not help, and the source.
    """
    if cause is None:
        # On a terminal the list must fit a screen; the summaries are a command away.
        columns = COLUMNS[:2] if invocation.output == "table" else COLUMNS
        emit([as_row(shown) for shown in pages()], columns, invocation.output, shape="holdfast.causes/1")
        return
    if cause not in BY_ID:
        near = difflib.get_close_matches(cause, BY_ID, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "`holdfast causes` lists them."
        raise click.UsageError(f"There is no cause {cause!r}. {hint}")
    shown = page(cause)
    if invocation.output == "table":
        show(shown)
    elif invocation.output == "md":
        click.echo(to_markdown(shown))
    else:
        emit([as_row(shown)], COLUMNS, invocation.output, shape="holdfast.causes/1")


def as_row(shown: Page) -> dict[str, Any]:
    """A page as `-o json` prints it."""
    return {
        "id": shown.id,
        "title": shown.title,
        "summary": shown.summary,
        "sections": {
            part.heading: "\n\n".join(block.text for block in part.blocks) for part in shown.sections
        },
        "remedies": [remedy_row(remedy) for remedy in shown.remedies],
    }


def show(shown: Page) -> None:
    """The page on a terminal."""
    from rich.padding import Padding
    from rich.text import Text

    click.echo()
    put(Text.assemble((shown.title, "bold"), (f"   {shown.id}", "cyan")))
    put(Text(shown.summary))
    for section in shown.sections:
        click.echo()
        put(Text(section.heading, style="bold"))
        for block in section.blocks:
            style = "green" if block.is_code else "dim" if section.heading == "Source" else ""
            put(Padding(Text(block.text, style=style), (0, 0, 0, 8 if block.is_code else 4)))
        if section.heading == "What to do":
            click.echo()
            put(Text("Who does what", style="bold"))
            put(remedies_table(shown.remedies))
    click.echo()
