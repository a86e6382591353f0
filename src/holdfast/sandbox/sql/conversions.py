"""CAST, CONVERT and declared variables: values turned into a T-SQL type, in the form in which SQLite keeps them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any, NamedTuple

from holdfast.sandbox.sql.errors import SqlError

BOUNDS = {"tinyint": (0, 2**8 - 1)} | {
    name: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for name, bits in (("smallint", 16), ("int", 32), ("bigint", 64))
}
MOMENT = re.compile(
    r"(?:(\d{4})-?(\d\d)-?(\d\d))?(?:(?:^|[T ])(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)? ?(Z|[+-]\d\d:\d\d)?",
    re.IGNORECASE,
)
_KIND = re.compile(r"\s*([a-z_0-9]+)\s*(?:\(\s*(max|\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*", re.IGNORECASE)


class Kind(NamedTuple):
    """A type as written: `size` is None where none is given or it is MAX."""

    name: str
    size: int | None
    scale: int


def read_kind(written: str) -> Kind | None:
    """A type by its name; None for what is none that values can be turned into."""
    found = _KIND.fullmatch(written)
    name = found[1].lower() if found else ""
    name = {"integer": "int", "numeric": "decimal", "sysname": "nvarchar"}.get(name, name)
    if found is None or name not in _MADE:
        return None
    size = int(found[2]) if (found[2] or "").isdigit() else None
    return Kind(name, size, int(found[3] or 0))


def converted(value: Any, kind: Kind) -> Any:
    """The value as the type has it; None stays None.

    Raises:
        SqlError: 241, 245, 8114, 8115 or 8169: it is no value of the type.
    """
    return None if value is None else _MADE[kind.name](value, kind)


def from_decimal(value: Decimal) -> Any:
    """A number as SQLite keeps it: exactly; as a text where a float would not do."""
    if value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else f"{value:f}"


def _words(value: Any) -> str:
    return "varchar" if isinstance(value, str) and value.isascii() else "nvarchar"


def _overflow(kind: Kind) -> SqlError:
    name = "numeric" if kind.name == "decimal" else kind.name
    return SqlError(8115, f"Arithmetic overflow error converting expression to data type {name}.", 16, 2)


def _integer(value: Any, kind: Kind) -> int:
    try:
        number = int(value.strip() or 0) if isinstance(value, str) else _from_bytes(value)
    except ValueError:
        raise SqlError(
            245,
            f"Conversion failed when converting the {_words(value)} value '{value}' to data type {kind.name}.",
        ) from None
    low, high = BOUNDS[kind.name]
    if not low <= number <= high:
        raise _overflow(kind)
    return number


def _from_bytes(value: Any) -> int:
    return (
        int.from_bytes(value[-8:], "big", signed=len(value) >= 8) if isinstance(value, bytes) else int(value)
    )


def _bit(value: Any, kind: Kind) -> int:
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return int(value.strip().casefold() == "true")
    return int(_integer(value, kind._replace(name="bigint")) != 0)


def _decimal(value: Any, kind: Kind) -> Any:
    size, scale = (19, 4) if "money" in kind.name else (kind.size or 18, kind.scale)
    try:
        number = Decimal(str(value).strip())
        with localcontext(prec=76):
            rounded = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    except InvalidOperation:
        raise SqlError(8114, f"Error converting data type {_words(value)} to numeric.", 16, 5) from None
    if not rounded.is_finite() or rounded.adjusted() >= size - scale:
        raise _overflow(kind)
    return from_decimal(rounded)


def _float(value: Any, kind: Kind) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SqlError(8114, f"Error converting data type {_words(value)} to {kind.name}.", 16, 5) from None


def moment_of(value: Any) -> datetime:
    """A date, a time of the first of January 1900, or both; aware if an offset is told.

    Raises:
        SqlError: 241, it is none.
    """
    found = MOMENT.fullmatch(str(value).strip())
    if found is None or not found[0]:
        raise _no_moment()
    year, month, day, hour, minute, second = (int(one or 0) for one in found.groups()[:6])
    fraction = int((found[7] or "").ljust(7, "0")) // 10
    zone = "+00:00" if (found[8] or "").upper() == "Z" else found[8]
    try:
        on = date(year, month, day) if found[1] else date(1900, 1, 1)
        text = f"{on}T{time(hour, minute, second, fraction).isoformat()}{zone or ''}"
        return datetime.fromisoformat(text)
    except ValueError:
        raise _no_moment() from None


def _no_moment() -> SqlError:
    return SqlError(241, "Conversion failed when converting date and/or time from character string.")


def _moment(value: Any, kind: Kind) -> str:
    if not isinstance(value, str):
        raise SqlError(529, f"Explicit conversion from data type int to {kind.name} is not allowed.", 16, 2)
    at = moment_of(value)
    if kind.name == "date":
        return at.date().isoformat()
    if kind.name == "time":
        return at.time().isoformat()
    if kind.name == "datetimeoffset":
        return as_text(at if at.tzinfo else at.replace(tzinfo=UTC))
    at = at.replace(tzinfo=None)
    if kind.name == "datetime":
        # counts 300ths of a second
        ticks = round(at.microsecond * 3 / 10_000)
        at = at.replace(microsecond=min(round(ticks * 10 / 3), 999) * 1000)
    return as_text(at.replace(second=0, microsecond=0) if kind.name == "smalldatetime" else at)


def as_text(at: datetime) -> str:
    """As SQLite keeps it here, as short as it can be told."""
    exact = "milliseconds" if at.microsecond % 1000 == 0 else "microseconds"
    return at.isoformat("T", exact if at.microsecond else "seconds")


def _guid(value: Any, _: Kind) -> str:
    try:
        made = uuid.UUID(bytes_le=value[:16]) if isinstance(value, bytes) else uuid.UUID(str(value))
    except ValueError:
        raise SqlError(
            8169, "Conversion failed when converting from a character string to uniqueidentifier.", 16, 2
        ) from None
    return str(made).upper()


def _text(value: Any, kind: Kind) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-16-le" if kind.name.startswith("n") else "cp1252", "replace")
    return str(value)[: kind.size]


def _binary(value: Any, kind: Kind) -> bytes:
    if not isinstance(value, bytes):
        try:
            value = uuid.UUID(str(value)).bytes_le
        except ValueError:
            value = str(value).encode("utf-16-le")
    return bytes(value)[: kind.size]


_MADE: dict[str, Callable[[Any, Kind], Any]] = {
    **dict.fromkeys(BOUNDS, _integer),
    "bit": _bit,
    **dict.fromkeys(("decimal", "money", "smallmoney"), _decimal),
    **dict.fromkeys(("float", "real"), _float),
    **dict.fromkeys(("date", "time", "datetime", "smalldatetime", "datetime2", "datetimeoffset"), _moment),
    "uniqueidentifier": _guid,
    **dict.fromkeys(("varchar", "nvarchar", "char", "nchar", "text", "ntext"), _text),
    **dict.fromkeys(("varbinary", "binary"), _binary),
}
