"""Codes that nobody listed, read as the words that they are made of: `ApiPolicyEndpointViolation` names its matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

MOST: Final = 40
"""Codes of one text that are looked at."""
LONGEST: Final = 100
_CODE: Final = re.compile(r"[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_ANNOUNCED: Final = re.compile(
    r"(?i:error_?code|errortype|error|code|reason|status|details)['\"]?(?: ?[:=] ?|\)? )['\"«“]?(?=[A-Z][A-Za-z0-9_]{7,100}\b)"
)
_HUMP: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_FEW: Final = 2


class Compound(NamedTuple):
    """A code in a text and its words, in lower case with blanks between them."""

    code: str
    words: str
    start: int
    end: int


def compounds(line: str) -> Iterator[Compound]:
    """Each code of several words that stands where codes stand: after a key that says so, or at the very beginning.

    Class names of stack traces look alike and stand elsewhere.
    """
    seen: set[str] = set()
    places = [0, *(found.end() for found in islice(_ANNOUNCED.finditer(line), MOST))]
    for place in places:
        found = _CODE.match(line, place)
        if (
            found is None
            or found[0] in seen
            or len(found[0]) > LONGEST
            or line[found.end() : found.end() + 1] == "="
        ):
            continue
        seen.add(found[0])
        words = _HUMP.findall(found[0])
        if len(words) >= _FEW:
            yield Compound(found[0], " ".join(words).lower(), *found.span())
