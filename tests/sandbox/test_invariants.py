"""Whatever happens in whatever order, the world keeps its invariants; and whatever is asked, it is answered."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from holdfast.sandbox.control import truth
from holdfast.sandbox.entra.first_party import GRAPH
from holdfast.sandbox.frame import Call, CallRefusedError, Door, Route
from holdfast.sandbox.graph.roles import GRAPH_ROLES
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World
from tests.sandbox.rooms import AUDIENCES, NOW, Rooms

WORLD = TypeAdapter(World)
STORY = WORLD.dump_json(build("story", 1, NOW))
EVENTS = sorted({name for part in PARTS for name in part.events})
DETAILS: dict[str, list[dict[str, Any]]] = {
    "add_policy": [
        {"kind": kind} for kind in ("block", "mfa", "compliant_device", "sign_in_frequency", "terms_of_use")
    ],
    "add_location": [{"ranges": ["203.0.113.0/24"]}],
    "reset_password": [{"via": via} for via in ("entra", "azure", "sspr")],
    "remember_mfa": [{"days": 14}, {}],
    "set_security_defaults": [{"on": True}, {"on": False}],
    "set_app_policy": [{"passwordLifetime": "P90D"}, {}],
    "sql_drop_user": [{"user": "dana.kim@contoso.example"}, {"user": "erp-nightly"}],
    "sql_revoke": [
        {"user": "dana.kim@contoso.example"},
        {"user": "erp-nightly"},
        {"user": "dana.kim@contoso.example", "permission": "CONNECT"},
    ],
    "grant_role": [{"role": "User.Read.All"}],
    "sql_grant": [{"user": "dana.kim@contoso.example", "permission": "CONNECT"}],
    "sql_trouble": [{"error": 40197, "hours": 30}, {"error": 10928}],
    "sql_lock_login": [{"user": "CONTOSO\\svc-plant"}],
    "sql_unlock_login": [{"user": "CONTOSO\\svc-plant"}],
    "connector_outage": [{"status": 429, "hours": 30}, {}],
}


def a_world() -> Rooms:
    return Rooms(world=WORLD.validate_json(STORY))


def targets(world: World) -> list[str]:
    """Everything that an event could be about, and nothing."""
    databases = [f"{server.name}/{name}" for server in world.servers.values() for name in server.databases]
    return [
        "",
        *world.accounts,
        *(app.client_id for app in world.applications.values() if not app.is_first_party),
        *world.connections,
        *world.flows,
        *world.environments,
        *world.gateways,
        *databases,
    ]


TARGETS = targets(WORLD.validate_json(STORY))
step = st.one_of(
    st.tuples(st.sampled_from(EVENTS), st.sampled_from(TARGETS), st.integers(0, 9)),
    st.integers(1, 40).map(lambda days: timedelta(days=days)),
    st.integers(1, 3000).map(lambda minutes: timedelta(minutes=minutes)),
)


def live(rooms: Rooms, steps) -> None:
    for one in steps:
        if isinstance(one, timedelta):
            rooms.advance(seconds=one.total_seconds())
            continue
        event, target, pick = one
        choices = DETAILS.get(event, [{}])
        with contextlib.suppress(LookupError, ValueError):
            rooms.event(event, target, **choices[pick % len(choices)])
            rooms.world.changed()


def check(rooms: Rooms) -> None:
    world, now = rooms.world, rooms.now
    assert world.settled_at == now
    for token in world.refresh_tokens.values():
        assert token.account_id in world.accounts
        assert token.signed_in_at <= token.issued_at <= now
    for connection in world.connections.values():
        assert connection.environment_id in world.environments
        assert connection.refresh_token_id is None or connection.refresh_token_id in world.refresh_tokens
        assert connection.created_at <= connection.modified_at <= now
        assert connection.last_token_at is None or connection.last_token_at <= now
    for told in truth(world, now, PARTS)["connections"]:
        assert told["usable"] == (not told["causes"]) == (told["cause"] is None)
        assert told["broke_at"] is None or told["broke_at"] <= now.isoformat()
        if world.connections[told["id"]].refresh_token_id is None:
            assert not {"token_inactive", "password_changed", "session_revoked", "mfa_required"} & set(
                told["causes"]
            )


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(step, max_size=25))
def test_any_order_of_events_keeps_the_world_whole(steps):
    rooms = a_world()
    live(rooms, steps)
    check(rooms)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(step, max_size=20))
def test_the_same_order_gives_the_same_world(steps):
    first, second = a_world(), a_world()
    live(first, steps)
    live(second, steps)
    assert WORLD.dump_json(first.world) == WORLD.dump_json(second.world)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(step, max_size=20), st.lists(step, max_size=8))
def test_a_restart_in_between_changes_nothing(before, after):
    through, restarted = a_world(), a_world()
    live(through, before)
    live(restarted, before)
    restarted = Rooms(world=WORLD.validate_json(WORLD.dump_json(restarted.world)))
    live(through, after)
    live(restarted, after)
    told = [truth(one.world, one.now, PARTS) for one in (through, restarted)]
    assert told[0] == told[1]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "properties",
        "displayName",
        "connectionParametersSet",
        "values",
        "name",
        "passwordCredential",
        "keyId",
        "principal",
        "requests",
        "id",
        "method",
        "url",
        "put",
        "delete",
        "statecode",
        "clientdata",
        "connectionid",
        "state",
        "conditions",
        "grantControls",
        "keyCredentials",
        "appId",
        "event",
        "target",
    ]
)
bodies = st.one_of(
    st.binary(max_size=40),
    anything.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(KEYS, anything | st.dictionaries(KEYS, anything, max_size=3), max_size=4).map(
        lambda value: json.dumps(value).encode()
    ),
)
queries = st.one_of(
    st.just(""),
    st.just("api-version=2016-11-01"),
    st.text(max_size=20),
    st.tuples(
        st.sampled_from(["$filter", "$select", "$top", "$orderby", "$skiptoken", "$expand", "api-version"]),
        st.text(max_size=20),
    ).map("=".join),
)
ROUTES = [
    (room.host, route)
    for part in PARTS
    for room in part.rooms
    for route in room.routes
    if room.host is not Host.CONTROL
]


@pytest.fixture(scope="module")
def rooms() -> Rooms:
    return a_world()


def known_values(rooms: Rooms) -> list[str]:
    world = rooms.world
    return [
        *list(world.environments)[:1],
        *list(world.connections)[:3],
        *list(world.flows)[:2],
        *(app.object_id for app in list(world.applications.values())[-2:]),
        "shared_sql",
        "contoso-finance",
        "nothing",
        "%00",
        "'",
        "ü" * 40,
    ]


def filled(route: Route, values: list[str]) -> str:
    """The route's path with something in place of each parameter."""
    following = cycle(values)
    return re.sub(r"\{[^}]*\}", lambda _: next(following), route.path)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(ROUTES),
    st.lists(st.integers(0, 99), min_size=3, max_size=3),
    bodies,
    queries,
    st.integers(0, 3),
)
def test_no_room_fails_whatever_it_is_asked(rooms, place, picks, body, query, who):
    host, route = place
    values = known_values(rooms)
    headers = {"content-type": "application/json"}
    identities = [rooms.app("holdfast-operator"), rooms.account("Lee Brandt"), rooms.account("Dana Kim")]
    if who < len(identities):
        audience = {**AUDIENCES, Host.GRAPH: GRAPH.uris[0]}.get(host, "nobody")
        headers["authorization"] = f"Bearer {rooms.token(identities[who], audience, roles=GRAPH_ROLES)}"
    call = Call(
        tenant=rooms.tenant,
        host=host,
        method=route.method,
        path=filled(route, [values[pick % len(values)] for pick in picks]),
        query_string=query,
        headers=headers,
        body=body,
        now=rooms.now,
    )
    door = Door(room for part in PARTS for room in part.rooms if room.host is host)
    try:
        status = door.find(call).endpoint(call).status_code
    except CallRefusedError as refusal:
        status = refusal.response.status_code
    assert status < 500 or status in (502, 503, 504)
