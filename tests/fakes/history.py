"""History in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from holdfast.core.coverage import News, ScanId, ScanRecord, Sweep
from holdfast.core.errors import StoreError
from holdfast.core.identity import ServicePrincipal
from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import CanvasApp, Connection, ConnectionReference, Environment, Flow
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy
from holdfast.core.proof import Proof
from holdfast.ports import Kept, Thing


def name_of(thing: Thing) -> tuple[str, str]:
    match thing:
        case Environment():
            return "", thing.id
        case ConnectionReference() | Flow() | CanvasApp():
            return thing.environment, thing.id
        case AccessPolicy():
            return "", thing.id
        case ServicePrincipal():
            return "", thing.object_id
        case Connection():
            return thing.environment, f"{thing.connector}/{thing.id}"
        case PasswordTerm():
            return "", thing.connection
        case KitFlow():
            return "", thing.id
        case Judgement() | Proof():
            return thing.environment, f"{thing.connector}/{thing.connection}"


class MemoryHistory:
    def __init__(self) -> None:
        self._scans: list[tuple[str, ScanRecord]] = []
        self._log: dict[tuple[str, type, str, str], list[tuple[datetime, Any]]] = {}
        self._held: set[str] = set()

    @asynccontextmanager
    async def scanning(self, tenant: str) -> AsyncIterator[None]:
        if tenant in self._held:
            raise StoreError(f"Another holdfast is scanning the tenant {tenant!r}.")
        self._held.add(tenant)
        try:
            yield
        finally:
            self._held.remove(tenant)

    async def begin(self, tenant: str, at: datetime, resume_since: datetime) -> ScanRecord:
        newest = next((record for name, record in reversed(self._scans) if name == tenant), None)
        if newest is not None and newest.finished_at is None and newest.started_at >= resume_since:
            return newest
        record = ScanRecord(ScanId(len(self._scans)), at, None, timedelta(0))
        self._scans.append((tenant, record))
        return record

    async def observe(self, scan: ScanId, at: datetime, things: Sequence[Thing]) -> News:
        new = [thing for thing in things if self._note(scan, at, type(thing), *name_of(thing), thing)]
        judged = sum(isinstance(thing, Judgement) for thing in new)
        return News(len(new) - judged, judged)

    async def conclude(
        self,
        scan: ScanId,
        sweep: Sweep,
        kind: type[Thing] | None = None,
        present: Collection[str] = (),
        under: str = "",
        last: Sequence[Thing] = (),
    ) -> News:
        news = await self.observe(scan, sweep.ended_at, last)
        tenant, record = self._scans[scan]
        others = tuple(s for s in record.sweeps if (s.environment, s.part) != (sweep.environment, sweep.part))
        parts = tuple(sorted((*others, sweep), key=lambda s: (s.environment, s.part)))
        self._scans[scan] = (tenant, replace(record, sweeps=parts))
        gone = [
            key
            for (of, what, where, key), states in self._log.items()
            if (of, what, where) == (tenant, kind, sweep.environment)
            and key.startswith(under)
            and key not in present
            and states[-1][1] is not None
        ]
        assert kind is not None or not gone
        for key in gone:
            self._note(scan, sweep.ended_at, kind, sweep.environment, key, None)
        return news._replace(gone=len(gone))

    async def finish(self, scan: ScanId, at: datetime, skew: timedelta) -> None:
        tenant, record = self._scans[scan]
        self._scans[scan] = (tenant, replace(record, finished_at=at, skew=skew))

    async def prune(self, tenant: str, before: datetime) -> int:
        dropped = 0
        for place, states in list(self._log.items()):
            old = [state for state in states if state[0] < before] if place[0] == tenant else []
            if len(old) == len(states) and old and old[-1][1] is None:
                dropped += len(old)
                del self._log[place]
            elif len(old) > 1:
                dropped += len(old) - 1
                self._log[place] = states[len(old) - 1 :]
        return dropped

    async def last_scan(self, tenant: str) -> ScanRecord | None:
        done = (record for name, record in reversed(self._scans) if name == tenant and record.finished_at)
        return next(done, None)

    async def current(
        self, tenant: str, kind: type[Kept], environment: str | None = None
    ) -> AsyncIterator[Kept]:
        for (of, what, where, _), states in sorted(self._log.items(), key=lambda entry: entry[0][2:]):
            if (of, what) == (tenant, kind) and environment in (None, where) and states[-1][1] is not None:
                yield states[-1][1]

    async def lookup(
        self, tenant: str, kind: type[Kept], environment: str, keys: Sequence[str]
    ) -> dict[str, Kept]:
        found = {key: self._log.get((tenant, kind, environment, key), [(None, None)])[-1][1] for key in keys}
        return {key: thing for key, thing in found.items() if thing is not None}

    async def past(
        self, tenant: str, kind: type[Kept], environment: str, key: str
    ) -> AsyncIterator[tuple[datetime, Kept | None]]:
        for state in self._log.get((tenant, kind, environment, key), []):
            yield state

    def _note(
        self, scan: ScanId, at: datetime, kind: Any, environment: str, key: str, thing: Thing | None
    ) -> int:
        tenant, _ = self._scans[scan]
        states = self._log.setdefault((tenant, kind, environment, key), [])
        if states and states[-1][1] == thing:
            return 0
        states.append((at, thing))
        return 1
