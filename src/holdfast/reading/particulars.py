"""Names and instants that an error text tells besides its cause."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from holdfast.reading.masking import MASK

INSTANTS: Final = frozenset(("issued_at", "valid_from", "refused_at"))
_INSTANT: Final = r"'?(\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(?:\.\d{1,7})?z)"
_NAME: Final = r"['\"]([^'\"]{1,128})['\"]"
_GUID: Final = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"

# Each begins with its mark, a literal, so that the search runs from mark to mark.
_TOLD: Final[tuple[tuple[str, str, re.Pattern[str]], ...]] = tuple(
    (name, mark, re.compile(re.escape(mark) + rest))
    for name, mark, rest in (
        ("issued_at", "issued on ", _INSTANT),
        ("valid_from", "validfrom date", rf"[^']{{0,80}}? is {_INSTANT}"),
        ("refused_at", "timestamp", rf"['\"]?[:=] ?['\"]?{_INSTANT}"),
        ("limit", "maximum allowed lifetime for this ", r"\w+ is (\d+(?:\.\d\d:\d\d:\d\d)?)"),
        ("application", "app", rf"(?:lication|id)?(?: with identifier| with id)? ?[=:]? ?['\"(]{_GUID}"),
        ("resource", "to access '", rf"{_GUID}'"),
        ("correlation_id", "correlation", rf"[ _]?id['\"]?[:=] ?['\"]?{_GUID}"),
        ("address", "ip address ", r"'?((?:\d{1,3}\.){3}\d{1,3})"),
        ("server", "server ", _NAME),
        ("database", "database ", _NAME),
        ("object", "object ", _NAME),
        ("permission", "the ", r"(\w[\w ]{1,40}) permission was denied"),
        ("login", "login failed for user ", _NAME),
        ("retry_after_seconds", "again in ", r"(\d{1,6}) seconds?"),
    )
)


def particulars(line: str, folded: str) -> dict[str, str]:
    """What is told: instants in ISO form, ids, names. Only the first of each kind; nothing that was masked.

    Args:
        folded: the line in lower case.
    """
    told: dict[str, str] = {}
    for name, mark, pattern in _TOLD:
        if mark in folded and (found := pattern.search(folded)):
            value = line[found.start(1) : found.end(1)]
            if value != MASK:
                told[name] = value
    for name in told.keys() & INSTANTS:
        at = instant(told[name])
        if at is None:
            del told[name]
        else:
            told[name] = at.isoformat(timespec="seconds")
    return told


def instant(text: str) -> datetime | None:
    """Aware, UTC; None where it is no instant (a thirteenth month)."""
    try:
        return datetime.fromisoformat(text.upper().replace(" ", "T"))
    except ValueError:
        return None
