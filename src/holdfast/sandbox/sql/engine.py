"""Statements on tables: T-SQL read by sqlglot, permissions checked on its tree, run on SQLite in memory.

The rows live in the world; SQLite is filled from them, and rows that a statement changed are taken back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.catalogue import Column, Database, Procedure, Table
from holdfast.sandbox.sql.login import Session
from holdfast.sandbox.sql.permissions import need
from holdfast.sandbox.sql.statements import Statement, read_batch

AFFINITIES = {
    "int": "INTEGER",
    "bigint": "INTEGER",
    "smallint": "INTEGER",
    "tinyint": "INTEGER",
    "bit": "INTEGER",
}
NUMERIC = ("decimal", "numeric", "money", "float", "real")
ROW_VERSIONS = ("rowversion", "timestamp")
MOST_ROWS = 10_000
MOST_STEPS = 5_000_000
"""Virtual machine steps of SQLite that one statement may take: a limit of the sandbox."""


class Result(NamedTuple):
    """What one statement gave; `columns` is empty for one that gives no rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    affected: int


@dataclass(slots=True)
class Footprint:
    """What a session looked at and changed, for deciding whether doing it again would differ.

    Attributes:
        is_volatile: the text looked at the clock or at chance.
    """

    read: set[str] = field(default_factory=set)
    wrote: set[str] = field(default_factory=set)
    is_volatile: bool = False


