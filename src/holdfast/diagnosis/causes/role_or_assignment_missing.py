"""The identity is valid, but lacks a role, an assignment or a permission where it wants to act.

What you see: the sign-in succeeds, and the call is then refused with 403 or "does not have authorization".
Why: a role was never given, was taken away, or was given moments ago and is not known everywhere yet; the application demands that
    users are assigned to it; or a directory right is missing.
How we know: AADSTS50105; AuthorizationFailed, Authorization_RequestDenied; Dataverse 0x80040220; Azure SQL errors 33134, 33159 and
    37353 when a user is created from the directory.
What to do: give the identity that the text names the role or assignment that it names. For Azure SQL errors 33134 and 37353 either
    give the server's identity the Directory Readers role or create the user without a look-up:
        CREATE USER [name] WITH SID = 0x<client id, 16 bytes>, TYPE = E;
What will not help: signing in again as the same identity.
Source: learn.microsoft.com/azure/azure-sql/database/authentication-aad-service-principal, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import ASSIGN_ROLE
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("role_or_assignment_missing", "Role or assignment missing")
REMEDIES = (ASSIGN_ROLE,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
