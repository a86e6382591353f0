"""The name, password, key or token that is sent is wrong, malformed, or of a kind that is not accepted there.

What you see: refused at once and every time, from the first run after a change on.
Why: the stored password is not the current one; a key was regenerated; a token was cut off when it was copied; or the server
    accepts only another kind of sign-in (Entra only, Windows only, no basic authentication).
How we know: AADSTS50126, 50056, 70000; SQL Server error 18456 with state 8 in the server's log; gateway code
    InvalidConnectionCredentials; "Credentials are missing or not valid".
What to do: edit the connection and enter the credentials again. Check the kind: for Azure SQL with Entra-only
    authentication a SQL login can never work.
What will not help: retrying. Enough wrong attempts lock the account.
Source: learn.microsoft.com/sql/relational-databases/errors-events/mssqlserver-18456-database-engine-error, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import CORRECT_CREDENTIALS, MOVE_TO_SERVICE_PRINCIPAL, STOP_WRONG_TRIES
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("bad_credentials", "Wrong credentials")
REMEDIES = (CORRECT_CREDENTIALS, STOP_WRONG_TRIES, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
