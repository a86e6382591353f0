"""T-SQL batches read into statements: what each reads and writes, which permissions that needs, and its SQLite text.

Only SELECT, INSERT, UPDATE, DELETE, EXEC, DECLARE and SET are played; anything else is refused with a number, never
passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.sandbox.sql import errors

CLOCK = frozenset(
    {"getdate", "getutcdate", "sysdatetime", "sysutcdatetime", "newid", "rand", "current_timestamp"}
)
LONGEST = 200_000
DEEPEST = 100


class Statement(NamedTuple):
    """One statement.

    Attributes:
        sqlite: its text for SQLite; variables are named parameters.
        reads: tables as ``schema.name``; `writes` likewise.
        needs: permission and object, in the order in which they are checked.
        procedure: of an EXEC, with `arguments`; a value that begins with ``@`` is a variable.
        sets: the variable that a DECLARE or SET gives `value`.
        has_unnamed: a column of its result has no name.
        adds: it only adds rows.
    """

    sqlite: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    is_volatile: bool = False
    procedure: str | None = None
    arguments: Mapping[str, Any] = {}
    sets: str | None = None
    value: Any = None
    has_unnamed: bool = False
    adds: bool = False


def full_name(written: str) -> str:
    """``schema.name`` of a name as people write it: brackets and quotes off, dbo where no schema is given.

    Raises:
        SqlError: it is no one- or two-part name.
    """
    parts = re.findall(r"\[((?:[^\]]|\]\])+)\]|\"((?:[^\"]|\"\")+)\"|([^.\[\]\"\s]+)", written.strip())
    names = [
        bracketed.replace("]]", "]") or double.replace('""', '"') or plain
        for bracketed, double, plain in parts
    ]
    if not 1 <= len(names) <= 2:
        raise errors.syntax(written[:40])
    return ".".join(names if len(names) == 2 else ["dbo", names[0]])


@lru_cache(maxsize=2048)
def read_batch(text: str) -> tuple[Statement, ...]:
    """The statements of a batch.

    Raises:
        SqlError: 102 for what cannot be read, 40510 for what is not played.
    """
    if len(text) > LONGEST or _depth(text) > DEEPEST:
        raise errors.SqlError(191, "Some part of your SQL statement is nested too deeply.", 15)
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        trees = sqlglot.parse(text, read="tsql")
    except (SqlglotError, RecursionError, ValueError) as error:
        near = re.search(r"\x1b\[4m(.+?)\x1b\[0m", str(error), re.DOTALL)
        raise errors.syntax(near[1][:40] if near else text.strip()[:20]) from None
    return tuple(statement for tree in trees if tree is not None for statement in _statements(tree))


def _depth(text: str) -> int:
    depth = deepest = 0
    for mark in text:
        depth += (mark == "(") - (mark == ")")
        deepest = max(deepest, depth)
    return deepest


def _statements(tree: Any) -> Iterator[Statement]:
    from sqlglot import exp

    if isinstance(tree, exp.Select | exp.SetOperation | exp.Insert | exp.Update | exp.Delete):
        yield _on_tables(tree)
    elif isinstance(tree, exp.Execute):
        yield _execute(tree)
    elif isinstance(tree, exp.Declare):
        yield from _declare(tree)
    elif isinstance(tree, exp.Set):
        yield from _set(tree)
    else:
        raise errors.not_supported(tree.key.upper())


def _on_tables(tree: Any) -> Statement:
    from sqlglot import exp

    target = tree.find(exp.Table) if isinstance(tree, exp.Insert | exp.Update | exp.Delete) else None
    temporary = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    reads: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        if table.catalog:
            raise errors.SqlError(
                40515,
                "Reference to database and/or server name is not supported in this version of SQL Server.",
            )
        if not table.db and table.name.casefold() in temporary:
            continue
        name = f"{table.db or 'dbo'}.{table.name}"
        if table is not target:
            reads[name] = None
    writes = {f"{target.db or 'dbo'}.{target.name}": None} if target is not None else {}
    variables = tuple(dict.fromkeys(one.name for one in tree.find_all(exp.Parameter)))
    return Statement(
        sqlite=_sqlite(tree, temporary),
        reads=tuple(reads),
        writes=tuple(writes),
        needs=tuple(_needs(tree, reads, writes)),
        variables=variables,
        is_volatile=any(name in CLOCK for name in _called(tree)),
        adds=isinstance(tree, exp.Insert),
        has_unnamed=isinstance(tree, exp.Query)
        and any(not one.output_name and not one.is_star for one in tree.selects),
    )


def _needs(tree: Any, reads: Mapping[str, None], writes: Mapping[str, None]) -> Iterator[tuple[str, str]]:
    from sqlglot import exp

    yield from (("SELECT", name) for name in reads)
    for name in writes:
        yield tree.key.upper(), name
        # A condition on the target, or an OUTPUT clause, reads it as well.
        if tree.args.get("where") is not None or tree.find(exp.Returning) is not None:
            yield "SELECT", name


def _called(tree: Any) -> Iterator[str]:
    from sqlglot import exp

    for call in tree.find_all(exp.Func):
        yield (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()


def _sqlite(tree: Any, temporary: set[str]) -> str:
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel

    def rewritten(node: Any) -> Any:
        if isinstance(node, exp.Table) and not (not node.db and node.name.casefold() in temporary):
            name = f"{node.db or 'dbo'}.{node.name}".casefold()
            alias = node.alias or node.name
            return exp.Table(
                this=exp.to_identifier(name, quoted=True),
                alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
                if _may_alias(node)
                else None,
                joins=node.args.get("joins"),
            )
        if isinstance(node, exp.Column) and node.table.casefold() in ("inserted", "deleted"):
            return exp.Column(this=node.this)
        if isinstance(node, exp.National):
            return exp.Literal.string(node.name)
        if isinstance(node, exp.Parameter):
            return exp.Placeholder(this=node.name)
        if isinstance(node, exp.CurrentTimestamp):
            return exp.Anonymous(this="HOLDFAST_NOW")
        return node

    return str(tree.copy().transform(rewritten).sql(dialect="sqlite", unsupported_level=ErrorLevel.IGNORE))


def _may_alias(node: Any) -> bool:
    from sqlglot import exp

    return not isinstance(node.parent, exp.Insert | exp.Schema)


def _execute(tree: Any) -> Statement:
    from sqlglot import exp

    table = tree.find(exp.Table)
    name = f"{table.db or 'dbo'}.{table.name}" if table is not None else tree.this.name
    arguments: dict[str, Any] = {}
    for place, argument in enumerate(tree.expressions):
        named = isinstance(argument, exp.EQ)
        key = argument.this.name if named else str(place)
        arguments[key] = _literal(argument.expression if named else argument)
    return Statement(procedure=name, arguments=arguments)


def _literal(node: Any) -> Any:
    from sqlglot import exp

    if isinstance(node, exp.Parameter):
        return f"@{node.name}"
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Neg):
        return -_literal(node.this)
    if isinstance(node, exp.National):
        return node.name
    if isinstance(node, exp.Literal):
        if node.is_string:
            return node.name
        return float(node.name) if "." in node.name else int(node.name)
    raise errors.syntax(node.sql(dialect="tsql")[:40])


def _declare(tree: Any) -> Iterator[Statement]:
    for item in tree.expressions:
        default = item.args.get("default")
        value = None if default is None else _literal(default)
        yield Statement(sets=item.name.lstrip("@"), value=value)


def _set(tree: Any) -> Iterator[Statement]:
    from sqlglot import exp

    for item in tree.expressions:
        assigned = item.this
        if isinstance(assigned, exp.EQ) and isinstance(assigned.this, exp.Parameter):
            yield Statement(sets=assigned.this.name, value=_literal(assigned.expression))
        # SET NOCOUNT ON and its like change nothing here.
