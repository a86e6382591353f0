"""How both clients connect: whose certificates they believe, what goes past a proxy, how long they wait."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

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


def direct(hosts: HostTable) -> dict[str, httpx2.AsyncBaseTransport | None]:
    """Hosts that are never asked through a proxy: those on this machine."""
    return {f"all://{name}": None for name in ("localhost", "127.0.0.1")} if hosts.is_custom else {}
