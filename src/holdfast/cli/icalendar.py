"""Horizons as an iCalendar file (RFC 5545): one all-day event each, on the first day of the interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from holdfast.cli.render import clean

LONGEST_LINE = 75
"""Octets of a line before it is folded."""


class Event(NamedTuple):
    """One break that is foreseen.

    Attributes:
        key: what stays the same when the date moves, so that a calendar moves the event instead of adding one.
        warn: how long before it a calendar that reminds people does so.
    """

    key: str
    at: datetime
    summary: str
    description: str
    warn: timedelta = timedelta(days=7)


def calendar(events: Iterable[Event], made_at: datetime) -> str:
    """The whole file, ready to be written as UTF-8 without translating its line ends."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//holdfast//forecast//EN", "CALSCALE:GREGORIAN"]
    for event in events:
        lines += _event(event, made_at)
    lines.append("END:VCALENDAR")
    return "".join(f"{piece}\r\n" for line in lines for piece in _folded(line))


def _event(event: Event, made_at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{sha256(event.key.encode()).hexdigest()[:32]}@holdfast"
    yield f"DTSTAMP:{made_at:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{event.at:%Y%m%d}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"DESCRIPTION:{_text(event.description)}"
    yield "TRANSP:TRANSPARENT"
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{_text(event.summary)}"
    yield f"TRIGGER:-P{event.warn.days}D"
    yield "END:VALARM"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """With what has a meaning in the format escaped, and nothing that a viewer would obey."""
    lines = (clean(line) for line in value.split("\n"))
    escaped = "\n".join(lines).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Pieces of at most 75 octets; no character is cut in two."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > LONGEST_LINE:
            yield piece
            piece, size = " ", 1
        piece += character
        size += width
    yield piece
