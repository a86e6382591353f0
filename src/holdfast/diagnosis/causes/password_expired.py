"""The password has expired or must be changed at the next sign-in.

What you see: a connection that stores a name and password is refused; an Entra sign-in with a password is sent to the change page.
Why: a password policy, or an administrator who set "must change password at next sign-in".
How we know: AADSTS50055, 50144 (on-premises Active Directory), 50142; SQL Server errors 18487 and 18488.
What to do: change the password interactively, then enter the new one in the connection. For a SQL login, as a DBA:
        ALTER LOGIN [name] WITH PASSWORD = '<new password>', CHECK_EXPIRATION = OFF;
    Better: an identity whose password no policy ages, that is a service principal.
What will not help: a keep-alive flow. Expiry alone revokes no refresh token by Microsoft's table; changing the password
    afterwards may.
Source: learn.microsoft.com/entra/identity-platform/refresh-tokens, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import CHANGE_PASSWORD, CORRECT_CREDENTIALS, MOVE_TO_SERVICE_PRINCIPAL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("password_expired", "Password expired")
REMEDIES = (CHANGE_PASSWORD, CORRECT_CREDENTIALS, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
