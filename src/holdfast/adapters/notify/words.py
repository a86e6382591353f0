"""A message in plain words, for channels that show text. Names in it come from strangers: one line each, nothing obeyed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from holdfast.core.alert import Event, Message


def line(text: str) -> str:
    """The text on one line without control and format characters."""
    flat = " ".join(text.split())
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else "\ufffd" for c in flat
    )


def plain(message: Message) -> str:
    """The whole message as text."""
    return "\n\n".join("\n".join(_told(event)) for event in message.events) + "\n"


def _told(event: Event) -> Iterator[str]:
    yield line(event.title)
    if event.says:
        yield line(event.says)
    if event.remedy:
        yield f"Do: {line(event.remedy)}"
    if event.subjects:
        shown = ", ".join(line(each) for each in event.subjects[:10])
        more = len(event.subjects) - 10
        yield f"Connections: {shown}" + (f" and {more} more" if more > 0 else "")
    yield f"[{event.topic.value}, {event.tenant}, {event.at:%Y-%m-%d %H:%M} UTC, event {event.id}, thread {event.thread}]"
