from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sandbox.databases import log_in
from holdfast.sandbox.scenarios.named import SERVER, build
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import Info, ResultColumn, ReturnStatus, RowCount, RowSet, SqlSession
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def founded() -> World:
    return build("story", 1, NOW)


@pytest.fixture
def world(founded: World) -> World:
    return deepcopy(founded)


def app(world: World, name: str) -> Identity:
    found = next(one for one in world.applications.values() if one.display_name == name)
    return Identity("entra", found.client_id, entra_id=found.client_id, tenant=world.tenant_id)


def session(world: World, name: str = "holdfast-sql-admin", database: str = "erp") -> SqlSession:
    return log_in(world, SERVER, database, app(world, name), lambda: NOW, "203.0.113.9")


def helpdesk(world: World) -> SqlSession:
    who = Identity("sql", "helpdesk_app", "kept by the platform")
    return log_in(world, SERVER, "helpdesk", who, lambda: NOW, "203.0.113.9")


def run(world: World, text: str, name: str = "holdfast-sql-admin", **parameters: Any) -> list[Any]:
    return list(session(world, name).execute(text, parameters))


def rows(told: Any) -> list[tuple[Any, ...]]:
    found = [one for one in told if isinstance(one, RowSet)]
    assert found, told
    return list(found[-1].rows)


def numbers(told: Any) -> list[int]:
    return [one.number for one in told if isinstance(one, SqlError)]


def test_a_query_gives_rows_with_typed_columns(world):
    text = "SELECT Id, Customer, Amount, COUNT(*) AS n FROM dbo.Orders WHERE Id = @id GROUP BY Id, Customer, Amount"
    (told,) = run(world, text, id=2)
    assert told.columns == (
        ResultColumn("Id", "int"),
        ResultColumn("Customer", "nvarchar(100)"),
        ResultColumn("Amount", "decimal(10,2)"),
        ResultColumn("n", "int"),
    )
    assert told.rows == ((2, "Customer 2", Decimal("20.5"), 1),)


def test_a_statement_that_fails_ends_itself_and_the_next_one_runs(world):
    told = run(world, "DROP USER nobody;\nSELECT 1 AS one")
    assert numbers(told) == [15151]
    assert told[0].line == 1
    assert rows(told) == [(1,)]


def test_an_unknown_table_ends_the_batch_at_its_line(world):
    told = run(world, "SELECT 1 AS one\nSELECT * FROM dbo.Missing\nSELECT 2 AS two")
    assert [type(one) for one in told] == [RowSet, SqlError]
    assert (told[1].number, told[1].line) == (208, 2)


def test_a_batch_that_is_no_t_sql_does_nothing_at_all(world):
    told = run(world, "DELETE FROM dbo.Orders; DROP USER (")
    assert numbers(told) == [102]
    assert rows(run(world, "SELECT COUNT(*) AS n FROM dbo.Orders")) == [(12,)]


def test_a_procedure_returns_its_status(world):
    # The trigger of its table counts its rows too, as triggers without SET NOCOUNT ON do.
    told = session(world).call("[dbo].[PostTotals]", {})
    assert told == [RowCount(1), RowCount(1), ReturnStatus(0)]


def test_a_server_that_is_not_there_is_53(world):
    with pytest.raises(SqlError) as caught:
        log_in(world, "nowhere", "erp", app(world, "erp-nightly"), lambda: NOW, "203.0.113.9")
    assert caught.value.number == 53


def test_a_user_that_is_denied_connect_cannot_open_the_database(world):
    run(world, "DENY CONNECT TO [erp-nightly]")
    with pytest.raises(SqlError) as caught:
        session(world, "erp-nightly")
    assert caught.value.number == 4060
    run(world, "GRANT CONNECT TO [erp-nightly]")
    assert session(world, "erp-nightly").user == "erp-nightly"


def test_who_is_dropped_while_logged_in_is_told_916(world):
    own = session(world, "erp-nightly")
    run(world, "DROP USER [erp-nightly]")
    assert numbers(own.execute("SELECT 1 AS one")) == [916]


# --- transactions ----------------------------------------------------------------------------------------


