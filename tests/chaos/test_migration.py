"""A migration that is killed after any call, or loses any answer, ends as if nothing had happened; so does its undo.

`make chaos` tries every call and, for kills and losses together, a share of all pairs; HOLDFAST_CHAOS_MOVES says how many.
"""

from __future__ import annotations

import os
import pickle
import random
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.core.plan import Plan
from holdfast.sandbox.certificates import Keys, make_keys
from holdfast.sandbox.clock import wall
from holdfast.sandbox.flows.runtime import bound
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.world import World
from tests.fakes.journal import MemoryJournal
from tests.fakes.moving import ACCEPTED, DANA, DESK, Fate, MortalSecrets, Mover, a_story
from tests.fakes.tenant import TenantInProcess

SEED = int(os.environ.get("HOLDFAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(2**32)
MOVES = int(os.environ.get("HOLDFAST_CHAOS_MOVES", "8"))
"""How many fates are tried of each kind; 0 for every single one, and as many pairs."""


@pytest.fixture(scope="module")
def keys() -> Keys:
    return make_keys(wall())


@pytest.fixture(scope="module")
def story() -> bytes:
    return a_story()


def a_mover(story: bytes, keys: Keys, **more: Any) -> Mover:
    return Mover(TenantInProcess(story, keys), **more)


async def planned(mover: Mover, *names: str, **more: Any) -> Plan:
    more = {"rewrites": True, "own_flows": True} | more
    return await mover.plan(*(names or (DANA, DESK)), accepted=ACCEPTED, **more)


def held(world: World, flow: Flow) -> dict[str, Any]:
    """What a flow names, and the connection it really runs on: that of its reference, or one that it holds on to."""
    return {
        key: (named.reference, named.connection_id, used.id if (used := bound(world, flow, key)) else None)
        for key, named in flow.connections.items()
    }


def stand(mover: Mover, world: World) -> dict[str, Any]:
    """All that a migration could leave behind or change, without ids that are drawn anew at every attempt."""
    apps = [app for app in world.applications.values() if app.deleted_at is None]
    servers = world.servers.values()
    return {
        "bindings": {one.logical_name: one.connection_id for one in world.references.values()},
        "definitions": {
            one.id: (one.definition, held(world, one), one.state) for one in world.flows.values()
        },
        "owners": {one.id: (one.owner_id, dict(one.shares)) for one in world.flows.values()},
        "connections": sorted(
            (one.id, one.display_name, sorted((share.principal_id, share.role) for share in one.shares))
            for one in world.connections.values()
            if one.deleted_at is None
        ),
        "apps": sorted(
            (app.display_name, sorted([s.label for s in app.secrets] + [c.label for c in app.certificates]))
            for app in apps
        ),
        "users": sorted(
            (database.name, one.name, tuple(one.roles))
            for server in servers
            for database in server.databases.values()
            for one in database.principals.values()
        ),
        "grants": sorted(
            (database.name, one.grantee, one.permission, one.securable)
            for server in servers
            for database in server.databases.values()
            for one in database.permissions
        ),
        "secrets": sorted(name.split("/")[0] for name in mover.secrets._kept),
        "failed": world.counts.get("queries_failed", 0),
    }


async def untroubled(
    story: bytes, keys: Keys, *names: str, **more: Any
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], int, int]:
    """The states before, after and undone, and how many calls each way takes."""
    mover = a_mover(story, keys)
    plan = await planned(mover, *names, **more)
    before = stand(mover, mover.tenant.world)
    mover.fate.calls = 0
    found = await mover.to_the_end(plan)
    assert {each.state for each in found} == {"done"}, found
    there, after = mover.fate.calls, stand(mover, mover.tenant.world)
    found = await mover.to_the_end(plan, "undo")
    assert {each.state for each in found} == {"undone"}, found
    return before, after, stand(mover, mover.tenant.world), there, mover.fate.calls - there


def fates(calls: int, draw: random.Random, most: int = MOVES) -> Iterator[Fate]:
    """Every kill and every loss alone, then pairs; or at most so many of each, where that is not 0."""
    single = range(1, calls + 1)
    chosen = list(single) if most == 0 else sorted(draw.sample(single, min(most, calls)))
    for number in chosen:
        yield Fate(kills=frozenset({number}))
        yield Fate(losses=frozenset({number}))
    for _ in range(2 * calls if most == 0 else most):
        first, second = sorted(draw.sample(single, 2))
        yield draw.choice(
            [
                Fate(kills=frozenset({first, second})),
                Fate(losses=frozenset({first, second})),
                Fate(kills=frozenset({first}), losses=frozenset({second})),
                Fate(kills=frozenset({second}), losses=frozenset({first})),
            ]
        )


def give(mover: Mover, fate: Fate) -> None:
    mover.fate.kills, mover.fate.losses, mover.fate.calls = fate.kills, fate.losses, 0
    mover.fate.log.clear()


async def test_it_moves_and_undo_restores_everything(story: bytes, keys: Keys):
    before, after, undone, _, _ = await untroubled(story, keys)

    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        *("bindings", "definitions", "owners", "connections", "apps", "users", "grants", "secrets")
    }
    assert undone == before
    assert after["failed"] == 0


