"""Tables that people hand in."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.reading.tables import TableError, read_table
from tests.nasty import NASTY

HEADING = "connection,login,kind,expires_at,max_age_days\n"


def test_a_date_alone_is_a_whole_day():
    [term] = read_table("connection,login,kind,expires_at\nc1,app,sql,2027-01-31\n").passwords

    assert term.expires_from == datetime(2027, 1, 31, tzinfo=UTC)
    assert term.expires_to == datetime(2027, 2, 1, tzinfo=UTC)


def test_a_time_is_that_instant():
    [term] = read_table(HEADING + "c1,app,sql,2027-01-31T12:00:00+02:00,\n").passwords

    assert term.expires_from == term.expires_to == datetime(2027, 1, 31, 10, tzinfo=UTC)


def test_an_age_counts_from_the_last_change():
    [term] = read_table("connection,login,kind,max_age_days\nc1,CONTOSO\\svc,Windows,90\n").passwords

    assert (term.login, term.kind, term.max_age) == ("CONTOSO\\svc", "windows", timedelta(days=90))


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_empty_rows_and_columns_of_others_are_passed_over(mark):
    table = read_table(mark + "team,Connection,kind,expires_at\n\nx,c1,sql,2027-01-31\n,,,\n")

    assert [term.connection for term in table.passwords] == ["c1"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",app,sql,2027-01-31,", "names no connection"),
        ("c1,app,ldap,2027-01-31,", "sql or windows"),
        ("c1,app,sql,31.01.2027,", "no date like"),
        ("c1,app,sql,9999-12-31,", "no date like"),
        ("c1,,sql,,", "one of expires_at and max_age_days"),
        ("c1,CONTOSO\\svc,windows,,", "one of expires_at and max_age_days"),
        ("c1,app,sql,2027-01-31,90", "one of expires_at and max_age_days"),
        ("c1,app,sql,,ninety", "no number of days"),
        ("c1,app,sql,,0", "no number of days"),
        ("c1,app,sql,,²", "no number of days"),
        ("c1,app,sql,," + "9" * 5000, "more than 4000 characters"),
        ('c1,"app,sql,2027-01-31,', "is no CSV"),
        ("ok,app,sql,2027-01-31,", "the connection of row 2 again"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_number(row, says):
    with pytest.raises(TableError, match="row 3") as refused:
        read_table(f"{HEADING}ok,app,sql,2027-01-31,\n{row}\n")

    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1,2\n", "connection\nc1\n"])
def test_a_heading_that_nobody_knows_is_refused(text):
    with pytest.raises(TableError, match="heading"):
        read_table(text)


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_a_complaint_never_quotes_what_a_stranger_wrote(name):
    cell = name.replace('"', '""')
    with pytest.raises(TableError) as refused:
        read_table(f'{HEADING}c1,app,"{cell}?",2027-01-31,\n')

    assert name.strip() not in str(refused.value) or len(name.strip()) < 3


def test_flows_of_the_kit_are_read_by_logical_names():
    table = read_table(
        "admin_flowidstring,admin_displayname,_admin_flowenvironment_value,admin_flowstate\n"
        "{AB-1},Nightly,Default-1,Stopped\n"
    )

    [flow] = table.flows
    assert (flow.id, flow.environment, flow.display_name, flow.is_on) == (
        "ab-1",
        "default-1",
        "Nightly",
        False,
    )


def test_connection_references_of_the_kit_name_the_connector_of_a_flow():
    table = read_table("admin_flow,admin_connector\nab-1,SQL Server\n,Office 365\n")

    assert table.references == (("ab-1", "SQL Server"),)


def test_a_login_alone_is_enough_to_ask_sql_server_about_it():
    [term] = read_table("connection,login,kind\nc1,app,sql\n").passwords

    assert (term.login, term.expires_from, term.max_age) == ("app", None, None)
