"""What expressions of T-SQL come to, and in which type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from holdfast.sandbox.databases import log_in
from holdfast.sandbox.scenarios.named import SERVER, build
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import RowSet

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
GUID = UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask() -> Ask:
    world = build("story", 1, NOW)
    admin = next(one for one in world.applications.values() if one.display_name == "holdfast-sql-admin")
    who = Identity("entra", admin.client_id, entra_id=admin.client_id, tenant=world.tenant_id)
    session = log_in(world, SERVER, "erp", who, lambda: NOW, "203.0.113.9")

    def told(text: str, **parameters: Any) -> Any:
        return session.execute(text, parameters)[-1]

    return told


VALUES = {
    "CAST('2026-01-02' AS date)": date(2026, 1, 2),
    "CAST('20260102 03:04' AS date)": date(2026, 1, 2),
    "CAST('03:04:05.678' AS time(3))": time(3, 4, 5, 678000),
    "CAST('2026-01-02T03:04:05.1234567' AS datetime2)": datetime(2026, 1, 2, 3, 4, 5, 123456),
    "CAST('2026-01-02 03:04:05.123' AS datetime)": datetime(2026, 1, 2, 3, 4, 5, 123000),
    "CAST('2026-01-02T03:04:05.125' AS datetime)": datetime(2026, 1, 2, 3, 4, 5, 127000),
    "CAST('2026-01-02T03:04:05+02:00' AS datetimeoffset)": datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))
    ),
    "CONVERT(varchar(10), CAST('2026-01-02' AS date), 112)": "20260102",
    "CONVERT(nvarchar(max), N'é')": "é",
    "CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier)": GUID,
    "CAST(0xFF19966F868B11D0B42D00C04FC964FF AS uniqueidentifier)": UUID(
        bytes_le=bytes.fromhex("FF19966F868B11D0B42D00C04FC964FF")
    ),
    "CAST(1.005 AS decimal(10,2))": Decimal("1.01"),
    "CAST('12345678901234567890.12' AS decimal(38,2))": Decimal("12345678901234567890.12"),
    "CAST(3 AS bit)": True,
    "CAST(1.9 AS int)": 1,
    "CAST('abcdef' AS varchar(3))": "abc",
    "TRY_CAST('x' AS int)": None,
    "TRY_CONVERT(date, 'soon')": None,
    "CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END": "a",
    "-7 / 2": -3,
    "-7 % 2": -1,
    "7 / 2.0": 3.5,
    "CONCAT(LEFT('abc', 2), NULL, RIGHT('xyz', 1), YEAR('2026-05-06'))": "abz2026",
}


@pytest.mark.parametrize(("expression", "expected"), VALUES.items(), ids=VALUES)
def test_an_expression_has_value_and_type(ask, expression, expected):
    told = ask(f"SELECT {expression}")

    assert isinstance(told, RowSet), told
    assert (told.rows, type(told.rows[0][0])) == (((expected,),), type(expected))


PARAMETERS = (
    date(2026, 1, 2),
    time(3, 4, 5, 678901),
    datetime(2026, 1, 2, 3, 4, 5, 678901),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5))),
    GUID,
    True,
    Decimal("12345678901234567890.123456"),
    b"\0\xff",
    1.25,
    -(2**63),
    None,
)


@pytest.mark.parametrize("value", PARAMETERS, ids=str)
def test_a_parameter_comes_back_as_it_was_sent(ask, value):
    told = ask("SELECT @p AS v", p=value)

    assert (told.rows, type(told.rows[0][0])) == (((value,),), type(value))


BATCHES = {
    "DECLARE @d date = '2026-01-02', @t nvarchar(3) = N'abcdef'; SELECT @d, @t": (date(2026, 1, 2), "abc"),
    "DECLARE @n int = '5'; SET @n += 1; SELECT @n": (6,),
    "DECLARE @n int = 1; SELECT @n = Id FROM dbo.Orders WHERE Id = 7; SELECT @n": (7,),
    "DECLARE @n int = 1; SELECT @n = Id FROM dbo.Orders WHERE Id < 0; SELECT @n": (1,),
}


@pytest.mark.parametrize(("batch", "expected"), BATCHES.items(), ids=BATCHES)
def test_a_variable_keeps_its_type(ask, batch, expected):
    assert ask(batch).rows == (expected,)


REFUSED = {
    "SELECT 1 / 0": (8134, 16),
    "SELECT 1 % 0": (8134, 16),
    "SELECT CAST('abc' AS int)": (245, 16),
    "SELECT CAST(300 AS tinyint)": (8115, 16),
    "SELECT CAST('abc' AS decimal(5,2))": (8114, 16),
    "SELECT CAST(12345 AS decimal(5,2))": (8115, 16),
    "SELECT CAST('soon' AS datetime2)": (241, 16),
    "SELECT CAST('2026-02-30' AS date)": (241, 16),
    "SELECT CAST('x' AS uniqueidentifier)": (8169, 16),
    "SELECT CAST('x' AS xml)": (40510, 16),
    "DECLARE @n int = 'abc'": (245, 16),
    "DECLARE @n int; SELECT @n = 1, Id FROM dbo.Orders": (141, 15),
    "SELECT @@NO_SUCH": (137, 15),
    "SELECT DATENAME(month, GETDATE())": (195, 15),
    "UPDATE dbo.Orders SET Amount = 'abc' WHERE Id = 1": (8114, 16),
    "INSERT INTO dbo.Orders (Customer) VALUES ('" + "x" * 300 + "')": (2628, 16),
    "INSERT INTO dbo.Orders (Id, Customer) VALUES (99, 'x')": (544, 16),
    "CREATE USER [] WITH SID = 0x01, TYPE = E": (1038, 15),
}


@pytest.mark.parametrize(("batch", "expected"), REFUSED.items(), ids=REFUSED)
def test_what_does_not_fit_is_refused_with_its_number(ask, batch, expected):
    told = ask(batch)

    assert isinstance(told, SqlError)
    assert (told.number, told.severity) == expected


def test_a_refused_value_leaves_the_row_as_it_was(ask):
    before = ask("SELECT Amount FROM dbo.Orders WHERE Id = 1").rows

    ask("UPDATE dbo.Orders SET Amount = 'abc' WHERE Id = 1")

    assert ask("SELECT Amount FROM dbo.Orders WHERE Id = 1").rows == before


def test_columns_without_a_name_have_none(ask):
    told = ask("SELECT 1, 2 AS two, Id FROM dbo.Orders WHERE Id = 1")

    assert [one.name for one in told.columns] == ["", "two", "Id"]


def test_every_new_id_is_another(ask):
    ((one, other),) = ask("SELECT NEWID(), NEWID()").rows

    assert isinstance(one, UUID)
    assert one != other
