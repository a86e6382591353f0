"""A journal in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from holdfast.core.deed import Deed, PlanRecord, Turn
from holdfast.core.errors import StoreError
from holdfast.core.plan import Plan, digest


class MemoryJournal:
    def __init__(self) -> None:
        self._plans: dict[tuple[str, str], PlanRecord] = {}
        self._deeds: dict[tuple[str, str], list[Deed]] = {}
        self._fences: dict[str, int] = {}
        self._held: set[str] = set()

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[Turn]:
        if tenant in self._held:
            raise StoreError(f"Another holdfast is doing something in the tenant {tenant!r}.")
        self._held.add(tenant)
        self._fences[tenant] = self._fences.get(tenant, 0) + 1
        try:
            yield Turn(tenant, self._fences[tenant])
        finally:
            self._held.discard(tenant)

    async def keep(self, plan: Plan) -> None:
        self._plans[plan.tenant, plan.id] = PlanRecord(plan, digest(plan))

    async def find(self, tenant: str, plan: str) -> PlanRecord | None:
        return self._plans.get((tenant, plan))

    async def plans(self, tenant: str, kind: str | None = None) -> list[PlanRecord]:
        found = [
            record
            for (of, _), record in self._plans.items()
            if of == tenant and kind in (None, record.plan.kind)
        ]
        return sorted(found, key=lambda record: record.plan.made_at, reverse=True)

    async def note(self, turn: Turn, plan: str, deed: Deed) -> None:
        if self._fences.get(turn.tenant) != turn.fence:
            raise StoreError(f"The turn in the tenant {turn.tenant!r} went to another holdfast meanwhile.")
        self._deeds.setdefault((turn.tenant, plan), []).append(deed)

    async def deeds(self, tenant: str, plan: str) -> list[Deed]:
        return list(self._deeds.get((tenant, plan), ()))
