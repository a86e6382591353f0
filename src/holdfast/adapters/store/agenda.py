"""The agenda over one database: what is due, and the runs that look at it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from holdfast.adapters.store.database import Database, Line, insert_if_absent, insert_or_update
from holdfast.adapters.store.instants import instant, millis
from holdfast.adapters.store.schema import agenda, clocks, runs
from holdfast.core.agenda import Appointment, Batch, Booking, Performed, Run

AT_ONCE = 500
"""Rows that are named in one statement: below every database's limit of parameters."""

LONGEST_SAID = 500
"""Characters of what a run says that are kept."""


class SqlAgenda:
    """The port `Agenda` on the database of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def clock(self, tenant: str) -> datetime | None:
        """See the port."""
        return await self._database.read(_clock, tenant)

    async def saw(self, tenant: str, now: datetime, back: timedelta) -> None:
        """See the port."""
        await self._database.write(_saw, tenant, now, back)

    async def take_up(
        self, tenant: str, job: str, subjects: Collection[str], now: datetime, draw: Callable[[], float]
    ) -> tuple[int, int]:
        """See the port."""
        return await self._database.write(_take_up, tenant, job, subjects, now, draw)

    async def due(self, tenant: str, until: dict[str, datetime], limit: int) -> list[Appointment]:
        """See the port."""
        return await self._database.read(_due, tenant, until, limit) if until else []

    async def hand_out(self, batches: Sequence[Batch], at: datetime) -> list[Run]:
        """See the port."""
        return await self._database.write(_hand_out, batches, at) if batches else []

    async def under_way(self, tenant: str | None = None) -> list[Run]:
        """See the port."""
        return await self._database.read(_under_way, tenant)

    async def find(self, runs: Collection[str]) -> list[Run]:
        """See the port."""
        return await self._database.read(_find, runs)

    async def appointments(self, run: str) -> tuple[Run, list[Appointment]] | None:
        """See the port."""
        return await self._database.read(_appointments, run)

    async def book(
        self, run: str, at: datetime, worker: str, performed: Performed, bookings: Sequence[Booking]
    ) -> bool:
        """See the port."""
        return await self._database.write(_book, run, at, worker, performed, bookings)

    async def next_due(self, tenant: str) -> datetime | None:
        """See the port."""
        return await self._database.read(_next_due, tenant)

    async def prune(self, before: datetime) -> int:
        """See the port."""
        return await self._database.write(_prune, before)


def _clock(transaction: Transaction, tenant: str) -> datetime | None:
    seen = transaction.execute(select(clocks.c.seen_at).where(clocks.c.tenant == tenant)).scalar()
    return None if seen is None else instant(seen)


def _saw(transaction: Transaction, tenant: str, now: datetime, back: timedelta) -> None:
    if back:
        nearer = update(agenda).where(agenda.c.tenant == tenant, agenda.c.due_at > millis(now))
        transaction.execute(nearer.values(due_at=agenda.c.due_at - back // timedelta(milliseconds=1)))
    insert_or_update(transaction, clocks, [{"tenant": tenant, "seen_at": millis(now)}], by=["tenant"])


def _take_up(
    transaction: Transaction,
    tenant: str,
    job: str,
    subjects: Collection[str],
    now: datetime,
    draw: Callable[[], float],
) -> tuple[int, int]:
    mine = agenda.c.tenant == tenant, agenda.c.job == job
    wanted = set(subjects)
    known, gone = set(), []
    for row in transaction.execute(select(agenda.c.id, agenda.c.subject, agenda.c.run).where(*mine)):
        known.add(row.subject)
        # A run that looks at it right now books what it was given; the next taking up drops it.
        if row.subject not in wanted and row.run is None:
            gone.append(row.id)
    place = {"tenant": tenant, "job": job, "due_at": millis(now), "failures": 0, "run": None}
    new = [{**place, "subject": subject, "draw": draw()} for subject in subjects if subject not in known]
    # Somebody else may be taking up the same.
    insert_if_absent(transaction, agenda, new, by=["tenant", "job", "subject"])
    for some in _parts(gone):
        transaction.execute(delete(agenda).where(agenda.c.id.in_(some)))
    return len(new), len(gone)


def _due(transaction: Transaction, tenant: str, until: dict[str, datetime], limit: int) -> list[Appointment]:
    times = [(agenda.c.job == job) & (agenda.c.due_at <= millis(at)) for job, at in until.items()]
    query = (
        select(agenda)
        .where(agenda.c.tenant == tenant, agenda.c.run.is_(None), or_(*times))
        .order_by(agenda.c.due_at, agenda.c.id)
        .limit(limit)
    )
    return [_appointment(row) for row in transaction.execute(query)]


def _hand_out(transaction: Transaction, batches: Sequence[Batch], at: datetime) -> list[Run]:
    begun = []
    for batch in batches:
        taken = 0
        for some in _parts([each.id for each in batch.appointments]):
            # Whoever comes second finds no row without a run.
            mine = update(agenda).where(agenda.c.id.in_(some), agenda.c.run.is_(None))
            taken += transaction.execute(mine.values(run=batch.run)).rowcount
        if taken:
            begun.append(Run(batch.run, batch.tenant, batch.job, at, taken))
    if begun:
        transaction.execute(insert(runs), [_row(run) for run in begun])
    return begun


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "tenant": run.tenant,
        "job": run.job,
        "handed_at": millis(run.handed_at),
        "subjects": run.subjects,
        "booked_at": None,
        "worker": "",
        "said": "",
        "attention": 0,
        "failed": 0,
    }


def _under_way(transaction: Transaction, tenant: str | None) -> list[Run]:
    query = select(runs).where(runs.c.booked_at.is_(None))
    if tenant is not None:
        query = query.where(runs.c.tenant == tenant)
    return [_run(row) for row in transaction.execute(query.order_by(runs.c.handed_at, runs.c.id))]


def _find(transaction: Transaction, wanted: Collection[str]) -> list[Run]:
    return [
        _run(row)
        for some in _parts(list(wanted))
        for row in transaction.execute(select(runs).where(runs.c.id.in_(some)))
    ]


def _appointments(transaction: Transaction, run: str) -> tuple[Run, list[Appointment]] | None:
    found = transaction.execute(select(runs).where(runs.c.id == run, runs.c.booked_at.is_(None))).first()
    if found is None:
        return None
    rows = transaction.execute(select(agenda).where(agenda.c.run == run).order_by(agenda.c.id))
    return _run(found), [_appointment(row) for row in rows]


def _book(
    transaction: Transaction,
    run: str,
    at: datetime,
    worker: str,
    performed: Performed,
    bookings: Sequence[Booking],
) -> bool:
    over = update(runs).where(runs.c.id == run, runs.c.booked_at.is_(None))
    outcome = {
        "booked_at": millis(at),
        "worker": worker,
        "said": performed.said[:LONGEST_SAID],
        "attention": performed.attention,
        "failed": len(performed.again),
    }
    if not transaction.execute(over.values(**outcome)).rowcount:
        return False
    statement = (
        update(agenda)
        .where(agenda.c.id == bindparam("row"), agenda.c.run == run)
        .values(due_at=bindparam("next"), failures=bindparam("times"), run=None)
    )
    dates = [{"row": each.id, "next": millis(each.due_at), "times": each.failures} for each in bookings]
    if dates:
        transaction.execute(statement, dates)
    return True


def _next_due(transaction: Transaction, tenant: str) -> datetime | None:
    query = select(func.min(agenda.c.due_at)).where(agenda.c.tenant == tenant, agenda.c.run.is_(None))
    found = transaction.execute(query).scalar()
    return None if found is None else instant(found)


def _prune(transaction: Transaction, before: datetime) -> int:
    return transaction.execute(delete(runs).where(runs.c.booked_at < millis(before))).rowcount


def _appointment(row: Line) -> Appointment:
    return Appointment(row.id, row.tenant, row.job, row.subject, instant(row.due_at), row.draw, row.failures)


def _run(row: Line) -> Run:
    booked = None
    if row.booked_at is not None:
        # Which subjects failed stands in the agenda; here their number is enough.
        booked = Performed(row.said, row.attention, {str(number): "" for number in range(row.failed)})
    return Run(row.id, row.tenant, row.job, instant(row.handed_at), row.subjects, booked, row.worker)


def _parts(names: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))
