"""Bring an older store up to date, with a copy first; refuse a newer one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from holdfast.adapters.store.database import Database
from holdfast.adapters.store.schema import REVISION, metadata
from holdfast.adapters.system import make_private_file
from holdfast.core.errors import StoreError

UPGRADE_LOCK = 0x686F6C6466617374
"""Of the advisory lock that an upgrade holds on PostgreSQL, where writing alone keeps nobody out."""


def up_to_date(database: Database) -> None:
    """Make the tables, or bring them to `REVISION`. Costs one read when there is nothing to do.

    A file is copied before; PostgreSQL undoes a failed upgrade whole, and copies are its administrator's.

    Raises:
        StoreError: the store is of a newer holdfast, or could not be written; it is as it was.
    """
    with database.reading() as connection:
        found = revision_of(connection)
    if found == REVISION:
        return
    refuse_newer(database, found)
    if found is not None and database.file is not None:
        _copy(database, database.file.with_name(f"{database.file.name}.before-{REVISION}"))
    with database.writing() as connection:
        if database.file is None:
            connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
        # Another process may have been faster; the lock that we hold now makes this answer final.
        now = revision_of(connection)
        if now is None:
            _make(connection)
        elif now != REVISION:
            _upgrade(connection)


def revision_of(connection: Connection) -> str | None:
    """The revision that the store says it has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return found


def refuse_newer(database: Database, found: str | None) -> None:
    """Raise StoreError where the store is of a newer holdfast."""
    # Revisions are numbers with leading zeros, so that text compares as they do.
    if found is not None and found > REVISION:
        raise StoreError(
            f"The store {database.name} was written by a newer holdfast (revision {found}, this one knows"
            f" {REVISION}); use that version, or another state folder."
        )


def _copy(database: Database, copy: Path) -> None:
    if copy.exists() and copy.stat().st_size:
        return
    with database.translated():
        make_private_file(copy)
    with database.outside_transactions() as connection:
        connection.execute(text("VACUUM INTO :copy"), {"copy": str(copy)})


def _make(connection: Connection) -> None:
    """The tables of `REVISION` at once, where there are none; a test compares them with what the migrations make."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(text(_VERSIONS))
    connection.execute(text("insert into alembic_version values (:revision)"), {"revision": REVISION})


_VERSIONS = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def _upgrade(connection: Connection) -> None:
    # alembic takes a third of a second to import: only here, where it has something to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "holdfast.adapters.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
