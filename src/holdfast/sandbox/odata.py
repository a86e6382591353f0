"""OData query options over plain rows: ``$filter``, ``$select``, ``$orderby``, ``$top``, ``$count``, ``$skiptoken`` (pure).

As much of the language as the cloud's own documents use for the calls that are served here; the rest is refused in
the cloud's words, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class QueryError(ValueError):
    """A query option that cannot be used; the text says which."""


class Token(NamedTuple):
    """One word of a filter: its kind and its text."""

    kind: str
    text: str


class Clause(NamedTuple):
    """A plain comparison of a filter that every row of the answer fulfils.

    Attributes:
        name: the property, in lower case; `operator` likewise.
        value: a text in lower case, an instant, a number, a truth or None.
    """

    name: str
    operator: str
    value: Any


_WORDS = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))
    | (?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>@?[A-Za-z_][\w.@]*)
    | (?P<sign>[(),/:])
    )""",
    re.VERBOSE,
)
MOST_NESTED = 50


def words_of(text: str) -> Iterator[Token]:
    """The filter's words. Raises QueryError for what is none."""
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _WORDS.match(text, place)
        if not found or found.lastgroup is None:
            raise QueryError(f"Invalid filter clause: Syntax error at position {place} in '{text}'.")
        yield Token(found.lastgroup, found[found.lastgroup])
        place = found.end()


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = list(words_of(text))
        self._place = 0
        self._depth = 0
        self._variables: set[str] = set()
        self.names: set[str] = set()

    def whole(self) -> Test:
        test = self._any_of()
        if self._place != len(self._words):
            raise self._wrong()
        return test

    def _wrong(self) -> QueryError:
        return QueryError(f"Invalid filter clause: Syntax error in '{self._text}'.")

    def _peek(self) -> Token:
        return self._words[self._place] if self._place < len(self._words) else Token("end", "")

    def _take(self, text: str | None = None) -> Token:
        word = self._peek()
        if word.kind == "end" or (text is not None and word.text.lower() != text):
            raise self._wrong()
        self._place += 1
        return word

    def _is(self, text: str) -> bool:
        return self._peek().kind in ("name", "sign") and self._peek().text.lower() == text

    def _any_of(self) -> Test:
        tests = [self._all_of()]
        while self._is("or"):
            self._take()
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self._is("and"):
            self._take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise self._wrong()
        try:
            return self._simple()
        finally:
            self._depth -= 1

    def _simple(self) -> Test:
        if self._is("not"):
            self._take()
            inner = self._one()
            return lambda row: not inner(row)
        if self._is("("):
            self._take()
            inner = self._any_of()
            self._take(")")
            return inner
        if self._peek().kind == "name" and self._peek().text.lower() in _FUNCTIONS:
            return self._function()
        return self._comparison()

    def _function(self) -> Test:
        compare = _FUNCTIONS[self._take().text.lower()]
        self._take("(")
        path = self._path()
        self._take(",")
        wanted = str(self._literal()).lower()
        self._take(")")
        return lambda row: compare(str(value_at(row, path) or "").lower(), wanted)

    def _path(self) -> tuple[str, ...]:
        parts = [self._name()]
        if parts[0] not in self._variables:
            self.names.add(parts[0])
        while self._is("/"):
            self._take()
            parts.append(self._name())
        return tuple(parts)

    def _name(self) -> str:
        if self._peek().kind != "name":
            raise self._wrong()
        return self._take().text

    def _comparison(self) -> Test:
        path = self._path()
        if path[-1].lower() in ("any", "all"):
            return self._lambda(path)
        operator = self._take().text.lower()
        if operator == "in":
            values = self._list()
            return lambda row: any(_equal(value_at(row, path), value) for value in values)
        if operator not in _OPERATORS:
            raise self._wrong()
        compare, wanted = _OPERATORS[operator], self._literal()
        return lambda row: compare(value_at(row, path), wanted)

    def _list(self) -> list[Any]:
        self._take("(")
        values = [self._literal()]
        while self._is(","):
            self._take()
            values.append(self._literal())
        self._take(")")
        return values

    def _lambda(self, path: tuple[str, ...]) -> Test:
        some = any if path[-1].lower() == "any" else all
        self._take("(")
        variable = self._name()
        self._take(":")
        self._variables.add(variable)
        inner = self._any_of()
        self._variables.discard(variable)
        self._take(")")
        return lambda row: some(inner({**row, variable: one}) for one in value_at(row, path[:-1]) or ())

    def _literal(self) -> Any:
        word = self._take()
        if not _is_literal(word):
            raise self._wrong()
        return _value_of(word)


