"""Conditions of If actions and trigger filters: an expression, or the designer's object of nested comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast.sandbox.flows.functions import FUNCTIONS
from holdfast.sandbox.flows.values import ExpressionError, Json, kind_of

Evaluated = Callable[[Json], Json]


def holds(written: Any, evaluated: Evaluated) -> bool:
    """Whether the condition is true.

    Raises:
        ExpressionError: it is none, or does not come out as true or false.
    """
    if isinstance(written, dict):
        return _object(written, evaluated)
    value = evaluated(written)
    if not isinstance(value, bool):
        raise ExpressionError(
            f"The result of the condition must be a boolean. The provided value is of type '{kind_of(value)}'."
        )
    return value


def _object(written: dict[str, Any], evaluated: Evaluated) -> bool:
    if len(written) != 1:
        raise ExpressionError("A condition object must have exactly one operator.")
    operator, operands = next(iter(written.items()))
    name = operator.lower()
    if name in ("and", "or"):
        if not isinstance(operands, list):
            raise ExpressionError(f"The condition '{operator}' expects a list.")
        check = all if name == "and" else any
        return check(holds(operand, evaluated) for operand in operands)
    if name == "not":
        return not holds(operands, evaluated)
    if name not in FUNCTIONS:
        raise ExpressionError(f"The condition operator '{operator}' is not known.")
    arguments = evaluated(operands)
    return bool(FUNCTIONS[name](operator, arguments if isinstance(arguments, list) else [arguments]))