class Engine:
    """One database's tables in SQLite."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._sqlite = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._loaded: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._rewritten: set[str] = set()
        self._now = datetime.min.replace(tzinfo=UTC)
        self._steps = 0
        for name, arity, function in self._functions():
            self._sqlite.create_function(name, arity, function)
        self._sqlite.set_progress_handler(self._tick, 10_000)

    def _functions(self) -> Iterable[tuple[str, int, Callable[..., Any]]]:
        for name in ("GETUTCDATE", "SYSUTCDATETIME", "GETDATE", "SYSDATETIME", "HOLDFAST_NOW"):
            yield name, 0, lambda: self._now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        yield "DB_NAME", 0, lambda: self.database.name
        yield "NEWID", 0, lambda: "00000000-0000-0000-0000-000000000000"
        yield "SCOPE_IDENTITY", 0, lambda: self._sqlite.execute("SELECT last_insert_rowid()").fetchone()[0]

    def _tick(self) -> int:
        self._steps += 10_000
        return int(self._steps > MOST_STEPS)

    def execute(
        self, session: Session, text: str, parameters: Mapping[str, Any], now: datetime, footprint: Footprint
    ) -> list[Result]:
        """Run a batch as the session's user; all of it or nothing.

        Raises:
            SqlError: a permission is missing, a name unknown, the text not T-SQL that the sandbox plays.
        """
        self._now = now
        return self._whole(lambda: self._batch(session, text, parameters, footprint, checked=True), footprint)

    def call(
        self,
        session: Session,
        full_name: str,
        arguments: Mapping[str, Any],
        now: datetime,
        footprint: Footprint,
    ) -> list[Result]:
        """Execute a stored procedure. Inside it nothing is checked: its owner owns the tables too."""
        self._now = now
        return self._whole(lambda: self._procedure(session, full_name, arguments, footprint), footprint)

    def _whole(self, deed: Callable[[], list[Result]], footprint: Footprint) -> list[Result]:
        before = set(footprint.wrote)
        self._steps = 0
        self._rewritten.clear()
        self._sqlite.execute("BEGIN")
        try:
            results = deed()
        except BaseException:
            self._sqlite.execute("ROLLBACK")
            footprint.wrote = before
            raise
        self._sqlite.execute("COMMIT")
        for name in footprint.wrote - before:
            self._take_back(name)
        return results

    def _batch(
        self,
        session: Session,
        text: str,
        parameters: Mapping[str, Any],
        footprint: Footprint,
        *,
        checked: bool,
    ) -> list[Result]:
        results: list[Result] = []
        variables = dict(parameters)
        for statement in read_batch(text):
            if statement.sets is not None:
                variables[statement.sets] = statement.value
            elif statement.procedure is not None:
                arguments = {
                    name: variables.get(value[1:])
                    if isinstance(value, str) and value.startswith("@")
                    else value
                    for name, value in statement.arguments.items()
                }
                results += self._procedure(session, statement.procedure, arguments, footprint)
            else:
                results.append(self._statement(session, statement, variables, footprint, checked=checked))
        return results

    def _statement(
        self,
        session: Session,
        statement: Statement,
        variables: Mapping[str, Any],
        footprint: Footprint,
        *,
        checked: bool,
    ) -> Result:
        # Like the server: an object that is not there is told before a permission that is missing.
        for name in (*statement.reads, *statement.writes):
            if self.database.table(name) is None:
                raise errors.invalid_object(name)
        if checked:
            for permission, name in statement.needs:
                need(session, permission, name)
        for name in (*statement.reads, *statement.writes):
            self._load(name)
        footprint.read |= {name.casefold() for name in statement.reads}
        written = {name.casefold() for name in statement.writes}
        footprint.wrote |= written
        footprint.is_volatile |= statement.is_volatile
        if not statement.adds:
            self._rewritten |= written
        return self._run(statement, variables)

    def _run(self, statement: Statement, variables: Mapping[str, Any]) -> Result:
        missing = next((name for name in statement.variables if name not in variables), None)
        if missing is not None:
            raise errors.SqlError(137, f'Must declare the scalar variable "@{missing}".', 15, 2)
        values = {name: _plain(variables[name]) for name in statement.variables}
        try:
            cursor = self._sqlite.execute(statement.sqlite, values)
            columns = tuple(column[0] for column in cursor.description or ())
            rows = tuple(cursor.fetchmany(MOST_ROWS)) if columns else ()
            return Result(columns, rows, max(cursor.rowcount, 0))
        except sqlite3.Error as error:
            raise _translated(error) from None
        except (OverflowError, ValueError):
            raise errors.SqlError(
                8115, "Arithmetic overflow error converting expression to data type int."
            ) from None

    def _procedure(
        self, session: Session, full_name: str, arguments: Mapping[str, Any], footprint: Footprint
    ) -> list[Result]:
        procedure = self.database.procedure(full_name)
        if procedure is None:
            raise errors.no_procedure(full_name)
        need(session, "EXECUTE", procedure.full_name)
        footprint.read.add(f"procedure {procedure.full_name.casefold()}")
        given = _arguments(procedure, arguments)
        results: list[Result] = []
        for text in procedure.body:
            results += self._batch(session, text, given, footprint, checked=False)
        return results

    # --- rows between the world and SQLite -----------------------------------------------------------------

    def _load(self, name: str) -> None:
        table = self.database.tables[name.casefold()]
        if self._loaded.get(name.casefold()) == table.version:
            return
        place = quoted(table.full_name.casefold())
        self._sqlite.execute(f"DROP TABLE IF EXISTS {place}")
        self._sqlite.execute(f"CREATE TABLE {place} ({', '.join(map(_declared, table.columns))})")
        holes = ", ".join("?" * len(table.columns))
        self._sqlite.executemany(f"INSERT INTO {place} VALUES ({holes})", table.rows)  # noqa: S608 - quoted name
        self._loaded[name.casefold()] = table.version
        self._newest[name.casefold()] = self._one(f"SELECT MAX(rowid) FROM {place}")  # noqa: S608 - quoted name

    def _one(self, text: str) -> int:
        return self._sqlite.execute(text).fetchone()[0] or 0

    def _take_back(self, name: str) -> None:
        table = self.database.tables[name]
        place = quoted(table.full_name.casefold())
        if name not in self._rewritten and self._append(table, place):
            return
        rows = [list(row) for row in self._sqlite.execute(f"SELECT * FROM {place}")]  # noqa: S608 - quoted name
        if rows == table.rows:
            return
        table.version += 1
        stamp = next((n for n, one in enumerate(table.columns) if one.type.lower() in ROW_VERSIONS), None)
        if stamp is not None:
            before = {tuple(row) for row in table.rows}
            rows = [
                row if tuple(row) in before else [*row[:stamp], table.version, *row[stamp + 1 :]]
                for row in rows
            ]
        else:
            self._loaded[name] = table.version
        table.rows = rows

    def _append(self, table: Table, place: str) -> bool:
        """Take back what was only added, without reading the rest; False where that cannot be told."""
        if any(one.type.lower() in ROW_VERSIONS for one in table.columns):
            return False
        name = table.full_name.casefold()
        newer = f"SELECT * FROM {place} WHERE rowid > {self._newest[name]} ORDER BY rowid"  # noqa: S608 - quoted name
        added = [list(row) for row in self._sqlite.execute(newer)]
        if self._one(f"SELECT COUNT(*) FROM {place}") != len(table.rows) + len(added):  # noqa: S608 - quoted name
            return False
        table.rows += added
        table.version += bool(added)
        self._loaded[name] = table.version
        self._newest[name] = self._one(f"SELECT MAX(rowid) FROM {place}")  # noqa: S608 - quoted name
        return True


def quoted(name: str) -> str:
    """An identifier for SQLite."""
    return '"' + name.replace('"', '""') + '"'


def _declared(column: Column) -> str:
    base = column.type.partition("(")[0].strip().lower()
    affinity = AFFINITIES.get(base) or ("NUMERIC" if base in NUMERIC else "TEXT COLLATE NOCASE")
    if column.is_identity and affinity == "INTEGER":
        return f"{quoted(column.name)} INTEGER PRIMARY KEY AUTOINCREMENT"
    parts = [quoted(column.name), affinity]
    parts += ["PRIMARY KEY"] if column.is_key else []
    parts += [] if column.nullable else ["NOT NULL"]
    return " ".join(parts)


def _arguments(procedure: Procedure, given: Mapping[str, Any]) -> dict[str, Any]:
    order = list(procedure.parameters)
    given = {
        order[int(name)] if name.isdigit() and int(name) < len(order) else name: value
        for name, value in given.items()
    }
    known = {name.casefold(): name for name in procedure.parameters}
    for name in given:
        if name.lstrip("@").casefold() not in known:
            raise errors.unknown_parameter(procedure.name, name.lstrip("@"))
    values = {known[name.lstrip("@").casefold()]: value for name, value in given.items()}
    for name, default in procedure.parameters.items():
        if name not in values:
            if default == "required":
                raise errors.missing_parameter(procedure.name, name)
            values[name] = default
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)


def _translated(error: sqlite3.Error) -> errors.SqlError:
    text = str(error)
    what = text.rpartition(": ")[2]
    if "no such column" in text:
        return errors.invalid_column(what.rpartition(".")[2])
    if "UNIQUE constraint failed" in text:
        return errors.duplicate_key(what.rpartition(".")[0])
    if "NOT NULL constraint failed" in text:
        return errors.no_null(what.rpartition(".")[2], what.rpartition(".")[0])
    if "no such function" in text:
        return errors.SqlError(195, f"'{what}' is not a recognized built-in function name.", 15, 10)
    if "interrupted" in text:
        return errors.SqlError(
            -2,
            "Execution Timeout Expired.  The timeout period elapsed prior to completion of the operation.",
            11,
            0,
        )
    return errors.SqlError(8180, "Statement(s) could not be prepared.")


def result_as_rows(result: Result) -> list[dict[str, Any]]:
    """Rows as objects by column name."""
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def engine_for(memo: dict[str, Any], server: str, database: Database) -> Engine:
    """The engine of a database, made once per world and kept where derived things are kept."""
    engines: dict[str, Engine] = memo.setdefault("sql engines", {})
    key = f"{server}/{database.name}".casefold()
    if key not in engines or engines[key].database is not database:
        engines[key] = Engine(database)
    return engines[key]
