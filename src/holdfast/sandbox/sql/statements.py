"""Queries read by sqlglot: what each reads and writes, which permissions that needs, and its SQLite text.

SELECT, INSERT, UPDATE and DELETE are played; anything else is refused with a number, never passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.batches import Execute, queries_of, read_nodes
from holdfast.sandbox.sql.catalogue import joined
from holdfast.sandbox.sql.system_views import SYSTEM_SCHEMAS
from holdfast.sandbox.sql.words import Word, words_of

CLOCK = frozenset(
    {"getdate", "getutcdate", "sysdatetime", "sysutcdatetime", "newid", "rand", "current_timestamp"}
)
OURS = {
    "SUSER_SNAME": "HF_LOGIN",
    "SUSER_NAME": "HF_LOGIN",
    "SYSTEM_USER": "HF_LOGIN",
    "ORIGINAL_LOGIN": "HF_LOGIN",
    "SESSION_USER": "HF_USER",
    "CURRENT_USER": "HF_USER",
    "USER": "HF_USER",
    "USER_NAME": "HF_USER",
    "SCHEMA_NAME": "HF_SCHEMA_NAME",
}
"""Functions that sqlglot would turn into something else, by the names that the engine registers."""

KINDS = {
    "count": "int", "hf_login": "nvarchar(128)", "hf_user": "nvarchar(128)", "db_name": "nvarchar(128)",
    "quotename": "nvarchar(258)", "has_perms_by_name": "int", "is_rolemember": "int", "is_member": "int",
    "database_principal_id": "int", "object_id": "int", "schema_id": "int", "object_name": "nvarchar(128)",
    "hf_schema_name": "nvarchar(128)", "getdate": "datetime", "getutcdate": "datetime", "sysdatetime": "datetime2",
    "sysutcdatetime": "datetime2", "current_timestamp": "datetime", "newid": "uniqueidentifier",
    "scope_identity": "decimal(38,0)", "user_id": "int",
}  # fmt: skip
"""T-SQL types of what functions return, where the values do not tell."""


class Statement(NamedTuple):
    """One statement.

    Attributes:
        sqlite: its text for SQLite; variables are named parameters.
        verb: SELECT, INSERT, UPDATE or DELETE.
        reads: tables and views as ``schema.name``; `writes` likewise.
        needs: permission and object, in the order in which they are checked.
        has_output: an OUTPUT clause without INTO.
        sources: of the columns of its result, by name: where a plain column comes from, or the type of what it is.
        has_unnamed: a column of its result has no name.
        adds: it only adds rows.
    """

    sqlite: str = ""
    verb: str = "SELECT"
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    is_volatile: bool = False
    has_output: bool = False
    sources: Mapping[str, tuple[str, str]] = {}
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
    schema, name = names if len(names) == 2 else ["dbo", names[0]]
    return joined(schema, name)


@lru_cache(maxsize=2048)
def read_batch(text: str) -> tuple[Statement, ...]:
    """The queries of a batch, and its procedure calls as statements that need EXECUTE.

    Raises:
        SqlError: 102 for what cannot be read, 40510 for what is not played.
    """
    return tuple(
        Statement(verb="EXECUTE", needs=(("EXECUTE", full_name(node.procedure)),))
        if isinstance(node, Execute)
        else read_query(node.text)
        for node in queries_of(read_nodes(text))
    )


@lru_cache(maxsize=4096)
def read_query(text: str) -> Statement:
    """One query.

    Raises:
        SqlError: 102 for what cannot be read, 40510 for what is not played.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    words = words_of(text)
    try:
        trees = sqlglot.parse(_renamed(text, words), read="tsql")
    except (SqlglotError, RecursionError, ValueError) as error:
        near = re.search(r"\x1b\[4m(.+?)\x1b\[0m", str(error), re.DOTALL)
        raise errors.syntax(near[1][:40] if near else text.strip()[:20]) from None
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Insert | exp.Update | exp.Delete):
        raise errors.not_supported(tree.key.upper() if tree is not None else text.strip()[:20])
    if tree.find(exp.Into) is not None:
        raise errors.not_supported("SELECT INTO")
    return _on_tables(tree)


