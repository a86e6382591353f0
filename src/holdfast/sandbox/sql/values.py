"""Values as SQLite keeps them → as their T-SQL type has them in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", ""))


def _day(value: Any) -> date:
    return _moment(value).date()


_MADE: dict[str, Callable[[Any], Any]] = {
    "bit": bool,
    "int": int,
    "bigint": int,
    "smallint": int,
    "tinyint": int,
    "float": float,
    "real": float,
    "decimal": lambda value: Decimal(str(value)),
    "numeric": lambda value: Decimal(str(value)),
    "money": lambda value: Decimal(str(value)),
    "date": _day,
    "time": lambda value: time.fromisoformat(str(value)),
    "datetime": _moment,
    "datetime2": _moment,
    "datetimeoffset": _moment,
    "smalldatetime": _moment,
    "uniqueidentifier": lambda value: UUID(str(value)),
    "rowversion": lambda value: int(value).to_bytes(8, "big"),
    "timestamp": lambda value: int(value).to_bytes(8, "big"),
}


def as_python(value: Any, kind: str) -> Any:
    """The value as its type has it; as it is where it does not fit, since SQLite lets anything in."""
    made = _MADE.get(kind.partition("(")[0])
    if value is None:
        return None
    if made is not None:
        try:
            return made(value)
        except (TypeError, ValueError, OverflowError, InvalidOperation):
            return value
    return str(value) if "char" in kind and not isinstance(value, bytes) else value