def test_a_rollback_undoes_rows_users_members(world):
    own = session(world)
    own.begin()
    own.execute("INSERT INTO dbo.Totals (Orders) VALUES (1)")
    own.execute("CREATE ROLE loaders; ALTER ROLE db_datareader ADD MEMBER [erp-nightly]")
    own.rollback()
    assert rows(own.execute("SELECT COUNT(*) AS n FROM dbo.Totals WHERE Orders = 1")) == [(0,)]
    assert rows(own.execute("SELECT IS_ROLEMEMBER('db_datareader', 'erp-nightly') AS m")) == [(0,)]
    assert rows(own.execute("SELECT DATABASE_PRINCIPAL_ID('loaders') AS p")) == [(None,)]


def test_a_commit_keeps_what_was_done(world):
    own = session(world)
    own.execute("BEGIN TRANSACTION; INSERT INTO dbo.Totals (Orders) VALUES (777); COMMIT")
    assert not own.in_transaction
    assert rows(own.execute("SELECT COUNT(*) AS n FROM dbo.Totals WHERE Orders = 777")) == [(1,)]


def test_a_session_that_ends_undoes_its_open_transaction(world):
    own = session(world)
    own.execute("BEGIN TRAN; DELETE FROM dbo.Orders")
    own.close()
    assert rows(run(world, "SELECT COUNT(*) AS n FROM dbo.Orders")) == [(12,)]


def test_who_would_write_what_another_transaction_has_written_is_refused(world):
    own, other = session(world), session(world)
    own.execute("BEGIN TRAN; UPDATE dbo.Orders SET Amount = 1 WHERE Id = 1")
    assert numbers(other.execute("DELETE FROM dbo.Orders WHERE Id = 2")) == [1222]
    own.commit()
    assert other.execute("DELETE FROM dbo.Orders WHERE Id = 2") == [RowCount(1)]


def test_a_commit_without_a_transaction_is_3902(world):
    assert numbers(run(world, "COMMIT")) == [3902]


# --- users and roles -------------------------------------------------------------------------------------

SID = "0x0102030405060708090A0B0C0D0E0F10"


def test_a_user_made_by_sid_is_the_application_with_those_bytes(world):
    reader = next(one for one in world.applications.values() if one.display_name == "holdfast-reader")
    sid = UUID(reader.client_id).bytes_le.hex().upper()
    run(world, f"CREATE USER [any name] WITH SID = 0x{sid}, TYPE = E")
    assert session(world, "holdfast-reader").user == "any name"
    told = run(
        world,
        "SELECT CAST(sid AS uniqueidentifier) AS id FROM sys.database_principals WHERE name = 'ANY NAME'",
    )
    assert rows(told) == [(UUID(reader.client_id),)]


def test_the_sid_form_asks_no_directory_so_that_a_wrong_one_is_taken(world):
    assert run(world, f"CREATE USER nobody WITH TYPE = E, SID = {SID}") == []


@pytest.mark.parametrize(
    ("clauses", "number"),
    [
        (f"WITH SID = {SID}", 33162),
        ("WITH TYPE = E", 33162),
        (f"WITH SID = {SID}, TYPE = U", 33163),
        ("FROM EXTERNAL PROVIDER WITH TYPE = E", 33168),
        (f"FROM EXTERNAL PROVIDER WITH SID = {SID}", 33170),
        ("FOR LOGIN missing", 15007),
        ("FOR CERTIFICATE c", 40510),
        ("WITH COLOUR = 1", 102),
    ],
)
def test_clauses_that_do_not_go_together_are_refused(world, clauses, number):
    assert numbers(run(world, f"CREATE USER x {clauses}")) == [number]


def test_a_backslash_has_no_place_in_the_name_of_an_entra_user(world):
    assert numbers(run(world, f"CREATE USER [a\\b] WITH SID = {SID}, TYPE = E")) == [33169]


def test_a_name_is_there_once(world):
    told = run(world, f"CREATE USER [ERP-NIGHTLY] WITH SID = {SID}, TYPE = E")
    assert numbers(told) == [15023]


def test_a_sid_is_there_once(world):
    text = f"CREATE USER one WITH SID = {SID}, TYPE = E; CREATE USER two WITH SID = {SID}, TYPE = E"
    assert numbers(run(world, text)) == [15063]


def by_directory(world: World, text: str, *, identity: bool = True, reads: bool = True) -> list[int]:
    server = world.servers[SERVER]
    server.has_identity, server.reads_directory = identity, reads
    return numbers(run(world, text))


