"""One look at a tenant's agenda: what is due is noted as handed out, then given to the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from holdfast.core.agenda import Job, Run
from holdfast.engine.plan import CLOCK_TOLERANCE, batches, set_back
from holdfast.ports import Agenda

_log = structlog.stdlib.get_logger("holdfast.engine")

UNDER_WAY: Final = 200
"""Runs of one tenant that may be under way at once: enough to keep every worker busy, few to look after."""


class Planner:
    """Hands out what is due.

    Args:
        start: gives a run to the engine; doing it twice with one run starts it once.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        agenda: Agenda,
        start: Callable[[Sequence[Run]], Awaitable[None]],
        new_id: Callable[[], str],
    ) -> None:
        self._jobs, self._agenda, self._start, self._new_id = jobs, agenda, start, new_id
        self._sizes = {name: job.batch for name, job in jobs.items()}

    async def round(self, tenant: str, now: datetime, *, ahead: bool = False) -> list[Run]:
        """Hand out what is due in a tenant; see `plan.is_due` for `ahead`.

        A kill between the note and the start leaves a run that is noted and not started: `Engine.mend` starts it.
        """
        await self._tell_time(tenant, now)
        room = UNDER_WAY - len(await self._agenda.under_way(tenant))
        if room <= 0:
            return []
        until = {
            name: now + (job.cadence.every / 2 if ahead else timedelta(0)) for name, job in self._jobs.items()
        }
        due = await self._agenda.due(tenant, until, room * max(self._sizes.values(), default=1))
        planned = list(batches(due, self._sizes, self._new_id))[:room]
        runs = await self._agenda.hand_out(planned, now)
        await self._start(runs)
        return runs

    async def _tell_time(self, tenant: str, now: datetime) -> None:
        seen_at = await self._agenda.clock(tenant)
        back = set_back(seen_at, now)
        if back:
            _log.warning("clock_set_back", tenant=tenant, seconds=int(back.total_seconds()))
        if back or seen_at is None or now >= seen_at + CLOCK_TOLERANCE:
            await self._agenda.saw(tenant, now, back)
