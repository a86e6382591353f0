"""The owner's password was changed or reset, and that revoked the sign-in.

What you see: every connection of one person stops at the same time, within hours of a password change.
Why: a change or reset moves the account's "tokens valid from" date; Entra refuses every refresh token issued before it.
    Sources differ on which changes do it: Microsoft's table says that a change by the person leaves such tokens alive and a reset
    in the Entra admin center does not; its Power Platform page says that password changes break connections.
How we know: AADSTS50173, which names when the grant was issued and from when tokens are valid; 50132 and 50133 for sessions.
    The same code stands for revoked sessions; the audit log tells which it was.
What to do: sign in again with the new password. For an account that no person needs, move the flows to a service principal.
What will not help: changing the password back; a keep-alive flow; waiting. The old sign-in never comes back.
Source: learn.microsoft.com/entra/identity-platform/refresh-tokens, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import FIND_WHO_REVOKED, MOVE_TO_SERVICE_PRINCIPAL, SIGN_IN_AGAIN
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("password_changed", "Password changed or reset")
REMEDIES = (SIGN_IN_AGAIN, FIND_WHO_REVOKED, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
