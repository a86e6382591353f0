"""Evidence in, verdicts out."""

from __future__ import annotations

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.diagnosis.diagnose import diagnose


def a_fact(code: str, *causes: str, weight: float = 0.9) -> Evidence:
    return Evidence(EvidenceKind.AADSTS, code, causes=causes, weight=weight)


def test_a_fact_that_names_one_cause_is_a_verdict_on_it():
    (verdict,) = diagnose([a_fact("AADSTS700082", "token_inactive")])

    assert verdict.cause.id == "token_inactive"
    assert verdict.confidence == 0.9


def test_the_cause_that_is_less_likely_is_an_alternative():
    first, second = diagnose([a_fact("AADSTS50173", "password_changed", "session_revoked", weight=0.7)])

    assert (first.cause.id, first.alternatives) == ("password_changed", ("session_revoked",))
    assert second.cause.id == "session_revoked"


def test_a_specific_fact_outweighs_its_wrapper():
    wrapper = a_fact("AADSTS70002", "secret_expired", weight=0.4)
    specific = a_fact("AADSTS700082", "token_inactive", weight=0.95)

    assert diagnose([wrapper, specific])[0].cause.id == "token_inactive"
    assert diagnose([specific, wrapper])[0].cause.id == "token_inactive"


def test_the_same_fact_twice_weighs_once():
    fact = a_fact("AADSTS50173", "password_changed", "session_revoked", weight=0.7)

    assert diagnose([fact, fact])[0].confidence == diagnose([fact])[0].confidence


def test_facts_that_name_nothing_are_quoted_by_an_unknown():
    envelope = a_fact("ActionFailed")

    (verdict,) = diagnose([envelope])

    assert verdict.cause.id == "unknown"
    assert verdict.because == (envelope,)
