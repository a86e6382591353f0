"""Did each flow run green on its new connection; one that turned red is moved back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import ConnectionId, ConnectorId, FlowId, FlowRun
from holdfast.lending import Loan
from holdfast.migration.flows import define_back, loan_of, moved_back, off_and_on
from holdfast.migration.names import connection_id
from holdfast.migration.world import Planned
from holdfast.saga import Past

STAYS = "stays"

APART: Final = timedelta(seconds=2)
"""Between a move and a start: runs are told to the second, and this one has to be later."""


class Watch(Planned):
    """Every flow ran green after it moved, or is known not to have left its old connection.

    A flow that still holds its old connection runs green too. That a flow that is on takes a new binding is assumed
    (powerapps-docs create-connection-reference: asynchronously). A token that had ended before the run and was not
    renewed by it tells that the run did not use the new connection; `Cycle` then switches that flow off and on.
    """

    async def do(self, past: Past) -> Outcome:
        """Look at the runs since the move."""
        since = max(datetime.fromisoformat(at) for at in _moved_at(past))
        return await self._watched(past, self._arguments["flows"], since)

    async def _watched(self, past: Past, flows: Sequence[Mapping[str, Any]], since: datetime) -> Outcome:
        waits, said, stays = [], [], []
        for flow in flows:
            state = await self._state(past, flow, since)
            if state == "red":
                return await self._back(past, flow)
            if state == "waits":
                waits.append(flow["flow_name"])
            elif state == STAYS:
                stays.append(flow["flow"])
            elif state != "green":
                said.append(f"{flow['flow_name']!r} {state}")
        if waits:
            return waiting(f"Waits for the next run of {_names(waits)}.")
        green = "Every flow ran green." + (f" {'; '.join(said)}." if said else "")
        return done(green, stays=stays)

    async def _state(self, past: Past, flow: Mapping[str, Any], since: datetime) -> str:
        """ "green", "red", "waits", "stays" on the old connection, or why it is not watched."""
        if not flow["on"]:
            return "was off before"
        ran = past["check"].facts["ran"].get(flow["flow"], "")
        if not flow["recurs"] and not ran:
            return "starts by hand: its next run tells"
        runs = await self._runs(FlowId(flow["flow"]), since)
        green = [run.started_at for run in runs if run.succeeded and run.started_at is not None]
        if green:
            return "green" if await self._was_used(flow, max(green)) else STAYS
        if any(run.status.casefold() == "failed" for run in runs):
            return "red" if ran != "red" else "fails as it did before the move"
        row = await self._world.operator.flow(self._environment, FlowId(flow["flow"]))
        return "waits" if row.is_on else "was switched off since"

    async def _was_used(self, flow: Mapping[str, Any], ran_at: datetime) -> bool:
        for old, flows in self._arguments["of"].items():
            if flow["flow"] not in flows:
                continue
            new = ConnectionId(connection_id(self._saga, old))
            where = (self._environment.id, ConnectorId(self._arguments["connector"]), new)
            ends_at = (await self._world.operator.connection(*where)).token_expires_at
            if ends_at is not None and ends_at <= ran_at:
                return False
        return True

    async def _runs(self, flow: FlowId, since: datetime) -> list[FlowRun]:
        found = self._world.platform.runs(self._environment, flow, since)
        return [run async for run in found if run.started_at is not None and run.started_at > since]

    async def _back(self, past: Past, flow: Mapping[str, Any]) -> Outcome:
        for move in self._arguments["moves"]:
            old = ConnectionId(move["connection"])
            if flow["flow"] not in self._arguments["of"][old]:
                continue
            back = done()
            if "reference" in move:
                held = [
                    each for each in self._arguments["flows"] if each["flow"] in self._arguments["of"][old]
                ]
                new = ConnectionId(connection_id(self._saga, old))
                back = await moved_back(self, past, {**move, "flows": held}, old, new)
            elif move["define"]["flow"] == flow["flow"]:
                back = await define_back(self, past, move["define"], move["connector"], old)
            if not back.is_done:
                return refused(
                    f"Flow {flow['flow_name']!r} failed in its first run after the move, and cannot be moved back: {back.says}"
                )
        return refused(
            f"Flow {flow['flow_name']!r} failed in its first run after the move, so it was moved back; see why in its run"
            " history"
        )


class Start(Planned):
    """Runs of the flows that moved, started now by the person who is the operator, where that person owns them.

    A start is never repeated blindly: a flow of which a run began since the move is not started.
    """

    async def do(self, past: Past) -> Outcome:
        """Start each that has not run since; whose flow it is not waits for its own time."""
        since = max(datetime.fromisoformat(at) for at in _moved_at(past))
        await self._world.clock.sleep_until(since + APART)
        started: list[str] = []
        left: list[str] = []
        for flow in self._arguments["flows"]:
            if not (flow["on"] and flow["recurs"]):
                continue
            (started if await self._started(flow, since) else left).append(flow["flow_name"])
        says = [f"Started {_names(started)}"] if started else []
        says += [f"{_names(left)} cannot be started by this person"] if left else []
        return done(f"{'; '.join(says) or 'Nothing to start'}.", at=self._now())

    async def _started(self, flow: Mapping[str, Any], since: datetime) -> bool:
        """Whether a run has begun since. Dataverse tells of runs late; the API of their owners tells at once."""
        starter, runs, place = self._world.starter, self._world.runs, self._environment.id
        if starter is None or runs is None:
            return False
        try:
            async for run in runs.runs(place, FlowId(flow["flow"])):
                if run.started_at is not None and run.started_at > since:
                    return True
                break  # newest first
            await starter.start(place, FlowId(flow["flow"]))
        except (RefusedError, MissingError):
            return False
        return True


class Cycle(Planned):
    """Flows that were seen to stay on their old connection, switched off and on. Which, the watch has noted before."""

    async def do(self, past: Past) -> Outcome:
        """Switch each off and on, with the old connection at hand: on which one rights are asked is not documented."""
        cycled, left = [], []
        for flow in _staying(self, past):
            async with _loans(self, past, flow["flow"]) as loans:
                if await off_and_on(self, FlowId(flow["flow"]), loans, is_ours=True):
                    cycled.append(flow["flow"])
                else:
                    left.append(flow["flow_name"])
        if left:
            says = f"{_names(left)} may still hold the old connection: the owner switches it off and on"
        else:
            says = (
                f"Switched {len(cycled)} off and on."
                if cycled
                else "No flow had stayed on its old connection."
            )
        return done(says, cycled=cycled, at=self._now())


class Confirm(Watch):
    """Those that were switched off and on ran green on the new connection."""

    async def do(self, past: Past) -> Outcome:
        """Look at their runs since."""
        cycle = past["cycle"].facts
        flows = [flow for flow in self._arguments["flows"] if flow["flow"] in cycle["cycled"]]
        found = await self._watched(past, flows, datetime.fromisoformat(cycle["at"]))
        stayed = [flow["flow_name"] for flow in flows if flow["flow"] in found.facts.get(STAYS, ())]
        if stayed:
            return done(f"{_names(stayed)} ran green without using the new connection.")
        return found


def _staying(step: Planned, past: Past) -> list[Mapping[str, Any]]:
    return [flow for flow in step._arguments["flows"] if flow["flow"] in past["watch"].facts[STAYS]]


@asynccontextmanager
async def _loans(step: Planned, past: Past, flow: str) -> AsyncIterator[list[Loan]]:
    """Of every old connection that the flow held."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                loan_of(step, past, step._arguments["connector"], ConnectionId(old))
            )
            for old, flows in step._arguments["of"].items()
            if flow in flows
        ]


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in names[:3]) + more


def _moved_at(past: Past) -> Sequence[str]:
    return [
        outcome.facts["at"] for name, outcome in past.items() if name.partition(":")[0] in ("bind", "define")
    ]
