"""What holdfast keeps: history, plans and deeds, recurring work, what is told, secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from holdfast.core.agenda import Appointment, Batch, Booking, Performed, Pulse, Run, Seat
from holdfast.core.alert import Delivery, Thread
from holdfast.core.coverage import News, ScanId, ScanRecord, Sweep
from holdfast.core.deed import Deed, PlanRecord, Turn
from holdfast.core.identity import ServicePrincipal
from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import (
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    ListedFlow,
)
from holdfast.core.judgement import Judgement
from holdfast.core.plan import Plan
from holdfast.core.policies import AccessPolicy
from holdfast.core.proof import Proof
from holdfast.core.secret import Secret

Thing = (
    Environment
    | Connection
    | ConnectionReference
    | Flow
    | CanvasApp
    | ServicePrincipal
    | AccessPolicy
    | Judgement
    | PasswordTerm
    | Proof
    | KitFlow
    | ListedFlow
)
"""What history keeps."""

Kept = TypeVar(
    "Kept",
    Environment,
    Connection,
    ConnectionReference,
    Flow,
    CanvasApp,
    ServicePrincipal,
    AccessPolicy,
    Judgement,
    PasswordTerm,
    Proof,
    KitFlow,
    ListedFlow,
)


class History(Protocol):
    """What was seen and concluded, tenant by tenant. It only grows, until `prune`. Times are the cloud's.

    Every method raises StoreError where the store cannot do it; a write is then kept whole or not at all.
    A thing's key is its id; of a Connection and its Judgement "connector/id".
    """

    def scanning(self, tenant: str) -> AbstractAsyncContextManager[None]:
        """Hold the tenant for one scan; freed even by a killed process.

        Raises:
            StoreError: somebody else is scanning it.
        """
        ...

    async def begin(self, tenant: str, at: datetime, resume_since: datetime) -> ScanRecord:
        """A new scan, or the newest one if it is unfinished and began at or after `resume_since`."""
        ...

    async def observe(self, scan: ScanId, at: datetime, things: Sequence[Thing]) -> News:
        """Write down what is new about these things, as one transaction."""
        ...

    async def conclude(
        self,
        scan: ScanId,
        sweep: Sweep,
        kind: type[Thing] | None = None,
        present: Collection[str] = (),
        under: str = "",
        last: Sequence[Thing] = (),
    ) -> News:
        """Write down that a part was read, and how far.

        Args:
            last: what is still to be observed of it, in the same transaction.
            kind: what the part consists of, if it was read to its end: then those of the environment
                whose key begins with `under` and is not in `present` are gone.
        """
        ...

    async def finish(self, scan: ScanId, at: datetime, skew: timedelta) -> None:
        """The scan is over: all its parts were read or tried, and judged."""
        ...

    async def prune(self, tenant: str, before: datetime) -> int:
        """Drop what was observed before that instant: how many observations.

        The last state of every thing that was there then stays, so that all later ones can still be told. Of
        what was gone by then nothing stays.
        """
        ...

    async def last_scan(self, tenant: str) -> ScanRecord | None:
        """The newest finished scan; None before the first."""
        ...

    def current(self, tenant: str, kind: type[Kept], environment: str | None = None) -> AsyncIterator[Kept]:
        """What is there as far as we know, in the order in which it was first seen."""
        ...

    async def lookup(
        self, tenant: str, kind: type[Kept], environment: str, keys: Sequence[str]
    ) -> dict[str, Kept]:
        """Those of the named things that are there, by key."""
        ...

    def past(
        self, tenant: str, kind: type[Kept], environment: str, key: str
    ) -> AsyncIterator[tuple[datetime, Kept | None]]:
        """Every state that one thing was seen in, oldest first; None where it was found gone."""
        ...


class Journal(Protocol):
    """Plans, and what was done about them. It only grows.

    Every method raises StoreError where the store cannot do it; nothing is noted then.
    """

    def turn(self, tenant: str) -> AbstractAsyncContextManager[Turn]:
        """The turn to do things in the tenant; freed even by a killed process.

        Raises:
            StoreError: somebody else has it.
        """
        ...

    async def keep(self, plan: Plan) -> None:
        """Record a plan, so that its file can be told from an edited one."""
        ...

    async def find(self, tenant: str, plan: str) -> PlanRecord | None:
        """The plan of that id."""
        ...

    async def plans(self, tenant: str, kind: str | None = None) -> list[PlanRecord]:
        """All plans, newest first."""
        ...

    async def note(self, turn: Turn, plan: str, deed: Deed) -> None:
        """Write one line.

        Raises:
            StoreError: the turn has gone to somebody else, who may have done the same meanwhile.
        """
        ...

    async def deeds(self, tenant: str, plan: str) -> list[Deed]:
        """All lines about a plan, oldest first."""


class Agenda(Protocol):
    """What is due when, and the runs that look at it. Every method raises StoreError where the store cannot do it;
    a write is then kept whole or not at all.
    """

    async def clock(self, tenant: str) -> datetime | None:
        """The newest time at which the tenant's agenda was read; None before the first."""
        ...

    async def saw(self, tenant: str, now: datetime, back: timedelta) -> None:
        """Note the time; everything not yet due comes nearer by `back`."""
        ...

    async def take_up(
        self, tenant: str, job: str, subjects: Collection[str], now: datetime, draw: Callable[[], float]
    ) -> tuple[int, int]:
        """Make the job's appointments those of these subjects: new ones are due now, missing ones dropped.

        Returns:
            How many were new, and how many were dropped; those under way are dropped when they are over.
        """
        ...

    async def due(self, tenant: str, until: dict[str, datetime], limit: int) -> list[Appointment]:
        """The longest overdue appointments that nobody looks at yet.

        Args:
            until: job → up to which instant its appointments count as due.
        """
        ...

    async def hand_out(self, batches: Sequence[Batch], at: datetime) -> list[Run]:
        """Note that these runs begin, before they do. Appointments that another planner was faster with are left
        out, and so is a run without any.
        """
        ...

    async def under_way(self, tenant: str | None = None) -> list[Run]:
        """The runs that are handed out and not booked, the oldest first."""
        ...

    async def find(self, runs: Collection[str]) -> list[Run]:
        """Those of these runs that are known."""
        ...

    async def appointments(self, run: str) -> tuple[Run, list[Appointment]] | None:
        """A run under way and what it looks at; None where it is over or unknown."""
        ...

    async def book(
        self, run: str, at: datetime, worker: str, performed: Performed, bookings: Sequence[Booking]
    ) -> bool:
        """The run is over: its appointments are due as booked. False where that was noted before."""
        ...

    async def next_due(self, tenant: str) -> datetime | None:
        """The earliest date of an appointment that nobody looks at yet."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget the runs that were booked before; how many."""
        ...