async def test_it_ends_the_same_whatever_befalls_it(story: bytes, keys: Keys):
    await ends_the_same(story, keys, MOVES)


async def test_with_a_certificate_it_ends_the_same_whatever_befalls_it(story: bytes, keys: Keys):
    """Signing takes its time, so that one connection moves, and few fates are tried by `make test`."""
    await ends_the_same(story, keys, MOVES and 1, DANA, certificate=True)


async def ends_the_same(story: bytes, keys: Keys, most: int, *names: str, **more: Any) -> None:
    draw = random.Random(SEED)
    before, after, _, there, _ = await untroubled(story, keys, *names, **more)
    wrong: list[tuple[Any, ...]] = []
    tried = 0
    for fate in fates(there, draw, most):
        mover = a_mover(story, keys)
        plan = await planned(mover, *names, **more)
        give(mover, fate)
        found = await mover.to_the_end(plan)
        tried += 1
        if {each.state for each in found} != {"done"} or stand(mover, mover.tenant.world) != after:
            wrong.append(
                (fate.kills, fate.losses, found, _differing(after, stand(mover, mover.tenant.world)))
            )
            continue
        give(mover, Fate())
        found = await mover.to_the_end(plan, "undo")
        if stand(mover, mover.tenant.world) != before:
            wrong.append(
                (fate.kills, fate.losses, "undo", found, _differing(before, stand(mover, mover.tenant.world)))
            )
    print(f"seed {SEED}: {tried} fates of {there} calls on the way there")
    assert not wrong, f"seed {SEED}: {len(wrong)} of {tried}: {wrong[:3]}"


async def test_listings_that_lag_leave_no_stray(story: bytes, keys: Keys):
    """Under the usual unkindness what was just made is not listed yet; the last step finds it."""
    before, after, _, _, _ = await untroubled(story, keys)
    wrong: list[tuple[Any, ...]] = []
    ways = [(number, way) for number in range(1, 6) for way in ("apply", "undo")]
    for number, way in ways if MOVES == 0 else random.Random(SEED + 3).sample(ways, 3):
        mover = a_mover(story, keys)
        mover.tenant.world.is_unkind = True
        plan = await planned(mover)
        give(mover, Fate(kills=frozenset({await calls_before(mover, plan, "/v1.0/applications", number)})))
        await mover.to_a_kill(plan)
        give(mover, Fate())
        found = await mover.to_the_end(plan, way)
        if stand(mover, mover.tenant.world) != (after if way == "apply" else before):
            wrong.append((number, way, found, _differing(after, stand(mover, mover.tenant.world))))
    assert not wrong, f"seed {SEED}: {wrong[:3]}"


async def calls_before(mover: Mover, plan: Plan, path: str, number: int) -> int:
    """The number of the n-th call to a path, as another process of the same kind makes them."""
    twin = Mover(TenantInProcess(pickle.dumps(mover.tenant.world), mover.tenant.tenant.keys))
    twin.tenant.world.is_unkind = True
    await twin.journal.keep(plan)
    await twin.go(plan)
    to_path = [at for at, what in enumerate(twin.fate.log, 1) if what.endswith(path)]
    return to_path[min(number, len(to_path)) - 1]


