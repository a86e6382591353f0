"""What the sandbox believes about the cloud, gathered from every part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.sandbox import faults
from holdfast.sandbox.parts import PARTS


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
