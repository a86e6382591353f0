from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.sandbox.ageing import Due, Source, settle
from holdfast.sandbox.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)


def a_world() -> World:
    return World(tenant_id="t", domain="d", seed=1, scenario="s", born_at=START, settled_at=START)


def every(hours: int, name: str) -> Source:
    """A thing that happens again and again and writes down when."""

    def happen(world: World, at: datetime) -> None:
        world.published.setdefault("seen", []).append((at, name))

    def source(world: World) -> Due:
        times = sum(1 for _, who in world.published.get("seen", []) if who == name)
        return Due(START + timedelta(hours=hours) * (times + 1), name, happen)

    return source


def test_everything_due_happens_at_its_own_instant_in_order():
    world = a_world()
    settle(world, START + timedelta(hours=6), [every(3, "b"), every(2, "a")])
    hours = [(at - START) // timedelta(hours=1) for at, _ in world.published["seen"]]
    assert list(zip(hours, "abaab", strict=True)) == [
        ((at - START) // timedelta(hours=1), name) for at, name in world.published["seen"]
    ]
    assert hours == [2, 3, 4, 6, 6]
    assert world.settled_at == START + timedelta(hours=6)


@given(st.lists(st.integers(0, 48), max_size=8))
def test_what_happens_does_not_depend_on_how_often_the_world_is_asked(stops):
    once, often = a_world(), a_world()
    sources = [every(5, "a"), every(7, "b"), every(1, "c")]
    for hours in [*sorted(stops), 48]:
        settle(often, START + timedelta(hours=hours), sources)
    settle(once, START + timedelta(hours=48), sources)
    assert often == once


def test_an_instant_already_settled_changes_nothing():
    world = a_world()
    settle(world, START - timedelta(days=1), [every(1, "a")])
    assert world.settled_at == START
    assert world.published == {}
