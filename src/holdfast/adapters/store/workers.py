"""The places of workers over one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import Connection as Transaction
from sqlalchemy import select, update

from holdfast.adapters.store.database import Database, insert_or_update
from holdfast.adapters.store.schema import workers
from holdfast.adapters.store.turns import one_at_a_time
from holdfast.core.agenda import Pulse, Seat
from holdfast.core.errors import StoreError


class SqlWorkers:
    """The port `Workers` on the database of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def seated(self, name: str) -> AsyncIterator[Seat]:
        """See the port."""
        async with self._place(name):
            # Whoever goes, of its own will or not, may leave work behind: the next one there, or any other worker
            # that sees the pulse stand still, looks after it. So nothing is noted at the end.
            yield await self._database.write(_sit_down, name)

    async def beat(self, seat: Seat) -> bool:
        """See the port."""
        return await self._database.write(_beat, seat)

    async def holds(self, seat: Seat) -> bool:
        """See the port."""
        return await self._database.read(_holds, seat)

    async def pulses(self) -> list[Pulse]:
        """See the port."""
        return await self._database.read(_pulses)

    @asynccontextmanager
    async def evicted(self, pulse: Pulse) -> AsyncIterator[bool]:
        """See the port."""
        try:
            async with self._place(pulse.name):
                fenced = await self._database.write(_fence, pulse)
                yield fenced
                if fenced:
                    await self._database.write(_leave, Seat(pulse.name, pulse.fence + 1))
        except StoreError as error:
            if str(error) != _taken(pulse.name):
                raise
            yield False

    @asynccontextmanager
    async def _place(self, name: str) -> AsyncIterator[None]:
        turn = one_at_a_time(self._database, f"worker {name}", _taken(name))
        await turn.__aenter__()
        try:
            yield
        finally:
            # Where the server is gone, so is the session, and with it the place.
            with suppress(StoreError):
                await turn.__aexit__(None, None, None)


def _taken(name: str) -> str:
    return f"Another process works as {name!r} already: give this one its own name with --name, or end the other."


def _sit_down(transaction: Transaction, name: str) -> Seat:
    fence = transaction.execute(select(workers.c.fence).where(workers.c.name == name)).scalar() or 0
    row = {"name": name, "fence": fence + 1, "beats": 0, "present": 1}
    insert_or_update(transaction, workers, [row], by=["name"])
    return Seat(name, fence + 1)


def _beat(transaction: Transaction, seat: Seat) -> bool:
    mine = update(workers).where(workers.c.name == seat.name, workers.c.fence == seat.fence)
    return transaction.execute(mine.values(beats=workers.c.beats + 1, present=1)).rowcount == 1


def _holds(transaction: Transaction, seat: Seat) -> bool:
    fence = transaction.execute(select(workers.c.fence).where(workers.c.name == seat.name)).scalar()
    return fence == seat.fence


def _leave(transaction: Transaction, seat: Seat) -> None:
    mine = update(workers).where(workers.c.name == seat.name, workers.c.fence == seat.fence)
    transaction.execute(mine.values(present=0))


def _pulses(transaction: Transaction) -> list[Pulse]:
    query = select(workers).where(workers.c.present == 1).order_by(workers.c.name)
    return [Pulse(row.name, row.fence, row.beats) for row in transaction.execute(query)]


def _fence(transaction: Transaction, pulse: Pulse) -> bool:
    still = update(workers).where(
        workers.c.name == pulse.name, workers.c.fence == pulse.fence, workers.c.beats == pulse.beats
    )
    return transaction.execute(still.values(fence=pulse.fence + 1)).rowcount == 1
