"""The statements of the innermost loop, in plain SQL: many rows at a time, and few steps.

Composing such a statement anew takes longer than the database does. And a thread that reads or writes row by row has
to take its turn with all other threads of Python at each row; one statement about hundreds of rows takes it once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from holdfast.adapters.store.database import Line

_DOCUMENT = {"sqlite": "json_group_object", "postgresql": "json_object_agg"}


@dataclass(frozen=True, slots=True)
class Plain:
    """A statement in SQL that both databases understand.

    Attributes:
        text: `{0}` stands for one value, `{each}` for a list of values, `{pairs}` for a list of rows of two, and
            `{document}` for the function that gathers names and texts in one JSON object. Never made of anybody's
            words.
    """

    text: str

    def rows(self, transaction: Connection, values: Sequence[Any], **many: int) -> Sequence[Line]:
        """What it finds."""
        found: Sequence[Line] = self._run(transaction, values, many).all()
        return found

    def value(self, transaction: Connection, values: Sequence[Any]) -> int:
        """The one number that it finds."""
        found: int = self._run(transaction, values, {}).scalar_one()
        return found

    def written(self, transaction: Connection, values: Sequence[Any], **many: int) -> int:
        """How many rows it wrote."""
        found: int = self._run(transaction, values, many).rowcount
        return found

    def document(self, transaction: Connection, values: Sequence[Any], **many: int) -> dict[str, str]:
        """The one JSON object that it finds."""
        told = self._run(transaction, values, many).scalar_one()
        found: dict[str, str] = json.loads(told) if isinstance(told, str) else told or {}
        return found

    def _run(self, transaction: Connection, values: Sequence[Any], many: dict[str, int]) -> Any:
        dialect = transaction.dialect
        text = _composed(self.text, dialect.name, dialect.paramstyle, **many)
        return transaction.exec_driver_sql(text, tuple(values))


_ONE = {"each": "{0}", "pairs": "({0},{0})"}


@lru_cache(256)
def _composed(text: str, dialect: str, paramstyle: str, **many: int) -> str:
    mark = "?" if paramstyle == "qmark" else "%s"
    lists = {name: ",".join([_ONE[name].format(mark)] * count) for name, count in many.items()}
    return text.format(mark, document=_DOCUMENT[dialect], **lists)
