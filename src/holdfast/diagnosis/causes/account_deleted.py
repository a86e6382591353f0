"""The owner's account was deleted, or is not in the directory that is asked.

What you see: the flows of somebody who left stop for good; or a guest cannot sign in to a tenant that never invited them.
Why: Entra gives no token for an account that it does not have. An account of another tenant, or a personal Microsoft
    account, counts as absent until it is invited.
How we know: AADSTS500341 (deleted), 50034 and 51004 (not in the directory), 50020 and 90072 (of another identity provider).
What to do: restore the account within 30 days if its deletion was a mistake; otherwise let another person who may edit
    the connection authorise it, which moves it to that account; or move the flows to a service principal.
What will not help: making a new account of the same name. It is another account to Entra.
Source: learn.microsoft.com/troubleshoot/power-platform/power-automate/connections/troubleshoot-broken-connections, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import (
    HAND_OVER,
    MOVE_TO_SERVICE_PRINCIPAL,
    RESTORE_ACCOUNT,
    USE_RIGHT_TENANT,
)
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("account_deleted", "Account deleted or not in the directory")
REMEDIES = (RESTORE_ACCOUNT, HAND_OVER, USE_RIGHT_TENANT, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
