"""What is to be watched after plans were applied, by verb."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from holdfast import saga
from holdfast.compose.alerting import tell_of_keepalive
from holdfast.compose.verbs import bound
from holdfast.core.agenda import Cadence, Job, Performed
from holdfast.core.deed import Standing
from holdfast.core.errors import SettingsError
from holdfast.core.identity import Role
from holdfast.core.inventory import EnvironmentId, FlowId

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.keepalive.watch import Eyes, Finding

EVERY: Final = timedelta(hours=12)
"""A flow that was switched off is found within a day, also where a look fails."""

SPREAD: Final = timedelta(hours=2)
BATCH: Final = 100
OFF: Final = ("flow_off", "flow_suspended")
WANTS_A_RUN: Final = ("run_overdue", "runs_failing", "no_proof")
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
    """The job that looks at every keep-alive flow and tells what is wrong.

    Its subjects are the sagas that made them or describe them.

    Args:
        tenants: by the id under which the store keeps them.
    """

    async def flows(tenant: str) -> AsyncIterator[str]:
        from holdfast.keepalive.deployed import watched

        for record in await holdfast.journal.plans(tenant, "keepalive"):
            deeds = await holdfast.journal.deeds(tenant, record.plan.id)
            for one in await watched(holdfast.history, record.plan, deeds):
                yield one.step.saga

    async def perform(tenant: str, sagas: Sequence[str]) -> Performed:
        async with _eyes(holdfast, tenants[tenant]) as eyes:
            if eyes is None:
                return Performed(again=dict.fromkeys(sagas, "the tenant was not scanned yet"))
            found: list[Finding] = []
            wanted = frozenset(sagas)
            for plan in dict.fromkeys(each.rpartition("-")[0] for each in sagas):
                record = await holdfast.journal.find(tenant, plan)
                if record is not None:
                    deeds = await holdfast.journal.deeds(tenant, plan)
                    found += await eyes.look(record.plan, deeds, wanted)
            # What nobody could see is no news; it is looked at again sooner.
            known = [each for each in found if each.problem not in NOT_SEEN]
            await tell_of_keepalive(holdfast, tenants[tenant], known, eyes.now)
        return performed(found)

    return Job("keepalive", Cadence(EVERY, SPREAD), flows, perform, BATCH)


async def switch_on(holdfast: Holdfast, tenant: Tenant, found: Sequence[Finding]) -> list[Standing]:
    """Switch on again what is off, as `apply` would: by the operator, else handed to its owner. How their sagas stand then.

    What somebody imported is left to whom it belongs.

    Raises:
        SettingsError: there is no operator identity.
        StoreError: another holdfast is doing something in the tenant.
    """
    from holdfast.keepalive.deployed import deployed

    off = {each.saga: each.plan for each in found if each.problem in OFF}
    stand: list[Standing] = []
    for id in dict.fromkeys(off.values()):
        record = await holdfast.journal.find(tenant.id, id)
        if record is None:
            continue
        plan = record.plan
        made = deployed(plan, await holdfast.journal.deeds(tenant.id, id))
        sagas = {one.step.saga for one in made} & {saga for saga, of in off.items() if of == id}
        async with bound(holdfast, tenant, plan) as verb, holdfast.journal.turn(tenant.id) as turn:
            for each in sagas:
                await saga.reopen(plan, each, "switch_on", holdfast.journal, turn, holdfast.clock)
            part = replace(plan, steps=tuple(step for step in plan.steps if step.saga in sagas))
            stand += await saga.apply(part, verb, holdfast.journal, turn, holdfast.clock, timedelta(0))
    return stand


async def start_runs(tenant: Tenant, found: Sequence[Finding]) -> list[str]:
    """Start the flows now whose runs failed, did not come or proved nothing; their ids.

    Only a person who owns them may. A run counts by what it proves, which the next scan shows.

    Raises:
        SettingsError: the operator is an application, or there is none.
        CloudError: the platform refused.
    """
    wanted = {each.flow: each.environment for each in found if each.problem in WANTS_A_RUN}
    if not wanted:
        return []
    async with tenant.reached(Role.OPERATOR) as reach:
        if reach.starter is None:
            raise SettingsError(
                "A flow can only be started by a person who owns it: let the operator sign in as a person (sign_in ="
                " true), or press Run in the portal; the next scan tells what it proved."
            )
        for flow, environment in wanted.items():
            await reach.starter.start(EnvironmentId(environment), FlowId(flow))
    return list(wanted)


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
            reading.platform,
            environments,
            reading.platform.cloud_now() or seen.now,
            seen.record.started_at,
        )
