"""The application in the databases: its user with exactly the rights that flows need, and the proof of that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import (
    CloudError,
    OutcomeUnknownError,
    RefusedError,
    SqlServerError,
    ThrottledError,
    UnreachableError,
)
from holdfast.core.inventory import Connection, ConnectionId, ConnectorId
from holdfast.core.secret import Secret
from holdfast.core.sql import Rows, Securable, SqlPlace, SqlRight
from holdfast.migration import tsql
from holdfast.migration.grants import ObjectName, Right
from holdfast.migration.shown import grants_from
from holdfast.migration.tsql import AppUser
from holdfast.migration.world import PROOF, Planned, kind_of, to_assign
from holdfast.ports import SqlServer
from holdfast.saga import Past

TAKEN: Final = 50001
"""What our own guard throws: the user's name belongs to somebody else."""

PASSING: Final = frozenset({942, 4060, 10928, 10929, 40197, 40501, 40613, 40615, 49918, 49919, 49920})
"""Offline, paused, busy, behind a firewall: looking again later is right."""

NO_USER: Final = frozenset({916, 18456})
"""A login that is refused because the database has no user of the application."""

OF_TABLES: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "U": OF_TABLES,
    "V": OF_TABLES,
    "P": ("EXECUTE",),
    "FN": ("EXECUTE",),
    "IF": ("SELECT",),
    "TF": ("SELECT",),
}
"""Rights by kind of object. A synonym is looked through, and triggers and keys have no rights of their own."""
OBJECTS: Final = (
    "SELECT SCHEMA_NAME(o.schema_id) AS schema_name, o.name AS object_name, o.type AS kind FROM sys.objects AS o\n"
    "WHERE o.is_ms_shipped = 0;"
)
OF_DATABASES: Final = (
    "CONTROL",
    "ALTER",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "EXECUTE",
    "ALTER ANY USER",
    "CREATE TABLE",
)
AT_ONCE: Final = 200
NEGATIVES: Final = 3
"""So many objects that no flow needs are asked for through the new connection, and have to be refused."""

PUBLIC: Final = AppUser("public", "00000000-0000-0000-0000-000000000000")


class _OfApplication(Planned):
    def _user(self, past: Past) -> AppUser:
        return AppUser(self._arguments["name"], past["app"].facts["client_id"])

    @asynccontextmanager
    async def _as_app(self, past: Past) -> AsyncIterator[SqlServer]:
        secret: Secret = await self._secret(past)
        async with self._world.sql_as(past["app"].facts["client_id"], secret, kind_of(past)) as server:
            yield server


