"""Lengths of time and instants, as people write and read them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Length(click.ParamType[timedelta]):
    """A length of time on the command line: 90d, 12h, 2w."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """As a timedelta."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,5})([smhdw])", str(value).strip().lower())
        if found is None:
            self.fail(f"{value!r} is no length of time: write 90d, 12h or 2w.", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


def length(of: timedelta) -> str:
    """In the largest unit that fits: "5 minutes", "3 days"."""
    seconds = abs(of.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size * (2 if unit != "minute" else 1):
            number = int(seconds // size)
            return f"{number} {unit}{'s' if number != 1 else ''}"
    return "a moment"


def away(at: datetime, now: datetime) -> str:
    """Seen from now: "in 3 days", "2 hours ago"."""
    words = length(at - now)
    return f"in {words}" if at >= now else f"{words} ago"


def day(at: datetime) -> str:
    """The date, as every language reads it: 2026-12-03."""
    return f"{at:%Y-%m-%d}"


def minute(at: datetime) -> str:
    """Date and time in UTC."""
    return f"{at:%Y-%m-%d %H:%M}"


def iso(at: datetime | None) -> str | None:
    """As programs read it."""
    return at.isoformat() if at else None
