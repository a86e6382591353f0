from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sandbox.sql.catalogue import (
    Column,
    Database,
    Login,
    Permission,
    Principal,
    Procedure,
    Server,
    Table,
    sid_of,
)
from holdfast.sandbox.sql.engine import Engine, Footprint, result_as_rows
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity, Session, open_session
from holdfast.sandbox.sql.running import execute
from holdfast.sandbox.sql.statements import full_name, read_batch

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
DANA = "11111111-2222-3333-4444-555555555555"
APP = "99999999-2222-3333-4444-555555555555"


def orders() -> Table:
    columns = [
        Column(name="Id", type="int", nullable=False, is_key=True, is_identity=True),
        Column(name="Customer", type="nvarchar(100)", nullable=False),
        Column(name="Amount", type="decimal(10,2)"),
    ]
    return Table(
        schema="dbo", name="Orders", columns=columns, rows=[[1, "O'Hara", 10.5], [2, "Ärger & Söhne", None]]
    )


def a_server(**more: Any) -> Server:
    database = Database(name="erp")
    for one in (
        Principal(name="dbo", kind="S", created_at=NOW, roles=["db_owner"]),
        Principal(name="erp-nightly", kind="E", created_at=NOW, sid=sid_of(APP)),
        Principal(name="dana", kind="E", created_at=NOW, sid=sid_of(DANA), roles=["db_datareader"]),
        Principal(name="web", kind="S", created_at=NOW, login="web", roles=["loaders"]),
        Principal(name="loaders", kind="R", created_at=NOW),
    ):
        database.principals[one.name.casefold()] = one
    database.tables["dbo.orders"] = orders()
    database.procedures["dbo.addorder"] = Procedure(
        schema="dbo",
        name="AddOrder",
        parameters={"Customer": "required", "Amount": 0},
        body=[
            "INSERT INTO dbo.Orders (Customer, Amount) VALUES (@Customer, @Amount)",
            "SELECT COUNT(*) AS n FROM dbo.Orders",
        ],
    )
    login = Login(name="web", password="right")
    return Server(name="sql.example", databases={"erp": database}, logins={"web": login}, **more)


def entra(identity: str) -> Identity:
    return Identity("entra", "somebody", entra_id=identity)


def session(server: Server, who: Identity, database: str = "erp", now: datetime = NOW) -> Session:
    return open_session(server, database, who, now, "203.0.113.9")


def ask(server: Server, who: Identity, text: str, **parameters: Any) -> list[dict[str, Any]]:
    database = server.databases["erp"]
    results = execute(Engine(database), session(server, who), text, parameters, NOW, Footprint())
    return result_as_rows(results[-1]) if results else []


def number(deed: Any) -> int:
    with pytest.raises(SqlError) as caught:
        deed()
    return caught.value.number


@pytest.mark.parametrize(
    ("who", "database", "expected"),
    [
        (entra("00000000-0000-0000-0000-000000000000"), "erp", 18456),
        (Identity("sql", "web", "wrong"), "erp", 18456),
        (Identity("sql", "nobody", "right"), "erp", 18456),
        (Identity("sql", "web", "right"), "elsewhere", 4060),
        (entra(DANA), "elsewhere", 4060),
    ],
)
def test_a_login_that_fails_tells_its_number(who, database, expected):
    assert number(lambda: session(a_server(), who, database)) == expected


def test_a_refused_token_is_not_named():
    with pytest.raises(SqlError, match="Login failed for user '<token-identified principal>'"):
        session(a_server(), entra("00000000-0000-0000-0000-000000000000"))


def test_the_firewall_is_asked_before_the_login():
    assert number(lambda: session(a_server(denied_at=NOW), Identity("sql", "web", "wrong"))) == 40615


def test_a_disabled_login_and_an_expired_password_have_their_own_numbers():
    server = a_server()
    server.logins["web"].expires_at = NOW
    assert number(lambda: session(server, Identity("sql", "web", "right"))) == 18487
    server.logins["web"].enabled = False
    assert number(lambda: session(server, Identity("sql", "web", "right"))) == 18470


