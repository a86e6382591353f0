"""What the sandbox believes about the cloud and what can happen in it, gathered from every part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.sandbox import faults
from holdfast.sandbox.event_details import TAKES
from holdfast.sandbox.parts import PARTS


def happenings() -> Iterator[dict[str, Any]]:
    """Every event of every part, as plain values: what it takes besides its target, and what it does."""
    for part in PARTS:
        for name, event in part.events.items():
            words = " ".join((event.__doc__ or "").partition("\n\n")[0].split())
            does = words.removeprefix("Event: ").replace("``", "`")
            yield {"event": name, "takes": sorted(TAKES.get(name, ())), "does": does[:1].upper() + does[1:]}


def believed() -> Iterator[dict[str, Any]]:
    """Every rule of every part, as plain values."""
    for name, rules in (*((part.name, part.rules) for part in PARTS), ("faults", faults.RULES)):
        for rule in rules:
            yield {
                "part": name,
                "id": rule.id,
                "mark": rule.mark.value,
                "says": rule.says,
                "source": rule.source,
                "flipped": rule.flipped or None,
            }