def _renamed(text: str, words: list[Word]) -> str:
    """The text with the functions that sqlglot does not know as T-SQL's under our names."""
    pieces: list[str] = []
    at = 0
    for place, word in enumerate(words):
        following, before = words[min(place + 1, len(words) - 1)], words[max(place - 1, 0)]
        if word.key == "TOP" and before.key in ("DELETE", "UPDATE", "INSERT"):
            raise errors.not_supported(f"{before.key} TOP")
        if word.key == "FOR" and following.key in ("JSON", "XML", "BROWSE", "SYSTEM_TIME"):
            raise errors.not_supported(f"FOR {following.key}")
        ours = _our_name(word, following) if before.key not in (".", "AS") or not place else None
        if ours is not None:
            pieces += [text[at : word.start], ours]
            at = word.end
    return "".join((*pieces, text[at:]))


def _our_name(word: Word, following: Word) -> str | None:
    if word.kind == "variable" and word.text.startswith("@@"):
        return f"HF_GLOBAL('{word.text[2:].upper()}')"
    if following.key == "(":
        return "HF_CONVERT" if word.key == "CONVERT" else OURS.get(word.key)
    without = word.key in ("SYSTEM_USER", "SESSION_USER", "CURRENT_USER", "USER")
    return f"{OURS[word.key]}()" if without else None


def _on_tables(tree: Any) -> Statement:
    from sqlglot import exp

    target = tree.find(exp.Table) if isinstance(tree, exp.Insert | exp.Update | exp.Delete) else None
    if target is not None and _is_alias(tree, target):
        raise errors.not_supported(f"{tree.key.upper()} of an alias")
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
        if _function_of(table) is None and table is not target:
            reads[_named(table)] = None
    writes = {_named(target): None} if target is not None else {}
    variables = tuple(dict.fromkeys(one.name for one in tree.find_all(exp.Parameter)))
    return Statement(
        sqlite=_sqlite(tree, temporary),
        verb=tree.key.upper() if target is not None else "SELECT",
        reads=tuple(reads),
        writes=tuple(writes),
        needs=tuple(_needs(tree, reads, writes)),
        variables=variables,
        is_volatile=any(name in CLOCK for name in _called(tree)),
        has_output=tree.args.get("returning") is not None,
        sources=dict(_sources(tree)),
        adds=isinstance(tree, exp.Insert),
        has_unnamed=isinstance(tree, exp.Query)
        and any(not one.output_name and not one.is_star for one in tree.selects),
    )


def _needs(tree: Any, reads: Mapping[str, None], writes: Mapping[str, None]) -> Iterator[tuple[str, str]]:
    from sqlglot import exp

    yield from (("SELECT", name) for name in reads if not is_system(name))
    for name in writes:
        yield tree.key.upper(), name
        # A condition on the target, or an OUTPUT clause, reads it as well.
        if tree.args.get("where") is not None or tree.find(exp.Returning) is not None:
            yield "SELECT", name


def _is_alias(tree: Any, target: Any) -> bool:
    """Whether the target is another source's alias, as in ``UPDATE o SET … FROM dbo.Orders AS o``."""
    from sqlglot import exp

    wanted = target.name.casefold()
    return not target.db and any(
        one is not target and one.alias.casefold() == wanted for one in tree.find_all(exp.Table)
    )


def is_system(name: str) -> bool:
    """Whether a table is one of the server's own views, which show everybody what he may see."""
    return name.partition(".")[0].casefold() in SYSTEM_SCHEMAS


def _named(table: Any) -> str:
    name: str = joined(table.db or "dbo", table.name)
    return name


def _function_of(table: Any) -> Any:
    """The function call of a source that is one."""
    from sqlglot import exp

    return table.this if isinstance(table.this, exp.Func) else None


def _called(tree: Any) -> Iterator[str]:
    from sqlglot import exp

    for call in tree.find_all(exp.Func):
        yield (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()


def _sources(tree: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """By name of a column of the result: ("column", its name in the table), or ("type", T-SQL's)."""
    from sqlglot import exp

    chosen = tree.selects if isinstance(tree, exp.Query) else ()
    for one in chosen:
        inner = one.unalias()
        if isinstance(inner, exp.Column):
            yield one.output_name, ("column", inner.name)
        elif isinstance(inner, exp.Cast):
            yield one.output_name, ("type", inner.to.sql(dialect="tsql").lower())
        elif isinstance(inner, exp.Func):
            name = (inner.name if isinstance(inner, exp.Anonymous) else inner.sql_name()).lower()
            yield one.output_name, ("type", KINDS.get(name, ""))
        else:
            yield one.output_name, ("type", "")


def _sqlite(tree: Any, temporary: set[str]) -> str:
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel

    copied = tree.copy()
    # From the leaves up, so that what is put into something else has been rewritten itself.
    for node in reversed(list(copied.walk())):
        if isinstance(node, exp.Table):
            if node.db or node.name.casefold() not in temporary:
                node.replace(_permissions_of(node) if _function_of(node) is not None else _place(node))
        elif (rule := _REWRITTEN.get(type(node).__name__)) is not None:
            node.replace(rule(node))
    return str(copied.sql(dialect="sqlite", unsupported_level=ErrorLevel.IGNORE))


def _place(node: Any) -> Any:
    """A table or view by the name that it has in SQLite."""
    from sqlglot import exp

    alias = node.alias or node.name
    may_alias = not isinstance(node.parent, exp.Insert | exp.Schema)
    return exp.Table(
        this=exp.to_identifier(_named(node).casefold(), quoted=True),
        alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)) if may_alias else None,
        joins=node.args.get("joins"),
    )


