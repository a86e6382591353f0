"""The door to the SQL servers of a world, for whoever brings an identity to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.catalogue import Server
from holdfast.sandbox.sql.engine import engine_for
from holdfast.sandbox.sql.login import Identity, open_session
from holdfast.sandbox.sql.sessions import SqlSession
from holdfast.sandbox.world import World


def reachable(world: World) -> list[Server]:
    """The servers that are reached without a gateway, in the order in which they were made."""
    return [server for server in world.servers.values() if server.gateway_id is None]


def log_in(
    world: World, server: str, database: str, who: Identity, now: Callable[[], datetime], address: str
) -> SqlSession:
    """Log in to a database.

    Args:
        server: as connections name it, without a port.
        who: ``Identity("sql", name, password)``, or ``Identity("entra", name, entra_id=…)`` with the object id of a
            person or the client id of an application, from a token that the caller has checked.
        address: where the client knocks from, for the firewall's words.

    Raises:
        SqlError: the server refuses: 18456, 18470, 18487, 4060, 40615, 40613, 942, or 53 where there is none.
    """
    found = world.servers.get(server.casefold())
    if found is None:
        raise errors.no_server(server)
    opened = open_session(found, database, who, now(), address)
    engine = engine_for(memo_of(world), found.name, opened.database)
    return SqlSession(opened, engine, now, world.changed)
