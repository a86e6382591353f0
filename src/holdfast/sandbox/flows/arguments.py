"""What functions ask of their arguments: the kind, or a refusal in the words of the platform."""

from __future__ import annotations

from holdfast.sandbox.flows.values import ExpressionError, Json, is_number, kind_of

LARGEST = 100_000
"""Elements of an array and, tenfold, characters of a text that a function may make: a limit of the sandbox."""


def wrong(name: str, value: Json, wanted: str) -> ExpressionError:
    """The refusal of an argument of the wrong kind."""
    return ExpressionError(
        f"The template language function '{name}' expects its parameter to be {wanted}. "
        f"The provided value is of type '{kind_of(value)}'."
    )


def text_of(name: str, value: Json) -> str:
    """The argument, if it is a text."""
    if not isinstance(value, str):
        raise wrong(name, value, "a string")
    return value


def array_of(name: str, value: Json) -> list[Json]:
    """The argument, if it is an array."""
    if not isinstance(value, list):
        raise wrong(name, value, "an array")
    return value


def object_of(name: str, value: Json) -> dict[str, Json]:
    """The argument, if it is an object."""
    if not isinstance(value, dict):
        raise wrong(name, value, "an object")
    return value


def number_of(name: str, value: Json) -> int | float:
    """The argument, if it is a number."""
    if not is_number(value):
        raise wrong(name, value, "a number")
    return value  # type: ignore[no-any-return]


def integer_of(name: str, value: Json) -> int:
    """The argument, if it is an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong(name, value, "an integer")
    return value


def boolean_of(name: str, value: Json) -> bool:
    """The argument, if it is true or false."""
    if not isinstance(value, bool):
        raise wrong(name, value, "a boolean")
    return value
