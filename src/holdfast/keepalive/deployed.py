"""Which keep-alive flows there are to be watched: those that plans made, and those that people imported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.core.deed import Deed
from holdfast.core.inventory import Flow
from holdfast.core.plan import Plan, PlannedStep
from holdfast.keepalive.solution import workflow_id
from holdfast.ports import History
from holdfast.saga import standing


class Deployed(NamedTuple):
    """A flow of a plan that is to be watched.

    Attributes:
        step: the plan's step that made it, or describes it.
        on_since: when it was last found or switched on, by the cloud's clock.
        by_hand: whether somebody imported it from the plan's export.
    """

    step: PlannedStep
    flow: str
    on_since: datetime
    by_hand: bool = False

    @property
    def branches(self) -> Sequence[Mapping[str, Any]]:
        """One per connection that it keeps alive."""
        found: Sequence[Mapping[str, Any]] = self.step.arguments["branches"]
        return found


def deployed(plan: Plan, deeds: Sequence[Deed]) -> list[Deployed]:
    """The flows of a plan that are to be watched; none of a saga whose undoing has begun. Pure."""
    made: dict[str, str] = {}
    on_since: dict[str, datetime] = {}
    undone = {deed.saga for deed in deeds if deed.way == "undo"}
    for deed in deeds:
        if deed.way == "do" and deed.outcome.is_done:
            if deed.step == "flow":
                made[deed.saga] = deed.outcome.facts["flow"]
            elif deed.step == "switch_on":
                on_since[deed.saga] = datetime.fromisoformat(deed.outcome.facts["on_since"])
    return [
        Deployed(step, made[step.saga], on_since[step.saga])
        for step in plan.steps
        if step.name == "flow" and step.saga in made and step.saga in on_since and step.saga not in undone
    ]


async def watched(
    history: History, plan: Plan, deeds: Sequence[Deed], sagas: Collection[str] | None = None
) -> list[Deployed]:
    """The flows of a plan that are to be watched: those that it made, and those that somebody imported from its export.

    An imported flow is known by its id, once a scan saw it. Who deletes it again has ended it on purpose.

    Args:
        sagas: only theirs; None for all of the plan.

    Raises:
        StoreError: history could not be read.
    """
    made = {deed.saga for deed in deeds if deed.step == "flow"}
    left: defaultdict[str, dict[str, PlannedStep]] = defaultdict(dict)
    for step in plan.steps:
        if step.name == "flow" and step.saga not in made and (sagas is None or step.saga in sagas):
            left[step.environment or ""][workflow_id(step.saga)] = step
    found = [one for one in deployed(plan, deeds) if sagas is None or one.step.saga in sagas]
    for environment, steps in left.items():
        there = await history.lookup(plan.tenant, Flow, environment, list(steps))
        for id in there:
            since = await _on_since(history, plan, environment, id)
            found.append(Deployed(steps[id], id, since, by_hand=True))
    return found


class Claim(NamedTuple):
    """That a plan is at work for a connection.

    Attributes:
        has_flow: whether it has made a flow, or has begun to; else it waits for what comes before.
    """

    plan: str
    has_flow: bool


async def claims(
    history: History, scanned_at: datetime | None, plan: Plan, deeds: Sequence[Deed]
) -> dict[str, Claim]:
    """For which connections a plan is at work, by id: another flow for them would be one too many.

    What it was refused before it made a flow is claimed no more, and neither is a connection whose flow is gone.

    Args:
        scanned_at: when the last scan began, by the cloud's clock; None before the first.
    """
    begun = {deed.saga for deed in deeds if (deed.step, deed.way) == ("flow", "do")}
    over = {
        each.saga
        for each in standing(plan, deeds)
        if each.state in ("planned", "undone") or (each.state == "refused" and each.saga not in begun)
    }
    found = await watched(history, plan, deeds)
    over |= {one.step.saga for one in found if await _is_gone(history, scanned_at, plan, one)}
    by_hand = {one.step.saga for one in found if one.by_hand}
    return {
        branch["connection"]: Claim(plan.id, step.saga in begun | by_hand)
        for step in plan.steps
        if step.name == "flow" and (step.saga in by_hand or step.saga not in over)
        for branch in step.arguments["branches"]
    }


async def _is_gone(history: History, scanned_at: datetime | None, plan: Plan, one: Deployed) -> bool:
    """Whether a scan that came after a flow was on did not see it."""
    if one.by_hand or scanned_at is None or scanned_at <= one.on_since:
        return False
    return not await history.lookup(plan.tenant, Flow, one.step.environment or "", [one.flow])


async def _on_since(history: History, plan: Plan, environment: str, flow: str) -> datetime:
    """Since when the scans have seen it on; where the last one saw it off, since then."""
    since, was_on = plan.made_at, False
    async for at, state in history.past(plan.tenant, Flow, environment, flow):
        is_on = state is not None and state.is_on
        if not (is_on and was_on):
            since = at
        was_on = is_on
    return since
