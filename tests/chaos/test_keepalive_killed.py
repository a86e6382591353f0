"""Killed after every call to the cloud, or its answer lost: applied again, each connection is kept once; undone, nothing is left."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
import stamina

from holdfast import saga
from holdfast.adapters.cloud.credentials import Credential
from holdfast.compose.gathering import Chosen, as_operator_sees, cases
from holdfast.core.plan import Plan
from holdfast.core.secret import Secret
from holdfast.keepalive.eligibility import Target
from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive
from holdfast.keepalive.steps import Keepalive
from holdfast.sandbox.certificates import make_keys
from holdfast.scan.standing import picture
from tests.chaos.keeping import SERVER, START, Cloud, Shape, founded
from tests.fakes.history import MemoryHistory
from tests.fakes.journal import MemoryJournal
from tests.fakes.tenant import TenantInProcess

SHAPE = Shape(owners=2, days=30)


class KilledError(BaseException):
    """The process ends here."""


class Fateful:
    """The sandbox's application, of which one call is the last: its work is done, and nobody hears of it."""

    def __init__(self, app: Any) -> None:
        self.app, self.calls = app, 0
        self.ends_at: int | None = None
        self.end: BaseException = KilledError()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)
        self.calls += 1
        if self.calls == self.ends_at:
            raise self.end


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@cache
def world_and_keys() -> tuple[bytes, Any]:
    return pickle.dumps(founded(SHAPE)), make_keys(START)


class Place:
    """A tenant with the plan for it, and what was noted."""

    def __init__(self) -> None:
        self.tenant = TenantInProcess(*world_and_keys())
        self.ready = self.tenant.ready(Path("ca.pem"))
        self.fateful = Fateful(self.tenant.app)
        self.tenant.app = self.fateful  # type: ignore[assignment]
        self.journal = MemoryJournal()
        self.plan: Plan

    @asynccontextmanager
    async def way(self, role: str) -> AsyncIterator[Any]:
        app = next(one for one in self.ready["apps"] if one["name"] == self.ready["roles"][role])
        access = self.tenant.way_in(
            self.ready, Credential(app["client_id"], secret=lambda: Secret(app["secret"]))
        )
        try:
            yield access
        finally:
            await access.close()

    async def planned(self) -> Place:
        history = MemoryHistory()
        await self.tenant.look(self.ready, history)
        seen = await picture(history, "t", "t", self.tenant.now)
        assert seen is not None
        targets = {id: Target(SERVER, "erp") for id in self.tenant.world.connections}
        async with self.way("reader") as reader:
            found = await cases(history, seen, reader.directory, reader.platform, Chosen(targets=targets))
        async with self.way("operator") as operating:
            found = await as_operator_sees(found, operating.operator, seen.environments)
        operator = next(
            app
            for app in self.tenant.world.applications.values()
            if app.display_name == self.ready["roles"]["operator"]
        )
        choices = Choices(
            "p1", "t", "t", self.tenant.now, Cadence.WEEKLY, 0.4, operator.principal_id or "", "op"
        )
        self.plan = plan_keepalive(found, choices)
        await self.journal.keep(self.plan)
        for connection in self.kept():
            self.tenant.event("share_connection", connection, **{"with": operator.principal_id})
        return self

    def kept(self) -> list[str]:
        return [str(step.connection) for step in self.plan.steps if step.name.startswith("shared:")]

    async def carry(self, way: Any, ends_at: int | None = None, end: BaseException | None = None) -> int:
        """Apply or undo in a process of its own; how many calls it made."""
        self.fateful.calls, self.fateful.ends_at = 0, ends_at
        self.fateful.end = end or KilledError()
        try:
            async with self.way("reader") as reader, self.way("operator") as operator:
                environments = {str(each.id): each async for each in reader.platform.environments()}
                clock = Cloud(self.tenant)
                verb = Keepalive(operator.operator, environments, clock)
                async with self.journal.turn("t") as turn:
                    await way(self.plan, verb, self.journal, turn, clock, timedelta(0))
        except KilledError:
            pass
        finally:
            self.fateful.ends_at = None
        return self.fateful.calls

    def bound(self) -> Counter[str | None]:
        """How often each connection is used by the flows of ours that are on."""
        world = self.tenant.world
        references = {one.logical_name: one.connection_id for one in world.references.values()}
        flows = [one for one in world.flows.values() if one.display_name.startswith("holdfast/")]
        return Counter(
            references[named.reference or ""]
            for flow in flows
            if flow.state == "Started"
            for named in flow.connections.values()
        )

    def left(self) -> int:
        world = self.tenant.world
        names = [one.display_name for one in world.flows.values()]
        names += [one.display_name for one in world.references.values()]
        ours = sum(name.startswith("holdfast/") for name in names)
        return ours + len(world.solutions) + len(world.publishers)


@cache
def _calls() -> dict[str, int]:
    return {}


async def calls_of_both() -> tuple[int, int]:
    if not _calls():
        place = await Place().planned()
        _calls()["apply"] = await place.carry(saga.apply)
        _calls()["undo"] = await place.carry(saga.undo)
    return _calls()["apply"], _calls()["undo"]


FATES = {"killed": KilledError, "answer lost": lambda: httpx2.ReadError("lost")}


@pytest.mark.parametrize("fate", FATES.values(), ids=FATES.keys())
async def test_applied_again_every_connection_is_kept_once(fate: Any):
    applying, _ = await calls_of_both()
    assert applying > 20

    for ends_at in range(1, applying + 1):
        place = await Place().planned()
        await place.carry(saga.apply, ends_at, fate())
        for _ in range(3):
            await place.carry(saga.apply)

        assert place.bound() == dict.fromkeys(place.kept(), 1), f"after call {ends_at}"
        flows = [f for f in place.tenant.world.flows.values() if f.display_name.startswith("holdfast/")]
        assert len(flows) == len(place.plan.sagas()), f"after call {ends_at}"
        solutions = place.tenant.world.solutions.values()
        assert Counter(one.environment_id for one in solutions).most_common(1)[0][1] == 1


@pytest.mark.parametrize("fate", FATES.values(), ids=FATES.keys())
async def test_undone_again_nothing_is_left(fate: Any):
    _, undoing = await calls_of_both()
    assert undoing > 10

    for ends_at in range(1, undoing + 1):
        place = await Place().planned()
        await place.carry(saga.apply)
        await place.carry(saga.undo, ends_at, fate())
        for _ in range(3):
            await place.carry(saga.undo)

        assert place.left() == 0, f"after call {ends_at}"


async def test_an_apply_that_was_killed_can_be_undone():
    applying, _ = await calls_of_both()

    for ends_at in range(1, applying + 1):
        place = await Place().planned()
        await place.carry(saga.apply, ends_at)
        for _ in range(3):
            await place.carry(saga.undo)

        assert place.left() == 0, f"after call {ends_at}"