class MakeUser(_OfApplication):
    """The application's user in one database: made by us, else by an administrator whose effect is waited for."""

    @property
    def _place(self) -> SqlPlace:
        return SqlPlace(self._arguments["server"], self._arguments["database"])

    @property
    def _rights(self) -> tuple[Right, ...]:
        return grants_from(self._arguments).rights

    async def do(self, past: Past) -> Outcome:
        """Make it and read it back. Every statement is safe to run twice, so nothing has to be cleared."""
        user, why = self._user(past), "holdfast has no SQL administrator here"
        if self._world.sql_admin is not None:
            async with self._world.sql_admin() as server:
                try:
                    await server.execute(
                        self._place, *tsql.statements(user, self._rights, self._arguments["roles"])
                    )
                    return await self._read_back(server, user)
                except (SqlServerError, RefusedError) as error:
                    if (end := _end(error, self._place)) is not None:
                        return end
                    why = str(error)
        return await self._by_somebody(past, why)

    async def _read_back(self, server: SqlServer, user: AppUser) -> Outcome:
        found, given, roles = await server.execute(
            self._place, tsql.check_user(user), tsql.check_grants(user), tsql.check_roles(user)
        )
        if not found or str(found[0][1]).lower() != user.client_id.lower():
            return refused(f"The user {user.name!r} in {self._place} is not the application: undo this plan.")
        held = {Right(ObjectName(row[3], row[4]), row[1]) for row in given if row[3] is not None}
        surplus = _folded(held) - _folded(self._rights)
        if surplus:
            named = ", ".join(f"{right.permission} {right.object}" for right in sorted(surplus)[:5])
            return refused(
                f"The user in {self._place} holds more than planned ({named}): revoke it, then apply again."
            )
        more = {str(row[0]).casefold() for row in roles} - {
            role.casefold() for role in self._arguments["roles"]
        }
        if more:
            return refused(
                f"The user in {self._place} is in roles that were not planned ({', '.join(sorted(more))})."
            )
        return done(f"Made, with {len(self._rights)} grants.", by="us")

    async def _by_somebody(self, past: Past, why: str) -> Outcome:
        if await self._is_there(past):
            return done("An administrator made it.", by="somebody")
        return waiting(
            f"A SQL administrator has to run in {self._place} what `holdfast migrate for-dba` prints for this plan ({why})"
        )

    async def _is_there(self, past: Past) -> bool:
        wanted = [_sql_right(right) for right in self._rights]
        async with self._as_app(past) as server:
            try:
                if not wanted:
                    return (await server.probe(self._place)).refusal is None
                return all(await server.rights(self._place, wanted))
            except SqlServerError:
                return False

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Drop the user; without the right to, wait until an administrator has."""
        user, why = self._user(past), "holdfast has no SQL administrator here"
        if self._world.sql_admin is not None:
            async with self._world.sql_admin() as server:
                try:
                    await server.execute(self._place, *tsql.undo_statements(user, (), ()))
                    return done("Dropped.")
                except (SqlServerError, RefusedError) as error:
                    why = str(error)
                    if _is_away(error):
                        return waiting(f"The user in {self._place} cannot be dropped yet: {_words(error)}")
        return await self._dropped_by_somebody(past, why)

    async def _dropped_by_somebody(self, past: Past, why: str) -> Outcome:
        async with self._as_app(past) as server:
            refusal = (await server.probe(self._place)).refusal
        if refusal is None:
            return waiting(
                f"A SQL administrator has to run in {self._place} what `holdfast migrate for-dba --undo` prints ({why})"
            )
        if refusal.number in NO_USER:
            return done("It is gone.")
        return waiting(f"Whether the user in {self._place} is gone cannot be told yet: {refusal.message}")


def _end(error: CloudError, place: SqlPlace) -> Outcome | None:
    """What an error means for the step; None where somebody with more rights has to act."""
    number = error.refusal.number if isinstance(error, SqlServerError) and error.refusal else None
    if number == TAKEN:
        return refused(
            f"In {place} a user of this name is somebody else's: rename it, or undo this plan and plan again."
        )
    return waiting(str(error)) if _is_away(error) else None


def _words(error: CloudError) -> str:
    """Of SQL Server itself; what it was asked for is said elsewhere."""
    refusal = error.refusal if isinstance(error, SqlServerError) else None
    return refusal.message if refusal is not None else str(error)


def _is_away(error: CloudError) -> bool:
    """Whether the database could not be asked, so that nothing is known of what is in it."""
    return isinstance(error, SqlServerError) and error.refusal is not None and error.refusal.number in PASSING


def _sql_right(right: Right) -> SqlRight:
    return SqlRight(right.permission, Securable.OBJECT, right.object.schema, right.object.name)


def _folded(rights: Iterable[Right]) -> frozenset[Right]:
    return frozenset(
        Right(ObjectName(one.object.schema.casefold(), one.object.name.casefold()), one.permission)
        for one in rights
    )


class Proof(_OfApplication):
    """The new connection works, holds every right that flows need, and is refused what they do not need."""

    async def do(self, past: Past) -> Outcome:
        """Ask through the connection, and as the application itself."""
        connection = await self._new(past)
        said, tried = [], 0
        for database in self._arguments["databases"]:
            place = SqlPlace(database["server"], database["database"])
            try:
                await self._world.operator.query(connection, *place, PROOF)
            except CloudError as error:
                to_do = to_assign(self._arguments["name"], str(error))
                return waiting(f"{to_do}The new connection does not work in {place} yet: {error}")
            needed = grants_from(database).rights
            try:
                objects = await self._objects(past, place)
                held, database_wide = await self._held(past, place, objects, needed)
                public = await self._of_public(place)
            except (SqlServerError, UnreachableError) as error:
                return waiting(f"Its rights in {place} cannot be looked at yet: {error}")
            found = self._judged(place, needed, held, public, database_wide)
            if isinstance(found, Outcome):
                return found
            said += found
            unneeded = _unneeded(objects, (*needed, *public))
            refusal, asked = await self._negatives(connection, place, unneeded)
            if refusal is not None:
                return refusal
            tried += asked
        also = f" Everybody holds, through public: {', '.join(said)}." if said else ""
        return done(
            f"Works; {tried} objects that no flow needs were refused.{also}", refused=tried, public=said
        )

    async def _new(self, past: Past) -> Connection:
        made = past[f"connection:{self._planned.connection}"].facts["connection"]
        where = (self._environment.id, ConnectorId(self._arguments["connector"]), ConnectionId(made))
        return await self._world.operator.connection(*where)

    async def _objects(self, past: Past, place: SqlPlace) -> Rows:
        """All of the database, where an administrator of ours sees them; else those that the application sees."""
        if self._world.sql_admin is not None:
            async with self._world.sql_admin() as server:
                try:
                    return (await server.execute(place, OBJECTS))[0]
                except SqlServerError:
                    pass
        async with self._as_app(past) as server:
            return (await server.execute(place, OBJECTS))[0]

    async def _held(
        self, past: Past, place: SqlPlace, objects: Rows, needed: Sequence[Right]
    ) -> tuple[frozenset[Right], list[str]]:
        asked = list(dict.fromkeys([*needed, *_all_of(objects)]))
        held: list[Right] = []
        async with self._as_app(past) as server:
            for start in range(0, len(asked), AT_ONCE):
                part = asked[start : start + AT_ONCE]
                answers = await server.rights(place, [_sql_right(right) for right in part])
                held += [right for right, has in zip(part, answers, strict=True) if has]
            wide = await server.rights(place, [SqlRight(one, Securable.DATABASE) for one in OF_DATABASES])
        return _folded(held), [one for one, has in zip(OF_DATABASES, wide, strict=True) if has]

    async def _of_public(self, place: SqlPlace) -> frozenset[Right]:
        """What everybody holds there; nothing where only an administrator could tell."""
        if self._world.sql_admin is None:
            return frozenset()
        async with self._world.sql_admin() as server:
            try:
                rows = (await server.execute(place, tsql.check_grants(PUBLIC)))[0]
            except SqlServerError:
                return frozenset()
        return _folded(
            Right(ObjectName(row[3], row[4]), row[1])
            for row in rows
            if row[3] is not None and row[0] != "DENY"
        )

    def _judged(
        self,
        place: SqlPlace,
        needed: Sequence[Right],
        held: frozenset[Right],
        public: frozenset[Right],
        wide: Sequence[str],
    ) -> list[str] | Outcome:
        missing = _folded(needed) - held
        if missing:
            named = ", ".join(f"{right.permission} {right.object}" for right in sorted(missing)[:5])
            return refused(
                f"In {place} the application does not hold {named}: is the object there? Then apply again."
            )
        if self._arguments["roles"]:
            return []
        surplus = held - _folded(needed) - public
        if surplus or wide:
            named = ", ".join(
                [*wide, *(f"{right.permission} {right.object}" for right in sorted(surplus)[:5])]
            )
            return refused(
                f"In {place} the application holds what no flow needs ({named}): take it away, then apply again; or undo."
            )
        return [f"{right.permission} {right.object}" for right in sorted((held & public) - _folded(needed))]

    async def _negatives(
        self, connection: Connection, place: SqlPlace, unneeded: Sequence[ObjectName]
    ) -> tuple[Outcome | None, int]:
        if self._arguments["roles"]:
            return None, 0
        for name in unneeded[:NEGATIVES]:
            query = f"SELECT TOP (1) 1 AS holdfast FROM {tsql.object_path(name)}"  # noqa: S608 - quoted
            try:
                await self._world.operator.query(connection, *place, query)
            except CloudError as error:
                if _tells_nothing(error):
                    raise
                continue
            return refused(
                f"Through the new connection {name} in {place} can be read, which no flow needs: undo."
            ), 0
        return None, len(unneeded[:NEGATIVES])


def _tells_nothing(error: CloudError) -> bool:
    """Whether a query failed before SQL Server judged it: a busy connector refuses everything alike."""
    passing = isinstance(error, UnreachableError | OutcomeUnknownError | ThrottledError)
    return passing and "permission was denied" not in str(error).casefold()


def _all_of(objects: Rows) -> list[Right]:
    return [
        Right(ObjectName(schema, name), permission)
        for schema, name, kind in objects
        for permission in KINDS.get(str(kind).strip(), ())
    ]


def _unneeded(objects: Rows, needed: Iterable[Right]) -> list[ObjectName]:
    """Tables and views that no flow touches."""
    touched = {(one.object.schema.casefold(), one.object.name.casefold()) for one in needed}
    return [
        ObjectName(schema, name)
        for schema, name, kind in objects
        if str(kind).strip() in ("U", "V") and (schema.casefold(), name.casefold()) not in touched
    ]
