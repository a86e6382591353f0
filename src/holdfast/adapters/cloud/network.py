"""How both clients connect: whose certificates they believe, what goes past a proxy, how long they wait."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.request import getproxies

import httpx2

from holdfast.adapters.cloud.hosts import HostTable
from holdfast.core.errors import SettingsError

TIMEOUT: Final = httpx2.Timeout(connect=10, read=120, write=60, pool=300)
LIMITS: Final = httpx2.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=30)


def trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    """Whose certificates are believed: the operating system's, or only those of `ca_file`.

    Raises:
        SettingsError: the file is missing or holds no certificate.
    """
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "it holds no PEM certificate"
        raise SettingsError(
            f"The certificate file ca_file = {str(ca_file)!r} cannot be used: {reason}."
        ) from None


def refuse_odd_proxies(proxies: Mapping[str, str]) -> None:
    """Look at the proxies by scheme that the HTTP client will read from the environment, before it fails on them.

    Raises:
        SettingsError: a proxy is none that holdfast can ask.
    """
    for scheme, written in proxies.items():
        if scheme not in ("http", "https", "all"):
            continue
        try:
            url = httpx2.URL(written if "://" in written else f"http://{written}")
        except httpx2.InvalidURL:
            url = None
        # What no host can have in its name the client only escapes.
        is_named = url is not None and url.host and "%" not in url.host
        if url is None or url.scheme not in ("http", "https") or not is_named:
            # Never what is written: it may hold a user's password.
            raise SettingsError(
                f"{scheme.upper()}_PROXY of the environment names no proxy that holdfast can ask: write http://HOST:PORT."
            )


def direct(hosts: HostTable) -> dict[str, httpx2.AsyncBaseTransport | None]:
    """Hosts that are never asked through a proxy: those on this machine.

    Raises:
        SettingsError: the proxy for all others is none.
    """
    refuse_odd_proxies(getproxies())
    return {f"all://{name}": None for name in ("localhost", "127.0.0.1")} if hosts.is_custom else {}
