"""The channels of the settings, ready to send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import getproxies

import httpx2

from holdfast.adapters.cloud.network import refuse_odd_proxies, trust
from holdfast.adapters.notify.apprises import Apprised
from holdfast.adapters.notify.cards import Teams
from holdfast.adapters.notify.mail import Mail
from holdfast.adapters.notify.webhook import TIMEOUT, Webhook
from holdfast.core.errors import SettingsError
from holdfast.core.secret import Secret
from holdfast.ports import Clock, Notifier


class Way(NamedTuple):
    """A channel with its secrets at hand; the fields are those of the settings."""

    name: str
    kind: str
    url: Secret
    key: Secret | None = None
    sender: str = ""
    to: tuple[str, ...] = ()


@asynccontextmanager
async def opened(
    ways: Sequence[Way], clock: Clock, ca_file: Path | None = None
) -> AsyncIterator[dict[str, Notifier]]:
    """A notifier for each way, by its name; closed at the end. Sends nothing by itself.

    Raises:
        SettingsError: `ca_file` or a proxy of the environment cannot be used.
    """
    refuse_odd_proxies(getproxies())
    # A receiver is an address that somebody set: it is asked once, and followed nowhere else.
    async with httpx2.AsyncClient(timeout=TIMEOUT, follow_redirects=False, verify=trust(ca_file)) as client:
        yield {way.name: _notifier(way, clock, client, ca_file) for way in ways}


def _notifier(way: Way, clock: Clock, client: httpx2.AsyncClient, ca_file: Path | None) -> Notifier:
    match way.kind:
        case "mail":
            return Mail(way.name, way.url, way.sender, way.to, ca_file)
        case "teams":
            return Teams(way.name, way.url, client)
        case "webhook":
            return Webhook(way.name, way.url, way.key, clock, client)
        case "apprise":
            return Apprised(way.name, way.url)
        case _:
            raise SettingsError(f"The alert channel {way.name!r} is of no known kind: {way.kind!r}.")
