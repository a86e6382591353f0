"""The durable workflows. Everything that carries a decorator of the engine stands here.

A workflow resumes by running its body again from the top, and only what ran inside a step is skipped. Hence:

- a body branches on its arguments and on results of steps, and on nothing else: no clock, chance, id, setting;
- a deed runs inside its step, never beside a note that it was done;
- a step returns what JSON gives back unchanged, since that is what a resumed body sees;
- an expected refusal is a returned value: an exception comes back as another class after a crash;
- arguments are ids. A secret, or anything that could hold one, is in none of them.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from dbos import DBOS

from holdfast.core.agenda import Cadence, Job, Performed, Run
from holdfast.core.errors import HoldfastError, StoreError
from holdfast.engine.lease import Lease, pause
from holdfast.engine.plan import bookings
from holdfast.engine.taking_up import Subjects
from holdfast.ports import Agenda, Clock

R = TypeVar("R")
_log = structlog.stdlib.get_logger("holdfast.engine")

UNKNOWN = Cadence(timedelta(hours=4))
"""Of a job that this version does not know: tried again, by then perhaps by another version."""

STORE_PAUSE = 5.0
"""Seconds after which the store is asked again where it did not answer."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What the workflows of this process work with; the engine has one floor per process.

    Attributes:
        running: the runs that this process is at.
    """

    jobs: Mapping[str, Job]
    agenda: Agenda
    subjects: Subjects
    lease: Lease
    clock: Clock
    running: set[str] = field(default_factory=set)


_floors: list[Floor] = []


def stand_on(floor: Floor) -> None:
    """Give the workflows what they work with, before the engine starts."""
    _floors[:] = [floor]


def leave_floor() -> None:
    """The engine has stopped."""
    _floors.clear()


def _floor() -> Floor:
    return _floors[0]


async def durably(name: str, deed: Callable[[], Awaitable[R]]) -> R:
    """Carry out a deed inside one step: once it has finished it is skipped whenever the workflow resumes.

    Between its effect and the engine's note of it there is a moment in which a kill repeats it, so it looks
    before it writes. It runs only while this process holds its seat.

    Raises:
        TypeError: the deed returned what JSON does not give back unchanged.
    """

    async def step() -> R:
        outcome = await _floor().lease.under(deed)
        if json.loads(json.dumps(outcome)) != outcome:
            raise TypeError(
                f"the deed {name!r} returned what JSON does not give back: {type(outcome).__name__}"
            )
        return outcome

    return await DBOS.run_step_async({"name": name}, step)


@DBOS.workflow(name="carry_out")
async def carry_out(run: str) -> dict[str, Any]:
    """One run of the agenda: look at its subjects, book when they are due next."""
    running = _floor().running
    running.add(run)
    try:
        return await durably("perform", partial(_perform, run))
    finally:
        running.discard(run)


async def _perform(run: str) -> dict[str, Any]:
    floor = _floor()
    found = await _patiently(partial(floor.agenda.appointments, run))
    if found is None:
        # Booked before a kill that came before the engine's own note.
        return {"run": run, "booked": False}
    under_way, appointments = found
    job = floor.jobs.get(under_way.job)
    performed = await _looked(job, under_way, [each.subject for each in appointments])
    if job is not None and job.finds:
        await floor.subjects.take_up(under_way.tenant, under_way.handed_at)
    dates = list(bookings(appointments, performed, job.cadence if job else UNKNOWN, under_way.handed_at))
    now, worker = floor.clock.now(), floor.lease.seat.name
    booked = await _patiently(partial(floor.agenda.book, run, now, worker, performed, dates))
    return {"run": run, "booked": booked}


async def _looked(job: Job | None, run: Run, subjects: list[str]) -> Performed:
    """What came of it, also where it failed: nothing that a verb does stops the engine."""
    if job is None:
        why, bug = f"this version of holdfast does not know the job {run.job!r}", 0
    else:
        try:
            performed = await job.perform(run.tenant, subjects)
            _log.info("run", tenant=run.tenant, job=run.job, run=run.id, said=performed.said)
            return performed
        except HoldfastError as error:
            why, bug = str(error), 0
        except Exception as error:  # noqa: BLE001 - the border: one batch in the runner
            frame = traceback.extract_tb(error.__traceback__)[-1]
            # Without the text, which could hold a secret.
            why, bug = f"a bug in holdfast: {type(error).__name__} in {frame.name}, line {frame.lineno}", 1
    _log.warning("run_failed", tenant=run.tenant, job=run.job, run=run.id, why=why)
    return Performed(why, bug, dict.fromkeys(subjects, why))


async def _patiently(deed: Callable[[], Awaitable[R]]) -> R:
    """What the deed gives, asked again and again while the store does not answer."""
    silent = False
    while True:
        try:
            return await deed()
        except StoreError as error:
            if not silent:
                _log.warning("store_away", why=str(error))
            silent = True
        await pause(asyncio.Event(), STORE_PAUSE)
