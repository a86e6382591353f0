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
from holdfast.sandbox.sql.functions import Scene
from holdfast.sandbox.sql.login import Session, is_kept_out
from holdfast.sandbox.sql.running import Message, Running, Told
from holdfast.sandbox.sql.transactions import Transaction
from holdfast.sandbox.sql.values import as_python


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
        spid: the session's number, for @@SPID.
    """

    def __init__(
        self,
        session: Session,
        engine: Engine,
        now: Callable[[], datetime],
        changed: Callable[[], None],
        spid: int = 51,
    ) -> None:
        self._engine, self._now, self._changed = engine, now, changed
        self._scene = Scene(session, now(), spid)
        self._open: Transaction | None = None
        self._depth = 0

    @property
    def database(self) -> str:
        """Its name as the server writes it."""
        return self._scene.session.database.name

    @property
    def user(self) -> str:
        """The database user."""
        return self._scene.session.user.name

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    def execute(self, text: str, parameters: Mapping[str, Any] | None = None) -> list[Outcome]:
        """Run a batch; parameters are named without ``@``. Errors are in the list, not raised."""
        return self._run(lambda running: running.batch(text, parameters or {}))

    def call(self, procedure: str, arguments: Mapping[str, Any]) -> list[Outcome]:
        """Call a stored procedure; an argument's name is its parameter's without ``@``, or its place ("0", "1" …)."""
        told = self._run(lambda running: running.procedure(procedure, arguments))
        failed = any(isinstance(one, SqlError) for one in told)
        return told if failed else [*told, ReturnStatus(0)]

    def _run(self, deed: Callable[[Running], None]) -> list[Outcome]:
        self._scene.now, self._scene.depth, self._scene.error = self._now(), self._depth, 0
        footprint, own = Footprint(), Transaction(self._engine.database, self._engine.holders)
        running = Running(
            self._engine, self._scene, self._open or own, footprint, goes_on=True, transact=self._transact
        )
        running.autocommit = own
        try:
            self._still_let_in()
            deed(running)
        except SqlError as error:
            running.results.append(error)
        finally:
            own.end()
            if footprint.wrote or footprint.rights:
                self._changed()
        return [_outcome(one) for one in running.results]

    def _still_let_in(self) -> None:
        session, database = self._scene.session, self._scene.session.database
        user = database.principal(session.user.name)
        is_gone = user is None and session.user.name.casefold() != "dbo"
        if is_gone or is_kept_out(database, session.user):
            raise errors.not_in_context(session.who.name, database.name)

    def _transact(self, verb: str) -> Transaction | None:
        {"BEGIN": self.begin, "COMMIT": self.commit, "ROLLBACK": self.rollback}[verb]()
        self._scene.depth = self._depth
        return self._open

    def begin(self) -> None:
        """Open a transaction; inside one, one level deeper."""
        if self._open is None:
            self._open = Transaction(self._engine.database, self._engine.holders)
        self._depth += 1

    def commit(self) -> None:
        """Close one level; the outermost makes it last. Raises SqlError 3902 where none is open."""
        if self._open is None:
            raise errors.SqlError(
                3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."
            )
        self._depth -= 1
        if not self._depth:
            self._open.end()
            self._open = None

    def rollback(self) -> None:
        """Undo all of it, whatever the level. Raises SqlError 3903 where none is open."""
        if self._open is None:
            raise errors.SqlError(
                3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."
            )
        self._open.undo()
        self._open, self._depth = None, 0
        self._changed()

    def close(self) -> None:
        """End the session; an open transaction is undone."""
        if self._open is not None:
            self.rollback()


def _outcome(told: Told) -> Outcome:
    if isinstance(told, SqlError):
        return told
    if isinstance(told, Message):
        return Info(0, told.text)
    return _rows(told)


def _rows(result: Result) -> RowSet | RowCount:
    if not result.columns:
        return RowCount(result.affected)
    columns = tuple(ResultColumn(name, kind) for name, kind in zip(result.columns, result.kinds, strict=True))
    rows = tuple(
        tuple(as_python(value, kind) for value, kind in zip(row, result.kinds, strict=True))
        for row in result.rows
    )
    return RowSet(columns, rows)
