"""What several facts mean together: how likely each cause is, given all the evidence."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Remedy, Verdict

CEILING = 0.97
"""No text proves a cause: the same words had two causes in too many recorded cases."""
WORTH_NAMING = 0.04
"""Alternatives less likely than this are noise."""
_FALLING = 0.6  # a further cause of a fact is at most this much as likely as the one before it
_UNNAMED = 0.02  # what a fact leaves at least to the causes that it does not name
_OTHERS = 5  # among how many of them it is shared out


def shares(evidence: Iterable[Evidence]) -> dict[str, float]:
    """How likely each named cause is, likeliest first; the rest to 1 is for none of them.

    Facts with the same first cause say one thing twice, so the heaviest of them speaks for all; those with
    different ones are taken as independent (naive Bayes). A fact gives its weight to its first cause, and each
    further one gets half of what is left.
    """
    facts = [fact for fact in evidence if fact.causes]
    spoken: dict[str, Evidence] = {}
    for fact in facts:
        if fact.causes[0] not in spoken or fact.weight > spoken[fact.causes[0]].weight:
            spoken[fact.causes[0]] = fact
    named = {cause: 1.0 for fact in facts for cause in fact.causes}
    none_of_them = 1.0
    for fact in spoken.values():
        given, left = _given(fact)
        for cause in named:
            named[cause] *= given.get(cause, left / _OTHERS)
        none_of_them *= left
    total = sum(named.values()) + none_of_them
    ranked = sorted(named.items(), key=lambda share: -share[1])
    return {cause: min(share / total, CEILING) for cause, share in ranked}


def _given(fact: Evidence) -> tuple[dict[str, float], float]:
    """What a fact gives each cause that it names, and what it leaves."""
    given: dict[str, float] = {}
    share, left = fact.weight, 1.0
    for cause in fact.causes:
        given[cause] = share
        left -= share
        share = min(share * _FALLING, left / 2)
    return given, max(left, _UNNAMED)


class Facts(tuple[Evidence, ...]):
    """Evidence that several causes are asked about; what it means together is reckoned once."""

    _shares: dict[str, float] | None = None

    @property
    def shares(self) -> dict[str, float]:
        """As the function of that name says."""
        if self._shares is None:
            self._shares = shares(self)
        return self._shares


def weigh(cause: Cause, evidence: Iterable[Evidence], remedies: tuple[Remedy, ...]) -> Verdict | None:
    """The verdict for one cause, None where no fact names it."""
    facts = evidence if isinstance(evidence, Facts) else Facts(evidence)
    proof = tuple(fact for fact in facts if cause.id in fact.causes)
    if not proof:
        return None
    ranked = facts.shares
    return Verdict(
        cause,
        confidence=round(ranked[cause.id], 2),
        because=tuple(sorted(proof, key=lambda fact: (fact.causes.index(cause.id), -fact.weight))),
        alternatives=tuple(
            other for other, share in ranked.items() if other != cause.id and share >= WORTH_NAMING
        ),
        remedies=remedies,
    )
