"""A limit on rate, concurrency or resources is reached.

What you see: 429, "Rate limit is exceeded", now and then or in bursts; loops suffer first.
Why: the connector, the service or the database allows so many calls per time. The SQL connector: 100 row calls and 500 queries in
    10 seconds per connection. Azure SQL: a number of workers and sessions per tier.
How we know: HTTP 429; TooManyRequests; Dataverse 0x80072322, 0x80072321, 0x80072326; Azure SQL 10928, 10929, 10936, 40501;
    AADSTS50196 (a client that asks in a loop).
What to do: lower the loop's concurrency, fetch pages instead of rows, spread schedules, keep retries exponential. For SQL, scale up
    or find what holds the workers.
What will not help: more connections of the same account where the limit is per account.
Source: learn.microsoft.com/connectors/sql, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import RETRY, SLOW_DOWN
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("throttled", "Throttled")
REMEDIES = (SLOW_DOWN, RETRY)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
