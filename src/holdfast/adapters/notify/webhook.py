"""A signed webhook: HMAC-SHA256 over id, time and body, as the Standard Webhooks specification writes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import httpx2

from holdfast import __version__
from holdfast.core.alert import Event, Message
from holdfast.core.errors import SettingsError, UnreachableError
from holdfast.core.secret import Secret
from holdfast.ports import Clock

TIMEOUT: Final = httpx2.Timeout(10.0)
"""A receiver that hangs does not hold up the others."""


class Webhook:
    """Posts each event as JSON; the receiver tells repeats by `webhook-id`.

    Headers: `webhook-id` (the event's id), `webhook-timestamp` (Unix seconds; refuse what is more than five minutes old, so
    that nothing can be played back), `webhook-signature` ("v1," and base64 of HMAC-SHA256 over "id.timestamp.body").
    """

    def __init__(
        self, name: str, url: Secret, key: Secret | None, clock: Clock, client: httpx2.AsyncClient
    ) -> None:
        """Sends nothing yet.

        Args:
            url: a secret, since many carry one in their path.
            key: signs; None sends unsigned.
        """
        self._name, self._url, self._key, self._clock, self._client = name, url, key, clock, client

    async def send(self, message: Message) -> None:
        """See `ports.Notifier`: one request per event."""
        for event in message.events:
            body = json.dumps(payload(event), separators=(",", ":")).encode()
            headers = {"Content-Type": "application/json", "User-Agent": f"holdfast/{__version__}"}
            headers |= signature(event.id, int(self._clock.now().timestamp()), body, self._key)
            await post(self._client, self._name, self._url, body, headers)


def payload(event: Event) -> dict[str, Any]:
    """The event as receivers get it."""
    content = asdict(event)
    content.pop("links")
    return {
        "type": event.topic.value,
        "timestamp": event.at.isoformat(),
        "data": content | {"at": event.at.isoformat()},
    }


def signature(id: str, at: int, body: bytes, key: Secret | None) -> dict[str, str]:
    """The headers that let the receiver tell who sent it, when, and whether it came before."""
    headers = {"webhook-id": id, "webhook-timestamp": str(at)}
    if key is not None:
        signed = f"{id}.{at}.".encode() + body
        digest = hmac.new(key.reveal().encode(), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def is_genuine(headers: dict[str, str], body: bytes, key: Secret, now: datetime, within: int = 300) -> bool:
    """What a receiver checks: the signature fits, and the message is not an old one played back."""
    try:
        at = int(headers["webhook-timestamp"])
        given = headers["webhook-signature"].removeprefix("v1,")
        expected = signature(headers["webhook-id"], at, body, key)["webhook-signature"].removeprefix("v1,")
    except (KeyError, ValueError):
        return False
    return abs(now.timestamp() - at) <= within and hmac.compare_digest(given, expected)


async def post(
    client: httpx2.AsyncClient, name: str, url: Secret, body: bytes, headers: dict[str, str]
) -> None:
    """Post, and believe nothing but 2xx.

    Raises:
        SettingsError: the address is none.
        UnreachableError: it was not taken. The address, which may hold a secret, is not told.
    """
    try:
        address = httpx2.URL(url.reveal())
        if address.scheme not in ("https", "http") or not address.host:
            raise httpx2.InvalidURL("no http address")
        answer = await client.post(address, content=body, headers=headers)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
        raise SettingsError(f"The url of the alert channel {name!r} is no http or https address.") from None
    except httpx2.HTTPError as error:
        kind = type(error).__name__
        raise UnreachableError(
            f"The alert channel {name!r} gave no answer ({kind}).", "alerts", "alerts.send"
        ) from None
    if not answer.is_success:
        raise UnreachableError(
            f"The alert channel {name!r} refused the message with HTTP {answer.status_code}.",
            "alerts",
            "alerts.send",
            answer.status_code,
        )
