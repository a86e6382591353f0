"""Instants as flow expressions write and calculate them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from holdfast.sandbox.flows.values import ExpressionError, Json

EPOCH = datetime(1, 1, 1, tzinfo=UTC)

_FORMS = {
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "d": "M/d/yyyy",
}

_TOKEN = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|tt|'[^']*'|.", re.DOTALL)


def written(at: datetime, form: str = "o") -> str:
    """An instant by a .NET format text, one of `o`, `s`, `u`, `d` or a custom one. English names."""
    return "".join(_part(at, token) for token in _TOKEN.findall(_FORMS.get(form, form)))


def _part(at: datetime, token: str) -> str:
    if token.startswith("f"):
        return f"{at.microsecond:06d}0"[: len(token)]
    if token.startswith("'"):
        return token.strip("'")
    parts = {
        "yyyy": f"{at.year:04d}", "yy": f"{at.year % 100:02d}",
        "MMMM": f"{at:%B}", "MMM": f"{at:%b}", "MM": f"{at.month:02d}", "M": f"{at.month}",
        "dddd": f"{at:%A}", "ddd": f"{at:%a}", "dd": f"{at.day:02d}", "d": f"{at.day}",
        "HH": f"{at.hour:02d}", "H": f"{at.hour}", "hh": f"{at.hour % 12 or 12:02d}", "h": f"{at.hour % 12 or 12}",
        "mm": f"{at.minute:02d}", "m": f"{at.minute}", "ss": f"{at.second:02d}", "s": f"{at.second}", "tt": f"{at:%p}",
    }  # fmt: skip
    return parts.get(token, token)


def read(text: Json) -> datetime:
    """Aware UTC.

    Raises:
        ExpressionError: it is no instant.
    """
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ExpressionError(
            f"The datetime string must match ISO 8601 format. The value '{str(text)[:80]}' does not."
        ) from None


def add(at: Json, many: Json, unit: timedelta, form: Json = None) -> str:
    """`many` units later (earlier, if negative)."""
    if not isinstance(many, int | float) or isinstance(many, bool):
        raise ExpressionError("The template language functions that add time expect a number of units.")
    try:
        return written(read(at) + many * unit, form or "o")
    except (OverflowError, ValueError):
        raise ExpressionError("The resulting datetime is outside of what can be represented.") from None


def format_text(at: Json, form: Json = None) -> str:
    """The instant in another format."""
    return written(read(at), form or "o")


def start_of_day(at: Json, form: Json = None) -> str:
    """Midnight before."""
    return written(read(at).replace(hour=0, minute=0, second=0, microsecond=0), form or "o")


def day_of_week(at: Json) -> int:
    """0 for Sunday."""
    return read(at).isoweekday() % 7


def ticks(at: Json) -> int:
    """Tenths of a microsecond since the year 1."""
    return (read(at) - EPOCH) // timedelta(microseconds=1) * 10


_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def duration(text: Json) -> timedelta | None:
    """An ISO 8601 length of days, hours, minutes and seconds; None for anything else."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) and len(text) < 40 else None
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