def test_a_service_principal_needs_the_servers_identity_to_look_somebody_up(world):
    text = "CREATE USER [holdfast-reader] FROM EXTERNAL PROVIDER"
    assert by_directory(world, text, identity=False) == [33134]
    assert by_directory(world, text, reads=False) == [37353]
    assert by_directory(world, text) == []
    assert session(world, "holdfast-reader").user == "holdfast-reader"


def test_a_person_is_impersonated_towards_the_directory(world):
    dana = next(one for one in world.accounts.values() if one.display_name == "Dana Kim")
    world.servers[SERVER].entra_admin = dana.object_id
    who = Identity("entra", dana.user_principal_name, entra_id=dana.object_id)
    own = log_in(world, SERVER, "finance", who, lambda: NOW, "203.0.113.9")
    assert own.execute("CREATE USER [holdfast-reader] FROM EXTERNAL PROVIDER") == []


def test_a_display_name_that_two_have_is_no_name(world):
    twins = [one for one in world.applications.values() if one.display_name.startswith("holdfast-")][:2]
    for one in twins:
        one.display_name = "twin"
    assert by_directory(world, "CREATE USER twin FROM EXTERNAL PROVIDER") == [33131]
    object_id = twins[1].principal_id
    alias = f"CREATE USER twin_1 FROM EXTERNAL PROVIDER WITH OBJECT_ID = '{object_id}'"
    assert by_directory(world, alias) == []


def test_an_object_id_is_that_of_the_service_principal(world):
    found = next(one for one in world.applications.values() if one.display_name == "holdfast-reader")
    text = "CREATE USER [holdfast-reader] FROM EXTERNAL PROVIDER WITH OBJECT_ID = '{}'"
    assert by_directory(world, text.format(found.object_id)) == [37545]
    assert by_directory(world, text.format(found.principal_id)) == []


def test_nobody_of_that_name_is_33130(world):
    assert by_directory(world, "CREATE USER [no such app] FROM EXTERNAL PROVIDER") == [33130]


def test_a_sql_login_cannot_have_the_directory_asked(world):
    world.servers[SERVER].databases["helpdesk"].principals["helpdesk_app"].roles.append("db_owner")
    own = helpdesk(world)
    assert numbers(own.execute("CREATE USER [holdfast-reader] FROM EXTERNAL PROVIDER")) == [33159]
    assert own.execute(f"CREATE USER x WITH SID = {SID}, TYPE = E") == []


def test_a_role_with_members_stays(world):
    text = "CREATE ROLE loaders; ALTER ROLE loaders ADD MEMBER [erp-nightly]; DROP ROLE loaders"
    own = session(world)
    assert numbers(own.execute(text)) == [15144]
    assert own.execute("ALTER ROLE loaders DROP MEMBER [erp-nightly]; DROP ROLE loaders") == []


def test_a_dropped_user_leaves_no_grant_behind(world):
    run(world, "DROP USER [erp-nightly]")
    assert all(one.grantee != "erp-nightly" for one in world.servers[SERVER].databases["erp"].permissions)


