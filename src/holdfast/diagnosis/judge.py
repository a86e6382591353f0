"""All that is known about a connection → its verdict: what the platform said, and what the checks find.

What the platform said when the connection was last used comes first, as long as it stands; what happened after
that is ranked by the order of the checks. Sources that contradict each other are shown, not averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from holdfast.core.finding import End, Finding
from holdfast.core.verdict import NOT_CONNECTION, UNKNOWN, Verdict
from holdfast.diagnosis.case import Case
from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.checks import findings
from holdfast.diagnosis.checks.use import unexplained
from holdfast.diagnosis.diagnose import diagnose
from holdfast.diagnosis.ends import end_of
from holdfast.diagnosis.lifting import lifted
from holdfast.reading.changes import MFA_OFF, MFA_ON

SURE: Final = 0.95
"""How often a finding that nothing about is out of sight names the cause."""
AGREED: Final = 0.97
"""The same where the platform's own words agree with it."""
MAYBE: Final = 0.5

BY_POLICY: Final = frozenset(
    {
        "mfa_required",
        "conditional_access_blocked",
        "device_not_compliant",
        "terms_of_use",
        "signin_frequency",
    }
)
AFTER_SIGN_IN: Final = frozenset({"data_policy_blocks", "failed_in_use"})
"""What nobody meets who was not let in."""
_REVOCATIONS: Final = frozenset({"password_changed", "session_revoked"})


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is the matter with a connection.

    Attributes:
        verdict: None where nothing that is certain stops it.
        findings: everything that stops it, or can, first what it would be told if it were used now.
        conflicts: where sources contradict each other.
        is_lifted: it was refused when last used, and what refused it is over.
        in_doubt: questions that the logs of its owner would answer: "sign_ins", "mfa".
    """

    verdict: Verdict | None
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[str, ...] = ()
    is_lifted: bool = False
    in_doubt: frozenset[str] = frozenset()


def concluded(case: Case) -> Conclusion:
    """What the checks and the platform's own words come to together."""
    conclusion = _concluded(case)
    doubts = _in_doubt(case, conclusion)
    return replace(conclusion, in_doubt=doubts) if doubts else conclusion


def _in_doubt(case: Case, conclusion: Conclusion) -> frozenset[str]:
    """What the logs of its owner would answer: which of several policies, or none that we see, refused."""
    if not case.said or not case.is_person:
        return frozenset()
    told = diagnose(case.said)[0].cause.id
    if told not in BY_POLICY:
        return frozenset()
    doubts = set()
    named = [each for each in conclusion.findings if each.cause == told and each.act is not None]
    if len(named) != 1 and case.sign_ins is None:
        doubts.add("sign_ins")
    if told == "mfa_required" and case.mfa_demanded is None and not _mfa_was_switched(case):
        doubts.add("mfa")
    return frozenset(doubts)


def _mfa_was_switched(case: Case) -> bool:
    return case.changes is not None and bool(case.changes.to(case.person_id, MFA_ON | MFA_OFF))


def _concluded(case: Case) -> Conclusion:
    found = findings(case)
    text = diagnose(case.said)[0] if case.said else None
    conflicts = list(unexplained(case))
    if text is None or text.cause == NOT_CONNECTION:
        return _without_words(case, found, conflicts)
    if text.cause == UNKNOWN:
        return _unread(case, text, found, conflicts)
    told = _named(text, found)
    over = lifted(case, told)
    if over is not None and not any(each.cause == told and each.is_certain for each in found):
        when = f" ({case.told_at:%Y-%m-%d %H:%M} UTC)" if case.told_at else ""
        conflicts.append(
            f"When it was last used it was refused: {text.because[0].code}{when}; since then {over}. The platform"
            " keeps saying so until it is used again."
        )
        standing = tuple(each for each in found if each.is_certain)
        return Conclusion(_verdict(standing, found), found, tuple(conflicts), not standing)
    return _as_told(case, text, told, found, conflicts)


def _without_words(case: Case, found: tuple[Finding, ...], conflicts: list[str]) -> Conclusion:
    standing = tuple(each for each in found if each.is_certain)
    of_sign_in = next((each for each in standing if each.check != "failed_in_use"), None)
    if of_sign_in is not None and case.connection.status == "Connected":
        conflicts.append(
            f"The platform says Connected, as when it was last used; {of_sign_in.message[0].lower()}"
            f"{of_sign_in.message[1:]}"
        )
    return Conclusion(_verdict(standing, found), found, tuple(conflicts))


def _unread(case: Case, text: Verdict, found: tuple[Finding, ...], conflicts: list[str]) -> Conclusion:
    standing = tuple(each for each in found if each.is_certain)
    return Conclusion(_verdict(standing, found) or text, found, tuple(conflicts))


def _named(text: Verdict, found: Sequence[Finding]) -> str:
    """Which of the causes that the words fit it is, as far as the checks tell."""
    if text.cause.id in _REVOCATIONS:
        revoked = next((each for each in found if each.check == "sign_in_revoked"), None)
        return revoked.cause if revoked is not None else text.cause.id
    if any(each.cause == text.cause.id for each in found):
        return text.cause.id
    certain = {each.cause for each in found if each.is_certain}
    return next((other for other in text.alternatives if other in certain), text.cause.id)


def _as_told(
    case: Case, text: Verdict, told: str, found: tuple[Finding, ...], conflicts: list[str]
) -> Conclusion:
    """The platform's words stand; a finding of the same cause says who and since when."""
    agreeing = min(
        (each for each in found if each.cause == told), key=lambda e: not e.is_certain, default=None
    )
    at = case.told_at
    first = _spoken(case, text, told) if agreeing is None else replace(agreeing, is_certain=True)
    first = replace(first, evidence=(*text.because, *(agreeing.evidence if agreeing else ())))
    newer = tuple(
        each
        for each in (found[: found.index(agreeing)] if agreeing else found)
        if each.is_certain and each.check not in AFTER_SIGN_IN and at and each.since and each.since > at
    )
    rest = tuple(each for each in found if each is not agreeing and each not in newer)
    ranked = (*newer, first, *rest)
    standing = tuple(each for each in ranked if each.is_certain and each.end is not End.PASSING)
    verdict = _verdict(standing, ranked)
    if verdict is not None and standing[0] is first:
        confidence = max(text.confidence, AGREED) if agreeing else text.confidence
        others = [] if agreeing else [each for each in text.alternatives if each not in verdict.alternatives]
        verdict = replace(verdict, confidence=confidence, alternatives=(*verdict.alternatives, *others))
    return Conclusion(verdict, ranked, tuple(conflicts))


def _spoken(case: Case, text: Verdict, told: str) -> Finding:
    at = case.told_at
    end = end_of(told, case.seen_at - at if at else None)
    fact = text.because[0]
    return Finding(
        "platform_says",
        fact.code,
        f"When it was last used the answer was {fact.code}: {fact.quote}",
        told,
        end,
        end is not End.PASSING,
        at,
    )


def _verdict(standing: Sequence[Finding], found: Sequence[Finding]) -> Verdict | None:
    """The first that stands; the others that stand or may are what else it could be."""
    if not standing:
        return None
    first = standing[0]
    others = dict.fromkeys(each.cause for each in (*standing[1:], *found) if each.cause != first.cause)
    verdict: Verdict | None = BY_ID[first.cause].explain(first.evidence)
    if verdict is None:
        return None
    if first.confidence < SURE:
        others |= dict.fromkeys(each for each in verdict.alternatives if each != first.cause)
    return replace(verdict, confidence=first.confidence, because=first.evidence, alternatives=tuple(others))
