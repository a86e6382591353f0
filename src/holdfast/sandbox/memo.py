"""Things worked out from a world and kept for speed: engines, indexes. Lost without harm, never in a snapshot."""

from __future__ import annotations

import weakref
from typing import Any

from holdfast.sandbox.world import World

_KEPT: dict[int, tuple[weakref.ref[World], dict[str, Any]]] = {}


def memo_of(world: World) -> dict[str, Any]:
    """What is kept for this very world; empty for a copy of it."""
    key = id(world)
    kept = _KEPT.get(key)
    if kept is None:
        kept = _KEPT[key] = (weakref.ref(world, lambda _: _KEPT.pop(key, None) and None), {})
    return kept[1]
