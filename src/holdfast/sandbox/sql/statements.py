"""Queries read by sqlglot: what each reads and writes, which permissions that needs, and its SQLite text.

SELECT, INSERT, UPDATE and DELETE are played; anything else is refused with a number, never passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.batches import Execute, queries_of, read_nodes
from holdfast.sandbox.sql.catalogue import joined
from holdfast.sandbox.sql.conversions import read_kind
from holdfast.sandbox.sql.system_views import SYSTEM_SCHEMAS
from holdfast.sandbox.sql.words import Word, words_of

CLOCK = frozenset(
    {"getdate", "getutcdate", "sysdatetime", "sysutcdatetime", "uuid", "rand", "current_timestamp"}
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

UNPLAYED = frozenset({"DATENAME", "DATEPART"})
"""Functions of T-SQL that would come to something else in SQLite."""

KINDS = {
    "count": "int", "hf_login": "nvarchar(128)", "hf_user": "nvarchar(128)", "db_name": "nvarchar(128)",
    "quotename": "nvarchar(258)", "has_perms_by_name": "int", "is_rolemember": "int", "is_member": "int",
    "database_principal_id": "int", "object_id": "int", "schema_id": "int", "object_name": "nvarchar(128)",
    "hf_schema_name": "nvarchar(128)", "getdate": "datetime", "getutcdate": "datetime", "sysdatetime": "datetime2",
    "sysutcdatetime": "datetime2", "current_timestamp": "datetime", "uuid": "uniqueidentifier",
    "scope_identity": "decimal(38,0)", "user_id": "int",
}  # fmt: skip
"""T-SQL types of what functions return, where the values do not tell."""


class Source(NamedTuple):
    """A column of a result.

    Attributes:
        name: empty for one without a name.
        what: "column" of a table, "type" of what it is, "variable", or "star" for all columns.
        told: the column, the type ("" if nothing but the values tells), or the variable.
    """

    name: str
    what: str
    told: str


class Statement(NamedTuple):
    """One statement.

    Attributes:
        sqlite: its text for SQLite; variables are named parameters.
        verb: SELECT, INSERT, UPDATE or DELETE.
        reads: tables and views as ``schema.name``; `writes` likewise.
        bare: those of them that the text names without their schema.
        needs: permission and object, in the order in which they are checked.
        has_output: an OUTPUT clause without INTO.
        sources: of the columns of its result, in their order; none for OUTPUT.
        adds: it only adds rows, with values for the columns `filled`; none are named where it fills all.
        assigns: variables that take the columns of its last row, instead of giving a result.
    """

    sqlite: str = ""
    verb: str = "SELECT"
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    bare: frozenset[str] = frozenset()
    needs: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    is_volatile: bool = False
    has_output: bool = False
    sources: tuple[Source, ...] = ()
    adds: bool = False
    filled: tuple[str, ...] = ()
    assigns: tuple[str, ...] = ()

    @property
    def has_unnamed(self) -> bool:
        """Whether a column of its result has no name."""
        return any(not one.name and one.what != "star" for one in self.sources)

    def sources_of(self, columns: tuple[str, ...]) -> tuple[Source, ...]:
        """A source for each column of the result as SQLite calls them."""
        if len(self.sources) == len(columns) and all(one.what != "star" for one in self.sources):
            return self.sources
        named = {one.name.casefold(): one for one in self.sources if one.name}
        return tuple(named.get(one.casefold(), Source(one, "column", one)) for one in columns)


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
    assigns = _assigned(tree)
    return _on_tables(tree)._replace(assigns=assigns)


def _assigned(tree: Any) -> tuple[str, ...]:
    """The variables of ``SELECT @a = …``, of which only the values stay in the tree."""
    from sqlglot import exp

    chosen = tree.selects if isinstance(tree, exp.Select) else ()
    settings = [one for one in chosen if isinstance(one, exp.EQ) and isinstance(one.this, exp.Parameter)]
    if settings and len(settings) < len(chosen):
        raise errors.SqlError(
            141,
            "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.",
            15,
        )
    names = tuple(one.this.name for one in settings)
    if settings:
        tree.set("expressions", [one.expression for one in settings])
    return names


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
        if word.key in UNPLAYED and following.key == "(":
            raise errors.SqlError(195, f"'{word.text}' is not a recognized built-in function name.", 15, 10)
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
        bare=frozenset(_named(table) for table in tree.find_all(exp.Table) if not table.db),
        needs=tuple(_needs(tree, reads, writes)),
        variables=variables,
        is_volatile=any(name in CLOCK for name in _called(tree)),
        has_output=tree.args.get("returning") is not None,
        sources=tuple(map(_source, tree.selects if isinstance(tree, exp.Query) else ())),
        adds=isinstance(tree, exp.Insert),
        filled=tuple(one.name for one in tree.this.expressions)
        if isinstance(tree, exp.Insert) and isinstance(tree.this, exp.Schema)
        else (),
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


def _source(one: Any) -> Source:
    from sqlglot import exp

    if one.is_star:
        return Source("", "star", "")
    inner = one.unalias()
    name = one.name if isinstance(one, exp.Column) else one.alias
    if isinstance(inner, exp.Column):
        return Source(name, "column", inner.name)
    if isinstance(inner, exp.Parameter) and isinstance(one.parent, exp.Select) and one.parent.parent is None:
        return Source(name, "variable", inner.name.casefold())
    return Source(name, "type", _kind_of(inner))


def _kind_of(expression: Any) -> str:
    """The T-SQL type of what an expression comes to; "" if nothing but the values tells."""
    from sqlglot import exp

    if isinstance(expression, exp.Cast):
        return _target(expression.to)
    if isinstance(expression, exp.Convert):
        return _target(expression.this)
    if isinstance(expression, exp.Anonymous) and expression.name.upper() == "HF_CONVERT":
        return _target(expression.expressions[0]) if expression.expressions else ""
    if isinstance(expression, exp.Func):
        name = expression.name if isinstance(expression, exp.Anonymous) else expression.sql_name()
        return KINDS.get(name.lower(), "")
    return ""


def _target(kind: Any) -> str:
    """The type of a CAST or CONVERT, as T-SQL writes it; texts and bytes without a length have 30."""
    written = str(kind.sql(dialect="tsql")).lower().replace("max()", "max")
    told = read_kind(written)
    if told is None:
        raise errors.not_supported(f"CAST AS {written.upper()[:40]}")
    if "(" not in written and ("char" in told.name or "binary" in told.name):
        return f"{told.name}(30)"
    return f"{told.name}{written[written.index('(') :]}" if "(" in written else told.name


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


def _text(value: str) -> Any:
    from sqlglot import exp

    return exp.Literal.string(value)


def _cast(node: Any) -> Any:
    from sqlglot import exp

    return _anonymous(
        "HF_TRY_CAST" if isinstance(node, exp.TryCast) else "HF_CAST", node.this, _text(_target(node.to))
    )


def _tried(node: Any) -> Any:
    return _anonymous("HF_TRY_CAST", node.expression, _text(_target(node.this)))


def _converted(node: Any) -> Any:
    if node.name.upper() != "HF_CONVERT" or len(node.expressions) < 2:
        return node
    kind, value, *style = node.expressions
    return _anonymous("HF_STYLED" if style else "HF_CAST", value, _text(_target(kind)), *style)


def _two(name: str) -> Callable[[Any], Any]:
    return lambda node: _anonymous(name, node.this, node.expression)


def _part(node: Any) -> Any:
    return _anonymous("HF_PART", _text(node.sql_name().lower()), node.this)


def _joined_texts(node: Any) -> Any:
    return _anonymous("HF_CONCAT", *node.expressions)


def _new_id(_node: Any) -> Any:
    return _anonymous("HF_NEWID")


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
    "Convert": _tried,
    "Div": _two("HF_DIVIDED"),
    "Mod": _two("HF_REMAINDER"),
    "Left": _two("HF_LEFT"),
    "Right": _two("HF_RIGHT"),
    "Year": _part,
    "Month": _part,
    "Day": _part,
    "Concat": _joined_texts,
    "Uuid": _new_id,
    "Anonymous": _converted,
    "CurrentTimestamp": _now,
}
