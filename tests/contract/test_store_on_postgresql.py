"""What PostgreSQL does otherwise than a file."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, text

from holdfast.adapters.store.history import SqlHistory
from holdfast.adapters.store.leaving import Remains
from holdfast.adapters.store.looking import look
from holdfast.cli.main import run
from holdfast.core.agenda import ENGINE_SCHEMA
from holdfast.core.errors import StoreError
from holdfast.core.inventory import Connection
from tests.builders import START, a_connection


def test_two_that_open_an_empty_database_make_its_tables_once(database_url: str):
    with ThreadPoolExecutor(2) as threads:
        for history in threads.map(SqlHistory, [database_url] * 2):
            history.close()

    assert look(database_url).revision == look(database_url).newest


def test_a_new_store_is_made_as_the_migrations_make_it(database_url: str):
    SqlHistory(database_url).close()
    engine = create_engine(database_url)
    new = _described(engine)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    _at_revision(database_url, "head")

    assert new == _described(engine)
    engine.dispose()


def _described(engine: Engine) -> list[tuple[str, ...]]:
    """Every column with its type, collation and default, and every index and constraint as the server writes it."""
    questions = (
        "select table_name, column_name, data_type, is_nullable, coalesce(column_default, ''),"
        " coalesce(collation_name, '') from information_schema.columns where table_schema = 'public'",
        "select tablename, indexdef from pg_indexes where schemaname = 'public'",
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = 'public'::regnamespace",
    )
    with engine.connect() as connection:
        return sorted(tuple(map(str, row)) for each in questions for row in connection.execute(text(each)))


def test_looking_makes_no_tables(database_url: str):
    look(database_url)

    assert look(database_url).revision is None


async def test_a_scan_of_another_process_holds_the_turn_and_lets_go(database_url: str):
    one, other = SqlHistory(database_url), SqlHistory(database_url)
    async with one.scanning("contoso"):
        with pytest.raises(StoreError, match="Another holdfast is scanning"):
            async with other.scanning("contoso"):
                pass
    async with other.scanning("contoso"):
        pass
    one.close()
    other.close()


async def test_a_forgotten_person_is_in_no_table(database_url: str):
    history = SqlHistory(database_url)
    scan = await history.begin("contoso", START, START - timedelta(days=1))
    await history.observe(scan.id, START, [a_connection()])
    [known] = [thing async for thing in history.current("contoso", Connection)]
    assert known.owner is not None

    forgotten = await history.forget(known.owner.display_name)
    history.close()

    assert forgotten.rows > 0
    engine = create_engine(database_url)
    with engine.connect() as connection:
        kept = [
            *connection.execute(text("select facts from things union all select change from observations"))
        ]
    engine.dispose()
    assert known.owner.display_name not in str(kept)


async def test_a_turn_holds_no_transaction_open(database_url: str):
    history = SqlHistory(database_url)
    watching = create_engine(database_url)
    held = text("select state from pg_stat_activity join pg_locks using (pid) where locktype = 'advisory'")

    async with history.scanning("contoso"):
        with watching.connect() as connection:
            states = connection.execute(held).scalars().all()

    history.close()
    watching.dispose()
    assert states == ["idle"]


async def test_a_turn_whose_session_was_ended_is_told(database_url: str):
    history = SqlHistory(database_url)
    watching = create_engine(database_url, isolation_level="AUTOCOMMIT")
    holder = "select pid from pg_locks where locktype = 'advisory'"

    async def scan() -> None:
        async with history.scanning("contoso"):
            # As when the server is restarted meanwhile.
            with watching.connect() as connection:
                connection.execute(text(f"select pg_terminate_backend(({holder}))"))

    with pytest.raises(StoreError):
        await scan()

    history.close()
    watching.dispose()


def test_a_store_of_a_newer_holdfast_is_refused_as_it_is(database_url: str):
    SqlHistory(database_url).close()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    for refused in (lambda: SqlHistory(database_url), Remains(database_url).drop):
        with pytest.raises(StoreError, match=r"newer holdfast \(revision 9999") as told:
            refused()
        assert "\n" not in str(told.value)

    assert look(database_url).is_newer
    engine.dispose()


async def test_an_older_store_is_brought_up_with_all_that_is_in_it(database_url: str):
    _at_revision(database_url, "0001")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("insert into tenants (name) values ('contoso')"))

    SqlHistory(database_url).close()

    assert look(database_url).revision == look(database_url).newest
    with engine.connect() as connection:
        assert connection.execute(text("select name from tenants")).scalars().all() == ["contoso"]
    engine.dispose()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(database_url: str):
    _at_revision(database_url, "0001")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("create table deeds (somebody_elses integer)"))

    with pytest.raises(StoreError):
        SqlHistory(database_url)

    assert look(database_url).revision == "0001"
    assert "plans" not in inspect(engine).get_table_names()
    engine.dispose()


def _at_revision(url: str, revision: str) -> None:
    """Make the tables as the holdfast of that revision left them."""
    config = Config()
    config.set_main_option("script_location", "holdfast.adapters.store:migrations")
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_purging_takes_our_tables_and_leaves_the_rest(database_url: str, tmp_path, monkeypatch, capsys):
    SqlHistory(database_url).close()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("create table theirs (id integer)"))
        connection.execute(text(f"create schema {ENGINE_SCHEMA} create table notes (id integer)"))
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_STORE_URL", database_url)
    (tmp_path / "holdfast.toml").write_text("")

    shown = run(["purge", "--show", "--config", str(tmp_path / "holdfast.toml"), "-o", "jsonl"])
    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    purged = run(["purge", "--yes", "--config", str(tmp_path / "holdfast.toml")])

    assert (shown, purged) == (0, 0)
    assert row["kind"] == "tables of the store"
    assert row["where"].startswith("postgresql://")
    assert row["size"] > 0
    assert inspect(engine).get_table_names() == ["theirs"]
    assert ENGINE_SCHEMA not in inspect(engine).get_schema_names()
    engine.dispose()


async def test_purging_waits_for_a_scan(database_url: str):
    history, server = SqlHistory(database_url), Remains(database_url)
    await history.begin("contoso", START, START)

    async with history.scanning("contoso"):
        with pytest.raises(StoreError, match="at work in the tenant 'contoso'"):
            server.drop()

    assert server.size()
    server.drop()
    assert server.size() is None
    server.close()
    history.close()


def test_tables_of_our_names_without_our_version_are_not_ours(database_url: str):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("create table things (theirs integer)"))

    Remains(database_url).drop()

    assert inspect(engine).get_table_names() == ["things"]
    engine.dispose()


def test_a_database_that_is_not_there_is_told_without_the_password(database_url: str):
    url = "postgresql://holdfast:hunter2@127.0.0.1:1/history?password=hunter3"

    with pytest.raises(StoreError, match="could not be reached") as told:
        SqlHistory(url)

    assert "hunter" not in str(told.value)
