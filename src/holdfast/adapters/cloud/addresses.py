"""Addresses of calls: how they are built, and which host one leads to."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import httpx2

from holdfast.wire.ledger import Call


def address(call: Call, base: str, at: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The address of a call; what is filled in stays within its place, whatever it holds.

    Args:
        base: scheme and host, and of Dataverse in the sandbox a path.
        at: values for the names in the call's path and query.
        query: further query parameters, which win over the call's own.
    """
    path = call.path.format_map({name: quote(value, safe="") for name, value in at.items()})
    quoted = {name: value.replace("'", "''") for name, value in at.items()}
    fields = {name: value.format_map(quoted) for name, value in call.query.items()} | dict(query)
    tail = f"?{urlencode(fields, quote_via=quote, safe='$,')}" if fields else ""
    return f"{base}{path}{tail}"


def host_of(url: object) -> str | None:
    """Host of an address as the client itself reads it, with the port where it is not 443.

    None for anything but https without a user name: nothing is sent there.
    """
    try:
        read = url if isinstance(url, httpx2.URL) else httpx2.URL(str(url))
    except httpx2.InvalidURL:
        return None
    if read.scheme != "https" or read.userinfo or not read.raw_host:
        return None
    host = read.raw_host.decode("ascii").lower()
    return host if read.port in (None, 443) else f"{host}:{read.port}"
