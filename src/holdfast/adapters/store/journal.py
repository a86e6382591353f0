"""The journal over one database: plans, deeds, and the fence that keeps a late writer out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select, update

from holdfast.adapters.store.database import Database, insert_or_update
from holdfast.adapters.store.instants import instant, millis
from holdfast.adapters.store.schema import deeds, plans, turns
from holdfast.adapters.store.turns import one_at_a_time
from holdfast.core.deed import Deed, Outcome, PlanRecord, State, Turn
from holdfast.core.errors import StoreError
from holdfast.core.plan import Plan, digest, plan_json, plan_of


class SqlJournal:
    """The port `Journal` on the database of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[Turn]:
        """See the port."""
        busy = f"Another holdfast is doing something in the tenant {tenant!r} from this store; run this again when it has ended."
        async with one_at_a_time(self._database, f"deeds {tenant}", busy):
            yield Turn(tenant, await self._database.write(_next_fence, tenant))

    async def keep(self, plan: Plan) -> None:
        """See the port."""
        await self._database.write(_keep, plan)

    async def find(self, tenant: str, plan: str) -> PlanRecord | None:
        """See the port."""
        found = await self._database.read(_plans, tenant, plans.c.plan == plan)
        return found[0] if found else None

    async def plans(self, tenant: str, kind: str | None = None) -> list[PlanRecord]:
        """See the port."""
        return await self._database.read(_plans, tenant, *(() if kind is None else (plans.c.kind == kind,)))

    async def note(self, turn: Turn, plan: str, deed: Deed) -> None:
        """See the port."""
        await self._database.write(_note, turn, plan, deed)

    async def deeds(self, tenant: str, plan: str) -> list[Deed]:
        """See the port."""
        return await self._database.read(_deeds, tenant, plan)


def _next_fence(transaction: Transaction, tenant: str) -> int:
    current: int | None = transaction.execute(select(turns.c.fence).where(turns.c.tenant == tenant)).scalar()
    fence = (current or 0) + 1
    insert_or_update(transaction, turns, [{"tenant": tenant, "fence": fence}], by=["tenant"])
    return fence


def _keep(transaction: Transaction, plan: Plan) -> None:
    row = {
        "tenant": plan.tenant,
        "plan": plan.id,
        "kind": plan.kind,
        "made_at": millis(plan.made_at),
        "digest": digest(plan),
        "document": json.dumps(plan_json(plan), ensure_ascii=False),
    }
    insert_or_update(transaction, plans, [row], by=["tenant", "plan"])


def _plans(transaction: Transaction, tenant: str, *which: Any) -> list[PlanRecord]:
    query = (
        select(plans).where(plans.c.tenant == tenant, *which).order_by(plans.c.made_at.desc(), plans.c.plan)
    )
    return [
        # A person who was forgotten is blanked in the document, which then no longer fits its digest.
        PlanRecord(plan_of(json.loads(row.document)), row.digest)
        for row in transaction.execute(query)
    ]


def _note(transaction: Transaction, turn: Turn, plan: str, deed: Deed) -> None:
    # The update takes the row's lock on PostgreSQL: a turn cannot pass on between this look and the note.
    mine = turns.c.tenant == turn.tenant, turns.c.fence == turn.fence
    if not transaction.execute(update(turns).where(*mine).values(fence=turn.fence)).rowcount:
        raise StoreError(
            f"The turn in the tenant {turn.tenant!r} went to another holdfast meanwhile; see `status`, then run this again."
        )
    outcome = deed.outcome
    transaction.execute(
        insert(deeds).values(
            tenant=turn.tenant,
            plan=plan,
            saga=deed.saga,
            step=deed.step,
            way=deed.way,
            state=outcome.state.value,
            says=outcome.says,
            facts=json.dumps(dict(outcome.facts), ensure_ascii=False),
            at=millis(deed.at),
        )
    )


def _deeds(transaction: Transaction, tenant: str, plan: str) -> list[Deed]:
    query = select(deeds).where(deeds.c.tenant == tenant, deeds.c.plan == plan).order_by(deeds.c.id)
    return [
        Deed(
            row.saga,
            row.step,
            row.way,
            Outcome(State(row.state), row.says, json.loads(row.facts)),
            instant(row.at),
        )
        for row in transaction.execute(query)
    ]