class Workers(Protocol):
    """The places of workers. Every method raises StoreError where the store cannot do it."""

    def seated(self, name: str) -> AbstractAsyncContextManager[Seat]:
        """The place of that name; freed even by a killed process.

        Raises:
            StoreError: a living process has it.
        """
        ...

    async def beat(self, seat: Seat) -> bool:
        """Show that its holder lives. False where the place has gone to another holder."""
        ...

    async def holds(self, seat: Seat) -> bool:
        """Whether the place has not gone to another holder."""
        ...

    async def pulses(self) -> list[Pulse]:
        """Of every worker whose work nobody has taken over yet."""
        ...

    def evicted(self, pulse: Pulse) -> AbstractAsyncContextManager[bool]:
        """Hold the place of a worker whose pulse stood still, to take over its work; nobody sits in it meanwhile.

        True if it is free and the pulse stands still; its late holder is shut out from then on. At the end the
        worker counts as left.
        """
        ...


class Outbox(Protocol):
    """What is to be told, and what was. Every method raises StoreError where the store cannot do it."""

    async def threads(self, tenant: str) -> dict[str, Thread]:
        """All that were ever opened in a tenant, by key."""
        ...

    async def put(
        self, threads: Sequence[Thread], deliveries: Sequence[tuple[Delivery, datetime]], tenant: str
    ) -> None:
        """Write threads and deliveries down, all or none; a delivery that is there already stays as it is.

        Args:
            deliveries: each with when it may leave, at the earliest.
        """
        ...

    async def due(self, now: datetime, limit: int = 200) -> list[Delivery]:
        """What may leave now, oldest first."""
        ...

    async def delivered(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """They arrived."""
        ...

    async def failed(
        self, deliveries: Sequence[Delivery], at: datetime, trouble: str, again_at: datetime
    ) -> None:
        """They did not arrive."""
        ...

    async def failing(self) -> dict[str, tuple[datetime, str]]:
        """Channels whose newest attempts failed: since when, and why."""
        ...


class SecretStore(Protocol):
    """Where the texts of secrets lie, by name. Every method raises SecretStoreError when it cannot be asked."""

    async def read(self, name: str) -> Secret | None:
        """None where there is no secret of that name."""
        ...

    async def write(self, name: str, secret: Secret) -> None:
        """Keep it, in the place of one of the same name; after a crash the old or the new one is there, whole."""
        ...

    async def delete(self, name: str) -> bool:
        """Whether there was one."""
        ...

    async def names(self) -> tuple[str, ...]:
        """What this store keeps for holdfast, sorted."""
        ...
