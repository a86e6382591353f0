from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest
from pydantic import TypeAdapter

from holdfast.sandbox.scenarios.named import SCENARIOS, build
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 1, 9, 30, 15, 123, tzinfo=UTC)


@lru_cache
def built(scenario: str) -> World:
    return build(scenario, 7, NOW)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_depends_on_its_seed_only(scenario):
    assert build(scenario, 7, NOW) == built(scenario)
    assert build("story", 8, NOW).tenant_id != built("story").tenant_id


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_world_survives_its_snapshot(scenario):
    form = TypeAdapter(World)
    assert form.validate_json(form.dump_json(built(scenario))) == built(scenario)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_a_scenario_points_at_exists(scenario):
    world = built(scenario)
    logical_names = {reference.logical_name for reference in world.references.values()}
    for connection in world.connections.values():
        assert connection.environment_id in world.environments
        assert connection.owner_id in world.accounts
        assert connection.refresh_token_id is None or connection.refresh_token_id in world.refresh_tokens
    for reference in world.references.values():
        assert reference.connection_id is None or reference.connection_id in world.connections
    for flow in world.flows.values():
        for used in flow.connections.values():
            assert used.connection_id in world.connections or used.reference in logical_names
    for token in world.refresh_tokens.values():
        assert token.account_id in world.accounts
        assert token.client_id in world.applications


def test_an_unknown_scenario_names_the_known_ones():
    with pytest.raises(LookupError, match="story"):
        build("nowhere", 1, NOW)
