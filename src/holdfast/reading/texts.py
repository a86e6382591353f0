"""A raw error text → evidence."""

from __future__ import annotations

import re
from typing import Final

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.inventory import Fault
from holdfast.reading.codes import Codebook, entra_meaning
from holdfast.reading.normal import plain

_AADSTS: Final = re.compile(r"AADSTS\s?(\d{5,7})(?!\d)", re.IGNORECASE)


def read_text(text: str, book: Codebook, origin: str = "text") -> tuple[Evidence, ...]:
    """What the text says, in the order in which it says it; empty where nothing is recognised.

    Args:
        origin: where the text was seen, kept in each piece of evidence.
    """
    line = plain(text)
    seen: dict[str, Evidence] = {}
    for found in _AADSTS.finditer(line):
        code = found[1]
        if code not in seen:
            meaning = entra_meaning(code, book)
            seen[code] = Evidence(
                EvidenceKind.AADSTS,
                f"AADSTS{code}",
                line[found.start() : found.start() + 160],
                origin,
                causes=meaning.causes,
                weight=meaning.weight,
            )
    return tuple(seen.values())


def read_fault(fault: Fault, book: Codebook, origin: str = "connection") -> tuple[Evidence, ...]:
    """What a connection's recorded fault says: its code and its message read as one text."""
    return read_text(f"{fault.code}: {fault.message}", book, origin)
