"""What PostgreSQL does otherwise than a file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from holdfast.adapters.store.history import SqlHistory
from holdfast.adapters.store.looking import look
from holdfast.core.errors import StoreError
from holdfast.core.inventory import Connection
from tests.builders import START, a_connection


def test_two_that_open_an_empty_database_make_its_tables_once(database_url: str):
    with ThreadPoolExecutor(2) as threads:
        for history in threads.map(SqlHistory, [database_url] * 2):
            history.close()

    assert look(database_url).revision == look(database_url).newest


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


def test_a_database_that_is_not_there_is_told_without_the_password(database_url: str):
    url = "postgresql://holdfast:hunter2@127.0.0.1:1/history?password=hunter3"

    with pytest.raises(StoreError, match="could not be reached") as told:
        SqlHistory(url)

    assert "hunter" not in str(told.value)
