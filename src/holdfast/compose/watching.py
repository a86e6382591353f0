"""What is to be watched after plans were applied, by verb."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from holdfast.core.agenda import Cadence, Job, Performed
from holdfast.core.identity import Role

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.keepalive.watch import Eyes, Finding

EVERY: Final = timedelta(hours=12)
"""A flow that was switched off is found within a day, also where a look fails."""

SPREAD: Final = timedelta(hours=2)
BATCH: Final = 100
NOT_SEEN: Final = ("not_looked_at", "environment_unseen")


async def keepalive_findings(holdfast: Holdfast, tenant: Tenant) -> list[Finding]:
    """How every keep-alive flow of a tenant does; reads the flows and their runs now, the witnesses as last scanned.

    Raises:
        SettingsError: there is no operator or reader identity.
        CloudError: the tenant could not be asked.
    """
    records = await holdfast.journal.plans(tenant.id, "keepalive")
    if not records:
        return []
    async with _eyes(holdfast, tenant) as eyes:
        found: list[Finding] = []
        for record in records if eyes else ():
            deeds = await holdfast.journal.deeds(tenant.id, record.plan.id)
            found += await eyes.look(record.plan, deeds) if eyes else ()
    return found


def keeping_alive(holdfast: Holdfast, tenants: Mapping[str, Tenant]) -> Job:
    """The job that looks at every deployed keep-alive flow. Its subjects are the sagas that made them.

    Args:
        tenants: by the id under which the store keeps them.
    """

    async def flows(tenant: str) -> AsyncIterator[str]:
        from holdfast.keepalive.watch import deployed

        for record in await holdfast.journal.plans(tenant, "keepalive"):
            for one in deployed(record.plan, await holdfast.journal.deeds(tenant, record.plan.id)):
                yield one.step.saga

    async def perform(tenant: str, sagas: Sequence[str]) -> Performed:
        async with _eyes(holdfast, tenants[tenant]) as eyes:
            if eyes is None:
                return Performed(again=dict.fromkeys(sagas, "the tenant was not scanned yet"))
            found: list[Finding] = []
            for plan in dict.fromkeys(saga.rpartition("-")[0] for saga in sagas):
                record = await holdfast.journal.find(tenant, plan)
                if record is not None:
                    deeds = await holdfast.journal.deeds(tenant, plan)
                    found += await eyes.look(record.plan, deeds, sagas)
        return performed(found)

    return Job("keepalive", Cadence(EVERY, SPREAD), flows, perform, BATCH)


def performed(found: Sequence[Finding]) -> Performed:
    """What came of a look at some flows; those that could not be seen are looked at again sooner. Pure."""
    again = {each.saga: each.says for each in found if each.problem in NOT_SEEN}
    flows: dict[str, str] = {}
    for each in found:
        if each.problem:
            flows.setdefault(each.saga, each.problem)
    counts = Counter(flows.values())
    words = [f"{number} {problem}" for problem, number in sorted(counts.items())]
    proven = sum(each.proven_at is not None for each in found)
    said = f"{len({each.saga for each in found})} flows, {proven} of {len(found)} connections proven"
    return Performed("; ".join([said, *words]), len(flows) - len(again), again)


@asynccontextmanager
async def _eyes(holdfast: Holdfast, tenant: Tenant) -> AsyncIterator[Eyes | None]:
    """None before the first scan."""
    from holdfast.keepalive.watch import Eyes
    from holdfast.scan.standing import picture

    seen = await picture(holdfast.history, tenant.id, tenant.name, holdfast.clock.now())
    if seen is None:
        yield None
        return
    async with tenant.reached(Role.READER) as reading, tenant.reached(Role.OPERATOR) as operating:
        environments = {str(each.id): each async for each in reading.platform.environments()}
        yield Eyes(
            holdfast.history,
            operating.operator,
            reading.surroundings,
            environments,
            seen.now,
            seen.record.started_at,
        )
