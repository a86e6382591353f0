"""What every Journal does, in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.deed import Deed, Outcome, State, done, waiting
from holdfast.core.errors import StoreError
from holdfast.core.plan import Plan, PlannedStep, Show, digest
from holdfast.ports import Journal
from tests.builders import START
from tests.fakes.journal import MemoryJournal

STEP = PlannedStep(
    "p1-1", "secret", "Adds a secret", "c1", "sales", {"days": 180}, (Show("body", "json", "{}"),)
)
PLAN = Plan("rotate", "p1", "contoso", "Contoso", START, (STEP,))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    place = request.getfixturevalue("database_url") if request.param == "postgresql" else tmp_path / "h.db"
    history = SqlHistory(place)
    yield history.journal()
    history.close()


def a_deed(step: str = "secret", outcome: Outcome | None = None) -> Deed:
    return Deed("p1-1", step, "do", outcome or done("Added.", key_id="k1"), START)


async def test_a_plan_is_found_as_it_was_made(journal: Journal):
    await journal.keep(PLAN)

    found = await journal.find("contoso", "p1")

    assert found == (PLAN, digest(PLAN))


async def test_a_plan_of_another_tenant_is_not_found(journal: Journal):
    await journal.keep(PLAN)

    assert await journal.find("fabrikam", "p1") is None


async def test_plans_are_listed_newest_first(journal: Journal):
    newer = replace(PLAN, id="p2", made_at=START + timedelta(days=1))
    other = replace(PLAN, id="p3", kind="migrate")
    for plan in (PLAN, newer, other):
        await journal.keep(plan)

    assert [record.plan.id for record in await journal.plans("contoso", "rotate")] == ["p2", "p1"]


async def test_deeds_come_back_in_the_order_of_their_notes(journal: Journal):
    deeds = [a_deed(outcome=Outcome(State.BEGUN)), a_deed(outcome=waiting("For Ada.")), a_deed()]
    async with journal.turn("contoso") as turn:
        for deed in deeds:
            await journal.note(turn, "p1", deed)

    assert await journal.deeds("contoso", "p1") == deeds


async def test_one_turn_at_a_time(journal: Journal):
    async with journal.turn("contoso"):
        with pytest.raises(StoreError, match="Another holdfast"):
            async with journal.turn("contoso"):
                pass


async def test_tenants_do_not_wait_for_each_other(journal: Journal):
    async with journal.turn("contoso"), journal.turn("fabrikam") as turn:
        await journal.note(turn, "p1", a_deed())

    assert await journal.deeds("contoso", "p1") == []


async def test_who_lost_the_turn_notes_nothing(journal: Journal):
    async with journal.turn("contoso") as lost:
        pass
    async with journal.turn("contoso"):
        with pytest.raises(StoreError, match="went to another holdfast"):
            await journal.note(lost, "p1", a_deed())

    assert await journal.deeds("contoso", "p1") == []
