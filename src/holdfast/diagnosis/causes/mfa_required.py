"""Entra wants a second factor, and the stored sign-in has none or an old one.

What you see: the connection fails at its next token refresh, often for many people on the day a policy is switched on.
Why: Entra evaluates its policies on every refresh. A sign-in made with a password only does not satisfy a policy that
    demands multi-factor authentication; nor does a proof that has grown too old for "remember MFA".
How we know: AADSTS50076 (proof missing), 50079 and 50072 (not registered yet), 50074, 50078 (proof too old), 500121, or
    50158 (an external provider's challenge, which may also be terms of use).
What to do: sign in again and complete the second factor. That proof stays with the token and its refreshes, so it is done
    once, until the policy asks for a fresh one. For an account that no person can answer for, move the flows to a service principal.
What will not help: a keep-alive flow; waiting. The token itself is not revoked: if the policy is lifted, it is expected to
    work again (inferred from the documents, not recorded).
Source: learn.microsoft.com/troubleshoot/power-platform/power-automate/administration/conditional-access-and-multi-factor-authentication-in-flow, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import (
    EXCLUDE_ACCOUNT,
    FIND_POLICY,
    MOVE_TO_SERVICE_PRINCIPAL,
    SIGN_IN_WITH_MFA,
)
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("mfa_required", "Second factor required")
REMEDIES = (SIGN_IN_WITH_MFA, FIND_POLICY, EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
