"""A pretend cloud with its own clock. It imports the shapes of `wire` and nothing else of ours.

`embedded` starts a tenant in this process and gives its ready mapping; `holdfast sandbox up` is the same thing
with a file and a signal around it, `pytest --holdfast-sandbox` with a fixture. Nothing is imported before it is used:
the pytest plugin is loaded by every pytest run where holdfast is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.sandbox.believing import believed, happenings
    from holdfast.sandbox.embedding import HOSTS, embedded
    from holdfast.sandbox.snapshot import SandboxError

__all__ = ["HOSTS", "SandboxError", "believed", "embedded", "happenings"]

_PLACES = {
    "HOSTS": "embedding",
    "SandboxError": "snapshot",
    "believed": "believing",
    "happenings": "believing",
    "embedded": "embedding",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
