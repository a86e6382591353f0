"""A pretend cloud with its own clock. It imports the shapes of `wire` and nothing else of ours.

`embedded` starts a tenant in this process and gives its ready mapping; `holdfast sandbox up` is the same thing
with a file and a signal around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.sandbox import faults
from holdfast.sandbox.embedding import embedded
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.snapshot import SandboxError
from holdfast.sandbox.tenant import Host

__all__ = ["HOSTS", "SandboxError", "believed", "embedded"]

HOSTS = tuple(host.value for host in Host)
"""The kinds of host that can be given a fixed port."""


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