def test_the_way_administrators_write_it_runs_twice(world):
    text = """
        IF NOT EXISTS (SELECT * FROM sys.database_principals WHERE name = N'we]ird')
        BEGIN
            CREATE USER [we]]ird] WITH SID = 0x0102030405060708090A0B0C0D0E0F10, TYPE = E;
        END;
        IF DATABASE_PRINCIPAL_ID(N'loaders') IS NULL CREATE ROLE loaders;
        ALTER ROLE loaders ADD MEMBER [we]]ird]
        GRANT SELECT, INSERT ON OBJECT::[dbo].[Orders] TO [loaders];
    """
    own = session(world)
    assert own.execute(text) == []
    before = list(world.servers[SERVER].databases["erp"].permissions)
    assert own.execute(text) == []
    assert world.servers[SERVER].databases["erp"].permissions == before


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("CREATE USER y WITH SID = 0x05, TYPE = E", 15247),
        ("CREATE ROLE y", 15247),
        ("DROP USER [dana.kim@contoso.example]", 15151),
        ("ALTER ROLE db_datareader ADD MEMBER [erp-nightly]", 15151),
        ("GRANT SELECT ON dbo.Orders TO public", 4613),
        ("GRANT EXECUTE ON dbo.PostTotals TO public", 15151),
        ("EXECUTE AS USER = 'dbo'", 15517),
    ],
)
def test_a_user_without_that_right_administers_nothing(world, text, number):
    assert numbers(run(world, text, "erp-nightly")) == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("GRANT EXECUTE ON dbo.Orders TO public", 4606),
        ("GRANT SELECT ON dbo.PostTotals TO public", 4606),
        ("GRANT FLY ON dbo.Orders TO public", 4606),
        ("GRANT SELECT ON dbo.Missing TO public", 15151),
        ("GRANT SELECT ON SCHEMA::missing TO public", 15151),
        ("GRANT SELECT ON dbo.Orders TO missing", 15151),
        ("GRANT SELECT ON dbo.Orders TO db_datareader", 4617),
        ("GRANT SELECT ON dbo.Orders TO dbo", 4604),
        ("GRANT SELECT ON dbo.Orders (Id) TO public", 40510),
        ("DROP USER dbo", 15150),
        ("DROP ROLE db_owner", 15150),
        ("ALTER ROLE db_owner ADD MEMBER dbo", 15405),
        ("ALTER ROLE missing ADD MEMBER [erp-nightly]", 15151),
        ("CREATE TABLE dbo.T (a int)", 40510),
        ("USE master", 40508),
        ("SELECT 'open", 105),
        ("/* open", 113),
    ],
)
def test_what_cannot_be_done_has_its_number(world, text, number):
    assert numbers(run(world, text)) == [number]


# --- rights ----------------------------------------------------------------------------------------------


def test_rights_are_told_as_the_user_who_acts(world):
    text = """
        EXECUTE AS USER = 'erp-nightly';
        SELECT HAS_PERMS_BY_NAME(N'[dbo].[Orders]', N'OBJECT', N'SELECT') AS reads,
               HAS_PERMS_BY_NAME(N'[dbo].[Orders]', N'OBJECT', N'INSERT') AS adds,
               HAS_PERMS_BY_NAME(N'[dbo].[Missing]', N'OBJECT', N'SELECT') AS missing,
               HAS_PERMS_BY_NAME(NULL, NULL, N'CONNECT') AS connects,
               HAS_PERMS_BY_NAME(N'dbo', N'SCHEMA', N'SELECT') AS wide, USER_NAME() AS who;
        REVERT; SELECT USER_NAME() AS who
    """
    told = run(world, text)
    assert told[0].rows == ((1, 0, None, 1, 0, "erp-nightly"),)
    assert rows(told) == [("holdfast-sql-admin",)]


def test_a_denial_to_public_beats_a_grant_to_the_user(world):
    run(world, "DENY SELECT ON SCHEMA::dbo TO public")
    assert numbers(run(world, "SELECT Id FROM dbo.Orders", "erp-nightly")) == [229]
    run(world, "REVOKE SELECT ON SCHEMA::dbo FROM public")
    assert numbers(run(world, "SELECT Id FROM dbo.Orders", "erp-nightly")) == []


def test_who_may_nothing_does_not_see_that_it_is_there(world):
    text = "SELECT name FROM sys.objects; SELECT OBJECT_ID(N'dbo.Totals') AS id"
    told = run(world, text, "erp-nightly")
    assert told[0].rows == (("Orders",),)
    assert told[1].rows == ((None,),)


def test_fn_my_permissions_lists_what_the_user_holds(world):
    text = "SELECT permission_name FROM sys.fn_my_permissions(N'dbo.Orders', N'OBJECT')"
    assert rows(run(world, text, "erp-nightly")) == [("SELECT",)]


def test_a_grant_shows_in_the_servers_own_views(world):
    text = """
        SELECT p.name, d.permission_name, d.state_desc, OBJECT_NAME(d.major_id) AS object
        FROM sys.database_permissions AS d
        JOIN sys.database_principals AS p ON p.principal_id = d.grantee_principal_id
        WHERE p.name = N'ERP-nightly' AND d.class = 1
    """
    assert rows(run(world, text)) == [("erp-nightly", "SELECT", "GRANT", "Orders")]


