"""What several facts mean together: how likely each cause is, given all the evidence."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Remedy, Verdict

CEILING = 0.97
"""No text proves a cause: the same words had two causes in too many recorded cases."""
WORTH_NAMING = 0.04
"""Alternatives less likely than this are noise."""
_UNNAMED = 0.02  # what a fact leaves, before its weight, to a cause that it does not name


def shares(evidence: Iterable[Evidence]) -> dict[str, float]:
    """How likely each named cause is, likeliest first; the rest to 1 is for none of them.

    Facts are taken as independent (naive Bayes), each one once however often it was seen. A fact gives its
    weight to its first cause; each further one gets half of what is left.
    """
    facts = {(fact.kind, fact.code, fact.causes): fact for fact in evidence if fact.causes}
    named = {cause: 1.0 for fact in facts.values() for cause in fact.causes}
    if not named:
        return {}
    other = 1.0
    for fact in facts.values():
        given, left = {}, 1.0
        for position, cause in enumerate(fact.causes):
            given[cause] = fact.weight if position == 0 else left / 2
            left -= given[cause]
        spread = max(left, _UNNAMED) / 2
        for cause in named:
            named[cause] *= given.get(cause, spread * (1 - fact.weight))
        other *= spread
    total = sum(named.values()) + other
    ranked = sorted(named.items(), key=lambda share: -share[1])
    return {cause: min(share / total, CEILING) for cause, share in ranked}


def weigh(cause: Cause, evidence: Iterable[Evidence], remedies: tuple[Remedy, ...]) -> Verdict | None:
    """The verdict for one cause, None where no fact names it."""
    facts = tuple(evidence)
    proof = tuple(fact for fact in facts if cause.id in fact.causes)
    if not proof:
        return None
    ranked = shares(facts)
    return Verdict(
        cause,
        confidence=round(ranked[cause.id], 2),
        because=tuple(sorted(proof, key=lambda fact: (fact.causes.index(cause.id), -fact.weight))),
        alternatives=tuple(
            other for other, share in ranked.items() if other != cause.id and share >= WORTH_NAMING
        ),
        remedies=remedies,
    )
