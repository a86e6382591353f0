"""Sagas: the order in which steps run, resume and undo.

Each step is tried as *clear strays, then do*, inside one durable deed that is noted before and after. An interrupted
attempt may have left something: it carries the saga's label, so that the next attempt finds and removes it.
What a step makes is therefore never adopted, and nothing is made twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from holdfast.core.deed import Deed, Outcome, Standing, State, Turn, refused, waiting
from holdfast.core.errors import (
    CloudError,
    HoldfastError,
    OutcomeUnknownError,
    SecretStoreError,
    StoreError,
    ThrottledError,
    UnreachableError,
)
from holdfast.core.plan import Plan, PlannedStep, Show
from holdfast.ports import Clock, Journal

Past = Mapping[str, Outcome]
"""The outcomes of the steps before, by step name."""

Durably = Callable[[str, Callable[[], Awaitable[Outcome]]], Awaitable[Outcome]]
"""Carries out a named deed once: an outcome that is done is noted, and answered without the deed from then on."""

Result = TypeVar("Result")

AT_ONCE = 8
"""How many sagas of a plan run side by side; the limiter at the door to the cloud decides how fast."""

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=15)


class Step(Protocol):
    """One reversible part of a saga, bound to the world. Every method may raise a CloudError."""

    name: str

    async def clear(self, past: Past) -> None:
        """Remove what an interrupted attempt left, found by its label."""
        ...

    async def do(self, past: Past) -> Outcome:
        """Do it; label what it creates with the saga's id. A step that waits makes nothing."""
        ...

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Undo it; harmless if there is nothing to undo.

        Args:
            outcome: what came of it; None where it was begun and never finished.
        """
        ...


class Verb(Protocol):
    """What can be planned, applied and undone: keep-alive, migration, rotation; bound to one tenant."""

    def shows(self, step: PlannedStep) -> tuple[Show, ...]:
        """The step's JSON and T-SQL, rendered anew from its arguments. Pure."""
        ...

    def step(self, planned: PlannedStep) -> Step:
        """The step, ready to be carried out."""
        ...


Hook = Callable[[Mapping[str, Any]], Awaitable[str]]
"""Told of a deed; why it objects, empty where it does not."""


class Hooked:
    """A verb whose deeds are announced before and after: what a hook objects to is not done, or not taken for done."""

    def __init__(self, verb: Verb, plan: Plan, before: Hook | None, after: Hook | None) -> None:
        self._verb, self._plan, self._before, self._after = verb, plan, before, after

    def shows(self, step: PlannedStep) -> tuple[Show, ...]:
        """See `Verb`."""
        return self._verb.shows(step)

    def step(self, planned: PlannedStep) -> Step:
        """See `Verb`."""
        return _HookedStep(self._verb.step(planned), planned, self._plan, self._before, self._after)


class _HookedStep:
    def __init__(
        self, step: Step, planned: PlannedStep, plan: Plan, before: Hook | None, after: Hook | None
    ) -> None:
        self.name = step.name
        self._step, self._planned, self._plan = step, planned, plan
        self._before, self._after = before, after

    async def clear(self, past: Past) -> None:
        await self._step.clear(past)

    async def do(self, past: Past) -> Outcome:
        return await self._announced("do", partial(self._step.do, past))

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        return await self._announced("undo", partial(self._step.undo, past, outcome))

    async def _announced(self, way: str, deed: Callable[[], Awaitable[Outcome]]) -> Outcome:
        objection = await self._told(self._before, "before", way, None)
        if objection:
            return refused(f"Not done: {objection}.")
        outcome = await deed()
        objection = await self._told(self._after, "after", way, outcome) if outcome.is_done else ""
        if objection:
            # Tried again it is cleared and done anew, so that the hook hears of what then stands.
            return refused(f"Done, and not taken for done: {objection}.")
        return outcome

    async def _told(self, hook: Hook | None, when: str, way: str, outcome: Outcome | None) -> str:
        if hook is None:
            return ""
        planned = self._planned
        return await hook(
            {
                "when": when,
                "way": way,
                "kind": self._plan.kind,
                "plan": self._plan.id,
                "tenant": self._plan.tenant_name,
                "saga": planned.saga,
                "step": planned.name,
                "does": planned.does,
                "connection": planned.connection,
                "environment": planned.environment,
                "says": outcome.says if outcome else None,
            }
        )


