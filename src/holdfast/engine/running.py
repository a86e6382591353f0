"""The engine while it runs: started for one seat, stopped with grace."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    SetEnqueueOptions,
    SetWorkflowID,
    WorkflowStatus,
)

from holdfast.core.agenda import ENGINE_SCHEMA, Job, Performed, Run, Seat
from holdfast.engine import retention
from holdfast.engine.failing import translated
from holdfast.engine.lease import BEAT, DEAD, VALID, Lease
from holdfast.engine.plan import bookings
from holdfast.engine.queues import RUNS, Limits, register
from holdfast.engine.rounds import Planner
from holdfast.engine.taking_up import Subjects
from holdfast.engine.workers import Watchman
from holdfast.engine.workflows import UNKNOWN, Floor, carry_out, leave_floor, stand_on
from holdfast.ports import Agenda, Clock, Workers

_log = structlog.stdlib.get_logger("holdfast.engine")

PROTOCOL: Final = "holdfast-1"
"""Changes only when workflows that were begun before could not go on: the engine resumes those of its own version
alone, and would by default take another one with every release, stranding them."""

AT_ONCE: Final = 500


class Timing(NamedTuple):
    """Seconds, of which tests make less.

    Attributes:
        grace: how long a stop waits for what runs.
    """

    beat: float = BEAT
    valid: float = VALID
    dead: float = DEAD
    grace: float = 20.0


class Calm(logging.Filter):
    """Lets the engine say the same thing once a minute, in one line.

    It says it at every look at its queues, with a trace, while its database is away.
    """

    SECONDS: Final = 60.0
    SAME: Final = 40
    LONGEST: Final = 300

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this has not been said for a while; shortens it."""
        words = record.getMessage().partition("\n")[0][: self.LONGEST]
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        record.msg, record.args, record.exc_info = f"{words} {kind}".rstrip(), None, None
        before = self._said.get(words[: self.SAME])
        if before is not None and 0 <= record.created - before < self.SECONDS:
            return False
        self._said[words[: self.SAME]] = record.created
        return True


LIMITS, TIMING = Limits(), Timing()


class Engine:
    """A running engine. Every method raises StoreError where the store does not answer.

    Attributes:
        lease: of this process; when it is lost, the process has to end.
    """

    def __init__(
        self, floor: Floor, workers: Workers, new_id: Callable[[], str], dead_after: float = DEAD
    ) -> None:
        self.lease = floor.lease
        self._floor = floor
        self._idle: set[str] = set()
        self._planner = Planner(floor.jobs, floor.agenda, self.start, new_id)
        self._watchman = Watchman(workers, floor.lease.seat.name, dead_after=dead_after)

    async def take_up(self, tenant: str, now: datetime) -> None:
        """Ask every job what there is to look at."""
        await self._floor.subjects.take_up(tenant, now)

    async def round(self, tenant: str, now: datetime, *, ahead: bool = False) -> list[Run]:
        """Hand out what is due; see `Planner.round`."""
        with translated():
            return await self._planner.round(tenant, now, ahead=ahead)

    async def start(self, runs: Sequence[Run]) -> None:
        """Put runs into the queue. One that is there already, or over, is left alone."""
        for run in runs:
            with SetWorkflowID(run.id), SetEnqueueOptions(queue_partition_key=run.tenant):
                await DBOS.enqueue_workflow_async(RUNS, carry_out, run.id)

    async def mend(self) -> None:
        """Start what was handed out and never started, or claimed by this process and lost; give up what the engine
        gave up.

        The engine loses a run that it claims in the moment in which its database goes away: it stands there as if
        it ran. So it is put back when two looks, one after the other, find that this process is not at it.
        """
        with translated():
            await self._mend()

    async def _mend(self) -> None:
        runs = {run.id: run for run in await self._floor.agenda.under_way()}
        ids, idle = list(runs), set()
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            states = {each.workflow_id: each for each in await _states(some)}
            await self.start([runs[run] for run in some if run not in states])
            for run, state in states.items():
                if state.status not in ("ENQUEUED", "PENDING", "DELAYED"):
                    await self._give_up(runs[run], state.status)
                elif state.status == "PENDING" and state.executor_id == self.lease.seat.name:
                    idle |= {run} - self._floor.running
        await self._put_back(sorted(idle & self._idle))
        self._idle = idle

    async def _put_back(self, lost: list[str]) -> None:
        if lost:
            _log.warning("runs_put_back", runs=len(lost))
            await DBOS.resume_workflows_async(lost, queue_name=RUNS)

    async def take_over(self) -> list[str]:
        """The workers whose work was put back into the queue because they are dead."""
        with translated():
            return await self._watchman.look()

    async def tidy(self) -> None:
        """Forget what was finished long ago."""
        with translated():
            await retention.tidy(self._floor.agenda, self._floor.clock.now())

    async def left(self) -> list[Run]:
        """The runs that are handed out and not over."""
        return await self._floor.agenda.under_way()

    async def outcome(self, runs: Sequence[Run]) -> list[Run]:
        """How these runs stand."""
        return await self._floor.agenda.find([run.id for run in runs])

    async def _give_up(self, run: Run, state: str) -> None:
        found = await self._floor.agenda.appointments(run.id)
        if found is None:
            return  # booked between the two looks
        why = f"the engine gave this run up ({state.lower()})"
        _log.error("run_given_up", tenant=run.tenant, job=run.job, run=run.id, state=state)
        failed = Performed(why, 1, {each.subject: why for each in found[1]})
        job = self._floor.jobs.get(run.job)
        dates = list(bookings(found[1], failed, job.cadence if job else UNKNOWN, run.handed_at))
        await self._floor.agenda.book(run.id, self._floor.clock.now(), "", failed, dates)


