"""Names that every part of a move agrees on, the same at every attempt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

HELD: Final[Mapping[str, str]] = {
    "oauthSP": "token:clientSecret",
    "certOauth": "token:clientCertificateSecret",
}
"""Under which key a connection takes the application's credential, by its parameter set (certOauth's: by analogy with
other connectors, power-platform-api.md; a PUT that names another is refused and the saga stops there)."""


def plain(name: str) -> str:
    """A stranger's name as it may stand in names of ours: letters, digits and a few marks."""
    return "".join(mark if mark.isalnum() or mark in " .-_()@" else "_" for mark in name).strip() or "unnamed"


def listed(names: Sequence[str]) -> str:
    """Names for people: "A", "A and B", "A, B and C"."""
    return " and ".join(each for each in (", ".join(names[:-1]), *names[-1:]) if each)


def connection_id(saga: str, old: str) -> str:
    """The id of the connection that a saga makes beside another: the same at every attempt."""
    return hashlib.sha256(f"{saga} {old}".encode()).hexdigest()[:32]


def logical_name(saga: str, connection: str) -> str:
    """Of the reference to a new connection, in the form that Dataverse allows."""
    kept = "".join(mark if mark.isascii() and mark.isalnum() else "_" for mark in connection)
    return f"new_holdfast_{saga.replace('-', '_')}_{kept[-40:]}"