async def advance(steps: Sequence[Step], durably: Durably) -> tuple[Step, Outcome] | None:
    """Carry out the steps in order; the step that did not end as done and why, None when all are."""
    past: dict[str, Outcome] = {}
    for step in steps:
        outcome = await durably(step.name, partial(_attempt, step, dict(past)))
        if not outcome.is_done:
            return step, outcome
        past[step.name] = outcome
    return None


async def withdraw(
    steps: Sequence[Step], outcomes: Mapping[str, Outcome | None], durably: Durably
) -> tuple[Step, Outcome] | None:
    """Undo in reverse order whatever was begun; the step that could not be undone and why, None when all are.

    Args:
        outcomes: of every step that was begun; None of one that never ended as done.
    """
    past = {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    for step in reversed([step for step in steps if step.name in outcomes]):
        outcome = await durably(step.name, partial(_attempt_undo, step, past, outcomes[step.name]))
        if not outcome.is_done:
            return step, outcome
    return None


async def _attempt(step: Step, past: Past) -> Outcome:
    await step.clear(past)
    return await step.do(past)


async def _attempt_undo(step: Step, past: Past, outcome: Outcome | None) -> Outcome:
    if outcome is None:
        await step.clear(past)
    return await step.undo(past, outcome)


class Journalled:
    """`Durably` by the journal: skips what is noted as done, and notes before and after each deed."""

    def __init__(self, journal: Journal, turn: Turn, clock: Clock, plan: str, saga: str, way: str) -> None:
        self._journal, self._turn, self._clock = journal, turn, clock
        self._plan, self._saga, self._way = plan, saga, way
        self._newest: dict[str, Outcome] = {}

    def remember(self, deeds: Sequence[Deed]) -> Journalled:
        """Go on from these notes."""
        mine = (deed for deed in deeds if (deed.saga, deed.way) == (self._saga, self._way))
        self._newest |= {deed.step: deed.outcome for deed in mine}
        return self

    async def __call__(self, name: str, deed: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """See `Durably`."""
        known = self._newest.get(name)
        if known is not None and known.is_done:
            return known
        if known is None:
            # A step that waits is looked at again and again: it is begun once.
            await self._note(name, Outcome(State.BEGUN))
        outcome = await _told(deed)
        if outcome != self._newest.get(name):
            await self._note(name, outcome)
        return outcome

    async def _note(self, step: str, outcome: Outcome) -> None:
        await self._journal.note(
            self._turn, self._plan, Deed(self._saga, step, self._way, outcome, self._clock.now())
        )
        self._newest[step] = outcome


async def _told(deed: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """The deed's outcome, also where the cloud stood in the way: passing trouble waits, all else is refused."""
    try:
        return await deed()
    except (UnreachableError, OutcomeUnknownError, ThrottledError) as error:
        return waiting(str(error))
    except (StoreError, SecretStoreError):
        raise
    except (CloudError, HoldfastError) as error:
        return refused(str(error))


async def apply(
    plan: Plan, verb: Verb, journal: Journal, turn: Turn, clock: Clock, wait: timedelta
) -> list[Standing]:
    """Carry out the plan as far as it goes, saga by saga; the same again goes on where it stands.

    A saga whose undoing has begun is left alone.

    Args:
        turn: of the plan's tenant.
        wait: how long to look again for what a saga waits for.

    Raises:
        StoreError, SecretStoreError: of our own; what was begun is on record.
    """

    async def one(saga: str, steps: Sequence[PlannedStep], deeds: Sequence[Deed]) -> None:
        if any((deed.saga, deed.way) == (saga, "undo") for deed in deeds):
            return
        durably = Journalled(journal, turn, clock, plan.id, saga, "do").remember(deeds)
        await advance([verb.step(step) for step in steps], durably)

    return await _until(plan, one, journal, clock, wait, "do")


async def undo(
    plan: Plan, verb: Verb, journal: Journal, turn: Turn, clock: Clock, wait: timedelta
) -> list[Standing]:
    """Undo whatever of the plan was begun, saga by saga. Arguments and errors as for `apply`."""

    async def one(saga: str, steps: Sequence[PlannedStep], deeds: Sequence[Deed]) -> None:
        durably = Journalled(journal, turn, clock, plan.id, saga, "undo").remember(deeds)
        outcomes = outcomes_of(saga, deeds)
        await withdraw([verb.step(step) for step in steps], outcomes, durably)

    return await _until(plan, one, journal, clock, wait, "undo")


async def reopen(plan: Plan, saga: str, step: str, journal: Journal, turn: Turn, clock: Clock) -> None:
    """Have a step that was done carried out again by the next `apply`: what it did was undone by somebody else."""
    await journal.note(turn, plan.id, Deed(saga, step, "do", Outcome(State.BEGUN), clock.now()))


async def _until(
    plan: Plan,
    one: Callable[[str, Sequence[PlannedStep], Sequence[Deed]], Awaitable[None]],
    journal: Journal,
    clock: Clock,
    wait: timedelta,
    way: str,
) -> list[Standing]:
    ends_at, pause = clock.now() + wait, FIRST_PAUSE
    left, sagas = set(plan.sagas()), plan.sagas()
    gate = asyncio.Semaphore(AT_ONCE)

    failed: list[SecretStoreError] = []

    async def gated(saga: str, deeds: Sequence[Deed]) -> None:
        async with gate:
            try:
                await one(saga, sagas[saga], deeds)
            except SecretStoreError as error:
                # The others meet it at their own next secret. One that is cut off while a secret is made leaves it behind.
                failed.append(error)

    while True:
        deeds = _by_saga(await journal.deeds(plan.tenant, plan.id))
        await side_by_side([gated(saga, deeds.get(saga, ())) for saga in sagas if saga in left])
        if failed:
            raise failed[0]
        standings = standing(plan, await journal.deeds(plan.tenant, plan.id))
        left = {each.saga for each in standings if _may_go_on(each, way)}
        if not left or clock.now() + pause > ends_at:
            return standings
        await clock.sleep_until(clock.now() + pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def side_by_side(parts: Sequence[Coroutine[None, None, Result]]) -> list[Result]:
    """What each came to; where one fails the others are cancelled, and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
    except BaseExceptionGroup as failures:
        # One cause in one sentence: the others were cancelled because of it.
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _may_go_on(saga: Standing, way: str) -> bool:
    return saga.state == "waiting" if way == "do" else saga.state == "undoing" and saga.says != ""


def outcomes_of(saga: str, deeds: Sequence[Deed]) -> dict[str, Outcome | None]:
    """What came of every step of a saga that was begun; None of those that never ended as done."""
    found: dict[str, Outcome | None] = {}
    for deed in deeds:
        if deed.saga == saga and deed.way == "do":
            found[deed.step] = deed.outcome if deed.outcome.is_done else None
    return found


def standing(plan: Plan, deeds: Sequence[Deed]) -> list[Standing]:
    """How each saga of the plan stands by its journal, in the plan's order. Pure."""
    by_saga = _by_saga(deeds)
    return [_standing(saga, steps, by_saga.get(saga, ())) for saga, steps in plan.sagas().items()]


def _by_saga(deeds: Sequence[Deed]) -> Mapping[str, Sequence[Deed]]:
    """A plan of a fleet has tens of thousands of sagas: none looks through the notes of all."""
    found: dict[str, list[Deed]] = {}
    for deed in deeds:
        found.setdefault(deed.saga, []).append(deed)
    return found


def _standing(saga: str, steps: Sequence[PlannedStep], mine: Sequence[Deed]) -> Standing:
    if not mine:
        return Standing(saga, "planned")
    newest = {way: {d.step: d.outcome for d in mine if d.way == way} for way in ("do", "undo")}
    withdrawn = {name for name, outcome in newest["undo"].items() if outcome.is_done}
    done = {name for name, outcome in newest["do"].items() if outcome.is_done}
    stands = tuple(step.name for step in steps if step.name in done - withdrawn)
    since = mine[-1].at
    if newest["undo"]:
        open_ = [name for name in newest["do"] if name not in withdrawn]
        if not open_:
            return Standing(saga, "undone", since=since)
        says = next((newest["undo"][name].says for name in open_ if name in newest["undo"]), "")
        return Standing(saga, "undoing", open_[-1], says, stands, since)
    at = next((step.name for step in steps if step.name not in done), None)
    if at is None:
        return Standing(saga, "done", None, "", stands, since)
    outcome = newest["do"].get(at, Outcome(State.BEGUN))
    state = "interrupted" if outcome.state is State.BEGUN else outcome.state.value
    return Standing(saga, state, at, outcome.says, stands, since)
