"""The file of the store: its rights, its revisions, and what is said when it cannot be used."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert

from holdfast.adapters.store import database as database_module
from holdfast.adapters.store import upgrade
from holdfast.adapters.store.database import Database
from holdfast.adapters.store.history import SqlHistory
from holdfast.adapters.store.schema import REVISION, metadata, tenants
from holdfast.adapters.store.upgrade import revision_of, up_to_date
from holdfast.core.errors import StoreError
from holdfast.core.inventory import Connection
from tests.builders import START, a_connection

NEVER = START - timedelta(days=9999)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "holdfast.sqlite3"


@pytest.mark.skipif(os.name != "posix", reason="rights are a list there")
async def test_only_its_user_may_read_it(file: Path):
    history = SqlHistory(file)
    await history.begin("contoso", START, NEVER)

    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="rights are a list there")
def test_a_store_that_others_could_read_is_closed_to_them(file: Path):
    SqlHistory(file).close()
    file.chmod(0o644)

    SqlHistory(file).close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def tables(file: Path) -> dict[str, str]:
    with sqlite3.connect(file) as store:
        made = store.execute("select name, sql from sqlite_master where sql is not null").fetchall()
    return {name: re.sub(r"\s+", "", sql) for name, sql in made}


def test_a_new_store_is_made_as_the_migrations_make_it(tmp_path: Path):
    new, migrated = tmp_path / "new.sqlite3", tmp_path / "migrated.sqlite3"
    up_to_date(Database(new))
    with Database(migrated).writing() as connection:
        upgrade._upgrade(connection)

    assert tables(new) == tables(migrated)


def test_the_migrations_make_the_tables_that_the_code_knows(file: Path):
    database = Database(file)
    with database.writing() as connection:
        upgrade._upgrade(connection)

    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert revision_of(connection) == REVISION


def test_the_newest_migration_is_the_revision_that_the_code_knows():
    folder = Path(upgrade.__file__).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == REVISION


def test_a_store_of_a_newer_holdfast_is_refused(file: Path):
    SqlHistory(file).close()
    with sqlite3.connect(file) as other:
        other.execute("update alembic_version set version_num = '9999'")
    before = file.read_bytes()

    with pytest.raises(StoreError, match=r"newer holdfast \(revision 9999"):
        SqlHistory(file)

    assert file.read_bytes() == before


def test_an_older_store_is_copied_before_it_is_changed(file: Path, monkeypatch: pytest.MonkeyPatch):
    SqlHistory(file).close()
    with sqlite3.connect(file) as other:
        other.execute("update alembic_version set version_num = '0000'")
        other.execute("insert into tenants (name) values ('contoso')")
    monkeypatch.setattr(upgrade, "_upgrade", lambda connection: None)

    up_to_date(Database(file))

    copy = file.with_name(f"holdfast.sqlite3.before-{REVISION}")
    with sqlite3.connect(copy) as kept:
        assert kept.execute("select name from tenants").fetchall() == [("contoso",)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch):
    def breaks(connection):
        connection.exec_driver_sql("create table half (id integer)")
        connection.exec_driver_sql("nonsense")

    monkeypatch.setattr(upgrade, "_make", breaks)
    database = Database(file)

    with pytest.raises(StoreError):
        up_to_date(database)

    with database.reading() as connection:
        assert connection.exec_driver_sql("select name from sqlite_master").fetchall() == []


@pytest.mark.parametrize(
    "content", [b"This is a letter, not a database. " * 99, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_said_in_one_sentence_that_names_it(file: Path, content: bytes):
    file.parent.mkdir()
    file.write_bytes(content)

    with pytest.raises(StoreError, match=r"holdfast\.sqlite3") as caught:
        SqlHistory(file)

    assert "damaged" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "state").write_text("in the way")

    with pytest.raises(StoreError, match="could not be opened"):
        SqlHistory(tmp_path / "state" / "holdfast.sqlite3")


async def test_a_store_that_another_process_is_writing_is_said(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    history = SqlHistory(file)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")

    with pytest.raises(StoreError, match="another holdfast"):
        await history.begin("contoso", START, NEVER)

    other.rollback()
    await history.begin("contoso", START, NEVER)


async def test_a_full_disk_keeps_the_store_as_it_was(file: Path):
    history = SqlHistory(file)
    scan = await history.begin("contoso", START, NEVER)
    with history._database.reading() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        connection.exec_driver_sql(f"pragma max_page_count = {pages + 1}")

    with pytest.raises(StoreError, match="disk is full"):
        await history.observe(scan.id, START, [a_connection(f"c{number}") for number in range(2000)])

    assert [c async for c in history.current("contoso", Connection)] == []


def test_a_transaction_that_fails_keeps_nothing(file: Path):
    database = Database(file)
    up_to_date(database)

    with pytest.raises(StoreError):
        insert_twice(database, "contoso")

    with database.reading() as connection:
        assert connection.execute(tenants.select()).all() == []


def test_an_error_does_not_tell_the_values_that_were_written(file: Path):
    database = Database(file)
    up_to_date(database)

    with pytest.raises(StoreError) as caught:
        insert_twice(database, "hush")

    assert "hush" not in str(caught.value)


def insert_twice(database: Database, name: str) -> None:
    with database.writing() as connection:
        connection.execute(insert(tenants).values(name=name))
        connection.execute(insert(tenants).values(name=name))
