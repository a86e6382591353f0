"""Evidence in, verdicts out, strongest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import NOT_CONNECTION, UNKNOWN, Verdict
from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.remedies import CORRECT_FLOW, SHOW_WHOLE_ERROR
from holdfast.diagnosis.weighing import WORTH_NAMING, Facts, weigh

ENOUGH: Final = 0.4
"""A cause less likely than this is a candidate, not a verdict."""
UNKNOWN_IS_RIGHT: Final = 0.2
"""How often a text of which we say "unknown" holds no cause for anybody; mostly we do not know its words."""


def diagnose(evidence: Iterable[Evidence]) -> tuple[Verdict, ...]:
    """Every cause that the evidence makes likely enough to name, strongest first; never empty.

    Where no cause is likely enough the one verdict is `unknown`: it quotes what was recognised and lists what
    it could be. Where the evidence shows that no connection is broken, the first verdict is `not_connection`.
    """
    facts = Facts(evidence)
    likely = (cause for cause, share in facts.shares.items() if share >= WORTH_NAMING)
    verdicts = [verdict for cause in likely if (verdict := _verdict(cause, facts))]
    verdicts.sort(key=lambda verdict: -verdict.confidence)
    if verdicts and verdicts[0].confidence >= ENOUGH:
        return tuple(verdicts)
    candidates = tuple(verdict.cause.id for verdict in verdicts)
    return (Verdict(UNKNOWN, UNKNOWN_IS_RIGHT, facts, candidates, (SHOW_WHOLE_ERROR,)),)


def _verdict(cause: str, facts: Facts) -> Verdict | None:
    if cause == NOT_CONNECTION.id:
        return weigh(NOT_CONNECTION, facts, (CORRECT_FLOW,))
    verdict: Verdict | None = BY_ID[cause].explain(facts)
    return verdict
