"""The steps that deploy keep-alive flows and withdraw them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import (
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    EnvironmentId,
    FlowId,
)
from holdfast.core.plan import LABEL, PlannedStep, Show
from holdfast.keepalive.plan import clientdata_of, shows_of
from holdfast.ports import Clock, Operator
from holdfast.saga import Past, Step

Moved = Callable[[str, str, str], Awaitable[str]]
"""Why a connection is no longer to be kept alive, one sentence, by environment, connector and id; empty where it is."""


async def nothing_moved(_environment: str, _connector: str, _connection: str) -> str:
    """`Moved` where nobody looked since."""
    return ""


class Keepalive:
    """The verb, bound to one tenant through its operator."""

    def __init__(
        self,
        operator: Operator,
        environments: Mapping[str, Environment],
        clock: Clock,
        moved: Moved = nothing_moved,
    ) -> None:
        """Bound to what the operator reaches.

        Args:
            environments: by id, as they are now; a plan does not hold their addresses.
            clock: the cloud's, by which flows run.
            moved: what was seen of the connections since they were planned for.
        """
        self._operator, self._environments, self._clock, self._moved = operator, environments, clock, moved

    def shows(self, step: PlannedStep) -> tuple[Show, ...]:
        """See `saga.Verb`."""
        return shows_of(step)

    def step(self, planned: PlannedStep) -> Step:
        """See `saga.Verb`."""
        id = planned.environment or ""
        environment = self._environments.get(id) or Environment(EnvironmentId(id), id)
        kind = STEPS[planned.name.partition(":")[0]]
        return kind(planned, self._operator, environment, self._clock, self._moved)


class _Planned:
    def __init__(
        self, planned: PlannedStep, operator: Operator, environment: Environment, clock: Clock, moved: Moved
    ) -> None:
        self.name, self._clock, self._moved = planned.name, clock, moved
        self._planned = planned
        self._operator = operator
        self._environment = environment

    @property
    def _arguments(self) -> Mapping[str, Any]:
        return self._planned.arguments

    async def clear(self, past: Past) -> None:
        """Nothing to remove."""

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Nothing to undo."""
        return done()


class Shared(_Planned):
    """The connection is there, still its owner's, and shared with us."""

    async def do(self, past: Past) -> Outcome:
        """Look; wait while it is not."""
        arguments = self._arguments
        if why := await self._moved(
            self._environment.id, arguments["connector"], self._planned.connection or ""
        ):
            return refused(why)
        try:
            found = await self._operator.connection(
                self._environment.id,
                ConnectorId(arguments["connector"]),
                ConnectionId(self._planned.connection or ""),
            )
        except (MissingError, RefusedError):
            return waiting(
                f"{arguments['who']} has to share it with {arguments['operator_name']!r} as Can use:"
                f" {arguments['link']}"
            )
        if found.owner is not None and found.owner.id != arguments["owner"]:
            return refused("It belongs to somebody else now: plan again.")
        return done("Shared.")


