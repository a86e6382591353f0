"""Evidence in, verdicts out, strongest first."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import NOT_CONNECTION, UNKNOWN, Verdict
from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.weighing import weigh


def diagnose(evidence: Iterable[Evidence]) -> tuple[Verdict, ...]:
    """Every cause that the evidence shows, strongest first; never empty.

    Where nothing is shown the one verdict is `unknown`, and quotes what was recognised.
    """
    facts = tuple(evidence)
    named = dict.fromkeys(cause for fact in facts for cause in fact.causes)
    verdicts = [
        verdict
        for cause in named
        if (verdict := BY_ID[cause].explain(facts) if cause in BY_ID else _no_break(cause, facts))
    ]
    verdicts.sort(key=lambda verdict: -verdict.confidence)
    return tuple(verdicts) or (Verdict(UNKNOWN, confidence=0.0, because=facts),)


def _no_break(cause: str, facts: tuple[Evidence, ...]) -> Verdict | None:
    return weigh(NOT_CONNECTION, facts, ()) if cause == NOT_CONNECTION.id else None
