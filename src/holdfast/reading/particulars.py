"""Names and instants that an error text tells besides its cause."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from holdfast.reading.masking import MASK

INSTANTS: Final = frozenset(("issued_at", "valid_from", "refused_at"))
_INSTANT: Final = r"'?(\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(?:\.\d{1,7})?z)"
_GUID: Final = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_NAME: Final = r"['\"]([^'\"]{1,128})['\"]"

_TOLD: Final[tuple[tuple[str, str, re.Pattern[str]], ...]] = tuple(
    (name, mark, re.compile(pattern, re.IGNORECASE))
    for name, mark, pattern in (
        ("issued_at", "issued on", rf"issued on {_INSTANT}"),
        ("valid_from", "validfrom", rf"validfrom date[^']{{0,80}}? is {_INSTANT}"),
        ("refused_at", "timestamp", rf"\btimestamp['\"]?[:=] ?['\"]?{_INSTANT}"),
        (
            "limit",
            "maximum allowed lifetime",
            r"maximum allowed lifetime for this \w+ is (\d+(?:\.\d\d:\d\d:\d\d)?)",
        ),
        (
            "application",
            "app",
            rf"(?:application(?: with identifier| with id)?|app|appid|client) ?[=:]? ?['\"(]{_GUID}",
        ),
        ("resource", "access", rf"to access '{_GUID}'"),
        ("correlation_id", "correlation", rf"correlation[ _]?id['\"]?[:=] ?['\"]?{_GUID}"),
        ("address", "ip address", r"ip address '?((?:\d{1,3}\.){3}\d{1,3})"),
        ("server", "server", rf"(?:server|host) {_NAME}"),
        ("database", "database", rf"database {_NAME}"),
        ("object", "object", rf"object {_NAME}"),
        ("permission", "permission was denied", r"the (\w[\w ]{1,40}) permission was denied"),
        ("login", "login failed for user", rf"login failed for user {_NAME}"),
        ("retry_after_seconds", "again in", r"try again in (\d{1,6}) seconds?"),
    )
)


def particulars(line: str, folded: str) -> dict[str, str]:
    """What is told: instants in ISO form, ids, names. Only the first of each kind; nothing that was masked.

    Args:
        folded: the line in lower case.
    """
    told = {
        name: found[1]
        for name, mark, pattern in _TOLD
        if mark in folded and (found := pattern.search(line)) and found[1] != MASK
    }
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
