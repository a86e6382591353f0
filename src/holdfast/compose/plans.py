"""Plans that were begun and wait for something, as recurring work: `watch` goes on with them as `apply` would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from holdfast import saga
from holdfast.compose import Holdfast, Tenant
from holdfast.compose.verbs import bound
from holdfast.core.agenda import Cadence, Job, Performed
from holdfast.core.deed import PlanRecord, Standing
from holdfast.core.errors import SettingsError

EVERY: Final = timedelta(minutes=10)
"""How long after a person's gesture a plan goes on at the latest."""

UNFINISHED: Final = ("waiting", "interrupted", "undoing")


def going_on(holdfast: Holdfast, tenants: Mapping[str, Tenant]) -> Job:
    """The job that carries begun plans on. What was planned and never applied is not touched.

    Args:
        tenants: by the id under which the store keeps them.
    """

    async def unfinished(tenant: str) -> AsyncIterator[str]:
        for record in await holdfast.journal.plans(tenant):
            if any(each.state in UNFINISHED for each in await _standing(holdfast, record)):
                yield record.plan.id

    async def perform(tenant: str, plans: Sequence[str]) -> Performed:
        said, attention = [], 0
        for plan in plans:
            record = await holdfast.journal.find(tenant, plan)
            if record is not None:
                stand = await _go_on(holdfast, tenants[tenant], record)
                refused = sum(each.state == "refused" for each in stand)
                done = sum(each.state in ("done", "undone") for each in stand)
                said.append(
                    f"{plan}: {done} of {len(stand)} over" + (f", {refused} refused" if refused else "")
                )
                attention += refused
        return Performed("; ".join(said), attention)

    return Job("plans", Cadence(EVERY), unfinished, perform)


async def _standing(holdfast: Holdfast, record: PlanRecord) -> list[Standing]:
    return saga.standing(record.plan, await holdfast.journal.deeds(record.plan.tenant, record.plan.id))


async def _go_on(holdfast: Holdfast, tenant: Tenant, record: PlanRecord) -> list[Standing]:
    """Where its undoing has begun the plan is undone further, else it is applied further."""
    plan, before = record.plan, await _standing(holdfast, record)
    states = {each.state for each in before}
    if not states & set(UNFINISHED):
        return before
    way = saga.undo if states & {"undoing", "undone"} else saga.apply
    async with bound(holdfast, tenant, plan) as verb, holdfast.journal.turn(plan.tenant) as turn:
        if any(verb.shows(step) != step.shows for step in plan.steps):
            raise SettingsError(f"The plan {plan.id} does not read as it would be done now: plan again.")
        return await way(plan, verb, holdfast.journal, turn, holdfast.clock, timedelta(0))
