"""What of a text in a definition is literal, and what an expression gives at run time.

Two languages meet: the workflow's (`@{body('x')}` inside a text, `@body('x')` as a whole) and, in deployment
templates around it, the template's (`[concat('a', parameters('b'))]`). Neither is evaluated here beyond what
its text settles: literals, their joining, and the encoding of path segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")


class Dynamic(NamedTuple):
    """What is only known at run time, as the expression that gives it."""

    expression: str


Parts = tuple[str | Dynamic, ...]
"""A text in pieces; neighbouring literals are one piece."""

DEEPEST: Final = 40
"""Calls nest a handful deep; what nests deeper than this is taken for dynamic as a whole."""

# Functions that hand on their one argument as it is meant: they only encode it for a place in a path.
_TRANSPARENT: Final = frozenset({"encodeuricomponent", "uricomponent", "string"})
_CALL: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*\(")
_LITERAL: Final = re.compile(r"\s*'((?:[^']|'')*)'\s*", re.DOTALL)
_FORMAT: Final = re.compile(r"(\{\{|\}\}|\{\d{1,3}\})")
_TEMPLATE: Final = re.compile(r"\[\s*[A-Za-z_][\w.]*\s*\(.*\)\s*\]", re.DOTALL)

# A dynamic piece of a template inside a workflow text: private-use characters around its number.
_MARK: Final = re.compile("\ue000(\\d+)\ue001")


class Template:
    """The deployment template around a definition; an empty one where there is none."""

    def __init__(self, document: Any = None) -> None:
        known = document if isinstance(document, dict) else {}
        self._variables: Mapping[str, Any] = _mapping(known.get("variables"))
        self._parameters: Mapping[str, Any] = _mapping(known.get("parameters"))
        self._is_there = bool(known)
        self._expressions: list[str] = []

    def workflow_text(self, text: str) -> str:
        """The text as the workflow gets it; what the template fills in is marked in it."""
        if not _TEMPLATE.fullmatch(text):
            return text[1:] if self._is_there and text.startswith("[[") else text
        return "".join(
            piece if isinstance(piece, str) else self._mark(piece)
            for piece in self._folded(text.strip()[1:-1])
        )

    def parts(self, text: str) -> Parts:
        """The text in literal and dynamic pieces."""
        return self._unmarked(_interpolated(self.workflow_text(text)))

    def pieces(self, text: str) -> Iterator[tuple[str, Parts | None]]:
        """A workflow text's own characters (with None), and each embedded expression with what it gives."""
        for own, expression in _split(self.workflow_text(text)):
            if own:
                yield own, None
            if expression is not None:
                yield expression, self._unmarked(_folded(expression))

    def with_defaults(self, text: str) -> str:
        """The text with the template's defaults filled in, and nothing where it has none.

        Good for telling which connector is meant, not for saying what a flow does.
        """
        return self._filled(text.strip()[1:-1]) if _TEMPLATE.fullmatch(text) else text

    def _filled(self, expression: str, depth: int = 0) -> str:
        literal = _quoted(expression)
        if literal is not None:
            return literal
        call = called(expression)
        if call is None or depth > DEEPEST:
            return ""
        name, arguments = call
        given = [self._filled(argument, depth + 1) for argument in arguments]
        if name == "concat":
            return "".join(given)
        if name == "format" and given:
            return "".join(
                piece if number is None else _at(given[1:], number, "") for piece, number in _format(given[0])
            )
        if name.endswith("resourceid"):
            return "/".join(given)
        if name in ("parameters", "variables") and given:
            return self._known(name, given[0]) or ""
        return ""

    def _known(self, function: str, name: str) -> str | None:
        """A variable's value or a parameter's default, where it is a plain text."""
        known = (self._parameters if function == "parameters" else self._variables).get(name)
        value = _mapping(known).get("defaultValue") if function == "parameters" else known
        return value if isinstance(value, str) and not _TEMPLATE.fullmatch(value) else None

    def _folded(self, expression: str, depth: int = 0) -> Parts:
        literal = _quoted(expression)
        if literal is not None:
            return (literal,)
        call = called(expression) if depth <= DEEPEST else None
        name, arguments = call or ("", [])
        if name in ("variables", "parameters") and len(arguments) == 1:
            value = self._known(name, _quoted(arguments[0]) or "")
            # A parameter may be set to anything, but one that is a lone quote is punctuation.
            if value is not None and (name == "variables" or value == "'"):
                return (value,)
        if name == "concat":
            return joined(part for argument in arguments for part in self._folded(argument, depth + 1))
        pattern = _quoted(arguments[0]) if name == "format" and arguments else None
        if pattern is not None:
            given = [self._folded(argument, depth + 1) for argument in arguments[1:]]
            return joined(
                part
                for piece, number in _format(pattern)
                for part in ((piece,) if number is None else _at(given, number, ()))
            )
        return (Dynamic(expression.strip()),)

    def _mark(self, piece: Dynamic) -> str:
        self._expressions.append(piece.expression)
        return f"\ue000{len(self._expressions) - 1}\ue001"

    def _unmarked(self, parts: Parts) -> Parts:
        return joined(piece for part in parts for piece in self._unmark(part))

    def _unmark(self, part: str | Dynamic) -> Iterator[str | Dynamic]:
        if isinstance(part, Dynamic):
            yield Dynamic(_MARK.sub(lambda mark: self._expression(mark[1]), part.expression))
            return
        for number, piece in enumerate(_MARK.split(part)):
            if number % 2:
                yield Dynamic(self._expression(piece))
            elif piece:
                yield piece

    def _expression(self, number: str) -> str:
        known = int(number) < len(self._expressions)
        return self._expressions[int(number)] if known else number