def _permissions_of(node: Any) -> Any:
    """fn_my_permissions, the one function here that gives rows."""
    from sqlglot import exp, parse_one

    call = _function_of(node)
    if call.name.casefold() != "fn_my_permissions":
        raise errors.invalid_object(call.name)
    given = ", ".join(one.sql(dialect="sqlite") for one in call.expressions)
    columns = ", ".join(
        f"json_extract(value, '$[{n}]') AS {name}"
        for n, name in enumerate(("entity_name", "subentity_name", "permission_name"))
    )
    text = f"SELECT {columns} FROM json_each(HF_MY_PERMISSIONS({given}))"  # noqa: S608 - ours, but for literals
    inner = exp.Subquery(this=parse_one(text, read="sqlite"))
    inner.set("alias", exp.TableAlias(this=exp.to_identifier(node.alias or "p", quoted=True)))
    return inner


def _anonymous(name: str, *given: Any) -> Any:
    from sqlglot import exp

    return exp.Anonymous(this=name, expressions=list(given))


def _column(node: Any) -> Any:
    from sqlglot import exp

    return (
        exp.Column(this=node.this) if node.table.casefold() in ("inserted", "deleted") and node.this else node
    )


def _national(node: Any) -> Any:
    from sqlglot import exp

    return exp.Literal.string(node.name)


def _parameter(node: Any) -> Any:
    from sqlglot import exp

    return exp.Placeholder(this=node.name)


def _added(node: Any) -> Any:
    from sqlglot import exp

    # T-SQL's + also joins texts; which of the two it is, the values tell.
    sides = (node.this, node.expression)
    if all(isinstance(side, exp.Literal) and not side.is_string for side in sides):
        return node
    return _anonymous("HF_ADD", *sides)


def _compared(node: Any) -> Any:
    from sqlglot import exp

    # Like the usual collation: texts compare without regard to case.
    right = node.expression
    is_number = isinstance(right, exp.Literal) and not right.is_string
    is_set = isinstance(node.parent, exp.Update) and node.arg_key == "expressions"
    if is_number or is_set or isinstance(right, exp.Collate | exp.HexString):
        return node
    node.set("expression", exp.Collate(this=right, expression=exp.Var(this="NOCASE")))
    return node


def _cast(node: Any) -> Any:
    from sqlglot import exp

    if node.to.is_type(exp.DataType.Type.UUID):
        return _anonymous("HF_GUID", node.this)
    if node.to.is_type("varbinary", "binary"):
        return _anonymous("HF_BINARY", node.this)
    if node.to.is_type("varchar", "nvarchar", "char", "nchar", "text"):
        return _anonymous("HF_TEXT", node.this)
    return node


def _converted(node: Any) -> Any:
    from sqlglot import exp

    if node.name.upper() != "HF_CONVERT" or len(node.expressions) < 2:
        return node
    kind, value, *style = node.expressions
    if not style:
        return _cast(exp.Cast(this=value, to=exp.DataType.build(kind.sql(dialect="tsql"), dialect="tsql")))
    return _anonymous("HF_STYLED", value, *style)


def _now(_node: Any) -> Any:
    return _anonymous("HOLDFAST_NOW")


_REWRITTEN = {
    "Column": _column,
    "National": _national,
    "Parameter": _parameter,
    "Add": _added,
    "EQ": _compared,
    "NEQ": _compared,
    "Cast": _cast,
    "TryCast": _cast,
    "Anonymous": _converted,
    "CurrentTimestamp": _now,
}
