"""Tables that stay readable on a narrow terminal: what does not fit beside stands below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.cli.render import (
    STATE_STYLES,
    Column,
    clean,
    console,
    links_aside,
    print_table,
    put,
    say_links,
    shown,
)


class Worst:
    """The first rows of very many, in order, without keeping the rest.

    Attributes:
        count: how many were given.
    """

    def __init__(self, most: int | None) -> None:
        self.count = 0
        self._most = most
        self._kept: list[tuple[Any, Mapping[str, Any]]] = []

    def add(self, rank: Any, row: Mapping[str, Any]) -> None:
        """Give one; the least rank comes first, and of equals the earlier given."""
        self.count += 1
        self._kept.append((rank, row))
        if self._most is not None and len(self._kept) >= 2 * self._most:
            self._cut()

    def rows(self) -> list[Mapping[str, Any]]:
        """The first of them."""
        self._cut()
        return [row for _, row in self._kept]

    @property
    def left_out(self) -> int:
        """How many are not among `rows`."""
        return 0 if self._most is None else max(0, self.count - self._most)

    def _cut(self) -> None:
        self._kept.sort(key=lambda entry: entry[0])
        if self._most is not None:
            del self._kept[self._most :]


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    wide: Sequence[Column],
    narrow: Sequence[Sequence[Column]],
    *,
    wide_enough: int = 110,
    empty: str,
) -> None:
    """Print the rows on the terminal.

    Args:
        wide: the columns on a terminal of at least `wide_enough` characters.
        narrow: the columns on others; each stacks some of the wide ones, the first under its heading.
    """
    if not rows or console().width >= wide_enough:
        print_table(rows, wide, empty=empty)
        return
    from rich import box
    from rich.table import Table

    rows, links = links_aside(rows, [column for stack in narrow for column in stack])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for stack in narrow:
        table.add_column(stack[0].heading, overflow="fold", no_wrap=not stack[0].wraps)
    for row in rows:
        table.add_row(*(_stacked(row, stack) for stack in narrow))
    put(table)
    say_links(links)


def _stacked(row: Mapping[str, Any], stack: Sequence[Column]) -> Any:
    from rich.text import Text

    cell = Text()
    for depth, column in enumerate(stack):
        words = clean(shown(row.get(column.key)))
        if words and depth and column.right:
            words += f" {column.heading.lower()}"  # a bare number below another thing says nothing
        if words:
            if cell:
                cell.append("\n")
            cell.append(words, style=STATE_STYLES.get(words, column.style or ("dim" if depth else "")))
    return cell