def test_a_grant_option_lets_its_holder_grant_that_and_nothing_else(world):
    run(world, "GRANT SELECT ON dbo.Orders TO [erp-nightly] WITH GRANT OPTION")
    own = session(world, "erp-nightly")
    assert own.execute("GRANT SELECT ON dbo.Orders TO public") == []
    assert numbers(own.execute("GRANT INSERT ON dbo.Orders TO public")) == [4613]


def test_a_used_right_is_noted_with_the_grant_that_gave_it(world):
    database = world.servers[SERVER].databases["erp"]
    database.uses.clear()
    for one in database.permissions:
        one.used_at = None
    run(world, "SELECT Id FROM dbo.Orders", "erp-nightly")
    (use,) = database.uses.values()
    assert (use.user, use.permission, use.securable) == ("erp-nightly", "SELECT", "OBJECT::dbo.Orders")
    used = {(one.grantee, one.permission) for one in database.permissions if one.used_at}
    assert used == {("erp-nightly", "SELECT")}


# --- the language around it ------------------------------------------------------------------------------


def test_a_text_put_together_at_run_time_is_run(world):
    text = """
        DECLARE @name nvarchar(128) = N'Orders', @sql nvarchar(max);
        SET @sql = N'SELECT COUNT(*) AS n FROM dbo.' + QUOTENAME(@name) + N' WHERE Id < @top';
        EXEC sp_executesql @sql, N'@top int', @top = 4
    """
    assert rows(run(world, text)) == [(3,)]


def test_an_error_is_caught_and_thrown_again(world):
    text = """
        BEGIN TRY
            DROP USER nobody
        END TRY
        BEGIN CATCH
            PRINT 'caught';
            THROW;
        END CATCH
    """
    told = run(world, text)
    assert told[0] == Info(0, "caught")
    assert numbers(told) == [15151]


def test_the_days_left_to_a_password_are_told(world):
    world.servers[SERVER].logins["helpdesk_app"].expires_at = datetime(2026, 3, 14, 12, tzinfo=UTC)
    text = "SELECT LOGINPROPERTY('helpdesk_app', 'DaysUntilExpiration') AS days, SUSER_SNAME() AS who"
    assert rows(helpdesk(world).execute(text)) == [(10, "helpdesk_app")]


def test_what_is_thrown_ends_the_batch(world):
    assert run(world, "THROW 50001, N'no', 1; SELECT 1 AS one")[1:] == []


PIECES = (
    "SELECT", "1", "'x'", "N'a''b'", "FROM", "dbo.Orders", "[Orders]", "o", "WHERE", "Id", "=", "@id", "(", ")", ",", ";", "IF",
    "EXISTS", "NOT", "BEGIN", "END", "ELSE", "TRY", "CATCH", "BEGIN TRAN", "COMMIT", "ROLLBACK", "DECLARE @x int = 1", "SET @x =",
    "EXEC", "EXEC dbo.PostTotals", "EXEC (N'SELECT 1 AS a')", "PRINT", "THROW", "THROW 50001, N'x', 1", "RETURN", "CASE WHEN 1=1 THEN 2",
    "CREATE USER u WITH SID = 0x01, TYPE = E", "DROP USER", "GRANT SELECT ON", "TO", "u", "ALTER ROLE", "ADD MEMBER", "REVERT",
    "EXECUTE AS USER = 'erp-nightly'", "sys.database_principals", "HAS_PERMS_BY_NAME(N'dbo.Orders', N'OBJECT', N'SELECT')", "+", "NULL",
    "UPDATE dbo.Orders SET", "DELETE FROM", "INSERT INTO dbo.Totals (Orders) VALUES (1)", "--", "\n", "/*", "*/", "@@ROWCOUNT", "USER",
    "sys.fn_my_permissions(NULL, NULL)", "CAST(0x01 AS uniqueidentifier)", "CONVERT(varchar, 0x01, 1)", "OBJECT_ID(", "WITH x AS",
)  # fmt: skip


@pytest.fixture(scope="module")
def open_one(founded: World) -> Callable[[], SqlSession]:
    world = deepcopy(founded)
    return lambda: session(world)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14))
def test_whatever_is_sent_is_answered_with_results_or_numbers(open_one, pieces):
    own = open_one()
    try:
        told = own.execute(" ".join(pieces), {"id": 1})
    finally:
        own.close()
    assert all(one.number for one in told if isinstance(one, SqlError))
