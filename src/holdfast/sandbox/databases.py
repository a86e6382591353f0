"""The door to the SQL servers of a world, for whoever brings an identity to it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from datetime import datetime

from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.administering import SID_FORM, Found
from holdfast.sandbox.sql.catalogue import Database, Server
from holdfast.sandbox.sql.engine import Engine, engine_for
from holdfast.sandbox.sql.login import Identity, open_session
from holdfast.sandbox.sql.sessions import SqlSession
from holdfast.sandbox.world import World


def reachable(world: World) -> list[Server]:
    """The servers that are reached without a gateway, in the order in which they were made."""
    return [server for server in world.servers.values() if server.gateway_id is None]


class WorldDirectory:
    """A world's people and applications as a server looks them up."""

    def __init__(self, world: World) -> None:
        self._world = weakref.ref(world)

    @property
    def sid_form_is_free(self) -> bool:
        """Whether a SQL login may make a user by SID."""
        world = self._world()
        return world is None or world.holds(SID_FORM)

    def named(self, name: str) -> list[Found]:
        """Everybody with this display name, or user principal name."""
        wanted = name.casefold()
        return [one for names, one in self._everybody() if wanted in names]

    def with_id(self, object_id: str) -> Found | None:
        """Who has this object id; nobody for the id of an app registration, or a client id."""
        wanted = object_id.lower()
        return next((one for _, one in self._everybody() if wanted == one.object_id), None)

    def _everybody(self) -> Iterator[tuple[tuple[str, ...], Found]]:
        world = self._world()
        if world is None:
            return
        for account in world.accounts.values():
            if account.deleted_at is None:
                names = (account.user_principal_name.casefold(),)
                found = Found(
                    account.user_principal_name,
                    "E",
                    account.object_id,
                    account.object_id,
                    is_application=False,
                )
                yield names, found
        for app in world.applications.values():
            if app.deleted_at is None and app.principal_id is not None:
                yield (
                    (app.display_name.casefold(),),
                    Found(app.display_name, "E", app.principal_id, app.client_id, is_application=True),
                )


def engine_of(world: World, server: Server, database: Database) -> Engine:
    """The engine of a database of this world."""
    return engine_for(memo_of(world), server.name, database, WorldDirectory(world))


def log_in(
    world: World,
    server: str,
    database: str,
    who: Identity,
    now: Callable[[], datetime],
    address: str,
    spid: int = 51,
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
    return SqlSession(opened, engine_of(world, found, opened.database), now, world.changed, spid)
