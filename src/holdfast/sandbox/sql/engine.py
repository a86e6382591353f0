"""Queries on tables: T-SQL read by sqlglot, permissions checked on its tree, run on SQLite in memory.

The rows live in the world; SQLite is filled from them, and rows that a statement changed are taken back.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.administering import Directory, NoDirectory
from holdfast.sandbox.sql.catalogue import Column, Database, Table
from holdfast.sandbox.sql.conversions import as_text, from_decimal, read_kind
from holdfast.sandbox.sql.functions import Scene, register
from holdfast.sandbox.sql.permissions import need
from holdfast.sandbox.sql.statements import Source, Statement, is_system, read_query
from holdfast.sandbox.sql.system_views import VIEWS, columns_of
from holdfast.sandbox.sql.transactions import Transaction

AFFINITIES = {
    "int": "INTEGER",
    "bigint": "INTEGER",
    "smallint": "INTEGER",
    "tinyint": "INTEGER",
    "bit": "INTEGER",
}
NUMERIC = ("decimal", "numeric", "money", "float", "real")
BINARY = ("varbinary", "binary", "image")
ROW_VERSIONS = ("rowversion", "timestamp")
BROKEN_CHECK = re.compile(r"CHECK constraint failed: (\w+) of (.+)")
MOST_ROWS = 10_000
MOST_STEPS = 5_000_000
"""Virtual machine steps of SQLite that one statement may take: a limit of the sandbox."""


class Result(NamedTuple):
    """What one statement gave; `columns` is empty for one that gives no rows.

    Attributes:
        kinds: T-SQL types of the columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    affected: int
    kinds: tuple[str, ...] = ()


@dataclass(slots=True)
class Footprint:
    """What a session looked at and changed, for deciding whether doing it again would differ.

    Attributes:
        is_volatile: the text looked at the clock or at chance.
        rights: it changed principals or permissions.
    """

    read: set[str] = field(default_factory=set)
    wrote: set[str] = field(default_factory=set)
    is_volatile: bool = False
    rights: bool = False


