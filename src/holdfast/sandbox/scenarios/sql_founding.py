"""Builds SQL servers thing by thing; scenarios are written with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.sql.catalogue import (
    Column,
    Database,
    Login,
    Permission,
    Principal,
    Procedure,
    Server,
    Table,
    Trigger,
    View,
    sid_of,
)
from holdfast.sandbox.world import World


class ServerFounding:
    """A server in the making.

    Args:
        now: when everything in it was made.
    """

    def __init__(self, world: World, name: str, now: datetime, **more: Any) -> None:
        self.now = now
        self.server = Server(name=name, **more)
        world.servers[name.casefold()] = self.server

    def database(self, name: str) -> Database:
        """The database of that name, made where there is none."""
        known = self.server.database(name)
        if known is not None:
            return known
        made = Database(name=name)
        made.principals["dbo"] = Principal(name="dbo", kind="S", created_at=self.now, roles=["db_owner"])
        self.server.databases[name.casefold()] = made
        return made

    def table(self, database: str, full_name: str, rows: int, columns: Mapping[str, str]) -> Table:
        """A table with an identity key ``Id`` and so many rows; texts and numbers in them come from their place."""
        schema, _, name = full_name.partition(".")
        listed = [Column(name="Id", type="int", nullable=False, is_key=True, is_identity=True)]
        listed += [Column(name=column, type=kind) for column, kind in columns.items()]
        table = Table(schema=schema, name=name, columns=listed)
        table.rows = [
            [n, *(_value(column, kind, n) for column, kind in columns.items())] for n in range(1, rows + 1)
        ]
        self.database(database).tables[full_name.casefold()] = table
        return table

    def procedure(self, database: str, full_name: str, body: Sequence[str], **parameters: Any) -> Procedure:
        """A stored procedure; a parameter's value is its default, "required" for none."""
        schema, _, name = full_name.partition(".")
        procedure = Procedure(schema=schema, name=name, parameters=parameters, body=list(body))
        self.database(database).procedures[full_name.casefold()] = procedure
        return procedure

    def view(self, database: str, full_name: str, query: str) -> View:
        """A view."""
        schema, _, name = full_name.partition(".")
        view = View(schema=schema, name=name, query=query)
        self.database(database).views[full_name.casefold()] = view
        return view

    def trigger(self, database: str, table: str, name: str, events: Sequence[str], *body: str) -> Trigger:
        """A trigger of a table."""
        trigger = Trigger(name=name, events=list(events), body=list(body))
        self.database(database).tables[table.casefold()].triggers.append(trigger)
        return trigger

    def role(self, database: str, name: str) -> Principal:
        """A database role."""
        return self._principal(database, Principal(name=name, kind="R", created_at=self.now))

    def user(self, database: str, who: Account | Application, *roles: str) -> Principal:
        """A database user of an Entra identity."""
        identity = who.object_id if isinstance(who, Account) else who.client_id
        name = who.user_principal_name if isinstance(who, Account) else who.display_name
        return self._principal(
            database,
            Principal(name=name, kind="E", created_at=self.now, sid=sid_of(identity), roles=list(roles)),
        )

    def login(self, database: str, name: str, password: str, *roles: str, **more: Any) -> Login:
        """A login with its database user."""
        login = Login(name=name, password=password, **{"password_set_at": self.now, **more})
        self.server.logins[name.casefold()] = login
        self._principal(
            database, Principal(name=name, kind="S", created_at=self.now, login=name, roles=list(roles))
        )
        return login

    def _principal(self, database: str, principal: Principal) -> Principal:
        self.database(database).principals[principal.name.casefold()] = principal
        return principal

    def grant(self, database: str, grantee: Principal | str, permission: str, full_name: str) -> None:
        """A permission on one object."""
        name = grantee if isinstance(grantee, str) else grantee.name
        self.database(database).permissions.append(
            Permission(grantee=name, permission=permission, securable=f"OBJECT::{full_name}")
        )


def _value(column: str, kind: str, place: int) -> Any:
    base = kind.partition("(")[0]
    if base in ("int", "bigint", "bit"):
        return place % 2 if base == "bit" else place * 7
    if base in ("decimal", "money", "float"):
        return place * 10.25
    return f"2026-01-{place % 28 + 1:02d}T00:00:00" if base.startswith("date") else f"{column} {place}"
