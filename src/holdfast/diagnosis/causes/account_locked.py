"""The account is locked after failed attempts, or the address that tries is blocked.

What you see: sign-ins are refused for a while, with the right password too.
Why: too many wrong passwords, or attempts from an address that is known for attacks. Often an old password is still
    stored somewhere and keeps being tried.
How we know: AADSTS50053; SQL Server error 18486; Azure SQL error 40635 (client address blocked for a time).
What to do: find and stop what tries with the wrong password, then unlock the account or let the lockout pass.
    For a SQL login, as a DBA:
        ALTER LOGIN [name] WITH PASSWORD = '<new password>' UNLOCK;
What will not help: trying again at once. Each attempt prolongs the lock.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import MOVE_TO_SERVICE_PRINCIPAL, STOP_WRONG_TRIES, UNLOCK_ACCOUNT
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("account_locked", "Account locked")
REMEDIES = (UNLOCK_ACCOUNT, STOP_WRONG_TRIES, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