class Engine:
    """One database's tables in SQLite.

    Attributes:
        directory: what the server asks of Entra.
        holders: which open transaction has written which table.
    """

    def __init__(self, database: Database, directory: Directory | None = None) -> None:
        self.database = database
        self.directory: Directory = directory or NoDirectory()
        self.holders: dict[str, Transaction] = {}
        self._sqlite = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._loaded: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._scene: Scene | None = None
        self._steps = 0
        register(self._sqlite, self._now_playing)
        self._sqlite.set_progress_handler(self._tick, 10_000)

    def _now_playing(self) -> Scene:
        assert self._scene is not None  # functions run inside statements only
        return self._scene

    def _tick(self) -> int:
        self._steps += 10_000
        return int(self._steps > MOST_STEPS)

    def statement(
        self,
        scene: Scene,
        statement: Statement,
        variables: Mapping[str, Any],
        footprint: Footprint,
        transaction: Transaction,
        *,
        checked: bool = True,
    ) -> Result:
        """Run one query as the scene's user: all of it or nothing.

        Args:
            variables: by name in lower case.
            checked: False inside a procedure, whose owner owns the tables too.

        Raises:
            SqlError: a permission is missing, a name unknown, a value wrong.
        """
        names = (*statement.reads, *statement.writes)
        # Like the server: an object that is not there is told before a permission that is missing.
        for name in names:
            if not self._is_there(name):
                # As it was written: the server adds no schema of its own.
                raise errors.invalid_object(name.partition(".")[2] if name in statement.bare else name)
        if checked:
            for permission, name in statement.needs:
                need(scene.session, permission, name, scene.now)
        for name in statement.writes:
            self._may_be_written(name, statement)
            transaction.touch(name.casefold())
        for name in names:
            self._load(name, scene)
        footprint.read |= self._tables_behind(statement.reads)
        footprint.wrote |= {name.casefold() for name in statement.writes}
        footprint.is_volatile |= statement.is_volatile
        self._scene, self._steps = scene, 0
        return self._whole(scene, statement, variables)

    def _is_there(self, name: str) -> bool:
        if is_system(name):
            return name.casefold() in VIEWS
        return self.database.kind_of(name) in ("U", "V")

    def _may_be_written(self, name: str, statement: Statement) -> None:
        table = self.database.table(name)
        if table is None:
            raise errors.SqlError(
                4405,
                f"View or function '{name}' is not updatable because the modification affects multiple base tables.",
            )
        filled = {one.casefold() for one in statement.filled}
        if any(one.is_identity and one.name.casefold() in filled for one in table.columns):
            raise errors.explicit_identity(table.name)
        if statement.has_output and any(statement.verb in one.events for one in table.triggers):
            raise errors.has_triggers(table.full_name)

    def _tables_behind(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for name in names:
            found.add(name.casefold())
            if (view := self.database.view(name)) is not None:
                found |= self._tables_behind(read_query(view.query).reads)
        return {name for name in found if not is_system(name)}

    def _whole(self, scene: Scene, statement: Statement, variables: Mapping[str, Any]) -> Result:
        self._sqlite.execute("BEGIN")
        try:
            result = self._run(scene, statement, variables)
        except BaseException:
            self._sqlite.execute("ROLLBACK")
            raise
        self._sqlite.execute("COMMIT")
        for name in statement.writes:
            self._take_back(name.casefold(), adds=statement.adds)
        return result

    def _run(self, scene: Scene, statement: Statement, variables: Mapping[str, Any]) -> Result:
        missing = next((name for name in statement.variables if name.casefold() not in variables), None)
        if missing is not None:
            raise errors.SqlError(137, f'Must declare the scalar variable "@{missing}".', 15, 2)
        values = {name: _plain(variables[name.casefold()]) for name in statement.variables}
        try:
            cursor = self._sqlite.execute(statement.sqlite, values)
            columns = tuple(column[0] for column in cursor.description or ())
            rows = tuple(cursor.fetchmany(MOST_ROWS)) if columns else ()
        except sqlite3.Error as error:
            fault, scene.fault = scene.fault, None
            raise fault or self._translated(error, statement) from None
        except (OverflowError, ValueError):
            raise errors.SqlError(
                8115, "Arithmetic overflow error converting expression to data type int."
            ) from None
        if not columns:
            return Result((), (), max(cursor.rowcount, 0))
        affected = len(rows) if statement.writes else max(cursor.rowcount, 0)
        sources = statement.sources_of(columns)
        for at, source in enumerate(sources):
            value = variables.get(source.told) if source.what == "variable" else None
            if isinstance(value, datetime) and value.tzinfo:
                rows = tuple((*row[:at], as_text(value), *row[at + 1 :]) for row in rows)
        kinds = self._kinds(statement, sources, rows, variables)
        return Result(tuple(one.name for one in sources), rows, affected, kinds)

    # --- types of results --------------------------------------------------------------------------------

    def _kinds(
        self,
        statement: Statement,
        sources: Iterable[Source],
        rows: tuple[tuple[Any, ...], ...],
        variables: Mapping[str, Any],
    ) -> tuple[str, ...]:
        known: dict[str, str] = {}
        for name in (*statement.reads, *statement.writes):
            for column, its in self._columns(name):
                known.setdefault(column.casefold(), its)

        def kind(at: int, source: Source) -> str:
            if source.what == "type":
                found = source.told
            elif source.what == "variable":
                found = kind_of_variable(variables[source.told])
            else:
                found = known.get(source.told.casefold(), "")
            return found or kind_of([row[at] for row in rows])

        return tuple(kind(at, source) for at, source in enumerate(sources))

    def _columns(self, name: str) -> Iterable[tuple[str, str]]:
        if is_system(name):
            return columns_of(name.casefold())
        if (table := self.database.table(name)) is not None:
            return [(one.name, one.type) for one in table.columns]
        view = self.database.view(name)
        inner = read_query(view.query).reads if view is not None else ()
        return [pair for one in inner for pair in self._columns(one)]

    # --- rows between the world and SQLite -----------------------------------------------------------------

    def _load(self, name: str, scene: Scene) -> None:
        key = name.casefold()
        if is_system(name):
            self._load_system(key, scene)
        elif (view := self.database.view(name)) is not None:
            inner = read_query(view.query)
            for one in inner.reads:
                self._load(one, scene)
            place = quoted(key)
            self._sqlite.execute(f"DROP VIEW IF EXISTS {place}")
            self._sqlite.execute(f"CREATE VIEW {place} AS {inner.sqlite}")
        else:
            self._load_table(key)

    def _load_system(self, key: str, scene: Scene) -> None:
        columns = columns_of(key)
        declared = [_declared(Column(name=name, type=kind)) for name, kind in columns]
        self._fill(quoted(key), declared, VIEWS[key][1](scene.session))

    def _load_table(self, key: str) -> None:
        table = self.database.tables[key]
        if self._loaded.get(key) == table.version:
            return
        place = quoted(table.full_name.casefold())
        self._fill(place, [_declared(one) for one in table.columns], table.rows)
        self._loaded[key] = table.version
        self._newest[key] = self._one(f"SELECT MAX(rowid) FROM {place}")  # noqa: S608 - quoted name

    def _fill(self, place: str, columns: list[str], rows: Iterable[Any]) -> None:
        self._sqlite.execute(f"DROP TABLE IF EXISTS {place}")
        self._sqlite.execute(f"CREATE TABLE {place} ({', '.join(columns)})")
        holes = ", ".join("?" * len(columns))
        self._sqlite.executemany(f"INSERT INTO {place} VALUES ({holes})", rows)  # noqa: S608 - quoted name

    def _one(self, text: str) -> int:
        return self._sqlite.execute(text).fetchone()[0] or 0

    def _translated(self, error: sqlite3.Error, statement: Statement) -> errors.SqlError:
        table = self.database.table(statement.writes[0]) if statement.writes else None
        found = BROKEN_CHECK.search(str(error))
        if found is None or table is None:
            return _translated(error, table)
        rule, column = found.groups()
        if rule == "length":
            return errors.truncated(table.full_name, column)
        kind = "numeric" if rule == "decimal" else rule
        return errors.SqlError(8114, f"Error converting data type varchar to {kind}.", 16, 5)

    def _take_back(self, name: str, *, adds: bool) -> None:
        table = self.database.tables[name]
        place = quoted(table.full_name.casefold())
        if adds and self._append(table, place):
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
    affinity = "BLOB" if base in BINARY else affinity
    if column.is_identity and affinity == "INTEGER":
        return f"{quoted(column.name)} INTEGER PRIMARY KEY AUTOINCREMENT"
    parts = [quoted(column.name), affinity]
    parts += ["PRIMARY KEY"] if column.is_key else []
    parts += [] if column.nullable else ["NOT NULL"]
    return " ".join((*parts, *_checks(column, base, affinity)))


def _checks(column: Column, base: str, affinity: str) -> Iterable[str]:
    """What SQLite would let in and SQL Server does not; the names of the checks are read in `BROKEN_CHECK`."""
    name = quoted(column.name)
    if affinity in ("INTEGER", "NUMERIC") and base not in ROW_VERSIONS:
        # a decimal that no float holds stays a text
        rule = quoted(f"{base} of {column.name}")
        yield f"CONSTRAINT {rule} CHECK (typeof({name}) <> 'text' OR {name} NOT GLOB '*[^0-9.-]*')"
    kind = read_kind(column.type)
    if kind is not None and "char" in base and kind.size is not None:
        yield f"CONSTRAINT {quoted(f'length of {column.name}')} CHECK (length({name}) <= {kind.size})"


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return from_decimal(value)
    if isinstance(value, datetime):
        return as_text(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
    if isinstance(value, UUID):
        return str(value).upper()
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)


def kind_of_variable(value: Any) -> str:
    """The T-SQL type of a variable or parameter; "" where it is one that `kind_of` tells."""
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        scale = max(-int(exponent), 0)
        return f"decimal({min(max(len(digits), scale + 1), 38)},{min(scale, 38)})"
    if isinstance(value, datetime):
        return "datetimeoffset" if value.tzinfo else "datetime2"
    return {bool: "bit", date: "date", time: "time", UUID: "uniqueidentifier"}.get(type(value), "")


def _translated(error: sqlite3.Error, table: Table | None) -> errors.SqlError:
    text = str(error)
    what = text.rpartition(": ")[2]
    if "no such column" in text:
        return errors.invalid_column(what.rpartition(".")[2])
    if "UNIQUE constraint failed" in text:
        return errors.duplicate_key(table.full_name if table is not None else what.rpartition(".")[0])
    if "NOT NULL constraint failed" in text:
        return errors.no_null(
            what.rpartition(".")[2], table.full_name if table is not None else what.rpartition(".")[0]
        )
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


def kind_of(values: list[Any]) -> str:
    """The T-SQL type of a column that nothing but its values tells."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        return "int" if all(value is None or -(2**31) <= value < 2**31 for value in values) else "bigint"
    if kinds <= {int, float}:
        return "float"
    return "varbinary(max)" if kinds == {bytes} else "nvarchar(max)"


def result_as_rows(result: Result) -> list[dict[str, Any]]:
    """Rows as objects by column name."""
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def engine_for(
    memo: dict[str, Any], server: str, database: Database, directory: Directory | None = None
) -> Engine:
    """The engine of a database, made once per world and kept where derived things are kept."""
    engines: dict[str, Engine] = memo.setdefault("sql engines", {})
    key = f"{server}/{database.name}".casefold()
    if key not in engines or engines[key].database is not database:
        engines[key] = Engine(database, directory)
    return engines[key]
