"""What cloud flows bring to the sandbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from holdfast.sandbox import connection_use
from holdfast.sandbox.flows import folding, runtime, sql_connector
from holdfast.sandbox.flows.folding import next_due
from holdfast.sandbox.flows.history import folded, last_run
from holdfast.sandbox.flows.runtime import bound
from holdfast.sandbox.frame import Part, Room, at
from holdfast.sandbox.powerautomate.events import EVENTS, run_flow
from holdfast.sandbox.powerautomate.standing import causes
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.sql import administering, login
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World


def truth(world: World, now: datetime) -> dict[str, Any]:
    """The flows with their last runs, what stands on the SQL servers, and the counters."""
    runs, failed = folded(world, now)
    counters = {"queries_failed": 0, "writes": 0, "runs_executed": 0, **world.counts}
    counters["queries_failed"] += failed
    counters["runs_folded"] = runs
    return {
        "flows": [_flow(world, flow, now) for flow in world.flows.values()],
        "sql": {"principals": _principals(world), "grants": _grants(world), "used": _used(world)},
        "counters": counters,
    }


def _flow(world: World, flow: Flow, now: datetime) -> dict[str, Any]:
    at, was_ok = last_run(world, flow, now)
    connections = [
        connection.id for key in flow.connections if (connection := bound(world, flow, key)) is not None
    ]
    return {
        "id": flow.id,
        "environment": flow.environment_id,
        "workflow": flow.workflow_id,
        "on": flow.state == "Started",
        "connections": list(dict.fromkeys(connections)),
        "last_run_at": at.isoformat() if at else None,
        "last_run_ok": was_ok,
    }


def _principals(world: World) -> list[dict[str, Any]]:
    return [
        {
            "server": server.name,
            "database": database.name,
            "name": one.name,
            "type": one.kind,
            "sid": one.sid,
            "roles": list(one.roles),
        }
        for server in world.servers.values()
        for database in server.databases.values()
        for one in database.principals.values()
    ]


def _grants(world: World) -> list[dict[str, Any]]:
    return [
        {
            "server": server.name,
            "database": database.name,
            "grantee": one.grantee,
            "permission": one.permission,
            "securable": one.securable,
            "state": one.state,
            "used": one.used_at.isoformat() if one.used_at else None,
        }
        for server in world.servers.values()
        for database in server.databases.values()
        for one in database.permissions
    ]


def _used(world: World) -> list[dict[str, Any]]:
    """Rights that statements needed and had, each once, since when, and through whose grant or which role."""
    return [
        {
            "server": server.name,
            "database": database.name,
            "user": one.user,
            "permission": one.permission,
            "securable": one.securable,
            "through": one.through,
            "since": one.at.isoformat(),
        }
        for server in world.servers.values()
        for database in server.databases.values()
        for one in database.uses.values()
    ]


PART = Part(
    "flows",
    rooms=(Room(Host.CONTROL, (at("POST", "/run", run_flow),)),),
    rules=connection_use.RULES
    + runtime.RULES
    + folding.RULES
    + sql_connector.RULES
    + login.RULES
    + administering.RULES,
    agenda=(next_due,),
    events=EVENTS,
    causes=causes,
    truth=truth,
)
