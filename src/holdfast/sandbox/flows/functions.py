"""The functions of the flow expression language that need nothing but their arguments.

Named and bounded as learn.microsoft.com/azure/logic-apps/workflow-definition-language-functions-reference says.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from holdfast.sandbox.flows import structures, times
from holdfast.sandbox.flows.arguments import boolean_of, number_of, text_of
from holdfast.sandbox.flows.values import (
    ExpressionError,
    Json,
    as_json,
    as_text,
    content_of,
    is_number,
    kind_of,
    same,
)

# --- numbers and comparison ------------------------------------------------------------------------------


def _numbers(name: str, values: tuple[Json, ...]) -> list[int | float]:
    listed = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    if not listed:
        raise ExpressionError(f"The template language function '{name}' expects at least one number.")
    return [number_of(name, value) for value in listed]


def divide(dividend: Json, divisor: Json) -> int | float:
    """Integers give an integer, cut towards zero."""
    above, below = number_of("div", dividend), number_of("div", divisor)
    if below == 0:
        raise ExpressionError("Attempted to divide by zero.")
    if isinstance(above, int) and isinstance(below, int):
        whole = abs(above) // abs(below)
        return whole if (above < 0) == (below < 0) else -whole
    return above / below


def modulo(dividend: Json, divisor: Json) -> int | float:
    """What is left of a division, with the sign of the dividend."""
    above, below = number_of("mod", dividend), number_of("mod", divisor)
    if below == 0:
        raise ExpressionError("Attempted to divide by zero.")
    left = abs(above) % abs(below)
    return -left if above < 0 else left


def _compared(name: str, left: Json, right: Json) -> int:
    if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return int(left > right) - int(left < right)
    raise ExpressionError(
        f"The template language function '{name}' expects two parameter of matching types. The function was invoked "
        f"with values of type '{kind_of(left)}' and '{kind_of(right)}' that do not match."
    )


def _arithmetic(name: str, deed: Callable[[int | float, int | float], int | float]) -> Callable[..., Json]:
    def calculate(left: Json, right: Json) -> int | float:
        try:
            return deed(number_of(name, left), number_of(name, right))
        except OverflowError:
            raise ExpressionError(f"The result of '{name}' is too large.") from None

    return calculate


# --- conversion ------------------------------------------------------------------------------------------


def to_int(value: Json) -> int:
    """A number or a text of digits as an integer."""
    if is_number(value):
        return int(value)
    try:
        return int(text_of("int", value))
    except ValueError:
        raise ExpressionError(
            f"The template language function 'int' was invoked with a parameter that is not valid: '{as_text(value)[:80]}'."
        ) from None


def to_float(value: Json) -> float:
    """A number or its text as a float."""
    if is_number(value):
        return float(value)
    try:
        return float(text_of("float", value))
    except ValueError:
        raise ExpressionError(
            f"The template language function 'float' was invoked with a parameter that is not valid: '{as_text(value)[:80]}'."
        ) from None


def to_bool(value: Json) -> bool:
    """true, false, their texts, or a number (0 is false)."""
    if isinstance(value, bool) or is_number(value):
        return bool(value)
    known = {"true": True, "false": False}
    if text_of("bool", value).strip().lower() in known:
        return known[value.strip().lower()]
    raise ExpressionError(
        "The template language function 'bool' was invoked with a parameter that is not valid."
    )


def from_json(text: Json) -> Json:
    """The value that a JSON text writes."""
    try:
        return json.loads(
            content_of(text) if isinstance(text, dict) and "$content" in text else text_of("json", text)
        )
    except (ValueError, RecursionError):
        raise ExpressionError(
            "The template language function 'json' parameter is not valid. The provided value cannot be parsed: "
            f"'{as_text(text)[:80]}'."
        ) from None


def to_xml(value: Json) -> Json:
    """An object with one root as XML; a text that is XML already, as it is. Wrapped the way content is."""
    if isinstance(value, str):
        written = value
    elif isinstance(value, dict) and len(value) == 1:
        written = _elements(value)
    else:
        raise ExpressionError(
            "The template language function 'xml' expects a string or an object with one root property."
        )
    return {
        "$content-type": "application/xml;charset=utf-8",
        "$content": b64encode(written.encode()).decode(),
    }


def _elements(value: Json) -> str:
    if not isinstance(value, dict):
        return escape(as_text(value))
    return "".join(
        f"<{name}>{_elements(inner)}</{name}>"
        for name, content in value.items()
        for inner in (content if isinstance(content, list) else [content])
    )


def from_base64(text: Json) -> str:
    """The text that is written in base64."""
    return content_of({"$content": text_of("base64ToString", text)})


def coalesce(values: list[Callable[[], Json]]) -> Json:
    """The first that is not null."""
    for value in values:
        if (got := value()) is not None:
            return got
    return None


# --- logic: these do not look at what they do not need -----------------------------------------------------


def _if(arguments: list[Callable[[], Json]]) -> Json:
    if len(arguments) != 3:
        raise ExpressionError("The template language function 'if' expects 3 parameters.")
    return arguments[1]() if boolean_of("if", arguments[0]()) else arguments[2]()


def _and(arguments: list[Callable[[], Json]]) -> bool:
    return all(boolean_of("and", argument()) for argument in arguments)


def _or(arguments: list[Callable[[], Json]]) -> bool:
    return any(boolean_of("or", argument()) for argument in arguments)


LAZY: dict[str, Callable[[list[Callable[[], Json]]], Json]] = {
    "if": _if,
    "and": _and,
    "or": _or,
    "coalesce": coalesce,
}
"""Functions that are given their arguments unevaluated."""


class Function(NamedTuple):
    """A function and how many arguments it takes; `most` None: any number."""

    call: Callable[..., Json]
    least: int
    most: int | None

    def __call__(self, name: str, arguments: list[Json]) -> Json:
        """The result.

        Raises:
            ExpressionError: too few arguments, too many, or of the wrong kind.
        """
        count = len(arguments)
        if count < self.least or (self.most is not None and count > self.most):
            bounds = (
                str(self.least)
                if self.least == self.most
                else f"{self.least} to {self.most or 'any number of'}"
            )
            raise ExpressionError(
                f"The template language function '{name}' expects {bounds} parameter(s). "
                f"The function was invoked with '{count}' parameter(s)."
            )
        return self.call(*arguments)


FUNCTIONS: dict[str, Function] = {
    "concat": Function(structures.concat, 1, None),
    "substring": Function(structures.substring, 2, 3),
    "replace": Function(structures.replace, 3, 3),
    "split": Function(structures.split, 2, 2),
    "tolower": Function(lambda text: text_of("toLower", text).lower(), 1, 1),
    "toupper": Function(lambda text: text_of("toUpper", text).upper(), 1, 1),
    "trim": Function(lambda text: text_of("trim", text).strip(), 1, 1),
    "indexof": Function(structures.index_of, 2, 2),
    "lastindexof": Function(structures.last_index_of, 2, 2),
    "startswith": Function(structures.starts_with, 2, 2),
    "endswith": Function(structures.ends_with, 2, 2),
    "length": Function(structures.length, 1, 1),
    "empty": Function(structures.empty, 1, 1),
    "contains": Function(structures.contains, 2, 2),
    "first": Function(structures.first, 1, 1),
    "last": Function(structures.last, 1, 1),
    "take": Function(structures.take, 2, 2),
    "skip": Function(structures.skip, 2, 2),
    "join": Function(structures.join, 2, 2),
    "union": Function(structures.union, 2, None),
    "intersection": Function(structures.intersection, 2, None),
    "range": Function(structures.number_range, 2, 2),
    "reverse": Function(structures.reverse, 1, 1),
    "createarray": Function(lambda *elements: list(elements), 1, None),
    "addproperty": Function(structures.add_property, 3, 3),
    "setproperty": Function(structures.set_property, 3, 3),
    "removeproperty": Function(structures.remove_property, 2, 2),
    "add": Function(_arithmetic("add", lambda left, right: left + right), 2, 2),
    "sub": Function(_arithmetic("sub", lambda left, right: left - right), 2, 2),
    "mul": Function(_arithmetic("mul", lambda left, right: left * right), 2, 2),
    "div": Function(divide, 2, 2),
    "mod": Function(modulo, 2, 2),
    "min": Function(lambda *values: min(_numbers("min", values)), 1, None),
    "max": Function(lambda *values: max(_numbers("max", values)), 1, None),
    "not": Function(lambda value: not boolean_of("not", value), 1, 1),
    "equals": Function(same, 2, 2),
    "less": Function(lambda left, right: _compared("less", left, right) < 0, 2, 2),
    "lessorequals": Function(lambda left, right: _compared("lessOrEquals", left, right) <= 0, 2, 2),
    "greater": Function(lambda left, right: _compared("greater", left, right) > 0, 2, 2),
    "greaterorequals": Function(lambda left, right: _compared("greaterOrEquals", left, right) >= 0, 2, 2),
    "int": Function(to_int, 1, 1),
    "float": Function(to_float, 1, 1),
    "bool": Function(to_bool, 1, 1),
    "string": Function(lambda value: as_json(value) if value is None else as_text(value), 1, 1),
    "json": Function(from_json, 1, 1),
    "xml": Function(to_xml, 1, 1),
    "array": Function(lambda value: value if isinstance(value, list) else [value], 1, 1),
    "base64": Function(lambda text: b64encode(text_of("base64", text).encode()).decode(), 1, 1),
    "base64tostring": Function(from_base64, 1, 1),
    "decodebase64": Function(from_base64, 1, 1),
    "encodeuricomponent": Function(lambda text: quote(text_of("encodeUriComponent", text), safe=""), 1, 1),
    "uricomponent": Function(lambda text: quote(text_of("uriComponent", text), safe=""), 1, 1),
    "decodeuricomponent": Function(lambda text: unquote(text_of("decodeUriComponent", text)), 1, 1),
    "uricomponenttostring": Function(lambda text: unquote(text_of("uriComponentToString", text)), 1, 1),
    "adddays": Function(lambda at, many, form=None: times.add(at, many, timedelta(days=1), form), 2, 3),
    "addhours": Function(lambda at, many, form=None: times.add(at, many, timedelta(hours=1), form), 2, 3),
    "addminutes": Function(lambda at, many, form=None: times.add(at, many, timedelta(minutes=1), form), 2, 3),
    "addseconds": Function(lambda at, many, form=None: times.add(at, many, timedelta(seconds=1), form), 2, 3),
    "formatdatetime": Function(times.format_text, 1, 2),
    "startofday": Function(times.start_of_day, 1, 2),
    "dayofweek": Function(times.day_of_week, 1, 1),
    "ticks": Function(times.ticks, 1, 1),
}
"""By lower-case name: the language does not mind the case of a function."""