_NAMED = {"true": True, "false": False, "null": None}


def _is_literal(word: Token) -> bool:
    return word.kind not in ("name", "sign") or (word.kind == "name" and word.text.lower() in _NAMED)


def _value_of(word: Token) -> Any:
    """What a literal stands for."""
    if word.kind == "string":
        return word.text[1:-1].replace("''", "'")
    if word.kind in ("time", "date"):
        return _instant(word.text) or word.text
    if word.kind == "number":
        return float(word.text)
    return word.text.lower() if word.kind == "guid" else _NAMED[word.text.lower()]


def _instant(value: Any) -> datetime | None:
    """A text as an instant, None for any other text."""
    if not isinstance(value, str) or len(value) < 10 or not value[:4].isdigit():
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, datetime):
        return _instant(value) == wanted
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return bool(value == wanted)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, wanted: Any) -> bool:
        if isinstance(wanted, datetime):
            value = _instant(value)
        if isinstance(value, str) and isinstance(wanted, str):
            value, wanted = value.lower(), wanted.lower()
        try:
            return value is not None and wanted is not None and compare(value, wanted)
        except TypeError:
            return False

    return test


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda value, wanted: not _equal(value, wanted),
    "gt": _ordered(lambda value, wanted: value > wanted),
    "ge": _ordered(lambda value, wanted: value >= wanted),
    "lt": _ordered(lambda value, wanted: value < wanted),
    "le": _ordered(lambda value, wanted: value <= wanted),
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda value, wanted: value.startswith(wanted),
    "endswith": lambda value, wanted: value.endswith(wanted),
    "contains": lambda value, wanted: wanted in value,
}


def value_at(row: Any, path: Sequence[str]) -> Any:
    """The value at a property path, None where there is none."""
    for part in path:
        if not isinstance(row, Mapping):
            return None
        row = row.get(part)
    return row


def parse_filter(text: str) -> Test:
    """The test that a ``$filter`` states. Raises QueryError."""
    return _Parser(text).whole()


def clauses_of(text: str) -> Iterator[Clause]:
    """What every row of the answer fulfils, as far as plain comparisons say it: to leave rows out before they are made.

    Nothing of what is no filter: whoever lays the page out refuses it in the cloud's words.
    """
    try:
        words = list(words_of(text))
    except QueryError:
        return
    for part in _conjuncts(words):
        if len(part) == 3 and part[0].kind == "name" and _is_literal(part[2]):
            value = _value_of(part[2])
            yield Clause(
                part[0].text.lower(),
                part[1].text.lower(),
                value.lower() if isinstance(value, str) else value,
            )


def _conjuncts(words: Sequence[Token]) -> list[list[Token]]:
    """The parts between the outermost "and"s; none where an "or" stands among them."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.text, 0) if word.kind == "sign" else 0
        joins = word.text.lower() if word.kind == "name" and depth == 0 else ""
        if joins == "or":
            return []
        if joins == "and":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def names_in_filter(text: str) -> set[str]:
    """The properties of a row that a ``$filter`` looks at. Raises QueryError."""
    parser = _Parser(text)
    parser.whole()
    return parser.names


def names_in_order(orderby: str) -> set[str]:
    """The properties of a row that an ``$orderby`` looks at."""
    return {part.split()[0].partition("/")[0] for part in orderby.split(",") if part.split()}


def ordered(rows: Sequence[Row], orderby: str) -> list[Row]:
    """Rows by ``$orderby``: property paths with asc or desc. Raises QueryError."""
    result = list(rows)
    for part in reversed(orderby.split(",")):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise QueryError(f"Invalid $orderby: '{orderby}'.")
        path = words[0].split("/")
        result.sort(key=lambda row: _sort_key(value_at(row, path)), reverse=words[-1].lower() == "desc")
    return result


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, ""
    return (1, value) if isinstance(value, int | float) else (2, str(value).lower())


def selected(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """The row with these properties only, and its annotations."""
    wanted = set(names)
    return {key: value for key, value in row.items() if key in wanted or key.startswith("@")}


def whole_number(text: str, name: str, most: int) -> int:
    """A count from a query option. Raises QueryError."""
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= most:
        raise QueryError(
            f"Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive. ({name})"
        )
    return int(text)
