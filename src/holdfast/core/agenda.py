"""Recurring work: what a verb brings, and when each part of it is due."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

WHOLE_TENANT = ""
"""The subject of a job that looks at a tenant as a whole."""

ENGINE_SCHEMA = "holdfast_engine"
"""In which the engine keeps its tables, where the history lies on PostgreSQL; `purge` drops it."""


class Cadence(NamedTuple):
    """How often.

    Attributes:
        every: the longest time between two looks.
        spread: how much earlier a look may come, so that not all come together; less than `every`.
    """

    every: timedelta
    spread: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of one batch. Whatever is not named in it went well and is due again by the cadence.

    Attributes:
        said: one line for the log and for `watch --once`; ids rather than names, never a secret.
        attention: how many things need a person.
        again: subject → why it could not be looked at; it is tried again sooner.
        next_at: subject → when it is due next by the cloud's time, where the verb knows better than the cadence.
    """

    said: str = ""
    attention: int = 0
    again: Mapping[str, str] = field(default_factory=dict)
    next_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """Recurring work of one verb. Tenants are named by the id under which the store keeps them.

    Attributes:
        name: one word that never changes: the store keeps it.
        subjects: what there is to look at in a tenant, by keys of the verb's own; asked after each scan and hourly.
        perform: looks at some of the subjects. After a kill it may be called again for the same ones, so it
            writes nothing twice: it looks before it writes, or goes through a journal.
        batch: how many subjects at most it is given at once.
        finds: whether there may be other subjects after it, of this and other jobs: it reads the tenant.
    """

    name: str
    cadence: Cadence
    subjects: Callable[[str], AsyncIterator[str]]
    perform: Callable[[str, Sequence[str]], Awaitable[Performed]]
    batch: int = 1
    finds: bool = False


async def whole_tenant(_tenant: str) -> AsyncIterator[str]:
    """The `subjects` of a job that looks at the tenant as a whole."""
    yield WHOLE_TENANT


class Appointment(NamedTuple):
    """One subject of one job, and when it is due.

    Attributes:
        id: its row.
        due_at: by the cloud's time.
        draw: where in the spread it lies, from 0 to below 1; drawn once, kept for ever.
        failures: how many times in a row it could not be looked at.
    """

    id: int
    tenant: str
    job: str
    subject: str
    due_at: datetime
    draw: float
    failures: int = 0


class Batch(NamedTuple):
    """Appointments that are carried out together, under one id."""

    run: str
    tenant: str
    job: str
    appointments: tuple[Appointment, ...]


class Booking(NamedTuple):
    """When an appointment is due next.

    Attributes:
        id: the appointment's row.
    """

    id: int
    due_at: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Run:
    """One batch as the store knows it.

    Attributes:
        handed_at: when it was handed to the engine, by the cloud's time.
        subjects: how many.
        booked: what came of it; None while it is under way.
        worker: who carried it out; "" before.
    """

    id: str
    tenant: str
    job: str
    handed_at: datetime
    subjects: int
    booked: Performed | None = None
    worker: str = ""


class Seat(NamedTuple):
    """A worker's place, held by one process at a time.

    Attributes:
        fence: counts the holders; a later one makes an earlier one worthless.
    """

    name: str
    fence: int


class Pulse(NamedTuple):
    """How a worker shows that it lives: `beats` moves. No clock is involved, so none can be wrong."""

    name: str
    fence: int
    beats: int
