"""`watch` goes on with plans that were begun, and touches no other."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.compose.plans import going_on
from holdfast.compose.verbs import VERBS
from holdfast.core.deed import done, refused, waiting
from holdfast.core.errors import SettingsError
from holdfast.core.plan import Show
from holdfast.saga import apply, undo
from holdfast.settings.shape import Hooks
from tests.fakes.clock import StillClock
from tests.fakes.journal import MemoryJournal
from tests.unit.test_saga import PLAN, SmallCloud, SmallVerb, a_step, run

SMALL = replace(PLAN, kind="small", steps=(a_step("gesture"), a_step("app")))


class Bench:
    """A journal, a verb, and the job over them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.journal, self.cloud = MemoryJournal(), SmallCloud()
        self.verb = SmallVerb(self.cloud)

        @asynccontextmanager
        async def bound(_holdfast, _tenant, _plan):
            yield self.verb

        monkeypatch.setitem(VERBS, "small", bound)
        settings = SimpleNamespace(hooks=Hooks())
        holdfast: Any = SimpleNamespace(journal=self.journal, clock=StillClock(), settings=settings)
        tenant: Any = SimpleNamespace(id="contoso", name="Contoso")
        self.job = going_on(holdfast, {"contoso": tenant})

    def answers(self, *outcomes) -> None:
        self.verb = SmallVerb(self.cloud, {"gesture": list(outcomes)})

    async def apply(self) -> None:
        await self.journal.keep(SMALL)
        await run(apply, self.verb, self.journal, SMALL)

    async def subjects(self) -> list[str]:
        return [subject async for subject in self.job.subjects("contoso")]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


async def test_a_plan_that_was_never_applied_is_left_alone(bench: Bench):
    await bench.journal.keep(SMALL)

    assert await bench.subjects() == []
    await bench.job.perform("contoso", [SMALL.id])
    assert bench.cloud.things == {}


async def test_a_plan_that_waits_for_a_gesture_goes_on_when_it_was_made(bench: Bench):
    bench.answers(waiting("the owner has to share it"))
    await bench.apply()
    assert await bench.subjects() == [SMALL.id]

    bench.answers(done())
    performed = await bench.job.perform("contoso", [SMALL.id])

    assert performed.said == "p1: 1 of 1 over"
    assert list(bench.cloud.things.values()) == ["p1-1/app"]
    assert await bench.subjects() == []


async def test_a_plan_that_is_refused_meanwhile_needs_a_person(bench: Bench):
    bench.answers(waiting("not yet"))
    await bench.apply()

    bench.answers(refused("the connection was deleted"))
    performed = await bench.job.perform("contoso", [SMALL.id])

    assert performed.attention == 1
    assert await bench.subjects() == []


async def test_a_plan_that_is_over_is_not_begun_again(bench: Bench):
    bench.answers(done())
    await bench.apply()
    await run(undo, bench.verb, bench.journal, SMALL)

    await bench.job.perform("contoso", [SMALL.id])

    assert bench.cloud.things == {}


async def test_a_plan_that_would_be_done_otherwise_now_is_not_gone_on_with(bench: Bench, monkeypatch):
    bench.answers(waiting("not yet"))
    await bench.apply()
    monkeypatch.setattr(SmallVerb, "shows", lambda _self, _step: (Show("T-SQL", "tsql", "drop table x"),))

    with pytest.raises(SettingsError, match="plan again"):
        await bench.job.perform("contoso", [SMALL.id])


def test_a_gesture_is_answered_within_minutes(bench: Bench):
    assert bench.job.cadence.every <= timedelta(minutes=10)
