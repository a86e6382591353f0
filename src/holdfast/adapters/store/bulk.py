"""The statements of the innermost loop, in plain SQL: composing each anew takes longer than the database does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from holdfast.adapters.store.database import Line


class Plain(NamedTuple):
    """A statement in SQL that both databases understand.

    Attributes:
        text: `{0}` stands for one value, a name for as many as `run` is told. It is never made of anybody's words.
    """

    text: str

    def run(self, transaction: Connection, values: Sequence[Any], **many: int) -> Sequence[Line]:
        """Its rows; none for a statement that gives none."""
        mark = _mark(transaction)
        lists = {name: ",".join([mark] * count) for name, count in many.items()}
        result = transaction.exec_driver_sql(self.text.format(mark, **lists), tuple(values))
        return result.all() if result.returns_rows else ()


def insert_rows(
    transaction: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows of values in the order of the columns."""
    marks = ",".join([_mark(transaction)] * len(columns))
    into = Plain(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})")  # noqa: S608 - names of ours
    transaction.exec_driver_sql(into.text, list(rows))


def _mark(transaction: Connection) -> str:
    """How the driver wants a value marked."""
    return "?" if transaction.dialect.paramstyle == "qmark" else "%s"
