"""Somebody revoked the owner's sessions.

What you see: every connection of one person stops at once, though the password is the same as before.
Why: an administrator, the person, or a security product revoked all sessions; refresh tokens from before are refused for ever.
How we know: AADSTS50173 where no password was changed; "revoked" in the refusal; a continuous access evaluation challenge with
    TokenIssuedBeforeRevocationTimestamp. The directory shows it too: signInSessionsValidFromDateTime lies after the sign-in.
What to do: sign in again, and find out in the audit log ("Update StsRefreshTokenValidFrom Timestamp") who revoked and why,
    before it happens again.
What will not help: a keep-alive flow; waiting. The old sign-in never comes back.
Source: learn.microsoft.com/entra/identity/users/users-revoke-access, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import FIND_WHO_REVOKED, MOVE_TO_SERVICE_PRINCIPAL, SIGN_IN_AGAIN
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("session_revoked", "Sessions revoked")
REMEDIES = (SIGN_IN_AGAIN, FIND_WHO_REVOKED, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
