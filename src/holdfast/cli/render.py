"""Rows to a terminal, JSON, CSV or Markdown, none of which obeys what a stranger wrote into a name."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import click

from holdfast.cli.terminal import is_plain

OUTPUTS = ("table", "json", "jsonl", "csv", "md")


class Column(NamedTuple):
    """One column of a table: the key of the row, its heading, and whether it may be cut when space is short."""

    key: str
    heading: str
    style: str = ""
    wraps: bool = True
    right: bool = False


TENANT = Column("tenant", "Tenant")
"""In front of every table whose rows are of several tenants."""


def of_tenants(columns: Sequence[Column], several: bool) -> Sequence[Column]:
    """The columns, with the tenant in front where rows of several stand together."""
    return (TENANT, *columns) if several else columns


_KEEP = {"\n": " ", "\r": " ", "\t": " ", "\u2028": " ", "\u2029": " ", "\x85": " "}


def clean(text: str) -> str:
    """The text on one line without anything that a terminal or a reader would obey.

    Control characters (escape sequences begin with one), bidirectional overrides and other format
    characters become a visible replacement; line breaks become blanks. Joiners that scripts and emoji
    need (U+200C, U+200D) stay.
    """
    if text.isprintable():
        return text
    out = []
    for character in text:
        if character in _KEEP:
            out.append(_KEEP[character])
        elif character in "\u200c\u200d" or unicodedata.category(character) not in (
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Cn",
        ):
            out.append(character)
        else:
            out.append("\ufffd")
    return "".join(out)


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; full-width signs are normalised to it by some."""
    text = clean(text)
    return "'" + text if text.lstrip()[:1] in (*"=+-@", *"\uff1d\uff0b\uff0d\uff20") else text


def md_cell(text: str) -> str:
    """A Markdown table cell in which nothing is markup."""
    escaped = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + c if c in "\\`*_{}[]()#+!|~$" else c for c in escaped)


def shown(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        parts = [shown(part) for part in value]
        return (" " if all(part.endswith(".") for part in parts) else ", ").join(parts)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={shown(part)}" for key, part in value.items())
    return str(value)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON in ASCII: escaped text cannot reach a terminal as a command."""
    return json.dumps(value, ensure_ascii=True, indent=indent, default=str)


def emit(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[Column],
    output: str,
    *,
    shape: str,
    title: str | None = None,
    empty: str = "Nothing.",
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Print rows in the chosen form.

    Args:
        rows: JSON-ready mappings; `json` and `jsonl` print them whole, the others by `columns`.
        output: one of OUTPUTS.
        shape: name and version of the JSON shape, "holdfast.status/1".
        title: a heading for the terminal table.
        empty: what the terminal says when there are no rows.
        meta: further fields beside the rows of `-o json`.
    """
    if output == "jsonl":
        for row in rows:
            # ASCII, so that no stream needs click's care; flushed, so that a reader sees each row at once.
            sys.stdout.write(to_json(row) + "\n")
            sys.stdout.flush()
    elif output == "json":
        click.echo(to_json({"shape": shape, **(meta or {}), "rows": list(rows)}, indent=2))
    elif output == "csv":
        click.echo(_csv(rows, columns), nl=False)
    elif output == "md":
        click.echo(_markdown(rows, columns))
    else:
        print_table(list(rows), columns, title=title, empty=empty)


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([_csv_value(row.get(column.key)) for column in columns])
    return out.getvalue()


def _csv_value(value: Any) -> str:
    # A number of ours may be negative; only words can be a stranger's formula.
    return shown(value) if isinstance(value, int | float) else csv_cell(shown(value))


def _markdown(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> str:
    lines = [
        "| " + " | ".join(column.heading for column in columns) + " |",
        "|" + " --- |" * len(columns),
    ]
    lines += [
        "| " + " | ".join(md_cell(shown(row.get(column.key))) for column in columns) + " |" for row in rows
    ]
    return "\n".join(lines)


def print_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    title: str | None = None,
    empty: str = "Nothing.",
) -> None:
    """A table on the terminal; colours only where it has them and may be sent them.

    A column in which no row says anything is left out.
    """
    if not rows:
        click.echo(empty)
        return
    columns = [column for column in columns if any(shown(row.get(column.key)) for row in rows)]
    rows, links = links_aside(rows, columns)
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(
            column.heading,
            overflow="fold" if column.wraps else "ellipsis",
            no_wrap=not column.wraps,
            justify="right" if column.right else "left",
        )
    for row in rows:
        # Text, never a plain string: rich would read markup in it.
        table.add_row(*(_cell(Text, row.get(column.key), column) for column in columns))
    put(table)
    say_links(links)


_LINK = re.compile(r"https?://[^\s<>\"']{30,}(?<![.,;:)])")


def links_aside(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The rows with a number for each long link, and the links: a column would break them so that none can be followed."""
    links: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        return f"[{links.setdefault(found[0], len(links) + 1)}]"

    told: list[Mapping[str, Any]] = [
        {
            **row,
            **{
                column.key: _LINK.sub(numbered, row[column.key])
                for column in columns
                if isinstance(row.get(column.key), str)
            },
        }
        for row in rows
    ]
    return told, list(links)


def say_links(links: Sequence[str]) -> None:
    """Print each on a line of its own, which no width breaks."""
    for number, link in enumerate(links, 1):
        click.echo(f"[{number}] {clean(link)}")


def put(page: Any) -> None:
    """Print a rich page; off a terminal without the blanks that rich fills lines with."""
    screen = console()
    if screen.is_terminal:
        screen.print(page)
        return
    with screen.capture() as drawn:
        screen.print(page)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


STATE_STYLES = {
    "ok": "green",
    "at_risk": "yellow",
    "broken": "bold red",
    "unknown": "dim",
}


def _cell(text_type: Any, value: Any, column: Column) -> Any:
    words = clean(shown(value))
    return text_type(words, style=STATE_STYLES.get(words, column.style))


def console(stderr: bool = False) -> Any:
    """A rich console; off a terminal it is wide, plain and never animated."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    screen: Any = Console(
        file=stream,
        width=None if stream.isatty() else 160,
        # rich itself leaves bold text bold under NO_COLOR.
        color_system=None if is_plain() else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    screen.on_broken_pipe = _nobody_reads
    return screen


def _nobody_reads() -> None:
    """Say so as every other writer does; rich itself would leave with 1."""
    raise BrokenPipeError
