"""The owner's account, or the SQL login, is disabled.

What you see: everything of one person stops at once, commonly when somebody leaves.
Why: Entra gives a disabled account no tokens; SQL Server refuses a disabled login.
How we know: AADSTS50057; SQL Server error 18470 or "Reason: The account is disabled"; Dataverse error 0x80040225.
What to do: if it was a mistake, enable the account: the old sign-in is expected to work again unless sessions were also
    revoked (inferred). If the person has left, hand the connection over to somebody else, better to a service principal.
    For a SQL login, as a DBA:
        ALTER LOGIN [name] ENABLE;
What will not help: a new password; a keep-alive flow.
Source: learn.microsoft.com/entra/identity/users/users-revoke-access, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import ENABLE_ACCOUNT, HAND_OVER, MOVE_TO_SERVICE_PRINCIPAL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("account_disabled", "Account disabled")
REMEDIES = (ENABLE_ACCOUNT, HAND_OVER, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