def test_a_paused_database_wakes_within_a_minute_of_the_first_login():
    server = a_server()
    server.databases["erp"].state = "PAUSED"
    assert number(lambda: session(server, entra(DANA))) == 40613
    assert number(lambda: session(server, entra(DANA), now=NOW + timedelta(seconds=59))) == 40613
    assert session(server, entra(DANA), now=NOW + timedelta(seconds=60)).user.name == "dana"


def test_the_entra_administrator_is_dbo():
    assert session(a_server(entra_admin=DANA.replace("1", "7")), entra(DANA.replace("1", "7"))).is_owner


def test_an_application_is_known_by_its_client_id_whatever_its_user_is_called():
    server = a_server()
    server.databases["erp"].principals["erp-nightly"].name = "something else"
    assert session(server, entra(APP)).user.sid == sid_of(APP)


def test_a_reader_reads():
    found = ask(
        a_server(),
        entra(DANA),
        "SELECT TOP 5 Id, [Customer] FROM [dbo].[Orders] WITH (NOLOCK) WHERE customer = N'O''HARA'",
    )
    assert found == [{"Id": 1, "Customer": "O'Hara"}]


def test_a_probe_needs_no_permission():
    assert ask(a_server(), entra(APP), "SELECT 1 AS holdfast") == [{"holdfast": 1}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SELECT * FROM Orders",
            "The SELECT permission was denied on the object 'Orders', database 'erp', schema 'dbo'.",
        ),
        ("SELECT 1 AS a WHERE EXISTS (SELECT 1 FROM dbo.Orders)", "The SELECT permission was denied"),
        ("WITH o AS (SELECT * FROM dbo.Orders) SELECT * FROM o", "The SELECT permission was denied"),
        ("INSERT INTO dbo.Orders (Customer) VALUES (N'x')", "The INSERT permission was denied"),
        ("DELETE FROM dbo.Orders WHERE Id = 1", "The DELETE permission was denied"),
        ("EXEC dbo.AddOrder N'x'", "The EXECUTE permission was denied on the object 'AddOrder'"),
    ],
)
def test_a_user_without_rights_is_denied(text, message):
    with pytest.raises(SqlError, match="denied") as caught:
        ask(a_server(), entra(APP), text)
    assert caught.value.number == 229
    assert caught.value.message.startswith(message)


def test_a_right_on_a_procedure_covers_the_tables_of_its_owner():
    server = a_server()
    server.databases["erp"].permissions.append(
        Permission(grantee="erp-nightly", permission="EXECUTE", securable="OBJECT::dbo.AddOrder")
    )
    assert ask(server, entra(APP), "EXEC [dbo].[AddOrder] @Customer = N'new', @Amount = 3") == [{"n": 3}]
    assert server.databases["erp"].tables["dbo.orders"].rows[-1] == [3, "new", 3]
    assert number(lambda: ask(server, entra(APP), "SELECT * FROM dbo.Orders")) == 229


@pytest.mark.parametrize("securable", ["OBJECT::dbo.Orders", "SCHEMA::dbo", "DATABASE"])
def test_a_grant_counts_on_the_object_its_schema_or_the_database(securable):
    server = a_server()
    server.databases["erp"].permissions.append(
        Permission(grantee="loaders", permission="SELECT", securable=securable)
    )
    assert len(ask(server, Identity("sql", "web", "right"), "SELECT * FROM dbo.Orders")) == 2


