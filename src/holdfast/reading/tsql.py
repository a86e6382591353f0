"""A T-SQL script → the objects it reads, writes and executes, and what of it is only known at run time.

A parser of statements would refuse what flows are full of: scripts with `DECLARE … IF … BEGIN … END`, and
`INSERT … EXEC`. Names of objects stand in few places, and the words around show which; a test holds the answers
against those of sqlglot's parser where both can read (docs/decisions/0053).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from holdfast.core.operations import QueryForm
from holdfast.reading.expressions import Dynamic, Parts
from holdfast.reading.tsql_words import (
    BEFORE_VALUE,
    DDL,
    END,
    ENDS_SOURCES,
    METHODS,
    NO_ALIAS,
    ROWSETS,
    STATEMENTS,
    Word,
    words,
)

# Stands for an embedded expression. A word, so that it joins what it is part of: `dbo.T_@{x}` is one name.
_MARK: Final = "hfDynamic"


@dataclass(frozen=True, slots=True)
class Touched:
    """What a script touches.

    Attributes:
        reads: objects as written, each once, in the order of the text; `writes` and `executes` likewise.
            CTEs, variables, temporary tables and built-in functions are none.
        changes: of each of `writes`, the permissions that writing it so needs.
        needs_more: what rights on objects do not cover: DDL, server state.
        is_certain: False where something that it does cannot be told from the text.
    """

    form: QueryForm = QueryForm.NO
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    executes: tuple[str, ...] = ()
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    needs_more: tuple[str, ...] = ()
    is_certain: bool = True


def touched(query: Parts) -> Touched:
    """What the query touches."""
    if all(isinstance(part, Dynamic) or not part.strip() for part in query):
        return Touched(QueryForm.WHOLE if query else QueryForm.NO, is_certain=False)
    text = "".join(part if isinstance(part, str) else f"{_MARK}{at}x" for at, part in enumerate(query))
    reader = _Reader(words(text))
    reader.read()
    dynamic = any(isinstance(part, Dynamic) for part in query)
    form = QueryForm.NO
    if dynamic:
        form = QueryForm.VALUES if reader.only_values else QueryForm.WHOLE
    return Touched(
        form,
        tuple(reader.reads.values()),
        tuple(reader.writes.values()),
        tuple(reader.executes.values()),
        tuple((written, tuple(reader.verbs.get(bare, {}))) for bare, written in reader.writes.items()),
        tuple(reader.needs_more),
        reader.certain and form is not QueryForm.WHOLE,
    )


@dataclass
class _Level:
    """One level of round brackets.

    Attributes:
        is_query: a SELECT of its own, or the outermost level.
        in_sources: between FROM and what ends its list, where a comma brings another source.
    """

    is_query: bool
    in_sources: bool = False


@dataclass
class _Reader:
    """Goes through the words once; what it meets depends on the few words around."""

    words: list[Word] | None
    reads: dict[str, str] = field(default_factory=dict)
    writes: dict[str, str] = field(default_factory=dict)
    executes: dict[str, str] = field(default_factory=dict)
    verbs: dict[str, dict[str, None]] = field(default_factory=dict)
    needs_more: dict[str, None] = field(default_factory=dict)
    certain: bool = True
    only_values: bool = True
    _ctes: set[str] = field(default_factory=set)
    _aliases: dict[str, str] = field(default_factory=dict)
    _sources: list[tuple[str, str | None]] = field(default_factory=list)
    _target: str | None = None
    _target_verbs: tuple[str, ...] = ()
    _levels: list[_Level] = field(default_factory=lambda: [_Level(True)])
    _closing: dict[int, int] = field(default_factory=dict)
    _at: int = 0

    def read(self) -> None:
        """All of it."""
        if not self.words or not any(word.key in STATEMENTS for word in self.words):
            self.certain = False
            self.only_values = False
            return
        self._match_brackets(self.words)
        while self._at < len(self.words):
            self._step()
        self._settle()

    def _match_brackets(self, words: list[Word]) -> None:
        opened: list[int] = []
        for at, word in enumerate(words):
            if word.key == "(":
                opened.append(at)
            elif word.key == ")" and opened:
                self._closing[opened.pop()] = at

    def _step(self) -> None:
        word = self._peek()
        if _MARK in word.text and word.kind != "string":
            self._judge_mark()
        if word.kind == "name":
            if word.key in ENDS_SOURCES and self._peek(1).key != "SYSTEM_TIME":
                self._levels[-1].in_sources = False
            rule = _RULES.get(word.key)
            if rule is not None:
                self._at += 1
                rule(self, word)
                return
        if word.is_name:
            self._maybe_function()
            return
        self._at += 1
        if word.key == "(":
            self._levels.append(_Level(self._peek().key in ("SELECT", "WITH")))
        elif word.key == ")" and len(self._levels) > 1:
            self._levels.pop()
        elif word.key == ";":
            self._settle()
        elif word.key == "," and self._levels[-1].in_sources:
            self._source()

    # --- the places where names stand -------------------------------------------------------------------

    def _from(self, _word: Word) -> None:
        before, before_that = self._peek(-2).key, self._peek(-3).key
        if before in ("NEXT", "PRIOR", "FIRST", "LAST", "FETCH", "SYSTEM_TIME") or (
            before == "DISTINCT" and before_that in ("IS", "NOT")
        ):
            return
        if self._levels[-1].is_query:  # not TRIM('.' FROM name)
            self._levels[-1].in_sources = True
            self._source()

    def _join(self, _word: Word) -> None:
        self._source()

    def _apply(self, _word: Word) -> None:
        if self._peek(-2).key in ("CROSS", "OUTER"):
            self._source()

    def _using(self, _word: Word) -> None:
        if self._peek().key != "(" or self._peek(1).key != "SELECT":
            self._source()

    def _insert(self, _word: Word) -> None:
        if self._peek(-2).key == "BULK":
            self._write(self._name(), "INSERT")
            return
        self._skip_top()
        if self._peek().key == "INTO":
            self._at += 1
        if self._peek().key not in ("(", "VALUES", "DEFAULT"):
            self._settle()
            name = self._name()
            self._write(name, "INSERT", *self._looks_at("INSERT"))

    def _into(self, _word: Word) -> None:
        word = self._peek()
        if not word.is_name:
            return
        name = self._name()
        if self._write(name, "INSERT") and not self._is_output():
            self._more("SELECT INTO")

    def _update(self, _word: Word) -> None:
        if self._peek(-2).key == "FOR" or self._peek().key in ("SET", "("):
            return
        if self._peek().key == "STATISTICS":
            self._more("UPDATE STATISTICS")
            return
        self._skip_top()
        self._aim("UPDATE")

    def _delete(self, _word: Word) -> None:
        if self._peek(-2).key == "ON":
            return
        self._skip_top()
        if self._peek().key == "FROM":
            self._at += 1
        if self._peek().is_name and self._peek().key not in ("WHEN", "OUTPUT", "END"):
            self._aim("DELETE")

    def _merge(self, _word: Word) -> None:
        if self._peek().key in ("JOIN", "UNION") or self._peek(-2).key in (
            "INNER",
            "LEFT",
            "RIGHT",
            "FULL",
            "(",
        ):
            return  # a join hint
        self._skip_top()
        if self._peek().key == "INTO":
            self._at += 1
        self._settle()
        name = self._name()
        self._write(name, "SELECT", *self._merged())

    def _execute(self, _word: Word) -> None:
        self._settle()
        if self._peek().key == "AS":
            self.certain = False  # EXECUTE AS: under other rights
            return
        if self._peek().kind == "variable" and self._peek(1).key == "=":
            self._at += 2
        word = self._peek()
        if not word.is_name:
            self.certain = False  # EXEC (@sql), EXEC @name
            return
        name = self._name()
        if name is None:
            return
        if _bare(name).split(".")[-1].lower() == "sp_executesql":
            self._inner(name)
        else:
            self._keep(self.executes, name)

    def _inner(self, name: str) -> None:
        """What sp_executesql is given: read it where it is a literal."""
        text = self._peek(2) if self._peek().kind == "variable" and self._peek(1).key == "=" else self._peek()
        if text.kind != "string":
            self._keep(self.executes, name)
            self.certain = False
            return
        inner = _Reader(words(text.text.replace("''", "'")))
        inner.read()
        for bare, verbs in inner.verbs.items():
            self.verbs.setdefault(bare, {}).update(verbs)
        for ours, theirs in (
            (self.reads, inner.reads),
            (self.writes, inner.writes),
            (self.executes, inner.executes),
        ):
            ours.update(theirs)
        self.needs_more.update(inner.needs_more)
        self.certain &= inner.certain
        self.only_values &= inner.only_values

    def _with(self, _word: Word) -> None:
        """Names of common table expressions; a table hint has no name before `(`."""
        at = self._at
        while True:
            word = self._peek_at(at)
            if not word.is_name:
                return
            follows = at + 1
            if self._peek_at(follows).key == "(":
                follows = self._past_group(follows)
            if self._peek_at(follows).key != "AS" or self._peek_at(follows + 1).key != "(":
                return
            self._ctes.add(_bare(word.text).lower())
            at = self._past_group(follows + 1)
            if self._peek_at(at).key != ",":
                return
            at += 1

    def _ddl(self, word: Word) -> None:
        self._settle()
        if word.key == "BULK" and self._peek().key != "INSERT":
            return
        if word.key in ("CREATE", "ALTER", "DROP", "TRUNCATE"):
            what, name = self._peek(), self._peek(1)
            if name.text.startswith("#") or _bare(name.text).startswith("#"):
                self._at += 2
                return
            if word.key == "TRUNCATE" and what.key == "TABLE":
                self._at += 1
                self._write(self._name())
            self._more(f"{word.key} {what.key}".strip())
            self._past_made_name()
            return
        self._more(word.key)

    def _past_made_name(self) -> None:
        """What is made, changed or dropped is no source, and a list of columns after it no call."""
        if self._peek().kind == "name" and self._peek(1).is_name:
            self._at += 1
        while self._peek().key in ("IF", "NOT", "EXISTS"):
            self._at += 1
        self._name()

    def _set(self, _word: Word) -> None:
        if self._peek().key == "IDENTITY_INSERT":
            self._at += 1
            self._write(self._name())
            self._more("SET IDENTITY_INSERT")

    def _use(self, _word: Word) -> None:
        if self._peek().is_name and self._peek(-2).key in ("", ";", "GO"):
            self.certain = False

    def _go(self, _word: Word) -> None:
        self._settle()

    def _next_value(self, _word: Word) -> None:
        if self._peek().key == "VALUE" and self._peek(1).key == "FOR":
            self._at += 2
            self._write(self._name(), "UPDATE")

    # --- sources ----------------------------------------------------------------------------------------

    def _source(self) -> None:
        """One source: a name, a function, a variable, or a group with more of them inside."""
        word = self._peek()
        if word.key == "(":
            inside = self._peek(1).key
            if inside in ("SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"):
                return
            self._levels.append(_Level(False))
            self._at += 1
            self._source()
            return
        if not word.is_name or word.key in NO_ALIAS:
            # FROM <table>: yet to be filled in. A variable is a table of its own.
            self.certain &= word.kind == "variable"
            return
        single = self._peek(1).key != "."
        name = self._name()
        if name is None:
            return
        if self._peek().key == "(" and not self._is_hint():
            self._function_source(name, single)
        else:
            self._sources.append((name, self._alias()))
            self._past_hints()

    def _function_source(self, name: str, single: bool) -> None:
        if _bare(name).upper() in ROWSETS:
            self.certain = False
        elif not single and _last(name) not in METHODS:
            self._keep(self.reads, name)
        # A built-in such as OPENJSON or STRING_SPLIT is no object.

    def _past_hints(self) -> None:
        if self._peek().key == "WITH" and self._peek(1).key == "(":
            self._at = self._past_group(self._at + 1)
        elif self._peek().key == "(" and self._is_hint():
            self._at = self._past_group(self._at)

    def _is_hint(self) -> bool:
        """The old form of a table hint: `FROM T (NOLOCK)`."""
        return self._peek(1).key in (
            "NOLOCK",
            "UPDLOCK",
            "ROWLOCK",
            "HOLDLOCK",
            "READPAST",
            "TABLOCK",
            "TABLOCKX",
        )

    def _alias(self) -> str | None:
        if self._peek().key == "AS":
            self._at += 1
        word = self._peek()
        if word.is_name and _MARK not in word.text and (word.kind == "quoted" or word.key not in NO_ALIAS):
            self._at += 1
            return word.text
        return None

    def _aim(self, verb: str) -> None:
        self._settle()
        if self._peek().kind == "variable":
            return
        name = self._name()
        if name is not None:
            self._target, self._target_verbs = name, (verb, *self._looks_at(verb))

    def _looks_at(self, verb: str) -> tuple[str, ...]:
        """SELECT, where the statement that has just named its target reads columns of it; nothing where not."""
        depth, in_set = 0, False
        for at in range(self._at, len(self.words or ())):
            word, following = self._peek_at(at), self._peek_at(at + 1)
            depth += (word.key == "(") - (word.key == ")")
            if word.key == ";" or (depth <= 0 and word.key in _OTHERS):
                break
            if word.key == "OUTPUT" or (verb != "INSERT" and word.key in ("WHERE", "FROM", "JOIN")):
                return ("SELECT",)
            is_target = depth <= 0 and (following.key == "=" or following.key == ".")
            if (
                in_set
                and word.is_name
                and word.key not in ("NULL", "DEFAULT")
                and not is_target
                and following.key != "("
            ):
                return ("SELECT",)
            in_set |= verb == "UPDATE" and word.key == "SET"
        return ()

    def _merged(self) -> tuple[str, ...]:
        """What the branches of a MERGE do."""
        found: dict[str, None] = {}
        for at in range(self._at, len(self.words or ())):
            if self._peek_at(at).key == ";":
                break
            if self._peek_at(at).key == "THEN" and self._peek_at(at + 1).key in (
                "INSERT",
                "UPDATE",
                "DELETE",
            ):
                found[self._peek_at(at + 1).key] = None
        return tuple(found)

    def _settle(self) -> None:
        """At the end of a statement: which sources are read, and what its target really is."""
        target, self._target = self._target, None
        sources, self._sources = self._sources, []
        written: str | None = None
        if target is not None:
            wanted = _bare(target).lower()
            by_alias = next((n for n, a in sources if a and _bare(a).lower() == wanted), None)
            by_name = next((n for n, _ in sources if wanted in (_bare(n).lower(), _last(n).lower())), None)
            written = by_alias or by_name or target
            self._write(written, *self._target_verbs)
        for name, _ in sources:
            if name != written:
                self._read(name)

    # --- names ------------------------------------------------------------------------------------------

    def _name(self) -> str | None:
        """A name of up to four parts as written, and past it; None where there is none."""
        pieces: list[str] = []
        while True:
            word = self._peek()
            if word.is_name:
                pieces.append(word.text)
                self._at += 1
            elif pieces and pieces[-1] == "." and word.key == ".":
                pass  # master..sysobjects
            else:
                break
            if self._peek().key != ".":
                break
            pieces.append(".")
            self._at += 1
        if not pieces:
            return None
        name = "".join(pieces)
        if name.endswith("."):
            self.certain = False
            return None
        if _MARK in name:
            self.only_values = False
            self.certain = False
            return None
        if pieces.count(".") >= 3:
            self.certain = False  # another server, linked to this one
        return name

    def _maybe_function(self) -> None:
        """A name in an expression: `dbo.f(` runs a function; anything else is a column."""
        start = self._at
        quiet = self.only_values, self.certain
        name = self._name()
        if name is None and self._at == start:
            self._at += 1
            return
        if self._peek().key == "(" and name is not None and "." in name and _last(name) not in METHODS:
            if not _last(name).startswith("ST") and not _bare(name).lower().startswith("sys."):
                self._keep(self.executes, name)
        else:
            self.only_values, self.certain = quiet

    def _read(self, name: str) -> None:
        bare = _bare(name).lower()
        if bare in self._ctes or bare.startswith("#") or bare in ("inserted", "deleted"):
            return
        self._keep(self.reads, name)
        if bare.startswith("sys.dm_") or ".sys.dm_" in bare:
            self._more("VIEW STATE")

    def _write(self, name: str | None, *verbs: str) -> bool:
        if name is None or _bare(name).startswith("#") or _bare(name).lower() in self._ctes:
            return False
        self._keep(self.writes, name)
        self.verbs.setdefault(_bare(name).lower(), {}).update(dict.fromkeys(verbs))
        return True

    def _keep(self, kept: dict[str, str], name: str) -> None:
        kept.setdefault(_bare(name).lower(), name)

    def _more(self, what: str) -> None:
        self.needs_more[what] = None

    def _judge_mark(self) -> None:
        """Whether an embedded expression stands where only a value can."""
        before = self._peek(-1)
        if self._peek().kind == "quoted" or not self._peek().text.startswith(_MARK):
            self.only_values = False
        elif before.key == "AND":
            self.only_values &= any(self._peek(-back).key == "BETWEEN" for back in range(2, 8))
        elif before.key not in BEFORE_VALUE and before.kind != "variable":
            self.only_values = False
        if self._peek(1).key in (".", "("):
            self.only_values = False

    def _is_output(self) -> bool:
        """Whether the INTO belongs to an OUTPUT clause: then the table is there already."""
        return any(self._peek(-back).key == "OUTPUT" for back in range(2, 60))

    def _skip_top(self) -> None:
        if self._peek().key == "TOP":
            self._at += 1
            self._at = self._past_group(self._at) if self._peek().key == "(" else self._at + 1
            if self._peek().key == "PERCENT":
                self._at += 1

    def _past_group(self, at: int) -> int:
        """Behind the bracket that closes the one at `at`; to the end where none does."""
        return self._closing.get(at, len(self.words or ())) + 1

    def _peek(self, ahead: int = 0) -> Word:
        return self._peek_at(self._at + ahead)

    def _peek_at(self, at: int) -> Word:
        return self.words[at] if self.words and 0 <= at < len(self.words) else END


# What begins another statement behind an INSERT, UPDATE or DELETE.
_OTHERS: Final = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "EXEC",
        "EXECUTE",
        "DECLARE",
        "IF",
        "ELSE",
        "END",
        "BEGIN",
        "PRINT",
    }
    | {
        "RETURN",
        "COMMIT",
        "ROLLBACK",
        "GO",
        "USE",
        "CREATE",
        "ALTER",
        "DROP",
        "TRUNCATE",
        "WHILE",
        "THROW",
        "RAISERROR",
    }
)
_RULES: Final = {
    "FROM": _Reader._from,
    "JOIN": _Reader._join,
    "APPLY": _Reader._apply,
    "USING": _Reader._using,
    "INSERT": _Reader._insert,
    "INTO": _Reader._into,
    "UPDATE": _Reader._update,
    "DELETE": _Reader._delete,
    "MERGE": _Reader._merge,
    "EXEC": _Reader._execute,
    "EXECUTE": _Reader._execute,
    "WITH": _Reader._with,
    "SET": _Reader._set,
    "USE": _Reader._use,
    "GO": _Reader._go,
    "NEXT": _Reader._next_value,
    **dict.fromkeys(DDL, _Reader._ddl),
}


def _bare(name: str) -> str:
    """Without brackets and quotes, for comparing."""
    return "".join(character for character in name if character not in '[]"')


def _last(name: str) -> str:
    return _bare(name).rpartition(".")[2].upper()
