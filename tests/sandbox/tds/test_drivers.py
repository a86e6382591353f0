"""python-tds and mssql-python, unmodified, log in and work."""

from __future__ import annotations

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