def test_a_denial_beats_a_grant():
    server = a_server()
    permissions = server.databases["erp"].permissions
    permissions.append(Permission(grantee="web", permission="SELECT", securable="OBJECT::dbo.Orders"))
    permissions.append(
        Permission(grantee="public", permission="SELECT", securable="SCHEMA::dbo", state="DENY")
    )
    assert number(lambda: ask(server, Identity("sql", "web", "right"), "SELECT * FROM dbo.Orders")) == 229


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM dbo.Missing", 208),
        ("SELECT Missing FROM dbo.Orders", 207),
        ("EXEC dbo.Missing", 2812),
        ("EXEC dbo.AddOrder", 201),
        ("EXEC dbo.AddOrder @Other = 1", 8145),
        ("INSERT INTO dbo.Orders (Customer) VALUES (NULL)", 515),
        ("SELECT @x AS x", 137),
        ("DROP TABLE dbo.Orders", 40510),
        ("SELECT * FROM other.dbo.Orders", 40515),
        ("SELEKT 1", 102),
        ("SELECT (((", 102),
        ("SELECT NOSUCHTHING(1)", 195),
        ("SELECT * INTO dbo.Copy FROM dbo.Orders", 40510),
        ("SELECT Id FROM dbo.Orders FOR JSON PATH", 40510),
        ("UPDATE o SET Amount = 1 FROM dbo.Orders AS o", 40510),
        ("DELETE o FROM dbo.Orders AS o", 40510),
        ("DELETE TOP (1) FROM dbo.Orders", 40510),
        ("MERGE dbo.Orders AS o USING dbo.Orders AS s ON 1 = 0 WHEN MATCHED THEN DELETE;", 40510),
    ],
)
def test_a_statement_that_fails_tells_its_number(text, expected):
    server = a_server()
    server.databases["erp"].principals["dana"].roles = ["db_owner"]
    assert number(lambda: ask(server, entra(DANA), text)) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SELECT * FROM Nothing", "Nothing"),
        ("SELECT * FROM [dbo].Nothing", "dbo.Nothing"),
        ("DELETE FROM sales.Nothing", "sales.Nothing"),
    ],
)
def test_an_unknown_table_is_named_as_it_was_written(text: str, name: str):
    with pytest.raises(SqlError, match=f"Invalid object name '{name}'"):
        ask(a_server(), entra(DANA), text)


def test_a_batch_that_fails_leaves_nothing_behind():
    server = a_server()
    server.databases["erp"].principals["dana"].roles = ["db_owner"]
    before = list(server.databases["erp"].tables["dbo.orders"].rows)
    number(
        lambda: ask(
            server, entra(DANA), "INSERT INTO dbo.Orders (Customer) VALUES (N'x'); SELECT * FROM dbo.Missing"
        )
    )
    assert server.databases["erp"].tables["dbo.orders"].rows == before


def test_the_footprint_tells_what_was_read_and_written():
    server = a_server()
    server.databases["erp"].principals["dana"].roles = ["db_owner"]
    engine, footprint = Engine(server.databases["erp"]), Footprint()
    execute(
        engine,
        session(server, entra(DANA)),
        "UPDATE dbo.Orders SET Amount = 1 WHERE Id = @id",
        {"id": 1},
        NOW,
        footprint,
    )
    assert footprint.wrote == {"dbo.orders"}
    assert not footprint.is_volatile
    execute(engine, session(server, entra(DANA)), "SELECT GETUTCDATE() AS now", {}, NOW, footprint)
    assert footprint.is_volatile


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("Orders", "dbo.Orders"),
        ("[dbo].[Orders]", "dbo.Orders"),
        ("s.[a]]b.c]", "s.a]b.c"),
        ('"x y"', "dbo.x y"),
    ],
)
def test_names_are_read_as_people_write_them(written, means):
    assert full_name(written) == means


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("SELECT FROM*()'[]@,;=1ax\n\"-/%")) | st.text())
def test_random_text_is_a_batch_or_an_error_with_a_number(text):
    try:
        read_batch(text)
    except SqlError as error:
        assert error.number > 0  # noqa: PT017 - what a refusal looks like is the point


def test_a_statement_that_never_ends_is_ended():
    endless = "WITH n AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM n) SELECT COUNT(*) AS c FROM n"
    assert number(lambda: ask(a_server(), entra(APP), endless)) == -2
