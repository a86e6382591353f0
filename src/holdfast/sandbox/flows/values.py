"""The values of flow definitions (plain JSON) and how the flow language compares, selects and writes them."""

from __future__ import annotations

import json
from typing import Any

Json = Any
"""None, bool, int, float, str, list or dict of these; what `json.loads` gives."""


class ExpressionError(ValueError):
    """An expression that cannot be read or evaluated; its text is what a run would show (``InvalidTemplate``)."""


def kind_of(value: Json) -> str:
    """The name that error texts give to the kind of a value."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "Boolean"
    kinds = {int: "Integer", float: "Float", str: "String", list: "Array"}
    return kinds.get(type(value), "Object")


def is_number(value: Json) -> bool:
    """Whether it is an integer or a float; a Boolean is neither."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Json, right: Json) -> bool:
    """Equality of JSON values: 1 equals 1.0, but true does not equal 1."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def as_json(value: Json) -> str:
    """Compact JSON, letters of every script as they are."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise ExpressionError("The value is nested too deeply.") from None


def as_text(value: Json) -> str:
    """What a value becomes between other text (``@{...}``) and in ``string()``.

    Truth values are written as .NET writes them: no recording shows it, Logic Apps users report it.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dict) and "$content" in value:
        return content_of(value)
    return as_json(value)


def content_of(wrapped: dict[str, Json]) -> str:
    """The text inside ``{"$content-type": ..., "$content": <base64>}``."""
    from base64 import b64decode

    try:
        return b64decode(str(wrapped["$content"]), validate=True).decode()
    except ValueError as error:
        raise ExpressionError("The provided value cannot be decoded from base64.") from error


def _member(value: dict[str, Json], name: str) -> tuple[bool, Json]:
    if name in value:
        return True, value[name]
    wanted = name.casefold()
    for key, inner in value.items():
        if key.casefold() == wanted:
            return True, inner
    return False, None


def select(value: Json, key: Json, *, optional: bool) -> Json:
    """``value[key]``, or ``value?[key]`` if optional: then null for what is not there.

    Names of properties are found whatever their case, and a name may be a path (``'body/value'``).

    Raises:
        ExpressionError: there is no such property or element, or the value has none at all.
    """
    if value is None:
        if optional:
            return None
        raise ExpressionError(f"property '{as_text(key)}' cannot be selected from null")
    if isinstance(value, dict) and isinstance(key, str):
        found, inner = _member(value, key)
        if found:
            return inner
        if "/" in key:
            head, _, rest = key.partition("/")
            return select(select(value, head, optional=optional), rest, optional=optional)
        if optional:
            return None
        available = ", ".join(value)[:200]
        raise ExpressionError(f"property '{key}' doesn't exist, available properties are '{available}'")
    if isinstance(value, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(value):
            return value[key]
        if optional:
            return None
        raise ExpressionError(f"array index '{key}' is outside bounds (0, {len(value) - 1}) of array")
    raise ExpressionError(
        f"property '{as_text(key)}' cannot be selected from a value of kind '{kind_of(value)}'"
    )
