from __future__ import annotations

from datetime import UTC, datetime

import pytest

from holdfast.sandbox.databases import log_in
from holdfast.sandbox.scenarios.named import SERVER, build
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import ResultColumn, RowSet, SqlSession
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return build("story", 1, NOW)


def app(world: World, name: str) -> Identity:
    found = next(one for one in world.applications.values() if one.display_name == name)
    return Identity("entra", found.client_id, entra_id=found.client_id)


def session(world: World, name: str, database: str = "erp") -> SqlSession:
    return log_in(world, SERVER, database, app(world, name), lambda: NOW, "203.0.113.9")


def test_a_query_gives_rows_with_typed_columns(world):
    told = session(world, "holdfast-sql-admin").execute("SELECT 1 AS one, N'a' AS a")
    assert told == [
        RowSet((ResultColumn("one", "int"), ResultColumn("a", "nvarchar(max)")), ((1, "a"),)),
    ]


def test_an_error_is_in_the_list(world):
    (error,) = session(world, "erp-nightly").execute("SELECT * FROM dbo.Totals")
    assert isinstance(error, SqlError)
    assert error.number == 229


def test_a_server_that_is_not_there_is_53(world):
    with pytest.raises(SqlError) as caught:
        log_in(world, "nowhere", "erp", app(world, "erp-nightly"), lambda: NOW, "203.0.113.9")
    assert caught.value.number == 53
