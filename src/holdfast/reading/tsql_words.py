"""The words of T-SQL: a script in tokens, and which words mean what where names stand."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MOST_WORDS: Final = 200_000
"""A longer script is not read: it says so instead."""


class Word(NamedTuple):
    """One token.

    Attributes:
        text: as written, brackets and quotes included.
        key: upper case for a plain word, else the text; what rules compare.
        kind: "name" (also a keyword), "quoted" (in brackets or double quotes), "string", "variable", "other".
    """

    text: str
    key: str
    kind: str

    @property
    def is_name(self) -> bool:
        """Whether it can name something."""
        return self.kind in ("name", "quoted")


END: Final = Word("", "", "other")
"""What lies behind the last word."""

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+ | --[^\n]* | /\*.*?(?:\*/|\Z))
      | (?P<string>[Nn]?'(?:[^']|'')*(?:'|\Z))
      | (?P<quoted>\[(?:[^\]]|\]\])*(?:\]|\Z) | "(?:[^"]|"")*(?:"|\Z))
      | (?P<variable>@@?[\w@#$]+)
      | (?P<name>\#{0,2}(?!\d)\w[\w@#$]*)
      | (?P<other>\d[\w.]* | <=|>=|<>|!=|!<|!>|::|. )
    """,
    re.VERBOSE | re.DOTALL,
)


def words(text: str) -> list[Word] | None:
    """The tokens without comments; None where there are too many."""
    out: list[Word] = []
    for found in _TOKEN.finditer(text):
        kind, written = found.lastgroup or "other", found[0]
        if kind == "skip":
            continue
        if kind == "string":
            inner = written[written.index("'") + 1 :].removesuffix("'")
            out.append(Word(inner, "'", kind))
        elif kind == "name":
            out.append(Word(written, written.upper(), kind))
        else:
            out.append(Word(written, written, kind))
        if len(out) > MOST_WORDS:
            return None
    return out


# What a name in a FROM clause cannot be followed by as its alias.
NO_ALIAS: Final = frozenset(
    [
        "ON",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "FULL",
        "CROSS",
        "OUTER",
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "SET",
        "WITH",
        "OPTION",
        "FOR",
        "VALUES",
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "EXEC",
        "EXECUTE",
        "USING",
        "WHEN",
        "OUTPUT",
        "IF",
        "ELSE",
        "BEGIN",
        "END",
        "DECLARE",
        "RETURN",
        "WHILE",
        "GO",
        "TABLESAMPLE",
        "PIVOT",
        "UNPIVOT",
        "OFFSET",
        "FETCH",
        "PRINT",
        "COMMIT",
        "ROLLBACK",
        "TRUNCATE",
        "CREATE",
        "DROP",
        "ALTER",
        "THROW",
        "RAISERROR",
        "AND",
        "OR",
    ]
)
ENDS_SOURCES: Final = frozenset(
    [
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "SET",
        "OPTION",
        "FOR",
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "EXEC",
        "EXECUTE",
        "WHEN",
        "OUTPUT",
        "IF",
        "ELSE",
        "BEGIN",
        "END",
        "DECLARE",
        "RETURN",
        "WHILE",
        "GO",
        "VALUES",
        "PRINT",
        "COMMIT",
        "ROLLBACK",
        "TRUNCATE",
        "CREATE",
        "DROP",
        "ALTER",
        "THROW",
        "RAISERROR",
    ]
)
DDL: Final = frozenset(
    [
        "CREATE",
        "ALTER",
        "DROP",
        "TRUNCATE",
        "GRANT",
        "REVOKE",
        "DENY",
        "BACKUP",
        "RESTORE",
        "DBCC",
        "KILL",
        "RECONFIGURE",
        "SHUTDOWN",
        "BULK",
    ]
)
STATEMENTS: Final = DDL | frozenset(
    ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "EXEC", "EXECUTE", "WITH", "SET"]
)
# Methods of the xml, geometry and hierarchyid types are called like functions of a schema.
METHODS: Final = frozenset(
    [
        "VALUE",
        "NODES",
        "QUERY",
        "EXIST",
        "MODIFY",
        "TOSTRING",
        "GETANCESTOR",
        "GETDESCENDANT",
        "GETLEVEL",
        "ISDESCENDANTOF",
    ]
)
ROWSETS: Final = frozenset(["OPENQUERY", "OPENROWSET", "OPENDATASOURCE"])
# Before an embedded expression these make it a value and not a piece of the statement.
BEFORE_VALUE: Final = frozenset(
    [
        "=",
        "<",
        ">",
        "<=",
        ">=",
        "<>",
        "!=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ",",
        "'",
        "LIKE",
        "IN",
        "BETWEEN",
        "TOP",
        "THEN",
        "ELSE",
        "WHEN",
        "SELECT",
        "OFFSET",
        "NEXT",
        "RETURN",
        "CASE",
    ]
)
