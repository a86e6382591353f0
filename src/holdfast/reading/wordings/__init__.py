"""What services say where they give no code, and what it means.

A phrase is whole words in lower case on one line, as `reading.normal` leaves them. In it ` … ` stands for
anything as long as a name or a number may be, ` _ ` for a word or two. Phrases are general on purpose: they
name a state, not one product's sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final, NamedTuple

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import Meaning

GAPS: Final = {"…": 130, "_": 25}
"""How many characters a gap may hold."""
TRIES: Final = 8
"""Places at which a phrase is begun, so that no text can make the search slow."""
WORD: Final = re.compile(r"\w+")
ONE_WORD: Final = ("connection string", "connection_string")
"""Two words that make one, of the same length: a connection string is no connection."""


class Wording(NamedTuple):
    """One state and the phrases that tell it; any one of them is enough."""

    code: str
    kind: EvidenceKind
    meaning: Meaning
    phrases: tuple[str, ...]


class Spotted(NamedTuple):
    """A wording in a text, from `start` to `end`."""

    wording: Wording
    start: int
    end: int


class Part(NamedTuple):
    """A piece of a phrase, and how many characters may lie before it."""

    text: str
    gap: int


Phrase = tuple[Part, ...]


class Entry(NamedTuple):
    """One phrase of a wording, and the words (without blanks between words: the letters) that it cannot do without."""

    needs: frozenset[str]
    parts: Phrase
    wording: Wording


class Index:
    """Wordings by the rarest word of each phrase, so that only phrases whose words all occur are looked for."""

    def __init__(self, wordings: tuple[Wording, ...]) -> None:
        self.by_word: dict[str, list[Entry]] = {}
        self.unspaced: list[Entry] = []
        spaced: list[Entry] = []
        for wording in wordings:
            for text in (phrase.replace(*ONE_WORD) for phrase in wording.phrases):
                if _is_unspaced(text):
                    self.unspaced.append(Entry(frozenset(text) - {" ", "…", "_"}, phrase(text), wording))
                else:
                    spaced.append(Entry(frozenset(WORD.findall(text)) - {"_"}, phrase(text), wording))
        uses = Counter(chain.from_iterable(entry.needs for entry in spaced))
        for entry in spaced:
            self.by_word.setdefault(min(entry.needs, key=uses.__getitem__), []).append(entry)
        self.words = frozenset(self.by_word)

    def spot(self, line: str, words: set[str]) -> list[Spotted]:
        """Every phrase that the line holds and that no longer one contains.

        Args:
            line: lower case.
            words: all words of the line.
        """
        entries = [entry for word in self.words & words for entry in self.by_word[word] if entry[0] <= words]
        if not line.isascii():
            letters = set(line)
            entries += [entry for entry in self.unspaced if entry[0] <= letters]
        found = [Spotted(wording, *place) for _, parts, wording in entries if (place := find(parts, line))]
        return list(_outermost(found)) if len(found) > 1 else found


def _outermost(found: list[Spotted]) -> Iterator[Spotted]:
    """Without those that lie inside another: the longer phrase says more exactly what is meant."""
    found.sort(key=lambda spotted: (spotted.start, -spotted.end, spotted.wording.code))
    reached = -1
    for spotted in found:
        if spotted.end > reached:
            reached = spotted.end
            yield spotted


def phrase(text: str) -> Phrase:
    """A phrase as its parts."""
    if "…" not in text and " _ " not in text:
        return (Part(text, 0),)
    words = re.split(r" ([…_]) ", text)
    gaps = [0, *(GAPS[mark] for mark in words[1::2])]
    return tuple(Part(part, gap) for part, gap in zip(words[::2], gaps, strict=True))


def find(parts: Phrase, line: str) -> tuple[int, int] | None:
    """Where the parts stand one after the other, between word boundaries; None where they do not."""
    first, start = parts[0].text, -1
    for _ in range(TRIES):
        start = line.find(first, start + 1)
        if start < 0:
            return None
        if start and _joins(line[start - 1], first[0]):
            continue
        end = _through(parts, line, start)
        if end and (end == len(line) or not _joins(line[end - 1], line[end])):
            return start, end
    return None


def _through(parts: Phrase, line: str, start: int) -> int:
    """The end of the last part, 0 where one is missing."""
    end = start + len(parts[0].text)
    for text, gap in parts[1:]:
        at = line.find(text, end, end + gap + len(text))
        if (
            at < 0 or line.find(". ", end, at) >= 0 or line.find("][", end, at) >= 0
        ):  # where another begins to speak
            return 0
        if _joins(line[end - 1], line[end]) or _joins(line[at - 1], text[0]):
            return 0
        end = at + len(text)
    return end


def _joins(left: str, right: str) -> bool:
    """Whether two neighbours belong to one word; scripts without blanks have no such boundary."""
    return max(left, right) < "\u3000" and (left + right).replace("_", "a").isalnum()


def _is_unspaced(text: str) -> bool:
    """Whether it is in a script without blanks between words."""
    return not text.isascii() and max(text) >= "\u3000"