async def _states(ids: list[str]) -> Sequence[WorkflowStatus]:
    return await DBOS.list_workflows_async(workflow_ids=ids, load_input=False, load_output=False)


@asynccontextmanager
async def running(
    place: Path | str,
    seat: Seat,
    jobs: Sequence[Job],
    agenda: Agenda,
    workers: Workers,
    clock: Clock,
    new_id: Callable[[], str],
    draw: Callable[[], float],
    *,
    limits: Limits = LIMITS,
    timing: Timing = TIMING,
) -> AsyncIterator[Engine]:
    """The engine of this process, from its start to its graceful stop. There is one at a time in a process.

    It carries out what stands in the queue, whoever put it there, and first what this seat left unfinished.

    Args:
        place: where the engine keeps its own tables: an SQLite file, private already, or a PostgreSQL URL.
        seat: taken before, so that no other process works under this name.
        draw: a number from 0 to below 1, anew at each call.
    """
    by_name = {job.name: job for job in jobs}
    lease = Lease(seat, workers, beat=timing.beat, valid=timing.valid)
    floor = Floor(by_name, agenda, Subjects(by_name, agenda, draw), lease, clock)
    stand_on(floor)
    pulse = asyncio.create_task(lease.keep())
    try:
        _construct(place, seat.name)
        try:
            with translated():
                DBOS.launch()  # in the running loop: workflows, resumed ones too, then run on it
                await register(limits)
            yield Engine(floor, workers, new_id, timing.dead)
        finally:
            await _stop(timing.grace)
    finally:
        leave_floor()
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)


def _construct(place: Path | str, worker: str) -> None:
    lines = logging.getLogger("dbos")
    # The engine's own handler prints as it likes; with one there already it leaves the lines to ours.
    lines.addHandler(logging.NullHandler())
    if not any(isinstance(each, Calm) for each in lines.filters):
        lines.addFilter(Calm())
    url = place if isinstance(place, str) else f"sqlite:///{place}"
    if isinstance(place, Path):
        _write_ahead(place)
    config: DBOSConfig = {
        "name": "holdfast",
        "system_database_url": url,
        "application_version": PROTOCOL,
        "executor_id": worker,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "run_migrations": True,
        "enable_otlp": False,
    }
    if isinstance(place, str):
        config["dbos_system_schema"] = ENGINE_SCHEMA
    DBOS(config=config)


def _write_ahead(file: Path) -> None:
    """Let readers and the writer of the engine's file not wait for each other; it sticks to the file.

    `synchronous` stays FULL, the driver's default: a note that is lost with the power would repeat a deed.
    """
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


async def _stop(grace: float) -> None:
    """End what runs within `grace` seconds; what does not is resumed by the next start."""
    # In a thread: it waits by sleeping, and what it waits for runs on this loop.
    stopping = partial(DBOS.destroy, workflow_completion_timeout_sec=math.ceil(grace))
    with ThreadPoolExecutor(1) as own:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(own, stopping)
    # The engine had put its own threads, which are gone, in the place of the loop's.
    loop.set_default_executor(ThreadPoolExecutor())
