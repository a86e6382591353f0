"""A login to one database as a driver sees it: batches in, results and errors out, and transactions.

Everything that a TDS server needs of the SQL behind it. Nothing here waits: a table that another session's open
transaction has written answers 1222 at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.engine import Engine, Footprint, Result
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Session


class ResultColumn(NamedTuple):
    """A column of a result; `type` is T-SQL's, as ``nvarchar(200)``, ``decimal(10,2)``, ``varbinary(max)``."""

    name: str
    type: str


class RowSet(NamedTuple):
    """Rows of a query, with values as Python has them."""

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]


class RowCount(NamedTuple):
    """How many rows a statement changed."""

    affected: int


class Info(NamedTuple):
    """A message that is no error, as PRINT gives it."""

    number: int
    message: str
    severity: int = 0
    state: int = 1


class ReturnStatus(NamedTuple):
    """What a procedure returned."""

    value: int


Outcome = RowSet | RowCount | Info | ReturnStatus | SqlError
"""In the order in which they go over the wire; an error may be followed by more when only its statement ended."""


class SqlSession:
    """A login that succeeded. Not for several threads at once.

    Args:
        now: the time; a session lives longer than one instant.
        changed: told after a batch that changed rows or rights.
    """

    def __init__(
        self, session: Session, engine: Engine, now: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        self._session, self._engine, self._now, self._changed = session, engine, now, changed
        self._depth = 0

    @property
    def database(self) -> str:
        """Its name as the server writes it."""
        return self._session.database.name

    @property
    def user(self) -> str:
        """The database user."""
        return self._session.user.name

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    def execute(self, text: str, parameters: Mapping[str, Any] | None = None) -> list[Outcome]:
        """Run a batch; parameters are named without ``@``. Errors are in the list, not raised."""
        return self._run(
            lambda footprint: self._engine.execute(
                self._session, text, parameters or {}, self._now(), footprint
            )
        )

    def call(self, procedure: str, arguments: Mapping[str, Any]) -> list[Outcome]:
        """Execute a stored procedure; an argument's name is its parameter's without ``@``, or its place ("0", "1" …)."""
        return self._run(
            lambda footprint: self._engine.call(self._session, procedure, arguments, self._now(), footprint)
        )

    def _run(self, deed: Callable[[Footprint], list[Result]]) -> list[Outcome]:
        footprint = Footprint()
        try:
            told: list[Outcome] = [_outcome(result) for result in deed(footprint)]
        except SqlError as error:
            return [error]
        finally:
            if footprint.wrote:
                self._changed()
        return told

    def begin(self) -> None:
        """Open a transaction; inside one, one level deeper."""
        self._depth += 1

    def commit(self) -> None:
        """Close one level; the outermost makes it last. Raises SqlError 3902 where none is open."""
        if not self._depth:
            raise errors.SqlError(
                3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."
            )
        self._depth -= 1

    def rollback(self) -> None:
        """Undo all of it, whatever the level. Raises SqlError 3903 where none is open."""
        if not self._depth:
            raise errors.SqlError(
                3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."
            )
        self._depth = 0

    def close(self) -> None:
        """End the session; an open transaction is undone."""
        if self._depth:
            self.rollback()


def _outcome(result: Result) -> RowSet | RowCount:
    if not result.columns:
        return RowCount(result.affected)
    kinds = (_type_of([row[at] for row in result.rows]) for at in range(len(result.columns)))
    columns = tuple(ResultColumn(name, kind) for name, kind in zip(result.columns, kinds, strict=True))
    return RowSet(columns, result.rows)


def _type_of(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        return "int" if all(value is None or -(2**31) <= value < 2**31 for value in values) else "bigint"
    if kinds <= {int, float}:
        return "float"
    return "varbinary(max)" if kinds == {bytes} else "nvarchar(max)"
