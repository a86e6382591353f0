"""Which two words near each other hint at which state: a thing, and what is wrong with it.

A word that ends in `*` stands for every word that begins so. Written from what the words mean and from the message
catalogues of mssql-jdbc, go-mssqldb, tedious, mssql-python, Microsoft.Data.SqlClient, MSAL.NET, Dataverse and Power Fx,
read 2026-11-24, so that a sentence nobody listed is
read as well as one that somebody did.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import HINT, Meaning
from holdfast.reading.wordings import Wording

CLEAR_PAIR, LOOSE_PAIR, GRAMMAR = 3, 2, 1
"""Both words name the matter; one of them is said of many things; a program complains of what it was given. Where
pairs of several of these are found, only the highest speaks."""


class Pair(NamedTuple):
    """A state by its words: one of `things` and, in the same sentence, one of `states`.

    Attributes:
        about: words of which the text must hold one anywhere; none where the pair stands for itself.
    """

    wording: Wording
    rank: int
    things: frozenset[str]
    states: frozenset[str]
    about: frozenset[str]


NOT: Final = (
    "not no cannot can't couldn't could without never isn't wasn't aren't don't doesn't didn't haven't hasn't"
)
FAILS: Final = f"fail* unsuccess* unable refus* reject* denied deny denies error errors problem* trouble* issue issues {NOT}"
WRONG: Final = "incorrect* wrong invalid bad mismatch* unrecogni*"
GONE: Final = "deleted removed gone nonexistent longer left purged"


def pair(code: str, causes: str, weight: float, rank: int, things: str, states: str, about: str = "") -> Pair:
    """A pair from its words; `causes` likeliest first, `weight` how often the first of them is meant."""
    meaning = Meaning(tuple(causes.split()), weight, HINT)
    return Pair(
        Wording(code, EvidenceKind.WORDING, meaning, ()),
        rank,
        frozenset(things.split()),
        frozenset(states.split()),
        frozenset(about.split()),
    )


def clear(code: str, causes: str, things: str, states: str, weight: float = 0.7, about: str = "") -> Pair:
    """Where both words name the matter."""
    return pair(code, causes, weight, CLEAR_PAIR, things, states, about)


def loose(code: str, causes: str, things: str, states: str, weight: float = 0.55, about: str = "") -> Pair:
    """Where one of the words is said of many things."""
    return pair(code, causes, weight, LOOSE_PAIR, things, states, about)
