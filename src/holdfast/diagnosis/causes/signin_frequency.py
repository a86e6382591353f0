"""A sign-in frequency policy ended the session.

What you see: connections break at a steady interval (a day, a week, 14 or 30 days) after each repair.
Why: Conditional Access can limit how old a sign-in may be. When the limit has passed the refresh token is refused,
    however often it was used.
How we know: AADSTS70043 or 70044, usually with suberror token_expired; the text names the issue date and the limit in
    seconds (86400 is one day).
What to do: sign in again for now; then exclude the account from the policy, or move the flows to a service principal,
    which has no session.
What will not help: a keep-alive flow, at any frequency. Microsoft's page says that enforcement is deferred for
    confidential clients such as the connector platform is thought to be; refusals have been recorded all the same.
Source: learn.microsoft.com/entra/identity/conditional-access/concept-session-lifetime, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL, SIGN_IN_AGAIN
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("signin_frequency", "Sign-in frequency ended the session")
REMEDIES = (SIGN_IN_AGAIN, EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
