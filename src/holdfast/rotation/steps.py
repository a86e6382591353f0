"""The steps of one rotation. What is removed was made by us; what is put in was proven before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast.core.plan import PlannedStep, Show
from holdfast.rotation.connection_steps import Bind, ProveConnection, Switch
from holdfast.rotation.credential_steps import Add, Prove, Quiet, Remove, Sweep
from holdfast.rotation.world import World, secret_name
from holdfast.saga import Step

__all__ = ["Rotation", "World", "secret_name"]


class Rotation:
    """The verb, bound to one tenant."""

    def __init__(self, world: World) -> None:
        self._world = world

    def shows(self, step: PlannedStep) -> tuple[Show, ...]:
        """See `saga.Verb`: what is done stands in the steps' sentences."""
        return ()

    def step(self, planned: PlannedStep) -> Step:
        """See `saga.Verb`."""
        kind = planned.name.partition(":")[0]
        if kind == "prove" and planned.connection is not None:
            return ProveConnection(planned, self._world)
        return STEPS[kind](planned, self._world)


STEPS: Mapping[str, Callable[[PlannedStep, World], Step]] = {
    "add": Add,
    "prove": Prove,
    "switch": Switch,
    "bind": Bind,
    "quiet": Quiet,
    "remove": Remove,
    "sweep": Sweep,
}
