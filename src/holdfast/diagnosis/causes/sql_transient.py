"""A passing fault of SQL Server that a retry clears.

What you see: one run fails and the next succeeds: a deadlock, a dropped link, a failover.
Why: databases move between machines, transactions get in each other's way, connections are cut.
How we know: errors 1205, 1222, 40197, 40143, 40166, 10053, 10054, 64, "transport-level error".
What to do: let the action retry with exponential waits. For frequent deadlocks shorten transactions; for frequent cuts
    look at idle limits of firewalls in between (Azure's is 30 minutes).
What will not help: changing credentials.
Source: learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import RETRY
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("sql_transient", "Passing SQL fault")
REMEDIES = (RETRY,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
