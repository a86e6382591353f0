"""Teams, by a Workflows webhook: an Adaptive Card (schema 1.4, the newest that Teams shows everywhere)."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx2

from holdfast import __version__
from holdfast.adapters.notify.webhook import post
from holdfast.adapters.notify.words import line
from holdfast.core.alert import Event, Message, Topic
from holdfast.core.secret import Secret

_COLOURS: Final = {
    Topic.BROKEN: "attention",
    Topic.AT_RISK: "warning",
    Topic.RECOVERED: "good",
    Topic.KEEPALIVE: "warning",
    Topic.ROTATION_DUE: "warning",
}
MOST: Final = 20
"""Events in one card: Teams takes 28 KB."""


class Teams:
    """Posts cards to the address of a "When a Teams webhook request is received" workflow."""

    def __init__(self, name: str, url: Secret, client: httpx2.AsyncClient) -> None:
        """Sends nothing yet."""
        self._name, self._url, self._client = name, url, client

    async def send(self, message: Message) -> None:
        """See `ports.Notifier`."""
        headers = {"Content-Type": "application/json", "User-Agent": f"holdfast/{__version__}"}
        await post(self._client, self._name, self._url, json.dumps(envelope(message)).encode(), headers)


def envelope(message: Message) -> dict[str, Any]:
    """What the workflow takes: a message with one card attached."""
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": card(message),
            }
        ],
    }


def card(message: Message) -> dict[str, Any]:
    """The Adaptive Card. Its id is that of the message, so that repeats can be told."""
    body: list[dict[str, Any]] = []
    for event in message.events[:MOST]:
        body += _told(event)
    more = len(message.events) - MOST
    if more > 0:
        body.append(_text(f"… and {more} more: `holdfast status`."))
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "id": message.id,
        "fallbackText": line(message.title),
        "body": body,
    }


def _told(event: Event) -> list[dict[str, Any]]:
    facts = [("Tenant", event.tenant), ("Since", f"{event.at:%Y-%m-%d %H:%M} UTC"), ("Event", event.id)]
    if event.flows:
        facts.insert(0, ("Flows", str(event.flows)))
    return [
        _text(event.title, weight="bolder", size="medium", color=_COLOURS.get(event.topic, "default")),
        *([_text(event.says)] if event.says else []),
        *([_text(f"Do: {event.remedy}")] if event.remedy else []),
        {"type": "FactSet", "facts": [{"title": name, "value": _plain(value)} for name, value in facts]},
    ]


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _plain(text), "wrap": True, **style}


def _plain(text: str) -> str:
    """Without what a TextBlock reads as markup: names come from strangers, and a link in one would be theirs."""
    escaped = line(text)
    for mark in ("\\", "[", "]", "*", "_", "`", "<", ">"):
        escaped = escaped.replace(mark, f"\\{mark}" if mark not in "<>" else ("‹" if mark == "<" else "›"))
    return escaped
