"""What a T-SQL script touches."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from holdfast.core.operations import QueryForm
from holdfast.reading.expressions import Template
from holdfast.reading.tsql import Touched, touched

PLAIN = Template()


def read(query: str) -> Touched:
    return touched(PLAIN.parts(query))


@pytest.mark.parametrize(
    ("query", "reads", "writes", "executes"),
    [
        ("SELECT 1", [], [], []),
        ("SELECT * FROM [dbo].[A] a JOIN B ON a.x = b.y", ["[dbo].[A]", "B"], [], []),
        ("SELECT * FROM A, dbo.B AS b, (SELECT * FROM C) q WHERE 1 = 1", ["A", "dbo.B", "C"], [], []),
        ("SELECT * FROM A x WITH (NOLOCK), B (NOLOCK), C", ["A", "B", "C"], [], []),
        ("SELECT * FROM A LEFT JOIN (B INNER JOIN C ON 1 = 1) ON 1 = 1", ["A", "B", "C"], [], []),
        ("WITH c AS (SELECT * FROM X), d (e) AS (SELECT 1) SELECT * FROM c JOIN d ON 1 = 1", ["X"], [], []),
        ("SELECT 'from x join y' -- from z\nFROM W /* from V */", ["W"], [], []),
        ("SELECT TRIM('.' FROM a.b), EXISTS_ FROM C", ["C"], [], []),
        ("SELECT * FROM @t t JOIN #u u ON 1 = 1 JOIN ##v ON 1 = 1", [], [], []),
        ("SELECT * FROM OPENJSON(@j) WITH (a int '$.a') x CROSS APPLY STRING_SPLIT(x.a, ',')", [], [], []),
        ("SELECT * FROM dbo.f(1) x CROSS APPLY dbo.g(x.a)", ["dbo.f", "dbo.g"], [], []),
        ("SELECT dbo.h(a), t.c.value('x', 'int') FROM T t", ["T"], [], ["dbo.h"]),
        (
            "SELECT * FROM A WHERE EXISTS (SELECT 1 FROM B) AND c IN (SELECT d FROM E)",
            ["A", "B", "E"],
            [],
            [],
        ),
        ("SELECT * FROM Other.dbo.T", ["Other.dbo.T"], [], []),
        ("SELECT * FROM master..sysobjects", ["master..sysobjects"], [], []),
        ("SELECT a FROM T ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY FOR JSON PATH", ["T"], [], []),
        ("SELECT * FROM T WHERE a IS NOT DISTINCT FROM b", ["T"], [], []),
        ("SELECT name FROM sys.tables", ["sys.tables"], [], []),
        ("INSERT INTO dbo.T (a) VALUES (1)", [], ["dbo.T"], []),
        ("INSERT dbo.T SELECT a FROM U", ["U"], ["dbo.T"], []),
        ("INSERT INTO dbo.T (a) OUTPUT inserted.id INTO @ids EXEC dbo.p", [], ["dbo.T"], ["dbo.p"]),
        ("UPDATE dbo.T SET a = 1 WHERE b = 2", [], ["dbo.T"], []),
        ("UPDATE t SET a = 1 FROM dbo.T t JOIN dbo.U u ON t.i = u.i", ["dbo.U"], ["dbo.T"], []),
        ("UPDATE TOP (5) [S].[T] SET a = 1 OUTPUT deleted.a", [], ["[S].[T]"], []),
        ("DELETE FROM dbo.T WHERE i IN (SELECT i FROM U)", ["U"], ["dbo.T"], []),
        ("DELETE t FROM dbo.T t", [], ["dbo.T"], []),
        ("delete T; update U set a = 1", [], ["T", "U"], []),
        (
            "MERGE INTO dbo.T AS t USING (SELECT * FROM S) s ON t.i = s.i WHEN MATCHED THEN UPDATE SET a = s.a"
            " WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a) WHEN NOT MATCHED BY SOURCE THEN DELETE;",
            ["S"],
            ["dbo.T"],
            [],
        ),
        ("MERGE T USING S ON T.i = S.i WHEN MATCHED THEN DELETE;", ["S"], ["T"], []),
        ("EXEC dbo.p @a = 'from x', @b = 2", [], [], ["dbo.p"]),
        ("DECLARE @r int; EXECUTE @r = [dbo].[my proc]", [], [], ["[dbo].[my proc]"]),
        ("exec sp_executesql N'select * from Z where a = @b', N'@b int', 3", ["Z"], [], []),
        (
            "DECLARE @x int = 1; IF EXISTS (SELECT 1 FROM A) BEGIN UPDATE B SET a = 1 END ELSE INSERT INTO C VALUES (1)",
            ["A"],
            ["B", "C"],
            [],
        ),
        ("DECLARE c CURSOR FOR SELECT i FROM K; FETCH NEXT FROM c INTO @a", ["K"], [], []),
        ("CREATE TABLE #t (i int); INSERT #t SELECT i FROM A; DROP TABLE #t", ["A"], [], []),
        ("SELECT * INTO #t FROM A", ["A"], [], []),
        ("SELECT [from], [join] FROM [My Table] AS [select]", ["[My Table]"], [], []),
        ("SELECT * FROM dbo.T t1 JOIN DBO.t t2 ON 1 = 1", ["dbo.T"], [], []),
        ("SELECT a FROM X UNION ALL SELECT a FROM Y", ["X", "Y"], [], []),
        ('SELECT * FROM "dbo"."T"', ['"dbo"."T"'], [], []),
    ],
)
def test_objects_are_found_where_they_stand(query, reads, writes, executes):
    found = read(query)

    assert (list(found.reads), list(found.writes), list(found.executes)) == (reads, writes, executes)
    assert found.is_certain
    assert found.needs_more == ()


@pytest.mark.parametrize(
    ("query", "needs"),
    [
        ("CREATE TABLE dbo.Y (i int)", "CREATE TABLE"),
        ("DROP TABLE IF EXISTS dbo.Y", "DROP TABLE"),
        ("TRUNCATE TABLE dbo.Y", "TRUNCATE TABLE"),
        ("ALTER INDEX ALL ON dbo.Y REBUILD", "ALTER INDEX"),
        ("SELECT * INTO dbo.Copy FROM dbo.Y", "SELECT INTO"),
        ("SELECT * FROM sys.dm_exec_requests", "VIEW STATE"),
        ("SET IDENTITY_INSERT dbo.Y ON", "SET IDENTITY_INSERT"),
        ("GRANT SELECT ON dbo.Y TO ada", "GRANT"),
        ("UPDATE STATISTICS dbo.Y", "UPDATE STATISTICS"),
        ("DBCC CHECKDB", "DBCC"),
    ],
)
def test_what_rights_on_objects_do_not_cover_is_said(query, needs):
    assert needs in read(query).needs_more


@pytest.mark.parametrize(
    "query",
    [
        "EXEC (@sql)",
        "EXEC @name",
        "EXEC sp_executesql @sql",
        "SELECT * FROM OPENQUERY(other, 'select 1')",
        "SELECT * FROM other.db.dbo.T",
        "SELECT * FROM <table>",
        "SELECT * FROM dbo.<table>",
        "your query here",
        "",
        "EXECUTE AS USER = 'ada'; SELECT 1",
    ],
)
def test_what_the_text_does_not_tell_is_uncertain(query):
    assert not read(query).is_certain


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("SELECT * FROM T", QueryForm.NO),
        ("SELECT * FROM T WHERE a = @{x} AND b = '@{y}' AND c IN (@{z})", QueryForm.VALUES),
        ("SELECT * FROM T WHERE a BETWEEN @{x} AND @{y}", QueryForm.VALUES),
        ("SELECT TOP @{n} * FROM T WHERE a LIKE '%@{y}%'", QueryForm.VALUES),
        ("INSERT INTO T (a, b) VALUES (@{x}, N'@{y}')", QueryForm.VALUES),
        ("EXEC dbo.p @a = @{x}, @b = '@{y}'", QueryForm.VALUES),
        ("@concat('SELECT * FROM T WHERE a = ', body('x'))", QueryForm.VALUES),
        ("SELECT * FROM @{x}", QueryForm.WHOLE),
        ("SELECT * FROM dbo.T_@{x}", QueryForm.WHOLE),
        ("SELECT * FROM [dbo].[@{x}]", QueryForm.WHOLE),
        ("SELECT * FROM T WHERE @{x}", QueryForm.WHOLE),
        ("SELECT * FROM T @{x}", QueryForm.WHOLE),
        ("SELECT * FROM T WHERE a = 1 AND @{x}", QueryForm.WHOLE),
        ("EXEC dbo.@{x}", QueryForm.WHOLE),
        ("@{body('query')}", QueryForm.WHOLE),
        ("@variables('query')", QueryForm.WHOLE),
    ],
)
def test_an_embedded_expression_is_a_value_or_makes_the_query_unknown(query, form):
    found = read(query)

    assert found.form is form
    assert found.is_certain is (form is not QueryForm.WHOLE)


def test_an_object_that_is_only_known_at_run_time_is_not_guessed():
    assert read("SELECT * FROM dbo.T_@{x} JOIN U ON 1 = 1").reads == ("U",)


def by_sqlglot(query: str) -> tuple[set[str], set[str]]:
    """Reads and writes by another reader of T-SQL, where it can read it."""
    reads: set[str] = set()
    writes: set[str] = set()
    for statement in sqlglot.parse(query, read="tsql"):
        if statement is None:
            continue
        target = (
            statement.this
            if isinstance(statement, exp.Insert | exp.Update | exp.Delete | exp.Merge)
            else None
        )
        target = target.this if isinstance(target, exp.Schema) else target
        ctes = {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            name = ".".join(part.name for part in table.parts).lower()
            if name not in ctes and isinstance(table.this, exp.Identifier):
                (writes if table is target else reads).add(name)
    return reads, writes


TABLES = st.sampled_from(["A", "[dbo].[B]", "dbo.C", "[My Table]", "S.[D]", "E"])


@st.composite
def queries(draw) -> str:
    """Single statements that both can read."""

    def source(depth: int) -> str:
        if depth and draw(st.booleans()):
            inner = source(depth - 1)
            return f"(SELECT * FROM {inner}) q{draw(st.integers(0, 99))}"  # noqa: S608 - nothing runs it
        return f"{draw(TABLES)} t{draw(st.integers(0, 99))}"

    sources = source(2)
    for _ in range(draw(st.integers(0, 3))):
        sources += draw(st.sampled_from([" JOIN {} ON 1 = 1", " LEFT JOIN {} ON 1 = 1", ", {}"])).format(
            source(1)
        )
    where = draw(st.sampled_from(["", " WHERE a = 'from X'", " WHERE a IN (SELECT b FROM F)", " GROUP BY a"]))
    select = f"SELECT a, COUNT(*) AS [from] FROM {sources}{where}"  # noqa: S608 - nothing runs it
    shape = draw(
        st.sampled_from(
            ["{0}", "INSERT INTO {1} (a) {0}", "WITH c AS ({0}) SELECT * FROM c", "{0} UNION {0}"]
        )
    )
    return shape.format(select, draw(TABLES))


@given(queries())
def test_another_reader_of_tsql_finds_the_same(query):
    found = read(query)

    def bare(names):
        return {name.replace("[", "").replace("]", "").lower() for name in names}

    assert (bare(found.reads), bare(found.writes)) == by_sqlglot(query)


@settings(deadline=None)
@given(st.text(alphabet="SELECTFROMINTO ()[]',.;@#-/*ab\n", max_size=80))
def test_any_text_can_be_read(text):
    assert isinstance(read(text), Touched)


def test_a_hostile_text_is_read_without_end():
    for hostile in (
        "(" * 100_000,
        "'" * 100_001,
        "[" * 100_000,
        "/*" * 50_000,
        "FROM " * 50_000,
        "a." * 50_000,
    ):
        assert isinstance(read(f"{hostile} SELECT 1 FROM T {hostile}"), Touched)  # noqa: S608 - nothing runs it
