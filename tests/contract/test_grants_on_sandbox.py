"""The T-SQL that holdfast renders, run on the sandbox's SQL: exactly those rights exist, and the inverse removes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.sql import sid_of
from holdfast.migration import tsql
from holdfast.migration.grants import DatabaseGrants, Need, ObjectName, Place, Right
from holdfast.migration.tsql import AppUser, UserForm
from holdfast.sandbox.sql.catalogue import Database, Principal, Procedure, Server, Table, View
from holdfast.sandbox.sql.engine import Engine
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity, open_session
from holdfast.sandbox.sql.sessions import RowSet, SqlSession

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
ADMIN = "11111111-2222-3333-4444-555555555555"
APP = "a1b2c3d4-e5f6-4711-8899-aabbccddeeff"
OTHER = "b1b2c3d4-e5f6-4711-8899-aabbccddeeff"

NASTY = (
    "plain",
    "we]ird",
    "]]",
    "[",
    "o'hara",
    "a b",
    'q"q',
    "a.b",
    "--x",
    "/*",
    ";DROP USER dbo",
    "ß",
    "名",
    "N'",
    "x" * 128,
)
names = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), min_size=1, max_size=20
).filter(lambda text: text.strip() == text and text.casefold() not in ("sys", "information_schema", "guest"))
KINDS = {
    "table": ("SELECT", "INSERT", "UPDATE", "DELETE", "VIEW CHANGE TRACKING"),
    "view": ("SELECT",),
    "procedure": ("EXECUTE",),
}
objects = st.lists(
    st.tuples(names, names, st.sampled_from(sorted(KINDS))),
    min_size=1,
    max_size=6,
    unique_by=(lambda one: f"{one[0].casefold()}\0{one[1].casefold()}",),
)


def a_database(listed: list[tuple[str, str, str]]) -> Database:
    database = Database(name="erp")
    database.principals["dbo"] = Principal(name="dbo", kind="S", created_at=NOW, roles=["db_owner"])
    for schema, name, kind in listed:
        if kind == "table":
            table = Table(schema=schema, name=name, columns=[])
            database.tables[table.full_name.casefold()] = table
        elif kind == "view":
            view = View(schema=schema, name=name, query="SELECT 1 AS one")
            database.views[view.full_name.casefold()] = view
        else:
            procedure = Procedure(schema=schema, name=name)
            database.procedures[procedure.full_name.casefold()] = procedure
    return database


class Sql:
    """One database with its administrator and its application."""

    def __init__(self, database: Database) -> None:
        self.server = Server(name="sql.example", databases={"erp": database}, entra_admin=ADMIN)
        self.engine = Engine(database)

    def session(self, who: str) -> SqlSession:
        opened = open_session(self.server, "erp", Identity("entra", who, entra_id=who), NOW, "203.0.113.9")
        return SqlSession(opened, self.engine, lambda: NOW, lambda: None)

    def run(self, *texts: str, who: str = ADMIN) -> list[tuple[Any, ...]]:
        """Run texts one by one; the first error is raised."""
        rows: list[tuple[Any, ...]] = []
        for text in texts:
            for told in self.session(who).execute(text):
                if isinstance(told, SqlError):
                    raise told
                rows = list(told.rows) if isinstance(told, RowSet) else rows
        return rows

    def held(self, listed: list[tuple[str, str, str]]) -> set[Right]:
        """Every right that the application holds, over all objects and all permissions that there are."""
        every = [
            Right(ObjectName(schema, name), permission)
            for schema, name, _ in listed
            for permission in sorted(
                {one for kinds in KINDS.values() for one in kinds} | {"ALTER", "CONTROL"}
            )
        ]
        query = tsql.own_rights(every)
        assert query is not None
        return {right for right, (_, held) in zip(every, self.run(query, who=APP), strict=True) if held == 1}


def state(database: Database) -> tuple[Any, ...]:
    users = sorted((one.name, one.sid, tuple(one.roles)) for one in database.principals.values())
    grants = sorted((one.grantee, one.permission, one.securable, one.state) for one in database.permissions)
    return users, grants


def some_of(data: st.DataObject, listed: list[tuple[str, str, str]]) -> list[Right]:
    every = [
        Right(ObjectName(schema, name), permission)
        for schema, name, kind in listed
        for permission in KINDS[kind]
    ]
    return data.draw(st.lists(st.sampled_from(every), unique=True))


@settings(deadline=None, max_examples=60)
@given(st.data(), objects, names.filter(lambda text: "\\" not in text))
def test_exactly_the_rights_asked_for_exist_then_and_the_inverse_removes_them(data, listed, name):
    if name.casefold() in ("dbo", "public"):
        return
    rights = some_of(data, listed)
    sql = Sql(database := a_database(listed))
    before = state(database)
    user = AppUser(name, APP)

    sql.run(*tsql.statements(user, rights))
    assert sql.held(listed) == set(rights)
    once = state(database)
    sql.run(*tsql.statements(user, rights))
    assert state(database) == once

    sql.run(*tsql.undo_statements(user, rights))
    assert state(database) == before
    sql.run(*tsql.undo_statements(user, rights))
    assert state(database) == before


@settings(deadline=None, max_examples=25)
@given(st.data(), objects, names.filter(lambda text: "\\" not in text))
def test_the_script_for_an_administrator_does_the_same_in_one_batch(data, listed, name):
    if name.casefold() in ("dbo", "public"):
        return
    rights = some_of(data, listed)
    sql, again = Sql(a_database(listed)), Sql(a_database(listed))
    user = AppUser(name, APP)
    needs = tuple(Need(right, (f"flow\n{name}*/ GO",)) for right in rights)

    sql.run(tsql.script(user, DatabaseGrants(Place("s", name), needs)))
    again.run(*tsql.statements(user, rights))
    assert state(sql.server.databases["erp"]) == state(again.server.databases["erp"])

    sql.run(tsql.undo_script(user, rights))
    assert state(sql.server.databases["erp"]) == state(a_database(listed))


LISTED = [("dbo", "Orders", "table"), ("dbo", "Close", "procedure")]
RIGHTS = [Right(ObjectName("dbo", "Orders"), "SELECT"), Right(ObjectName("dbo", "Close"), "EXECUTE")]


def test_the_check_tells_the_application_behind_the_name():
    sql, user = Sql(a_database(LISTED)), AppUser("we]ird's", APP)
    assert sql.run(tsql.check_user(user)) == []
    sql.run(*tsql.statements(user, RIGHTS))
    assert sql.run(tsql.check_user(user)) == [("we]ird's", UUID(APP), "E")]


def test_the_check_lists_every_grant():
    sql, user = Sql(a_database(LISTED)), AppUser("app", APP)
    sql.run(*tsql.statements(user, RIGHTS, ["db_datareader"]))
    assert sql.run(tsql.check_grants(user)) == [
        ("GRANT", "CONNECT", "DATABASE", None, None),
        ("GRANT", "EXECUTE", "OBJECT_OR_COLUMN", "dbo", "Close"),
        ("GRANT", "SELECT", "OBJECT_OR_COLUMN", "dbo", "Orders"),
    ]
    assert sql.run(tsql.check_roles(user)) == [("db_datareader",)]


def test_a_name_that_is_somebody_elses_gets_nothing():
    sql = Sql(a_database(LISTED))
    sql.run(*tsql.statements(AppUser("app", OTHER), []))
    before = state(sql.server.databases["erp"])
    with pytest.raises(SqlError, match="exists and is not the application"):
        sql.run(*tsql.statements(AppUser("app", APP), RIGHTS))
    with pytest.raises(SqlError, match="exists and is not the application"):
        sql.run(
            tsql.script(
                AppUser("app", APP), DatabaseGrants(Place(), tuple(Need(one, ("a",)) for one in RIGHTS))
            )
        )
    sql.run(*tsql.undo_statements(AppUser("app", APP), RIGHTS))
    assert state(sql.server.databases["erp"]) == before


def test_undo_leaves_a_user_that_was_there_before():
    sql, user = Sql(a_database(LISTED)), AppUser("app", APP)
    sql.run(*tsql.statements(user, RIGHTS[:1]))
    before = state(sql.server.databases["erp"])
    sql.run(*tsql.statements(user, RIGHTS[1:], ["db_datareader"]))
    sql.run(*tsql.undo_statements(user, RIGHTS[1:], ["db_datareader"], drops_user=False))
    assert state(sql.server.databases["erp"]) == before


def test_undo_passes_over_an_object_that_is_gone():
    sql, user = Sql(a_database(LISTED)), AppUser("app", APP)
    sql.run(*tsql.statements(user, RIGHTS))
    del sql.server.databases["erp"].procedures["dbo.close"]
    sql.run(*tsql.undo_statements(user, RIGHTS))
    assert "app" not in sql.server.databases["erp"].principals


def test_the_other_forms_ask_the_directory():
    sql = Sql(a_database(LISTED))
    for form in (UserForm.EXTERNAL_PROVIDER, UserForm.OBJECT_ID):
        user = AppUser("app", APP, object_id=OTHER, form=form)
        with pytest.raises(SqlError, match="Server identity is not configured"):
            sql.run(*tsql.statements(user, RIGHTS))


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", "a\\b", "\ud800", "a\0"])
def test_a_name_that_no_user_can_have_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        AppUser(name, APP)


def test_the_sid_is_the_client_id_in_the_servers_order():
    assert sid_of(APP) == "0x" + UUID(APP).bytes_le.hex().upper()
