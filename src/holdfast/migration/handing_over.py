"""Flows handed to the service principal that is holdfast's operator: shared with their owner, assigned, on, watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from holdfast.core.deed import Outcome, done, refused
from holdfast.core.errors import RefusedError
from holdfast.core.inventory import FlowId
from holdfast.migration.watch import Watch
from holdfast.migration.world import Planned
from holdfast.saga import Past


class Own(Planned):
    """One flow of the operator's, its former owner a co-owner."""

    async def do(self, past: Past) -> Outcome:
        """Share it, assign it, and see that it is on if it was."""
        arguments, operator, environment = self._arguments, self._world.operator, self._environment
        flow, owner = FlowId(arguments["flow"]), arguments["owner"]
        row, me = await operator.flow(environment, flow), await operator.user(environment)
        if me is None or owner == me:
            return done("It is the operator's already.", owned=False, at=self._now())
        if row.owner not in (owner, me):
            return refused(f"Flow {arguments['flow_name']!r} belongs to somebody else now: plan again.")
        if row.owner == owner:
            if not row.is_on and arguments["on"]:
                return done(
                    "It was switched off since, so it stays with its owner.", owned=False, at=self._now()
                )
            if row.is_on:
                try:
                    # Whoever may not switch it on finds out while it is on.
                    await operator.switch(environment, flow, True)
                except RefusedError as refusal:
                    return done(f"It stays with its owner: {refusal}", owned=False, at=self._now())
            await self._share(flow)
            await operator.hand_over(environment, flow, me)
        # Neither that shares survive another owner nor that the flow stays on is documented.
        await self._share(flow)
        if arguments["on"] and not (await operator.flow(environment, flow)).is_on:
            await operator.switch(environment, flow, True)
        return done("It is the operator's.", owned=True, at=self._now())

    async def _share(self, flow: FlowId) -> None:
        owner, operator = self._arguments["owner"], self._world.operator
        if self._arguments["keeps"] and owner not in await operator.flow_shares(self._environment, flow):
            await operator.share_flow(self._environment, flow, owner)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Give it back, if it is still the operator's."""
        if outcome is not None and not outcome.facts["owned"]:
            return done("It was never taken over.")
        return await handed_back(self, past, self._arguments, is_half=outcome is None)


async def handed_back(
    step: Planned, past: Past, arguments: Mapping[str, Any], *, is_half: bool = False
) -> Outcome:
    """Give a flow back to its owner, on if it was, and take the share away that it did not have before.

    Whether a change of owner turns a flow off is not documented, and a killed process remembers nothing: the share tells.
    It goes first where somebody switched the flow off meanwhile, and last where the flow has to be on.

    Args:
        is_half: whether taking it over was interrupted, so that nobody but us has switched it off.
    """
    operator, environment = step._world.operator, step._environment
    flow, owner = FlowId(arguments["flow"]), arguments["owner"]
    shared_before = past["check"].facts.get("shared", {}).get(arguments["flow"], False)
    is_given = arguments["keeps"] and not shared_before
    row, me = await operator.flow(environment, flow), await operator.user(environment)
    if row.owner not in (owner, me):
        return done("It belongs to somebody else now.")
    if row.owner == me:
        if is_given and not row.is_on and not is_half:
            await operator.unshare_flow(environment, flow, owner)
        await operator.hand_over(environment, flow, owner)
    is_kept_on = not is_given or owner in await operator.flow_shares(environment, flow)
    if arguments["on"] and is_kept_on and not (await operator.flow(environment, flow)).is_on:
        await operator.switch(environment, flow, True)
    if is_given:
        await operator.unshare_flow(environment, flow, owner)
    return done("It is its owner's again.")


class WatchOwned(Watch):
    """Those that were taken over ran green since; one that turned red is given back."""

    async def do(self, past: Past) -> Outcome:
        """Look at their runs since."""
        taken = {
            name.partition(":")[2]: outcome.facts["at"]
            for name, outcome in past.items()
            if name.startswith("own:") and outcome.facts["owned"]
        }
        flows = [flow for flow in self._arguments["flows"] if flow["flow"] in taken]
        if not flows:
            return done("No flow was taken over.")
        found = await self._watched(past, flows, datetime.fromisoformat(max(taken.values())))
        return done(found.says) if found.is_done else found

    async def _back(self, past: Past, flow: Mapping[str, Any]) -> Outcome:
        [own] = [each for each in self._arguments["own"] if each["flow"] == flow["flow"]]
        await handed_back(self, past, own)
        return refused(
            f"Flow {flow['flow_name']!r} failed in its first run after it was taken over, so its owner has it again; see why"
            " in its run history"
        )
