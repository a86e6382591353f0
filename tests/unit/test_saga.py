"""Sagas against a small cloud of labelled things: killed and lost anywhere, they end in the same state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import MissingError, OutcomeUnknownError, StoreError
from holdfast.core.plan import Plan, PlannedStep
from holdfast.saga import Hooked, Past, apply, outcomes_of, standing, undo
from tests.fakes.clock import START, StillClock
from tests.fakes.journal import MemoryJournal


class Killed(BaseException):
    """The process ends here."""


class SmallCloud:
    """Things by number, each with its label. Every call can be the last one, or lose its answer."""

    def __init__(self) -> None:
        self.things: dict[int, str] = {}
        self.calls = 0
        self.kill_at: int | None = None  # the process ends after this call did its work
        self.lose_at: int | None = None
        self._next = 0

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self.kill_at:
            raise Killed
        if self.calls == self.lose_at:
            raise OutcomeUnknownError("No answer came.", "small", "make")

    async def make(self, label: str) -> int:
        self._next += 1
        self.things[self._next] = label
        self._called()
        return self._next

    async def find(self, label: str) -> list[int]:
        found = [number for number, of in self.things.items() if of == label]
        self._called()
        return found

    async def remove(self, number: int) -> None:
        self.things.pop(number, None)
        self._called()


class Make:
    """Makes one thing and depends on the one before."""

    def __init__(self, cloud: SmallCloud, planned: PlannedStep) -> None:
        self.name, self._cloud, self._planned = planned.name, cloud, planned

    @property
    def _label(self) -> str:
        return f"{self._planned.saga}/{self.name}"

    async def clear(self, past: Past) -> None:
        for number in await self._cloud.find(self._label):
            await self._cloud.remove(number)

    async def do(self, past: Past) -> Outcome:
        after = self._planned.arguments.get("after")
        if after is not None:
            assert past[after].facts["number"] in self._cloud.things
        return done("Made.", number=await self._cloud.make(self._label))

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        if outcome is not None:
            await self._cloud.remove(outcome.facts["number"])
        return done("Removed.")


class Answers:
    """Makes nothing and answers in turn, the last for ever."""

    def __init__(self, name: str, answers: list[Outcome | Exception]) -> None:
        self.name, self._answers = name, answers

    async def clear(self, past: Past) -> None:
        pass

    async def do(self, past: Past) -> Outcome:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        return done()


class SmallVerb:
    def __init__(
        self, cloud: SmallCloud, answers: dict[str, list[Outcome | Exception]] | None = None
    ) -> None:
        self._cloud, self._steps = (
            cloud,
            {name: Answers(name, each) for name, each in (answers or {}).items()},
        )

    def shows(self, step: PlannedStep) -> tuple[()]:
        return ()

    def step(self, planned: PlannedStep) -> Make | Answers:
        return self._steps.get(planned.name) or Make(self._cloud, planned)


def a_step(name: str, saga: str = "p1-1", **arguments: str) -> PlannedStep:
    return PlannedStep(saga, name, f"Makes {name}", "c1", "sales", arguments)


PLAN = Plan(
    "migrate",
    "p1",
    "contoso",
    "Contoso",
    START,
    (a_step("app"), a_step("secret", after="app"), a_step("user", after="secret")),
)


async def run(deed, verb: SmallVerb, journal: MemoryJournal, plan: Plan = PLAN, **wait: float):
    async with journal.turn("contoso") as turn:
        return await deed(plan, verb, journal, turn, StillClock(), timedelta(**wait))


async def calls_of_a_whole_life() -> int:
    cloud, journal = SmallCloud(), MemoryJournal()
    await run(apply, SmallVerb(cloud), journal)
    await run(undo, SmallVerb(cloud), journal)
    return cloud.calls


async def test_every_step_is_done_once():
    cloud, journal = SmallCloud(), MemoryJournal()

    [saga] = await run(apply, SmallVerb(cloud), journal)

    assert saga.state == "done"
    assert sorted(cloud.things.values()) == ["p1-1/app", "p1-1/secret", "p1-1/user"]


async def test_a_second_apply_does_nothing():
    cloud, journal = SmallCloud(), MemoryJournal()
    await run(apply, SmallVerb(cloud), journal)
    calls = cloud.calls

    await run(apply, SmallVerb(cloud), journal)

    assert cloud.calls == calls


async def test_killed_after_any_two_calls_it_ends_in_the_same_state():
    whole = await calls_of_a_whole_life()
    for first in range(1, whole + 1):
        for second in range(first + 1, whole + 1):
            cloud, journal = SmallCloud(), MemoryJournal()
            for kill_at in (first, second, None):
                cloud.kill_at = kill_at
                try:
                    [saga] = await run(apply, SmallVerb(cloud), journal)
                    if saga.state == "done":
                        assert sorted(cloud.things.values()) == ["p1-1/app", "p1-1/secret", "p1-1/user"]
                    [saga] = await run(undo, SmallVerb(cloud), journal)
                    assert (saga.state, cloud.things) == ("undone", {}), (first, second)
                except Killed:
                    continue


async def test_a_lost_answer_is_cleared_and_done_again():
    for lose_at in range(1, 7):
        cloud, journal = SmallCloud(), MemoryJournal()
        cloud.lose_at = lose_at

        [saga] = await run(apply, SmallVerb(cloud), journal, seconds=30)

        assert saga.state == "done"
        assert sorted(cloud.things.values()) == ["p1-1/app", "p1-1/secret", "p1-1/user"], lose_at


async def test_undoing_leaves_nothing():
    cloud, journal = SmallCloud(), MemoryJournal()
    await run(apply, SmallVerb(cloud), journal)

    [saga] = await run(undo, SmallVerb(cloud), journal)

    assert (saga.state, saga.stands, cloud.things) == ("undone", (), {})


async def test_it_waits_for_a_person_and_goes_on():
    journal = MemoryJournal()
    verb = SmallVerb(
        SmallCloud(), {"secret": [waiting("Ada has to share it."), waiting("Ada has to share it."), done()]}
    )

    plan = replace(PLAN, steps=PLAN.steps[:2])
    [first] = await run(apply, verb, journal, plan)
    [then] = await run(apply, verb, journal, plan, minutes=2)

    assert (first.state, first.step, first.says) == ("waiting", "secret", "Ada has to share it.")
    assert then.state == "done"
    notes = [deed for deed in await journal.deeds("contoso", "p1") if deed.step == "secret"]
    assert len(notes) == 3  # begun, waiting, done: looking again is not noted


async def test_what_refuses_stops_its_own_saga_only():
    plan = Plan(
        "migrate",
        "p1",
        "contoso",
        "Contoso",
        START,
        (a_step("app"), a_step("policy"), a_step("user"), a_step("app", "p1-2")),
    )
    verb = SmallVerb(SmallCloud(), {"policy": [refused("A policy forbids secrets.")]})

    stopped, other = await run(apply, verb, MemoryJournal(), plan)

    assert (stopped.state, stopped.step, stopped.stands) == ("refused", "policy", ("app",))
    assert other.state == "done"


async def test_an_error_of_the_cloud_is_a_refusal_with_its_words():
    verb = SmallVerb(SmallCloud(), {"secret": [MissingError("No such app.", "graph", "add")]})

    [saga] = await run(apply, verb, MemoryJournal())

    assert (saga.state, saga.says) == ("refused", "No such app. [add]")


async def test_an_error_of_our_own_store_comes_out_alone():
    verb = SmallVerb(SmallCloud(), {"secret": [StoreError("The disk is full.")]})

    with pytest.raises(StoreError, match="disk is full"):
        await run(apply, verb, MemoryJournal())


async def test_a_step_that_was_begun_and_never_ended_is_undone_too():
    cloud, journal = SmallCloud(), MemoryJournal()
    cloud.kill_at = 4  # the call that made the secret
    with pytest.raises(Killed):
        await run(apply, SmallVerb(cloud), journal)
    assert outcomes_of("p1-1", await journal.deeds("contoso", "p1"))["secret"] is None

    await run(undo, SmallVerb(cloud), journal)

    assert cloud.things == {}


async def test_a_plan_nobody_began_is_planned():
    [saga] = standing(PLAN, [])

    assert saga.state == "planned"


# --- hooks -----------------------------------------------------------------------------------------------


class Listener:
    """A hook that notes what it is told, and objects to some of it."""

    def __init__(self, *objects_to: str) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.objects_to = set(objects_to)

    async def __call__(self, about: Mapping[str, Any]) -> str:
        self.told.append((about["when"], about["way"], about["step"]))
        return "no" if about["step"] in self.objects_to else ""


def hooked(verb: SmallVerb, before: Listener | None = None, after: Listener | None = None) -> Any:
    return Hooked(verb, PLAN, before, after)


async def test_a_hook_hears_of_every_step_before_and_after():
    listener = Listener()

    await run(apply, hooked(SmallVerb(SmallCloud()), listener, listener), MemoryJournal())

    names = ("app", "secret", "user")
    assert listener.told == [(when, "do", name) for name in names for when in ("before", "after")]


async def test_what_a_hook_objects_to_is_not_done():
    cloud = SmallCloud()

    [saga] = await run(apply, hooked(SmallVerb(cloud), Listener("secret")), MemoryJournal())

    assert (saga.state, saga.step, saga.says) == ("refused", "secret", "Not done: no.")
    assert list(cloud.things.values()) == ["p1-1/app"]


async def test_what_the_hook_after_it_objects_to_is_not_taken_for_done():
    cloud, journal, listener = SmallCloud(), MemoryJournal(), Listener("secret")

    [stopped] = await run(apply, hooked(SmallVerb(cloud), None, listener), journal)
    listener.objects_to.clear()
    [over] = await run(apply, hooked(SmallVerb(cloud), None, listener), journal)

    assert (stopped.state, stopped.step) == ("refused", "secret")
    assert over.state == "done"
    assert sorted(cloud.things.values()) == ["p1-1/app", "p1-1/secret", "p1-1/user"]


async def test_undoing_is_announced_too():
    journal, listener, verb = MemoryJournal(), Listener(), SmallVerb(SmallCloud())
    await run(apply, verb, journal)

    await run(undo, hooked(verb, listener), journal)

    assert [step for _, way, step in listener.told if way == "undo"] == ["user", "secret", "app"]
