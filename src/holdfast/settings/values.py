"""How single values are written in a settings file, and the types that read them: ids, addresses, lengths, secrets.

What is written otherwise is a PydanticCustomError that says what it must be; `complaint` names the place.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretStr
from pydantic_core import PydanticCustomError

from holdfast.core.secret import SecretReference

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _guid(text: str) -> str:
    lower = text.strip().lower()
    if not _GUID.fullmatch(lower):
        raise PydanticCustomError(
            "guid",
            "must be an id like 11111111-2222-3333-4444-555555555555, not a name; the Overview page of Entra shows it",
        )
    return lower


def _reference(value: Any) -> Any:
    """A reference as such. A literal secret comes as SecretStr, from the environment only."""
    if isinstance(value, SecretStr | SecretReference):
        return value
    found = SecretReference.parse(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError(
            "secret_reference",
            "must say where the secret lies (keyring:NAME, file:NAME, keyvault:NAME or env:VARIABLE), never the secret itself;"
            " `holdfast secret set NAME` stores one",
        )
    return found


def _base_url(text: str) -> str:
    parts = urlsplit(text.strip())
    plain = parts.hostname and not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme != "https" or not plain:
        raise PydanticCustomError("base_url", "must be https://HOST or https://HOST:PORT and nothing more")
    return f"https://{parts.netloc.lower()}"


def _sql_address(text: str) -> str:
    server, _, place = text.strip().lower().rpartition("=")
    host, colon, port = place.partition(":")
    is_port = not colon or (port.isdecimal() and 0 < int(port) < 65536)
    if not _HOST.fullmatch(host) or not is_port or (server and not _HOST.fullmatch(server)):
        raise PydanticCustomError("sql_address", "must be HOST:PORT or SERVER=HOST:PORT and nothing more")
    return f"{server}={host}:{port or 1433}".removeprefix("=")


def listed(value: Any) -> Any:
    """A list in the file, words with commas between in the environment."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


def _length(value: Any) -> Any:
    """A length of time in words: 30m, 12h, 1d, 2w."""
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,4})([mhdw])", str(value).strip().lower())
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta(0)
    if length < timedelta(minutes=5):
        raise PydanticCustomError(
            "length", "must be a length of at least five minutes, such as 30m, 12h, 1d or 2w"
        )
    return length


def span(value: Any) -> Any:
    """From and until, as times of day: 20:00-07:00."""
    found = re.fullmatch(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)", value) if isinstance(value, str) else None
    if value is not None and found is None:
        raise PydanticCustomError("span", "must be two times of day such as 20:00-07:00")
    try:
        return None if found is None else (time.fromisoformat(found[1]), time.fromisoformat(found[2]))
    except ValueError:
        raise PydanticCustomError("span", "must be two times of day such as 20:00-07:00") from None


def zone(name: str) -> str:
    """The name of a time zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("zone", "must be the name of a time zone such as Europe/Berlin") from None
    return name


Length = Annotated[timedelta, BeforeValidator(_length)]
Guid = Annotated[str, AfterValidator(_guid)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
SqlAddress = Annotated[str, AfterValidator(_sql_address)]
SecretSource = Annotated[InstanceOf[SecretReference] | InstanceOf[SecretStr], BeforeValidator(_reference)]
