"""What there is to look at, into the agenda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from holdfast.core.agenda import Job
from holdfast.core.errors import HoldfastError
from holdfast.ports import Agenda

_log = structlog.stdlib.get_logger("holdfast.engine")


class Subjects:
    """The subjects of all jobs."""

    def __init__(self, jobs: Mapping[str, Job], agenda: Agenda, draw: Callable[[], float]) -> None:
        self._jobs, self._agenda, self._draw = jobs, agenda, draw

    async def take_up(self, tenant: str, now: datetime) -> None:
        """Ask every job what there is in a tenant. What one job cannot tell stops no other."""
        for job in self._jobs.values():
            try:
                found = [subject async for subject in job.subjects(tenant)]
                new, gone = await self._agenda.take_up(tenant, job.name, found, now, self._draw)
            except HoldfastError as error:
                _log.warning("subjects_unknown", tenant=tenant, job=job.name, why=str(error))
                continue
            if new or gone:
                _log.info("subjects", tenant=tenant, job=job.name, new=new, gone=gone)
