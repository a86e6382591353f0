"""A batch into what it says to do: queries, procedure calls, branches, variables, security statements.

T-SQL needs no mark between statements, so a query ends where a word stands that can only begin another statement.
What the sandbox does not play is refused with a number, never passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.conversions import read_kind
from holdfast.sandbox.sql.security import Security, read_security
from holdfast.sandbox.sql.words import Reading

LONGEST = 200_000
DEEPEST = 100
QUERIES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"})
BEGINNINGS = QUERIES | {
    "EXEC", "EXECUTE", "DECLARE", "SET", "IF", "ELSE", "BEGIN", "END", "CREATE", "ALTER", "DROP", "GRANT", "DENY", "REVOKE",
    "PRINT", "RAISERROR", "THROW", "COMMIT", "ROLLBACK", "SAVE", "RETURN", "USE", "TRUNCATE", "WHILE", "REVERT", "WAITFOR",
}  # fmt: skip
AFTER_SELECT = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT"})


class Query(NamedTuple):
    """SELECT, INSERT, UPDATE or DELETE."""

    text: str
    line: int


class Assign(NamedTuple):
    """A variable is declared or set; without an expression it is NULL."""

    name: str
    expression: str | None
    line: int


class Execute(NamedTuple):
    """A procedure is called; `arguments` are parameter (None by place) and expression."""

    procedure: str
    arguments: tuple[tuple[str | None, str], ...]
    line: int


class ExecuteText(NamedTuple):
    """``EXEC (…)``."""

    expression: str
    line: int


class Branch(NamedTuple):
    """IF."""

    condition: str
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    line: int


class Attempt(NamedTuple):
    """BEGIN TRY and BEGIN CATCH."""

    body: tuple[Node, ...]
    handler: tuple[Node, ...]


class Say(NamedTuple):
    """PRINT."""

    expression: str
    line: int


class Raise(NamedTuple):
    """THROW or RAISERROR: number, message and state or severity as expressions; none to throw again."""

    verb: str
    arguments: tuple[str, ...]
    line: int


class Transact(NamedTuple):
    """BEGIN, COMMIT or ROLLBACK of a transaction."""

    verb: str
    line: int


class Impersonate(NamedTuple):
    """EXECUTE AS USER, or REVERT where `user` is None."""

    user: str | None
    line: int


class Secure(NamedTuple):
    """A security statement."""

    statement: Security
    line: int


class Leave(NamedTuple):
    """RETURN."""

    line: int


Node = (
    Query
    | Assign
    | Execute
    | ExecuteText
    | Branch
    | Attempt
    | Say
    | Raise
    | Transact
    | Impersonate
    | Secure
    | Leave
)


@lru_cache(maxsize=2048)
def read_nodes(text: str) -> tuple[Node, ...]:
    """What a batch does, in order.

    Raises:
        SqlError: 102 for what cannot be read, 40510 for what is not played.
    """
    if len(text) > LONGEST or _depth(text) > DEEPEST:
        raise errors.SqlError(191, "Some part of your SQL statement is nested too deeply.", 15)
    reading = _Batch(text)
    try:
        return tuple(reading.nodes())
    except RecursionError:
        raise errors.SqlError(191, "Some part of your SQL statement is nested too deeply.", 15) from None


def queries_of(nodes: tuple[Node, ...]) -> Iterator[Query | Execute]:
    """The queries and procedure calls, those in branches too."""
    for node in nodes:
        match node:
            case Query() | Execute():
                yield node
            case Branch(_, then, otherwise, _):
                yield from queries_of(then)
                yield from queries_of(otherwise)
            case Attempt(body, handler):
                yield from queries_of(body)
                yield from queries_of(handler)


def _depth(text: str) -> int:
    depth = deepest = 0
    for mark in text:
        depth += (mark == "(") - (mark == ")")
        deepest = max(deepest, depth)
    return deepest


class _Batch(Reading):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.declared: dict[str, str] = {}

    def nodes(self, *ends: str) -> Iterator[Node]:
        """Statements up to END, or to the end of the batch."""
        while True:
            while self.took(";"):
                pass
            if self.word.kind == "end":
                if ends:
                    raise self.refusal()
                return
            if ends and self.word.key == "END":
                return
            yield from self.statement()

    def statement(self) -> Iterator[Node]:
        """One statement; several nodes for DECLARE, none for what changes nothing here."""
        line, key = self.word.line, self.word.key
        if (security := read_security(self)) is not None:
            yield Secure(security, line)
        elif key in QUERIES:
            yield Query(self.query(), line)
        elif key in ("EXEC", "EXECUTE"):
            self.step()
            yield self.execute(line)
        elif key in _RULES:
            self.step()
            yield from _RULES[key](self, line)
        elif key in ("CREATE", "ALTER", "DROP", "TRUNCATE"):
            raise errors.not_supported(f"{key} {self.ahead(1).key}".strip())
        elif key in ("WHILE", "WAITFOR", "SAVE"):
            raise errors.not_supported(key)
        else:
            raise self.refusal()

    # --- pieces of text ---------------------------------------------------------------------------------

    def expression(self, *marks: str) -> str:
        """Text up to one of these marks or words, `;`, or a word that begins a statement."""
        start, depth, cases = self.at, 0, 0
        while self.word.kind != "end":
            key = self.word.key
            if key == "CASE":
                cases += 1
            elif key == "END" and cases:
                cases -= 1
            elif key == "(":
                depth += 1
            elif key == ")" and depth:
                depth -= 1
            elif not depth and not cases and (key in (*marks, ";", ")") or key in BEGINNINGS):
                break
            self.step()
        return self._slice(start)

    def _slice(self, start: int) -> str:
        if start == self.at:
            raise self.refusal()
        return self.text[self.words[start].start : self.words[self.at - 1].end]

    def query(self) -> str:
        """The text of a query."""
        start, depth, cases = self.at, 0, 0
        main = None if self.word.key == "WITH" else self.word.key
        has_set = has_source = False
        self.step()
        while self.word.kind != "end":
            key = self.word.key
            if key == "(":
                depth += 1
            elif key == ")":
                depth -= 1
                if depth < 0:
                    raise self.refusal()
            elif depth:
                pass
            elif key == "CASE":
                cases += 1
            elif key == "END" and cases:
                cases -= 1
            elif cases and key == "ELSE":
                pass
            elif key == ";":
                break
            elif main is None and key in QUERIES:
                main = key
            elif main == "UPDATE" and key == "SET" and not has_set:
                has_set = True
            elif main == "INSERT" and key in ("SELECT", "WITH") and not has_source:
                has_source = has_source or key == "SELECT"
            elif main == "INSERT" and key in ("VALUES", "EXEC", "EXECUTE") and not has_source:
                has_source = True
                if key != "VALUES":
                    raise errors.not_supported("INSERT EXEC")
            elif main == "MERGE" or (key == "WITH" and self.ahead(1).key == "("):
                pass
            elif key in BEGINNINGS and not (key == "SELECT" and self.words[self.at - 1].key in AFTER_SELECT):
                break
            self.step()
        return self._slice(start)

    # --- statements -------------------------------------------------------------------------------------

    def execute(self, line: int) -> Node:
        if self.took("AS"):
            self.need("USER")
            self.need("=")
            word = self.step()
            if word.kind != "string":
                raise self.refusal()
            return Impersonate(word.value, line)
        if self.took("("):
            text = self.expression()
            self.need(")")
            return ExecuteText(text, line)
        if self.word.kind == "variable" and self.ahead(1).key == "=":
            self.at += 2  # the return status; procedures here return 0
        start = self.at
        if not self.word.is_name:
            raise self.refusal()
        self.step()
        while self.took("."):
            self.name()
        name = self._slice(start)
        arguments: list[tuple[str | None, str]] = []
        while self.word.kind != "end" and self.word.key not in (";", *BEGINNINGS):
            arguments.append(self._argument())
            if not self.took(","):
                break
        return Execute(name, tuple(arguments), line)

    def _argument(self) -> tuple[str | None, str]:
        name = None
        if self.word.kind == "variable" and self.ahead(1).key == "=":
            name = self.step().text.lstrip("@")
            self.step()
        expression = self.expression(",", "OUTPUT", "OUT")
        if self.took("OUTPUT") or self.took("OUT"):
            raise errors.not_supported("EXECUTE OUTPUT")
        return name, expression

    def declare(self, line: int) -> Iterator[Node]:
        while True:
            if self.word.kind != "variable":
                raise self.refusal()
            name = self.step().text.lstrip("@")
            self.took("AS")
            if self.word.key == "TABLE":
                raise errors.not_supported("DECLARE TABLE")
            self.declared[name.casefold()] = self._kind()
            yield Assign(name, self._typed(name, self.expression(",")) if self.took("=") else None, line)
            if not self.took(","):
                return

    def _kind(self) -> str:
        """A type as written; a text or bytes without a length have 1."""
        start = self.at
        kind = self.name().lower()
        if self.took("("):
            while not self.took(")"):
                if self.word.kind == "end":
                    raise self.refusal()
                self.step()
            return self._slice(start)
        return (
            f"{kind}(1)" if kind in ("char", "varchar", "nchar", "nvarchar", "binary", "varbinary") else kind
        )

    def _typed(self, name: str, expression: str) -> str:
        """The expression as a value of the variable's type, where this batch declares it."""
        kind = self.declared.get(name.casefold(), "")
        return f"CAST({expression} AS {kind})" if read_kind(kind) is not None else expression

    def set(self, line: int) -> Iterator[Node]:
        if self.word.kind == "variable":
            name = self.step().text.lstrip("@")
            if self.took("+="):
                yield Assign(name, self._typed(name, f"@{name} + {self.expression()}"), line)
                return
            self.need("=")
            yield Assign(name, self._typed(name, self.expression()), line)
            return
        # SET NOCOUNT ON and its like change nothing here.
        if not self.word.is_name:
            raise self.refusal()
        while self.word.kind != "end" and self.word.key not in (";", *BEGINNINGS):
            self.step()

    def branch(self, line: int) -> Iterator[Node]:
        condition = self.expression()
        then = self._one()
        # The `;` before ELSE ends the statement, not the IF.
        if self.word.key == ";" and self.ahead(1).key == "ELSE":
            self.step()
        yield Branch(condition, then, self._one() if self.took("ELSE") else (), line)

    def _one(self) -> tuple[Node, ...]:
        if self.word.kind == "end" or self.word.key == ";":
            raise self.refusal()
        return tuple(self.statement())

    def begin(self, line: int) -> Iterator[Node]:
        if self.took("TRAN") or self.took("TRANSACTION"):
            if self.word.is_name and self.word.key not in BEGINNINGS:
                self.step()
            yield Transact("BEGIN", line)
            return
        if self.took("TRY"):
            body = tuple(self.nodes("END"))
            self.need("END", "TRY")
            self.took(";")
            self.need("BEGIN", "CATCH")
            handler = tuple(self.nodes("END"))
            self.need("END", "CATCH")
            yield Attempt(body, handler)
            return
        inside = tuple(self.nodes("END"))
        self.need("END")
        if not inside:
            raise self.refusal()
        yield from inside

    def end_transaction(self, line: int) -> Iterator[Node]:
        verb = self.words[self.at - 1].key
        said = self.took("TRAN") or self.took("TRANSACTION") or self.took("WORK")
        if said and self.word.is_name and self.word.key not in BEGINNINGS:
            self.step()
        yield Transact(verb, line)

    def say(self, line: int) -> Iterator[Node]:
        yield Say(self.expression(), line)

    def throw(self, line: int) -> Iterator[Node]:
        given: list[str] = []
        while self.word.kind != "end" and self.word.key not in (";", *BEGINNINGS):
            given.append(self.expression(","))
            if not self.took(","):
                break
        yield Raise("THROW", tuple(given), line)

    def raise_error(self, line: int) -> Iterator[Node]:
        self.need("(")
        given = [self.expression(",")]
        while self.took(","):
            given.append(self.expression(","))
        self.need(")")
        if self.took("WITH"):
            self.name()
        yield Raise("RAISERROR", tuple(given), line)

    def revert(self, line: int) -> Iterator[Node]:
        yield Impersonate(None, line)

    def leave(self, line: int) -> Iterator[Node]:
        if self.word.kind in ("number", "variable"):
            self.step()
        yield Leave(line)

    def use(self, _line: int) -> Iterator[Node]:
        self.name()
        raise errors.SqlError(
            40508,
            "USE statement is not supported to switch between databases. Use a new connection to connect to a different "
            "database.",
        )


_RULES = {
    "DECLARE": _Batch.declare,
    "SET": _Batch.set,
    "IF": _Batch.branch,
    "BEGIN": _Batch.begin,
    "COMMIT": _Batch.end_transaction,
    "ROLLBACK": _Batch.end_transaction,
    "PRINT": _Batch.say,
    "THROW": _Batch.throw,
    "RAISERROR": _Batch.raise_error,
    "REVERT": _Batch.revert,
    "RETURN": _Batch.leave,
    "USE": _Batch.use,
}
