"""Dead workers: their unfinished work goes back to the queue it came from."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog
from dbos import DBOS

from holdfast.core.agenda import Pulse
from holdfast.engine.lease import DEAD
from holdfast.engine.queues import RUNS
from holdfast.ports import Workers

_log = structlog.stdlib.get_logger("holdfast.engine")


async def resume_work_of(worker: str) -> int:
    """Put the unfinished work of a worker that will not come back into the queue; how much it was."""
    left = await DBOS.list_workflows_async(
        status="PENDING", executor_id=worker, load_input=False, load_output=False
    )
    queues: defaultdict[str, list[str]] = defaultdict(list)
    for each in left:
        # What the engine recovered itself stood in a queue of its own, which needs no tenant.
        queues[each.queue_name if each.queue_name == RUNS else ""].append(each.workflow_id)
    for name, ids in queues.items():
        await DBOS.resume_workflows_async(ids, queue_name=name or None)
    return len(left)


class Watchman:
    """Sees which pulses stand still. Only what it saw itself counts, by seconds that no clock moves."""

    def __init__(
        self,
        workers: Workers,
        me: str,
        resume: Callable[[str], Awaitable[int]] = resume_work_of,
        dead_after: float = DEAD,
    ) -> None:
        self._workers, self._me, self._resume, self._dead_after = workers, me, resume, dead_after
        self._since: dict[str, tuple[Pulse, float]] = {}

    async def look(self) -> list[str]:
        """Take over from those whose pulse has stood still long enough; their names.

        Raises:
            StoreError: the store did not answer; the next look goes on.
        """
        now, taken = asyncio.get_running_loop().time(), []
        for pulse in await self._workers.pulses():
            before, since = self._since.get(pulse.name, (None, now))
            if pulse != before:
                self._since[pulse.name] = (pulse, now)
            elif pulse.name != self._me and now - since >= self._dead_after:
                async with self._workers.evicted(pulse) as free:
                    if free:
                        runs = await self._resume(pulse.name)
                        _log.warning("worker_taken_over", worker=pulse.name, runs=runs)
                        taken.append(pulse.name)
        return taken
