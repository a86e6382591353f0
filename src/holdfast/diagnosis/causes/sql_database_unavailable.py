"""The database, or the compute under it, is paused, offline, restoring or not there.

What you see: "Database ... is not currently available" (40613) on the first run after a quiet time; or every run fails while it is offline.
Why: a serverless database pauses when idle and answers its first login with 40613 while it wakes; a pool or capacity was paused; the
    database is offline, restoring, suspect, or was removed.
How we know: errors 40613, 927, 926, 942, 42108, 42109, 18461, or the words for that state.
What to do: run again after a minute; raise the action's retries. If it stays, let the DBA resume it or bring it online. Mind that
    frequent logins keep a serverless database awake, which costs money.
What will not help: fixing the connection.
Source: learn.microsoft.com/azure/azure-sql/database/serverless-tier-overview, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import NAME_THE_DATABASE, RESUME_DATABASE, RETRY
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("sql_database_unavailable", "Database unavailable")
REMEDIES = (RESUME_DATABASE, RETRY, NAME_THE_DATABASE)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
