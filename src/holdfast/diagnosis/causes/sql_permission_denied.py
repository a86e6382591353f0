"""The database user exists, but lacks a permission.

What you see: "The SELECT permission was denied on the object ..." from one action, while others succeed.
Why: the user was never granted it, a role was changed, an object was dropped and created anew (its grants are gone), or a DENY
    outweighs a grant.
How we know: errors 229 (object), 230 (column), 262 (statement), 297, 300, 15247.
What to do: grant exactly what the text names, to a role of the flow's own, as a DBA:
        GRANT SELECT ON OBJECT::[dbo].[Orders] TO [flow_role];
    The connector's insert and update also need SELECT, because they return the row.
What will not help: fixing the connection. The sign-in works.
Source: learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors-0-to-999, read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import GRANT_IN_SQL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("sql_permission_denied", "SQL permission denied")
REMEDIES = (GRANT_IN_SQL,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
