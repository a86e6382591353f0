"""The expression language of flow definitions: ``@body('Get_rows')?['value']`` in place of a value, ``@{...}``
inside a text, ``@@`` for a literal ``@``.

Read by a grammar, evaluated over plain JSON values. What a function refers to (actions, variables, the trigger) is
handed in by name, so that this module knows no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

from holdfast.sandbox.flows.functions import FUNCTIONS, LAZY
from holdfast.sandbox.flows.values import ExpressionError, Json, as_text, select

References = Mapping[str, Callable[..., Json]]
"""The functions that look at the run, by lower-case name: ``body``, ``variables``, ``utcnow`` and so on."""

LONGEST = 8192
"""Characters of one expression. Source: learn.microsoft.com/azure/logic-apps/logic-apps-limits-and-config."""

DEEPEST = 60
"""How deep calls may be nested here: a limit of the sandbox, so that reading hostile text stays cheap."""

GRAMMAR = r"""
    expression: value access*
    ?value: STRING -> text
          | NUMBER -> number
          | NAME "(" [expression ("," expression)*] ")" -> call
          | NAME -> word
    access: [OPTIONAL] "[" expression "]" -> element
          | [OPTIONAL] "." NAME -> field
    OPTIONAL: "?"
    STRING: /'(?:[^']|'')*'/
    NUMBER: /[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/
    NAME: /[A-Za-z_$][A-Za-z0-9_$]*/
    %ignore /\s+/
"""


class Literal(NamedTuple):
    """A value that is written out."""

    value: Json

    def evaluate(self, references: References) -> Json:
        """The value itself."""
        return self.value


class Selection(NamedTuple):
    """``of[key]`` or ``of?[key]``."""

    of: Node
    key: Node
    optional: bool

    def evaluate(self, references: References) -> Json:
        """The part that is selected; see `values.select`."""
        return select(self.of.evaluate(references), self.key.evaluate(references), optional=self.optional)


class Call(NamedTuple):
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]

    def evaluate(self, references: References) -> Json:
        """What the function gives.

        Raises:
            ExpressionError: there is no such function, or it refuses these arguments.
        """
        name = self.name.lower()
        if name in LAZY:
            return LAZY[name]([partial(node.evaluate, references) for node in self.arguments])
        arguments = [node.evaluate(references) for node in self.arguments]
        if name in references:
            try:
                return references[name](*arguments)
            except TypeError as error:
                raise ExpressionError(
                    f"The template function '{self.name}' does not take these {len(arguments)} parameter(s)."
                ) from error
        if name in FUNCTIONS:
            return FUNCTIONS[name](self.name, arguments)
        raise ExpressionError(f"The template function '{self.name}' is not defined or not valid.")


Node = Literal | Selection | Call


class _Reading(Transformer[Token, "Node"]):
    def text(self, parts: list[Any]) -> Node:
        return Literal(str(parts[0])[1:-1].replace("''", "'"))

    def number(self, parts: list[Any]) -> Node:
        written = str(parts[0])
        return Literal(float(written) if any(mark in written for mark in ".eE") else int(written))

    def word(self, parts: list[Any]) -> Node:
        known = {"true": True, "false": False, "null": None}
        name = str(parts[0])
        if name.lower() not in known:
            raise ExpressionError(f"The template language expression '{name}' is not valid.")
        return Literal(known[name.lower()])

    def call(self, parts: list[Any]) -> Node:
        return Call(str(parts[0]), tuple(part for part in parts[1:] if part is not None))

    def element(self, parts: list[Any]) -> tuple[Node, bool]:
        return parts[1], parts[0] is not None

    def field(self, parts: list[Any]) -> tuple[Node, bool]:
        return Literal(str(parts[1])), parts[0] is not None

    def expression(self, parts: list[Any]) -> Node:
        node: Node = parts[0]
        for key, optional in parts[1:]:
            node = Selection(node, key, optional)
        return node


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return Lark(GRAMMAR, start="expression", parser="lalr", transformer=_Reading(), maybe_placeholders=True)


def _depth(text: str) -> int:
    depth = deepest = 0
    quoted = False
    for mark in text:
        if mark == "'":
            quoted = not quoted
        elif not quoted and mark in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif not quoted and mark in ")]":
            depth -= 1
    return deepest


@lru_cache(maxsize=4096)
def read(text: str) -> Node:
    """The tree of one expression, without the leading ``@``.

    Raises:
        ExpressionError: it is no expression, or too long, or nested too deeply.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"The expression is longer than {LONGEST} characters.")
    if _depth(text) > DEEPEST or text.count("[") + text.count(".") > LONGEST // 16:
        raise ExpressionError("The expression is nested too deeply.")
    try:
        return cast(Node, _grammar().parse(text))
    except VisitError as error:
        raise ExpressionError(f"Unable to parse template language expression '{text}'.") from error
    except UnexpectedInput as error:
        place = getattr(error, "pos_in_stream", None)
        raise ExpressionError(
            f"Unable to parse template language expression '{text}' at position {place}."
        ) from error
    except ValueError as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"A number in '{text[:80]}' is too long.") from error


def _end_of(text: str, start: int) -> int:
    quoted = False
    for place in range(start, len(text)):
        if text[place] == "'":
            quoted = not quoted
        elif text[place] == "}" and not quoted:
            return place
    raise ExpressionError("An interpolated expression is not closed: '}' is missing.")


@lru_cache(maxsize=4096)
def pieces(text: str) -> tuple[str | Node, ...]:
    """A text cut into literal parts and the expressions interpolated between them."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[str | Node]:
    literal = ""
    place = 0
    if text.startswith("@@"):
        literal, place = "@", 2
    while (mark := text.find("@{", place)) >= 0:
        if mark > place and text[mark - 1] == "@":
            literal += text[place : mark - 1] + "@{"
            place = mark + 2
            continue
        end = _end_of(text, mark + 2)
        yield literal + text[place:mark]
        yield read(text[mark + 2 : end])
        literal, place = "", end + 1
    yield literal + text[place:]


def is_expression(text: str) -> bool:
    """Whether the whole text stands for a value: it begins with one ``@`` and no ``@{``."""
    return text.startswith("@") and not text.startswith(("@@", "@{"))


def evaluate(template: Json, references: References) -> Json:
    """A value of a definition with every expression in it replaced by what it gives.

    Names of properties are replaced too. ``@@`` in front of a text, and ``@@{`` anywhere, stand for themselves with one
    ``@`` less.

    Raises:
        ExpressionError: an expression in it cannot be read or evaluated.
    """
    try:
        return _evaluate(template, references)
    except RecursionError:
        raise ExpressionError("The value is nested too deeply.") from None


def _evaluate(template: Json, references: References) -> Json:
    if isinstance(template, str):
        return evaluate_text(template, references)
    if isinstance(template, list):
        return [_evaluate(part, references) for part in template]
    if isinstance(template, dict):
        return {
            as_text(_evaluate(key, references)): _evaluate(part, references) for key, part in template.items()
        }
    return template


def evaluate_text(template: str, references: References) -> Json:
    """The same for one text."""
    if "@" not in template:
        return template
    if is_expression(template):
        return read(template[1:]).evaluate(references)
    return "".join(
        piece if isinstance(piece, str) else as_text(piece.evaluate(references)) for piece in pieces(template)
    )
