"""History over one database. Its calls block, so each runs in a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from holdfast.adapters.store import changes, scanning, states
from holdfast.adapters.store.agenda import SqlAgenda
from holdfast.adapters.store.database import Database
from holdfast.adapters.store.forgetting import Forgotten, forget
from holdfast.adapters.store.instants import instant
from holdfast.adapters.store.journal import SqlJournal
from holdfast.adapters.store.outbox import SqlOutbox
from holdfast.adapters.store.retention import prune
from holdfast.adapters.store.shapes import shape_of
from holdfast.adapters.store.turns import one_at_a_time
from holdfast.adapters.store.upgrade import up_to_date
from holdfast.adapters.store.workers import SqlWorkers
from holdfast.core.coverage import News, ScanId, ScanRecord, Sweep
from holdfast.ports import Kept, Thing

R = TypeVar("R")


class SqlHistory:
    """The port `History` on SQLite, or on PostgreSQL by URL.

    Raises:
        StoreError: on opening: the store is of a newer holdfast, damaged, or may not be opened.
    """

    def __init__(self, where: Path | str) -> None:
        self._database = Database(where)
        up_to_date(self._database)
        # SQLite lets one write at a time and has the others look again and again whether they may.
        self._writer = ThreadPoolExecutor(1, "holdfast-store")

    def close(self) -> None:
        """Let go of the store."""
        self._writer.shutdown()
        self._database.close()

    async def forget(self, person: str) -> Forgotten:
        """Blank every name of a person; see `forgetting.forget`."""
        return await asyncio.to_thread(forget, self._database, person)

    def scanning(self, tenant: str) -> AbstractAsyncContextManager[None]:
        """See the port."""
        busy = f"Another holdfast is scanning the tenant {tenant!r} into this store; run this again when it has ended."
        return one_at_a_time(self._database, f"scan {tenant}", busy)

    def outbox(self) -> SqlOutbox:
        """What is told, in the same database; it closes with this."""
        return SqlOutbox(self._database)

    def journal(self) -> SqlJournal:
        """The journal in the same database; it closes with this."""
        return SqlJournal(self._database)

    def agenda(self) -> SqlAgenda:
        """The agenda in the same database; it closes with this."""
        return SqlAgenda(self._database)

    def workers(self) -> SqlWorkers:
        """The places of workers in the same database; they close with this."""
        return SqlWorkers(self._database)

    async def begin(self, tenant: str, at: datetime, resume_since: datetime) -> ScanRecord:
        """See the port."""
        return await self._write(scanning.begin, tenant, at, resume_since)

    async def observe(self, scan: ScanId, at: datetime, things: Sequence[Thing]) -> News:
        """See the port."""
        return await self._write(states.observe, scan, at, things) if things else News()

    async def conclude(
        self,
        scan: ScanId,
        sweep: Sweep,
        kind: type[Thing] | None = None,
        present: Collection[str] = (),
        under: str = "",
        last: Sequence[Thing] = (),
    ) -> News:
        """See the port."""
        return await self._write(scanning.conclude, scan, sweep, kind, present, under, last)

    async def finish(self, scan: ScanId, at: datetime, skew: timedelta) -> None:
        """See the port."""
        await self._write(scanning.finish, scan, at, skew)

    async def prune(self, tenant: str, before: datetime) -> int:
        """See the port."""
        return await asyncio.to_thread(prune, self._database, tenant, before)

    async def last_scan(self, tenant: str) -> ScanRecord | None:
        """See the port."""
        return await self._database.read(scanning.last, tenant)

    async def current(
        self, tenant: str, kind: type[Kept], environment: str | None = None
    ) -> AsyncIterator[Kept]:
        """See the port. Read in batches, so a scan that runs meanwhile may show in the later ones."""
        shape = shape_of(kind)
        after = ("", "")
        while True:
            rows = await self._database.read(states.following, tenant, shape.kind, environment, after)
            for row in rows:
                yield shape.read(row.facts)
            if len(rows) < states.BATCH:
                return
            after = (rows[-1].environment, rows[-1].key)

    async def lookup(
        self, tenant: str, kind: type[Kept], environment: str, keys: Sequence[str]
    ) -> dict[str, Kept]:
        """See the port."""
        shape = shape_of(kind)
        rows = await self._database.read(states.present, tenant, shape.kind, environment, keys)
        return {key: shape.read(facts) for key, facts in rows.items()}

    async def past(
        self, tenant: str, kind: type[Kept], environment: str, key: str
    ) -> AsyncIterator[tuple[datetime, Kept | None]]:
        """See the port."""
        shape = shape_of(kind)
        state: Any = None
        for row in await self._database.read(states.log_of, tenant, shape.kind, environment, key):
            state = None if row.change is None else changes.applied(state, row.change)
            yield (
                instant(row.at),
                None if state is None else shape.read(json.dumps(state, ensure_ascii=False)),
            )

    async def _write(self, deed: Callable[..., R], *arguments: Any) -> R:
        def in_one_transaction() -> R:
            with self._database.writing() as transaction:
                return deed(transaction, *arguments)

        return await asyncio.get_running_loop().run_in_executor(self._writer, in_one_transaction)
