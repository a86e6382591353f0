"""python-tds and mssql-python, unmodified, log in and work."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytds
import pytest

from tests.sandbox.conftest import Sandbox
from tests.sandbox.tds.drivers import ADMIN, NIGHTLY, Driver, MssqlPython, PythonTds, token_of


@pytest.fixture(params=["python-tds", "mssql-python"])
def driver(request: pytest.FixtureRequest, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Driver:
    return PythonTds(sandbox) if request.param == "python-tds" else MssqlPython(sandbox, monkeypatch)


def asked(connection, text, *parameters):
    cursor = connection.cursor()
    cursor.execute(text, parameters) if parameters else cursor.execute(text)
    return [tuple(row) for row in cursor.fetchall()]


def test_an_application_logs_in_with_its_token(driver, sandbox):
    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        assert asked(connection, "SELECT 1") == [(1,)]


def test_a_sql_login_logs_in_with_its_password(driver, sandbox):
    login = sandbox.ready["sql"]["logins"][0]

    with driver.connect("helpdesk", user=login["username"], password=login["password"]) as connection:
        assert asked(connection, "SELECT COUNT(*) FROM dbo.Tickets") == [(5,)]


def test_a_wrong_password_is_refused(driver, sandbox):
    login = sandbox.ready["sql"]["logins"][0]

    with pytest.raises(driver.error) as caught:
        driver.connect("helpdesk", user=login["username"], password="wrong")

    assert driver.number(caught.value) in (18456, None)
    assert "Login failed for user 'helpdesk_app'" in str(caught.value)


def test_a_token_for_another_audience_is_refused(driver, sandbox):
    token = token_of(sandbox, ADMIN, "https://graph.microsoft.com/.default")

    with pytest.raises(driver.error) as caught:
        driver.connect("erp", token=token)

    assert "Login failed for user '<token-identified principal>'" in str(caught.value)


def test_a_token_that_ended_opens_no_new_session(driver, sandbox):
    token = token_of(sandbox, ADMIN)
    with driver.connect("erp", token=token) as connection:
        sandbox.advance(hours=3)

        assert asked(connection, "SELECT 1") == [(1,)]
        with pytest.raises(driver.error):
            driver.connect("erp", token=token)


def test_a_token_without_a_user_in_the_database_is_refused(driver, sandbox):
    with pytest.raises(driver.error, match="token-identified principal"):
        driver.connect("finance", token=token_of(sandbox, NIGHTLY))


def test_parameters_go_there_and_back(driver, sandbox):
    text = driver.marked("SELECT ? AS a, ? AS b, ? AS c, ? AS d")

    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        assert asked(connection, text, "Ünïcode ’", 7, 2.5, None) == [("Ünïcode ’", 7, 2.5, None)]


PARAMETERS = (
    2**40,
    Decimal("12345678901234567890.123456"),
    True,
    "x" * 9000,
    date(2026, 1, 2),
    time(3, 4, 5, 678901),
    datetime(2026, 1, 2, 3, 4, 5, 678901),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
    uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
)


@pytest.mark.parametrize("value", PARAMETERS, ids=lambda value: type(value).__name__)
def test_a_parameter_keeps_its_type(driver, sandbox, value):
    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        ((told,),) = asked(connection, driver.marked("SELECT ? AS v"), value)

    assert (told, type(told)) == (value, type(value))


def test_each_session_has_a_number_of_its_own(driver, sandbox):
    token = token_of(sandbox, ADMIN)
    with driver.connect("erp", token=token) as one, driver.connect("erp", token=token) as other:
        assert asked(one, "SELECT @@SPID AS n") != asked(other, "SELECT @@SPID AS n")


def test_an_application_is_told_with_its_tenant(driver, sandbox):
    app = next(one for one in sandbox.ready["apps"] if one["name"] == ADMIN)

    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        told = asked(connection, "SELECT SUSER_SNAME() AS who")

    assert told == [(f"{app['client_id']}@{sandbox.ready['tenant_id']}",)]


def test_a_session_does_not_outlive_its_world(driver, sandbox):
    # closing what was cut is an error to mssql-python
    with suppress(Exception), driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        sandbox.control("/reset", {"scenario": "story", "seed": 1})

        with pytest.raises(Exception, match=r"."):  # each driver has words of its own for a cut line
            asked(connection, "SELECT 1 AS n")


def test_rows_of_a_table_are_read(driver, sandbox):
    text = driver.marked("SELECT Id, Customer FROM dbo.Orders WHERE Id <= ? ORDER BY Id")

    with driver.connect("erp", token=token_of(sandbox, NIGHTLY)) as connection:
        assert asked(connection, text, 2) == [(1, "Customer 1"), (2, "Customer 2")]


def test_a_right_that_is_missing_is_told(driver, sandbox):
    with (
        driver.connect("erp", token=token_of(sandbox, NIGHTLY)) as connection,
        pytest.raises(driver.error) as caught,
    ):
        asked(connection, "SELECT * FROM dbo.OrderLines")

    assert driver.number(caught.value) in (229, None)
    assert "The SELECT permission was denied on the object 'OrderLines'" in str(caught.value)


def test_a_session_goes_on_after_an_error(driver, sandbox):
    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        with pytest.raises(driver.error, match="Invalid object name"):
            asked(connection, "SELECT * FROM dbo.Nothing")

        assert asked(connection, "SELECT 1") == [(1,)]


def test_what_was_committed_stays(driver, sandbox):
    token = token_of(sandbox, ADMIN)
    with driver.connect("erp", token=token) as connection:
        connection.cursor().execute("INSERT INTO dbo.Totals (Orders, Amount) VALUES (3, 30)")
        connection.commit()

    with driver.connect("erp", token=token) as connection:
        assert asked(connection, "SELECT Orders FROM dbo.Totals WHERE Orders = 3") == [(3,)]


def test_many_rows_are_put_at_once(driver, sandbox):
    text = driver.marked("INSERT INTO dbo.Totals (Orders, Amount) VALUES (?, ?)")
    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        connection.cursor().executemany(text, [(900, 1), (901, 2), (902, 3)])

        assert asked(connection, "SELECT COUNT(*) FROM dbo.Totals WHERE Orders >= 900") == [(3,)]


def test_many_results_are_read_one_after_the_other(driver, sandbox):
    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1; SELECT 2")
        first = cursor.fetchall()
        assert cursor.nextset()
        second = cursor.fetchall()

    assert ([tuple(row) for row in first], [tuple(row) for row in second]) == ([(1,)], [(2,)])


def test_who_knocked_is_noted_without_the_secret(driver, sandbox):
    token = token_of(sandbox, ADMIN)
    with driver.connect("erp", token=token):
        pass

    noted = [one for one in sandbox.control("/requests")["requests"] if one["host"] == "sql"]

    assert [(one["method"], one["path"], one["status"]) for one in noted] == [("LOGIN7", "/erp", 0)]
    assert token not in str(noted)


def test_what_was_rolled_back_is_gone(driver, sandbox):
    token = token_of(sandbox, ADMIN)
    with driver.connect("erp", token=token) as connection:
        connection.cursor().execute("INSERT INTO dbo.Totals (Orders, Amount) VALUES (4, 40)")
        assert asked(connection, "SELECT Orders FROM dbo.Totals WHERE Orders = 4") == [(4,)]
        connection.rollback()

        assert asked(connection, "SELECT Orders FROM dbo.Totals WHERE Orders = 4") == []


def test_what_a_session_left_open_is_undone(driver, sandbox):
    token = token_of(sandbox, ADMIN)
    with driver.connect("erp", token=token) as connection:
        connection.cursor().execute("INSERT INTO dbo.Totals (Orders, Amount) VALUES (5, 50)")

    with driver.connect("erp", token=token) as connection:
        assert asked(connection, "SELECT Orders FROM dbo.Totals WHERE Orders = 5") == []


def test_a_transaction_is_begun_and_undone_by_words(driver, sandbox):
    with driver.connect("erp", token=token_of(sandbox, ADMIN), autocommit=True) as connection:
        for text in (
            "BEGIN TRANSACTION",
            "INSERT INTO dbo.Totals (Orders, Amount) VALUES (6, 60)",
            "ROLLBACK",
        ):
            connection.cursor().execute(text)

        assert asked(connection, "SELECT Orders FROM dbo.Totals WHERE Orders = 6") == []


def test_a_procedure_runs_with_the_right_to_it(driver, sandbox):
    with driver.connect("erp", token=token_of(sandbox, ADMIN)) as connection:
        ((before,),) = asked(connection, "SELECT COUNT(*) FROM dbo.Totals")
        connection.cursor().execute("EXEC dbo.PostTotals")

        assert asked(connection, "SELECT COUNT(*) FROM dbo.Totals") == [(before + 1,)]


def test_a_right_that_was_granted_holds_at_once(driver, sandbox):
    with (
        driver.connect("erp", token=token_of(sandbox, ADMIN), autocommit=True) as granting,
        driver.connect("erp", token=token_of(sandbox, NIGHTLY), autocommit=True) as granted,
    ):
        granting.cursor().execute("GRANT SELECT ON OBJECT::dbo.OrderLines TO [erp-nightly]")
        assert asked(granted, "SELECT COUNT(*) FROM dbo.OrderLines") == [(30,)]

        granting.cursor().execute("DENY SELECT ON OBJECT::dbo.OrderLines TO [erp-nightly]")
        with pytest.raises(driver.error, match="SELECT permission was denied"):
            asked(granted, "SELECT COUNT(*) FROM dbo.OrderLines")


def test_a_user_made_by_its_id_is_let_in(driver, sandbox):
    app = next(app for app in sandbox.ready["apps"] if app["name"] == NIGHTLY)
    sid = uuid.UUID(app["client_id"]).bytes_le.hex()
    with driver.connect("finance", token=token_of(sandbox, ADMIN), autocommit=True) as connection:
        connection.cursor().execute(f"CREATE USER [another name] WITH SID = 0x{sid}, TYPE = E")

    with driver.connect("finance", token=token_of(sandbox, NIGHTLY)) as connection:
        assert asked(connection, "SELECT USER_NAME()") == [("another name",)]


def test_a_right_on_security_is_refused_to_others(driver, sandbox):
    with (
        driver.connect("erp", token=token_of(sandbox, NIGHTLY), autocommit=True) as connection,
        pytest.raises(driver.error, match=r"permission"),
    ):
        connection.cursor().execute("CREATE USER [x] FROM EXTERNAL PROVIDER")


TYPED = {
    "int": "CAST(7 AS int)",
    "bigint": "CAST(5000000000 AS bigint)",
    "decimal": "CAST(12.34 AS decimal(10,2))",
    "nvarchar": "N'Grüße'",
    "null": "CAST(NULL AS nvarchar(10))",
}


@pytest.mark.parametrize("expression", TYPED.values(), ids=TYPED.keys())
def test_both_drivers_read_the_same(sandbox, monkeypatch, expression):
    token, read = token_of(sandbox, ADMIN), []
    for driver in (PythonTds(sandbox), MssqlPython(sandbox, monkeypatch)):
        with driver.connect("erp", token=token) as connection:
            read.append(asked(connection, f"SELECT {expression} AS a"))

    assert read[0] == read[1]


@pytest.mark.parametrize("name", ["story", "contoso"])
def test_who_the_ready_file_says_may_log_in_may(start, name):
    sandbox = start(name, frozen=True)
    sandbox.control("/faults", method="DELETE")
    driver = PythonTds(sandbox)

    for login in sandbox.ready["sql"]["logins"]:
        for database in login["databases"]:
            with driver.connect(database, user=login["username"], password=login["password"]) as connection:
                assert asked(connection, "SELECT 1") == [(1,)]


def test_a_server_has_a_port_of_its_own(sandbox):
    ports = sandbox.ready["sql"]["servers"]

    assert list(ports) == ["sql-contoso.database.windows.net"]
    with pytds.connect(
        "localhost",
        port=ports["sql-contoso.database.windows.net"],
        database="erp",
        cafile=sandbox.ready["ca_file"],
        access_token_callable=lambda: token_of(sandbox, NIGHTLY),
    ) as connection:
        assert asked(connection, "SELECT 1") == [(1,)]
