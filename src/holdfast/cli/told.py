"""What an error text tells besides its cause, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

KNOWN_RESOURCES: Final = {
    "00000003-0000-0000-c000-000000000000": "Microsoft Graph",
    "00000007-0000-0000-c000-000000000000": "Dataverse",
    "022907d3-0f1b-48f7-badc-1ba6abab6d66": "Azure SQL Database",
    "475226c6-020e-4fb2-8a90-7a972cbfc1d4": "Power Apps Service",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013": "Azure Service Management",
    "7df0a125-d3be-4c96-aa54-591f83ff541c": "Microsoft Flow Service",
}
"""First-party applications by their id, the same in every tenant."""
_NAMES: Final = {
    "application": "Application",
    "login": "Login",
    "server": "Server",
    "database": "Database",
    "object": "Object",
    "permission": "Permission",
    "address": "Client address",
}


def told(details: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A heading and a value for each particular, the most telling first."""
    issued, valid, refused = (
        _instant(details.get(name)) for name in ("issued_at", "valid_from", "refused_at")
    )
    if issued:
        yield "Signed in", _shown(issued)
    if valid:
        yield "Tokens valid from", f"{_shown(valid)}: the password changed or sessions were revoked then"
    if refused:
        after = f", {_length(refused - issued)} after the sign-in" if issued and refused > issued else ""
        yield "Refused", f"{_shown(refused)}{after}"
    if limit := details.get("limit"):
        yield "Longest allowed", _length(timedelta(seconds=int(limit))) if limit.isdecimal() else limit
    for name, heading in _NAMES.items():
        if name in details:
            yield heading, details[name]
    if resource := details.get("resource"):
        yield (
            "Resource",
            f"{KNOWN_RESOURCES[resource]} ({resource})" if resource in KNOWN_RESOURCES else resource,
        )
    if seconds := details.get("retry_after_seconds"):
        yield "Try again in", _length(timedelta(seconds=int(seconds)))
    if correlation := details.get("correlation_id"):
        yield "Correlation id", f"{correlation}, by which the sign-in log finds it"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _length(of: timedelta) -> str:
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if of.total_seconds() >= seconds:
            number = round(of.total_seconds() / seconds)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    number = round(of.total_seconds())
    return f"{number} second{'' if number == 1 else 's'}"