class MakeSolution(_Planned):
    """The one solution of ours in an environment, which all keep-alive flows there share."""

    async def do(self, past: Past) -> Outcome:
        """Make it where it is not there; it may be another saga's, so it is never cleared away."""
        await self._operator.make_solution(self._environment, self._arguments["name"])
        return done("There.")

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it, but where another flow or reference of ours may still lie in it."""
        async for _ in self._operator.labelled_flows(self._environment, LABEL):
            return done("Left: other keep-alive flows are in it.")
        async for _ in self._operator.labelled_references(self._environment, LABEL):
            return done("Left: other connection references are in it.")
        await self._operator.delete_solution(self._environment)
        return done("Removed.")


class MakeReference(_Planned):
    """A connection reference of ours, bound where we may bind it."""

    async def clear(self, past: Past) -> None:
        """Remove the reference of an interrupted attempt."""
        wanted, label = self._arguments["logical_name"], f"{LABEL}{self._planned.saga}"
        # Those of this saga, and of few others: an environment may hold thousands.
        async for found in self._operator.labelled_references(self._environment, label):
            if found.logical_name == wanted:
                await self._operator.delete_reference(self._environment, found.id)

    async def do(self, past: Past) -> Outcome:
        """Make it bound; unbound where only its owner may bind it."""
        connection = ConnectionId(self._planned.connection or "")
        try:
            made = await self._make(connection)
        except RefusedError:
            return done("Made; its owner has to bind it.", reference=await self._make(None), bound=False)
        return done("Made.", reference=made, bound=True)

    async def _make(self, connection: ConnectionId | None) -> ConnectionReferenceId:
        arguments = self._arguments
        return await self._operator.make_reference(
            self._environment,
            arguments["logical_name"],
            arguments["display_name"],
            ConnectorId(arguments["connector"]),
            connection,
            in_solution=True,
        )

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it."""
        if outcome is not None:
            reference = ConnectionReferenceId(outcome.facts["reference"])
            await self._operator.delete_reference(self._environment, reference)
        return done("Removed.")


class MakeFlow(_Planned):
    """The flow, off."""

    async def clear(self, past: Past) -> None:
        """Remove the flow of an interrupted attempt."""
        label = f"{LABEL}{self._planned.saga} "
        async for found in self._operator.labelled_flows(self._environment, label):
            await self._operator.delete_flow(self._environment, found.id)

    async def do(self, past: Past) -> Outcome:
        """Make it."""
        made = await self._operator.make_flow(
            self._environment,
            self._arguments["name"],
            clientdata_of(self._arguments),
            "Made by holdfast: uses each connection so that its sign-in does not end unused."
            f" Remove it with: holdfast keepalive undo, plan {self._planned.saga.rpartition('-')[0]}.",
            in_solution=True,
        )
        return done("Made.", flow=made)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it."""
        if outcome is not None:
            await self._operator.delete_flow(self._environment, FlowId(outcome.facts["flow"]))
        return done("Removed.")


class SwitchOn(_Planned):
    """The flow, on: by us, else by its owner."""

    async def do(self, past: Past) -> Outcome:
        """Switch it on; where that is refused, hand it over and wait."""
        flow = FlowId(past["flow"].facts["flow"])
        found = await self._operator.flow(self._environment, flow)
        if found.is_on and not found.is_suspended:
            return self._on()
        try:
            await self._operator.switch(self._environment, flow, True)
        except RefusedError:
            return await self._hand_over(flow, found.owner)
        if (await self._operator.flow(self._environment, flow)).is_suspended:
            return refused("The platform suspends it: see the data policies of the environment, then go on.")
        return self._on()

    def _on(self) -> Outcome:
        return done("On.", on_since=self._clock.now().isoformat())

    async def _hand_over(self, flow: FlowId, owner: str | None) -> Outcome:
        who = self._arguments["who"]
        user = await self._operator.user(self._environment, self._arguments["owner"])
        if user is None:
            return refused(
                f"{who} is no user of the environment's Dataverse, so nobody can switch the flow on:"
                " give the person a security role there."
            )
        if owner != user:
            await self._operator.hand_over(self._environment, flow, user)
        place = (
            f"https://make.powerautomate.com/environments/{self._planned.environment}/flows/{flow}/details"
        )
        return waiting(f"{who} has to choose the connections in the flow and switch it on: {place}")

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Switch it off."""
        made = past.get("flow")
        if made is not None:
            try:
                await self._operator.switch(self._environment, FlowId(made.facts["flow"]), False)
            except MissingError:
                return done("It is gone.")
        return done("Off.")


STEPS: Mapping[str, Callable[[PlannedStep, Operator, Environment, Clock, Moved], Step]] = {
    "shared": Shared,
    "solution": MakeSolution,
    "reference": MakeReference,
    "flow": MakeFlow,
    "switch_on": SwitchOn,
}
