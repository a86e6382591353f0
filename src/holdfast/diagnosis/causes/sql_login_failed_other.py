"""SQL Server refuses the login, and the client is not told why.

What you see: "Login failed for user", error 18456, always with state 1; or "Cannot open database requested by the login" (4060).
Why: the server hides the reason from clients on purpose. Behind it may be a wrong password, a login that does not exist, a
    database that does not exist or that the login may not open, or a kind of sign-in that is switched off.
How we know: errors 18456, 4060, 4064, 18452 where nothing more specific stands beside them.
What to do: let the DBA read the state in the server's error log or audit: 2 and 5 no such login, 7 disabled, 8 wrong
    password, 11 and 12 no access, 38 and 46 database not found, 58 Windows only, 102 to 111 and 132, 133 Entra token. Meanwhile
    check server and database names in the connection and in the action.
What will not help: retrying. Repeated failures may lock the login or block the address.
Source: learn.microsoft.com/sql/relational-databases/errors-events/mssqlserver-18456-database-engine-error, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import CORRECT_CREDENTIALS, NAME_THE_DATABASE, READ_SQL_LOG
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("sql_login_failed_other", "SQL login refused")
REMEDIES = (READ_SQL_LOG, NAME_THE_DATABASE, CORRECT_CREDENTIALS)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
