"""The database itself: opening it, its two kinds of transaction, and its errors as one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, Row, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from holdfast.adapters.system import make_private_file, make_private_folder
from holdfast.core.errors import StoreError

P = ParamSpec("P")
R = TypeVar("R")

Line = Row[*tuple[Any, ...]]
"""A row of an answer."""

BUSY_SECONDS = 15
"""How long to wait for another process that is writing; one page is written in far less."""


class Database:
    """One store, by the path of its SQLite file or by the URL of a PostgreSQL database."""

    def __init__(self, where: Path | str) -> None:
        self.url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else server_url(where)
        self.file = where if isinstance(where, Path) else None
        with self.translated():
            if self.file is not None:
                make_private_folder(self.file.parent)
                make_private_file(self.file)
            self._engine = _engine(self.url)
        self._writer = self._engine.execution_options(holdfast_writes=True)
        # SQLite's transactions see one moment by themselves; PostgreSQL's have to be asked to.
        self._reader = (
            self._engine
            if self.file is not None
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @property
    def name(self) -> str:
        """How errors name it; never with a password."""
        return str(self.file) if self.file is not None else _shown(self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent look; writers are not kept waiting.

        Raises:
            StoreError: it could not be read.
        """
        with self.translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is kept, or none.

        Raises:
            StoreError: it could not be written; the store is as it was.
        """
        with self.translated(), self._writer.begin() as connection:
            yield connection

    async def read(
        self, question: Callable[Concatenate[Connection, P], R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """The answer to a question that is put in one consistent look, in a thread. Raises StoreError."""

        def at_once() -> R:
            with self.reading() as connection:
                return question(connection, *arguments, **named)

        return await asyncio.to_thread(at_once)

    async def write(
        self, deed: Callable[Concatenate[Connection, P], R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """What a deed comes to that is done in one transaction, in a thread. Raises StoreError."""

        def in_one_transaction() -> R:
            with self.writing() as connection:
                return deed(connection, *arguments, **named)

        return await asyncio.to_thread(in_one_transaction)

    @contextmanager
    def outside_transactions(self) -> Iterator[Connection]:
        """For the few statements that a database refuses inside a transaction."""
        with self.translated(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the database's and the file system's errors into a StoreError of one sentence."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"The store {self.name} could not be opened: {error.strerror or error}; check the folder and its rights."
            ) from error
        except SQLAlchemyError as error:
            raise StoreError(f"The store {self.name} {_what_happened(error)}") from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return _server_engine(url)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Without this the driver begins transactions when it pleases, and never before DDL.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return
        # A transaction that reads first and writes later cannot wait for another writer: SQLite refuses it
        # at once. So a writing one takes the lock at its start.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("holdfast_writes") else "BEGIN")

    return engine


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except ImportError:
        raise StoreError(
            f"The store {_shown(url)} needs the driver of PostgreSQL: pip install 'holdfast[postgres]'."
        ) from None


def server_url(text: str) -> URL:
    """The URL of a PostgreSQL database, with the driver that we have.

    Raises:
        StoreError: it is none; the text, which may hold a password, is not told.
    """
    try:
        url = make_url(text)
    except (SQLAlchemyError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        raise StoreError("store_url must be postgresql://USER@HOST/DATABASE; without it the store is a file.")
    return url.set(drivername="postgresql+psycopg")


def _shown(url: URL) -> str:
    # Without the query, which can hold a password too.
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()


_SQLITE_ERRORS = {
    "SQLITE_FULL": "could not be written because the disk is full; nothing of this step was kept. Free some space and run it again.",
    "SQLITE_BUSY": "is being written by another holdfast; wait for it to end and run this again.",
    "SQLITE_LOCKED": "is being written by another holdfast; wait for it to end and run this again.",
    "SQLITE_READONLY": "may not be written; check the rights of the file and its folder.",
    "SQLITE_CANTOPEN": "could not be opened; check that its folder exists and may be written.",
    "SQLITE_NOTADB": "is not a holdfast store, or is damaged; move the file away, or put back a copy.",
    "SQLITE_CORRUPT": "is damaged; move the file away, or put back a copy.",
    "SQLITE_IOERR": "could not be read or written because the disk gave an error; check the disk and run this again.",
    "SQLITE_PERM": "may not be opened; check the rights of the file and its folder.",
}


_UNREACHED = "could not be reached, or refused the sign-in; check store_url and that the server runs."
_POSTGRESQL_ERRORS = {
    "08": _UNREACHED,
    "28": _UNREACHED,
    "3D": _UNREACHED,
    "57P": _UNREACHED,
    "53100": "could not be written because the server's disk is full; nothing of this step was kept. Free some space and run it again.",
    "42501": "may not be written; let the user of store_url create tables in the database and write them.",
    "25006": "may not be written: the server is read-only; name the primary in store_url.",
}
"""By the beginning of the SQLSTATE."""


def _what_happened(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or ""
    for prefix, sentence in _SQLITE_ERRORS.items():
        if name.startswith(prefix):
            return sentence
    if isinstance(error, DBAPIError) and hasattr(error.orig, "sqlstate"):
        # libpq tells no state for what goes wrong before there is a connection.
        name = getattr(cause, "sqlstate", None) or (
            "08" if type(cause).__name__ == "OperationalError" else ""
        )
        for prefix, sentence in _POSTGRESQL_ERRORS.items():
            if name.startswith(prefix):
                return sentence
    # The driver's own words can quote values that were being written: only its kind is told.
    return (
        f"refused what holdfast asked ({name or type(cause).__name__}); run again, and report it if it stays."
    )


def insert_or_update(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, by: Sequence[str]
) -> None:
    """Insert the rows; where one with the same `by` columns exists, write the others over it.

    The two dialects have the statement under the same name in two classes.
    """
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    rest = {name: statement.excluded[name] for name in rows[0] if name not in by}
    connection.execute(statement.on_conflict_do_update(index_elements=list(by), set_=rest), list(rows))


def insert_if_absent(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, by: Sequence[str]
) -> None:
    """Insert the rows; where one with the same `by` columns exists, leave it as it is."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(index_elements=list(by)), list(rows))
