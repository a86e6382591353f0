from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from holdfast.sandbox import crowd
from holdfast.sandbox.entra.administration import EVENTS
from holdfast.sandbox.frame import Deed
from holdfast.sandbox.scenarios.named import build

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def world():
    return build("large-1", 7, NOW)


def everything(world):
    return [c for place in world.environments for c in crowd.connections_in(world, place, NOW)]


def test_a_crowd_is_as_large_as_it_says_with_six_in_ten_in_the_default_environment(world):
    there = everything(world)
    default = next(iter(world.environments))

    assert len({c.id for c in there}) == len(there) == 2000
    assert sum(c.environment_id == default for c in there) == 1200
    flows = [f for place in world.environments for f in crowd.flows_in(world, place)]
    assert (len(flows), sum(f.workflow_id is not None for f in flows)) == (300, 150)


def test_a_crowd_is_the_same_whenever_it_is_asked_for(world):
    assert everything(world) == everything(build("large-1", 7, NOW))


def test_the_truth_names_the_same_connections_as_the_lists(world):
    told = list(crowd.connection_truths(world, NOW))

    assert [one["id"] for one in told] == [c.id for c in everything(world)]
    assert {one["cause"] for one in told} >= {None, "token_inactive", "secret_expired"}


def test_every_flow_holds_a_connection_of_its_own_environment(world):
    place = list(world.environments)[3]
    there = {c.id for c in crowd.connections_in(world, place, NOW)}

    bound = {r.logical_name: r.connection_id for r in crowd.references_in(world, place)}
    flows = list(crowd.flows_in(world, place))
    assert flows
    for flow in flows:
        (key,) = flow.connections.values()
        assert (key.connection_id or bound[key.reference or ""] or "") in there


def test_a_crowd_ages_with_the_clock(world):
    place = next(iter(world.environments))
    later = NOW + timedelta(days=40)

    before = list(islice(crowd.connections_in(world, place, NOW), 50))
    after = list(islice(crowd.connections_in(world, place, later), 50))

    assert sum(a.modified_at > b.modified_at for b, a in zip(before, after, strict=True)) > 20
    assert sum(not one["usable"] for one in crowd.connection_truths(world, later)) > sum(
        not one["usable"] for one in crowd.connection_truths(world, NOW)
    )


def test_a_crowd_feels_what_happens_to_its_accounts(world):
    owner = world.accounts[everything(world)[0].owner_id]
    EVENTS["disable_account"](Deed(world, NOW, owner.object_id, {}))
    world.changed()

    owned = {c.id for c in everything(world) if c.owner_id == owner.object_id and c.parameter_set == "oauth"}
    dead = {one["id"] for one in crowd.connection_truths(world, NOW) if one["cause"] == "account_disabled"}
    assert dead
    assert dead <= owned
