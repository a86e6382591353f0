"""The queue of runs: fairness between tenants. The hard limit to the cloud stands at the door for HTTP."""

from __future__ import annotations

from typing import Final, NamedTuple

from dbos import DBOS

RUNS: Final = "runs"


class Limits(NamedTuple):
    """How much is carried out at once.

    Attributes:
        per_worker: runs that one process carries out at once.
        per_tenant: runs of one tenant at once, on all workers together.
        starts: runs of one tenant that start within `window` seconds.
        poll: seconds between two looks at the queue.
    """

    per_worker: int = 16
    per_tenant: int = 8
    starts: int = 100
    window: float = 10.0
    poll: float = 0.5


async def register(limits: Limits) -> None:
    """Make the queue, or bring it to these limits. Its partitions are tenants."""
    await DBOS.register_queue_async(
        RUNS,
        worker_concurrency=limits.per_worker,
        partition_concurrency=limits.per_tenant,
        partition_limiter={"limit": limits.starts, "period": limits.window},
        polling_interval_sec=limits.poll,
        on_conflict="always_update",
    )
