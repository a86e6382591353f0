"""What SQL Server told of a password beside what a table says."""

from datetime import timedelta

import pytest

from holdfast.core.imported import PasswordTerm
from holdfast.core.inventory import ConnectionId, SignIn
from holdfast.core.sql import LoginState
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.reading.tables import Tables
from holdfast.scan.importing import take_in
from holdfast.scan.terms import keep_term, term_of, told_term
from tests.builders import a_connection, day
from tests.unit.scan.test_scan import Story

C1 = ConnectionId("c1")
DATED = PasswordTerm(C1, "app", "sql", day(50), day(51))
AGED = PasswordTerm(C1, "app", "sql", max_age=timedelta(days=90))
NAMED = PasswordTerm(C1, "app", "sql")


def told(*, ends=None, **flags):
    span = (None, None) if ends is None else (day(ends), day(ends + 1))
    return LoginState("app", day(1), day(-20), *span, **flags)


def foreseen(term):
    connection = a_connection(sign_in=SignIn.SQL_LOGIN, token_expires_at=None)
    return [
        (horizon.earliest, horizon.assumptions[0])
        for horizon in forecast(Known(connection, (), None, None, day(2), password=term))
    ]


@pytest.mark.parametrize("before", [None, NAMED, DATED, AGED], ids=["nothing", "a login", "a date", "an age"])
def test_the_servers_own_date_goes_first(before):
    [(at, because)] = foreseen(told_term(before, C1, told(ends=30)))

    assert at == day(30)
    assert "SQL Server said so" in because


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, []),
        (NAMED, []),
        (DATED, [day(50)]),
        (AGED, [day(70)]),
        (told_term(None, C1, told(ends=30)), []),
        (told_term(AGED, C1, told(ends=30)), [day(70)]),
    ],
    ids=["nothing", "a login", "a date", "an age", "its earlier date", "its earlier date and an age"],
)
def test_where_its_policy_ends_it_never_the_table_stays(before, expected):
    assert [at for at, _ in foreseen(told_term(before, C1, told()))] == expected


def test_a_date_of_the_server_that_passed_says_to_ask_again():
    [(at, because)] = foreseen(told_term(None, C1, told(ends=0)))

    assert at is None
    assert "--ask-sql" in because


@pytest.mark.parametrize(
    ("row", "stays"),
    [(None, True), (NAMED, True), (DATED, False), (PasswordTerm(C1, "other", "sql"), False)],
    ids=["of others only", "the login alone", "with a date", "of another login"],
)
async def test_a_new_table_leaves_the_servers_answer_where_it_tells_no_end(row, stays):
    story = Story()
    record = (await story.scan()).record
    answered = told_term(None, C1, told(ends=30))
    await keep_term(story.history, "contoso", record, answered)

    other = PasswordTerm(ConnectionId("c9"), "x", "sql", day(9), day(9))
    await take_in(story.history, "contoso", record, Tables((other, *((row,) if row else ()))), day(2))

    assert (await term_of(story.history, "contoso", C1) == answered) is stays
