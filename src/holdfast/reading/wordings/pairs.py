"""Two words near each other that tell a state in a sentence nobody listed: a thing, and what is wrong with it.

A pair hints and does not prove, so it speaks only where no listed phrase and no code says more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import ENVELOPE, Meaning
from holdfast.reading.wordings import Spotted, Wording
from holdfast.reading.wordings.hints import PAIRS, Pair

NEAR: Final = 9
"""How many words may lie between the two."""
READ: Final = 1500
"""Words of a text that are looked at: a sentence that matters stands near the beginning."""
SEEN: Final = 20
"""Places of one word that are tried."""
IN_DOUBT: Final = 0.5
"""The most that the nearest words are trusted where others say something else."""
MOST_CAUSES: Final = 5
_FEW: Final = 2
_APART: Final = 100  # sentences lie so far apart that nothing is near across their border
_DOTTED: Final = r"[\w-]+(?:\.[\w-]+){2,}"  # a host or a namespace is a name, whatever words it is made of
_TOKEN: Final = re.compile(
    rf"(?:access|refresh|id|bearer) tokens?\b|{_DOTTED}|\w+(?:['-]\w+)*|[.;!?](?=\s|$)|\"(?=\s?[:,}}\]])"
)

_ACT: Final = (
    r"(?:activat|add|assign|alter|chang|convert|cop[yi]|customi[sz]|deactivat|delet|disabl|edit|enabl|export|import|lock|merg"
    r"|modif|mov|overrid|publish|remov|renam|reset|restor|revok|set|shar|turn|unlock|unpublish|unshar|updat)\w*"
)
_NOT_DONE: Final = re.compile(
    rf"\b(?:can ?not|can't|could not|couldn't|may not|must not)(?: be)? (?:{_ACT})(?: or {_ACT})?|\balready (?:exists?|in use|used)\b"
    r"|\b(?:trying|tried|attempt(?:s|ed|ing)?) to access\b"
)
"""What is refused by a rule of the data, is there already or is only tried has not happened: who cannot be removed is
not gone."""
NOT_DONE: Final = "undone"
"""The word that stands for it."""

Place = tuple[int, int, int]
"""Which word it is, and where it begins and ends."""
Side = tuple[int, int]
"""Of which pair, and which of the two."""


def _sides() -> tuple[dict[str, list[Side]], dict[str, list[Side]]]:
    """Whole words and beginnings of words, each with the pairs that it belongs to."""
    whole: dict[str, list[Side]] = {}
    begun: dict[str, list[Side]] = {}
    for number, pair in enumerate(PAIRS):
        for side, words in enumerate((pair.things, pair.states)):
            for word in words:
                kept = begun if word.endswith("*") else whole
                kept.setdefault(word.rstrip("*"), []).append((number, side))
    return whole, begun


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WHOLE, _BEGUN = _sides()
_DATA: Final = "not_connection"
_OF_CONNECTIONS: Final = frozenset(
    number for number, pair in enumerate(PAIRS) if pair.wording.meaning.causes[0] != _DATA
)
_FAILURE: Final = (
    *(
        "fail",
        "error",
        "not",
        "cannot",
        "can't",
        "couldn't",
        "unable",
        "invalid",
        "exceed",
        "mismatch",
        "missing",
        "problem",
    ),
    *(
        "unsupported",
        "unexpected",
        "wrong",
        "exception",
        "doesn't",
        "don't",
        "isn't",
        "won't",
        "illegal",
        "bad",
        "blocked",
    ),
    "incorrect",
    "incompatible",
    "conflict",
    "abnormal",
    "disabled",
    "deactivated",
    "pending",
)
"""How words begin that say that something went wrong."""
ADVICE: Final = _listed(
    "possible please ensure verify check make try contact see consider refer confirm review"
)
"""Words that begin a sentence of advice."""
_SHORT: Final = 3
_EMPTY: Final = _listed(
    "something went occurred occur happened request operation action step flow flows workflow trigger run activity again later"
    " please unknown internal contact administrator support status code message details with this that there there's your have"
    " from when while been more information correlation task job process another other after before into about could would"
    " should will because some does hello world"
)
"""Words that any failure is told with."""
_SOMETHING_ELSE: Final = Wording(
    "a failure, and nothing of a connection in it",
    EvidenceKind.WORDING,
    Meaning((_DATA,), 0.42, ENVELOPE),
    (),
)
_LENGTHS: Final = sorted({len(word) for word in _BEGUN})


def pairs(line: str, words: set[str]) -> Iterator[Spotted]:
    """Each pair of the highest rank that the line holds, once; where they disagree, the nearest words speak for all.

    What a text advises ("verify that …", "possible reasons …") is heard only where nothing else tells anything.

    Args:
        line: lower case.
        words: all words of it.
    """
    told, advised = _places(_NOT_DONE.sub(lambda act: NOT_DONE.ljust(len(act[0])), line))
    near = _found(told, words)
    if not near and advised:
        for word, at in advised.items():
            told.setdefault(word, []).extend(at)
        near = _found(told, words)
    yield from _agreed(near)


def failure_of_something_else(line: str) -> Spotted | None:
    """Where the line says that something failed and names nothing that a connection is made of; else None.

    No thing of any pair that tells of a connection may stand in it: no token, right, server, account or network; and
    it must say of what: "something went wrong" is said of everything.

    Args:
        line: lower case.
    """
    told, advised = _places(line)
    if any(
        number in _OF_CONNECTIONS and not side
        for word in {**told, **advised}
        for number, side in _sides_of(word)
    ):
        return None
    failures = [at[0] for word, at in told.items() if word.startswith(_FAILURE) or word == "no"]
    things = [word for word in told if word.isalpha() and len(word) > _SHORT and word not in _EMPTY]
    if not failures or sum(not word.startswith(_FAILURE) for word in things) < _FEW:
        return None
    _, start, end = min(failures)
    return Spotted(_SOMETHING_ELSE, start, end)


class _Near(NamedTuple):
    """A pair in a line: how far its words lie apart, and where it begins and ends."""

    pair: Pair
    apart: int
    start: int
    end: int


def _found(places: dict[str, list[Place]], words: set[str]) -> list[_Near]:
    found: dict[int, tuple[list[Place], list[Place]]] = {}
    for word, at in places.items():
        for number, side in _sides_of(word):
            found.setdefault(number, ([], []))[side].extend(at)
    near = [
        _Near(PAIRS[number], *place)
        for number, (things, states) in sorted(found.items())
        if things and states and _is_about(number, words) and (place := _nearest(things, states))
    ]
    top = max((one.pair.rank for one in near), default=0)
    return [one for one in near if one.pair.rank == top]


def _agreed(near: list[_Near]) -> Iterator[Spotted]:
    if len({one.pair.wording.meaning.causes[0] for one in near}) < _FEW:
        yield from (Spotted(one.pair.wording, one.start, one.end) for one in near)
        return
    near.sort(key=lambda one: (one.apart, one.start))
    first = near[0].pair.wording
    others = (one.pair.wording.meaning.causes[0] for one in near[1:])
    causes = tuple(dict.fromkeys((*first.meaning.causes, *others)))[:MOST_CAUSES]
    spoken = first.meaning._replace(causes=causes, weight=min(first.meaning.weight, IN_DOUBT))
    for one in near:
        meaning = spoken if one is near[0] else one.pair.wording.meaning._replace(causes=())
        yield Spotted(one.pair.wording._replace(meaning=meaning), one.start, one.end)


def _is_about(number: int, words: set[str]) -> bool:
    return not PAIRS[number].about or not PAIRS[number].about.isdisjoint(words)


def _places(line: str) -> tuple[dict[str, list[Place]], dict[str, list[Place]]]:
    """Where each word stands, its first places only, in what is told and in what is advised.

    The end of a sentence counts as many words.
    """
    told: dict[str, list[Place]] = {}
    advised: dict[str, list[Place]] = {}
    position, places, begins = 0, told, True
    for count, found in enumerate(_TOKEN.finditer(line)):
        if count > READ:
            break
        word = found[0]
        if word in '.;!?"':
            position += _APART
            begins = True
            continue
        if begins:
            places, begins = (advised if word in ADVICE else told), False
        position += 1
        at = places.setdefault("token" if " " in word else word, [])
        if len(at) < SEEN:
            at.append((position, found.start(), found.end()))
    return told, advised


def _sides_of(word: str) -> Iterator[Side]:
    yield from _WHOLE.get(word, ())
    for length in _LENGTHS:
        if length > len(word):
            break
        yield from _BEGUN.get(word[:length], ())


def _nearest(things: list[Place], states: list[Place]) -> Place | None:
    """How many words lie between the nearest two, and where they begin and end."""
    best = min(
        (
            (abs(thing[0] - state[0]), min(thing[1], state[1]), max(thing[2], state[2]))
            for thing in things[:SEEN]
            for state in states[:SEEN]
            if thing[0] != state[0]
        ),
        default=None,
    )
    return best if best and best[0] <= NEAR else None