async def test_its_undo_ends_the_same_whatever_befalls_it(story: bytes, keys: Keys):
    draw = random.Random(SEED + 1)
    before, _, _, _, back = await untroubled(story, keys)
    mover = a_mover(story, keys)
    plan = await planned(mover)
    await mover.to_the_end(plan)
    moved = pickle.dumps(mover.tenant.world)
    wrong: list[tuple[Any, ...]] = []
    tried = 0
    for fate in fates(back, draw):
        again = a_mover(moved, keys, journal=_copied(mover), secrets=_copied_secrets(mover))
        again.tenant.world.is_unkind = False
        give(again, fate)
        found = await again.to_the_end(plan, "undo")
        tried += 1
        if {each.state for each in found} != {"undone"} or stand(again, again.tenant.world) != before:
            wrong.append(
                (fate.kills, fate.losses, found, _differing(before, stand(again, again.tenant.world)))
            )
    print(f"seed {SEED + 1}: {tried} fates of {back} calls on the way back")
    assert not wrong, f"seed {SEED}: {len(wrong)} of {tried}: {wrong[:3]}"


async def test_flows_that_are_switched_off_and_on_end_the_same_wherever_it_is_killed(
    story: bytes, keys: Keys
):
    """Where a flow that is on keeps its old connection, somebody's connections are lent while it is switched."""
    slow = pickle.loads(story)
    slow.flips.append("rebinding_reaches_flows_at_once")
    story = pickle.dumps(slow)
    before, after, undone, _, _ = await untroubled(story, keys)
    assert undone == before
    mover = a_mover(story, keys)
    plan = await planned(mover)
    give(mover, Fate())
    await mover.to_the_end(plan)
    lent = [at for at, what in enumerate(mover.fate.log, 1) if "/scopes/admin/" in what and "modify" in what]
    assert lent
    wrong: list[tuple[Any, ...]] = []
    points = range(lent[0] - 1, lent[-1] + 1)
    for number in (
        points if MOVES == 0 else sorted(random.Random(SEED + 3).sample(points, min(MOVES, len(points))))
    ):
        for way in ("apply", "undo"):
            mover = a_mover(story, keys)
            plan = await planned(mover)
            give(mover, Fate(kills=frozenset({number})))
            await mover.to_a_kill(plan)
            give(mover, Fate())
            found = await mover.to_the_end(plan, way)
            wanted = after if way == "apply" else before
            if stand(mover, mover.tenant.world) != wanted:
                wrong.append((number, way, found, _differing(wanted, stand(mover, mover.tenant.world))))
    assert not wrong, f"{len(wrong)}: {wrong[:3]}"


async def test_undo_from_any_point_restores_everything(story: bytes, keys: Keys):
    draw = random.Random(SEED + 2)
    before, _, _, there, _ = await untroubled(story, keys)
    wrong: list[tuple[Any, ...]] = []
    points = range(1, there + 1)
    chosen = list(points) if MOVES == 0 else sorted(draw.sample(points, min(MOVES, there)))
    for number in chosen:
        mover = a_mover(story, keys)
        plan = await planned(mover)
        give(mover, Fate(kills=frozenset({number})))
        await mover.to_a_kill(plan)
        give(mover, Fate())
        found = await mover.to_the_end(plan, "undo")
        if stand(mover, mover.tenant.world) != before:
            wrong.append((number, found, _differing(before, stand(mover, mover.tenant.world))))
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(chosen)}: {wrong[:3]}"


def _copied(mover: Mover) -> MemoryJournal:
    copy = MemoryJournal()
    copy._plans = dict(mover.journal._plans)
    copy._deeds = {key: list(deeds) for key, deeds in mover.journal._deeds.items()}
    return copy


def _copied_secrets(mover: Mover) -> MortalSecrets:
    copy = MortalSecrets()
    copy._kept = dict(mover.secrets._kept)
    return copy


def _differing(wanted: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return {name: (wanted[name], found[name]) for name in wanted if wanted[name] != found[name]}
