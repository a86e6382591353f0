"""The tenant of some size: everything that can happen did, and it is the same for everybody."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import TypeAdapter

from holdfast.sandbox.control import truth
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.world import World
from tests.sandbox.rooms import NOW, Rooms

CAUSES = {
    "token_inactive",
    "password_changed",
    "session_revoked",
    "mfa_required",
    "conditional_access_blocked",
    "device_not_compliant",
    "signin_frequency",
    "terms_of_use",
    "account_disabled",
    "account_deleted",
    "password_expired",
    "bad_credentials",
    "app_disabled_or_missing",
    "secret_expired",
    "secret_invalid",
    "certificate_invalid",
    "sql_user_missing",
    "sql_permission_denied",
    "sql_firewall",
    "sql_database_unavailable",
    "gateway_offline",
    "network_or_tls",
    "dlp_blocked",
    "connection_missing_or_unshared",
    "consent_missing",
    "account_locked",
    "role_or_assignment_missing",
    "sql_login_failed_other",
    "throttled",
    "sql_transient",
    "service_transient",
    "token_audience_or_tenant_wrong",
}
"""All that a connection can break by; `flow_suspended` is a state of flows."""


@pytest.fixture(scope="module")
def rooms() -> Rooms:
    return Rooms("contoso")


def test_there_are_some_three_hundred_connections_of_every_kind(rooms):
    kinds = Counter(one.parameter_set for one in rooms.world.connections.values())
    assert 280 <= kinds.total() <= 320
    assert set(kinds) == {
        "oauth",
        "oauthSP",
        "certOauth",
        "sqlAuthentication",
        "windowsAuthentication",
        "windowsAuthenticationNonShared",
        None,
    }


def test_every_cause_that_a_world_can_hold_is_there(rooms):
    told = truth(rooms.world, rooms.now, PARTS)
    found = {cause for one in told["connections"] for cause in one["causes"]}
    assert found >= CAUSES
    assert sum(one["usable"] for one in told["connections"]) > len(told["connections"]) / 2


def test_flows_lie_in_solutions_and_outside_managed_and_not_on_and_off(rooms):
    flows = rooms.world.flows.values()
    assert {flow.workflow_id is None for flow in flows} == {True, False}
    assert {flow.is_managed for flow in flows} == {True, False}
    assert {flow.state for flow in flows} == {"Started", "Stopped", "Suspended"}
    assert len(rooms.world.apps) >= 10
    assert any(environment.org is None for environment in rooms.world.environments.values())


def test_a_broken_connection_may_still_say_connected(rooms):
    told = {one["id"]: one["usable"] for one in truth(rooms.world, rooms.now, PARTS)["connections"]}
    states = {
        (one.status, told[one.id]) for one in rooms.world.connections.values() if one.deleted_at is None
    }
    assert ("Connected", False) in states


def test_the_same_seed_gives_the_same_tenant(rooms):
    assert build("contoso", 1, NOW) == rooms.world
    assert set(build("contoso", 2, NOW).connections).isdisjoint(rooms.world.connections)


def test_most_of_a_quarter_is_folded():
    rooms = Rooms("contoso")
    before = truth(rooms.world, rooms.now, PARTS)["counters"]
    rooms.advance(days=90)
    after = truth(rooms.world, rooms.now, PARTS)["counters"]
    executed, folded = (after[name] - before[name] for name in ("runs_executed", "runs_folded"))
    assert folded > 20 * executed


def test_a_tenant_that_was_written_down_is_the_same(rooms):
    kept = TypeAdapter(World)
    assert kept.validate_json(kept.dump_json(rooms.world)) == rooms.world