def joined(pieces: Iterator[str | Dynamic] | Sequence[str | Dynamic]) -> Parts:
    """The pieces, neighbouring literals made one."""
    out: list[str | Dynamic] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        else:
            out.append(piece)
    return tuple(out)


def literal_of(parts: Parts) -> str | None:
    """The text, if all of it is literal."""
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def expression_of(parts: Parts) -> str:
    """The expression that gives the text, as a person would write it."""
    if len(parts) == 1 and isinstance(parts[0], Dynamic):
        return parts[0].expression
    return "".join(part if isinstance(part, str) else f"@{{{part.expression}}}" for part in parts)


def called(expression: str) -> tuple[str, list[str]] | None:
    """Function name in lower case and arguments, if the whole expression is one call; else None."""
    start = _CALL.match(expression)
    if start is None:
        return None
    arguments: list[str] = []
    depth, begin = 1, start.end()
    for at in _outside_quotes(expression, start.end()):
        character = expression[at]
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and character == ","):
            arguments.append(expression[begin:at])
            begin = at + 1
        if depth == 0:
            rest = expression[begin:].strip()
            named = [argument for argument in arguments if argument.strip()]
            return None if rest else (start[1].lower(), named)
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _interpolated(text: str) -> Parts:
    if text.startswith("@") and not text.startswith(("@{", "@@")):
        return _folded(text[1:])
    return joined(
        part for own, expression in _split(text) for part in ((own,) if own else ()) + _maybe(expression)
    )


def _maybe(expression: str | None) -> Parts:
    return () if expression is None else _folded(expression)


def _folded(expression: str, depth: int = 0) -> Parts:
    literal = _quoted(expression)
    if literal is not None:
        return (literal,)
    call = called(expression) if depth <= DEEPEST else None
    if call and call[0] == "concat":
        return joined(part for argument in call[1] for part in _folded(argument, depth + 1))
    if call and call[0] in _TRANSPARENT and len(call[1]) == 1:
        return _folded(call[1][0], depth + 1)
    return (Dynamic(expression.strip()),)


def _quoted(expression: str) -> str | None:
    """What a quoted literal says; None where the expression is none."""
    literal = _LITERAL.fullmatch(expression)
    return literal[1].replace("''", "'") if literal else None


def _format(pattern: str) -> Iterator[tuple[str, int | None]]:
    """The pieces of a format string: text, or the number of an argument."""
    for piece in _FORMAT.split(pattern):
        if piece in ("{{", "}}"):
            yield piece[0], None
        elif piece.startswith("{") and piece[1:-1].isdigit():
            yield "", int(piece[1:-1])
        elif piece:
            yield piece, None


def _at(given: Sequence[T], number: int, otherwise: T) -> T:
    return given[number] if number < len(given) else otherwise


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """Pairs of own characters and the embedded expression after them; the last has none."""
    begin = 0
    while True:
        start = text.find("@{", begin)
        while start > 0 and text[start - 1] == "@":
            start = text.find("@{", start + 2)
        end = None if start < 0 else _closing(text, start + 2)
        if end is None:
            break
        yield text[begin:start].replace("@@", "@"), text[start + 2 : end]
        begin = end + 1
    yield text[begin:].replace("@@", "@") if begin == 0 else text[begin:], None


def _closing(text: str, begin: int) -> int | None:
    depth = 1
    for at in _outside_quotes(text, begin):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return None


def _outside_quotes(text: str, begin: int) -> Iterator[int]:
    """Positions that are not inside a quoted literal; a doubled quote opens and closes none."""
    quoted = False
    for at in range(begin, len(text)):
        if text[at] == "'":
            quoted = not quoted
        elif not quoted:
            yield at
