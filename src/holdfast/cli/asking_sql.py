"""What `show --ask-sql` asks and says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.cli.times import iso

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.secret import Secret
    from holdfast.core.verdict import Verdict
    from holdfast.scan.sql_look import SqlLook
    from holdfast.scan.standing import Picture, Standing

AS = {"application": "its own application", "sql_admin": "our SQL administrator"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the databases of one connection said, and what that means with all that was known.

    Attributes:
        verdict: None where nothing that they said speaks of a break.
    """

    looks: Sequence[SqlLook]
    verdict: Verdict | None

    @classmethod
    async def of(cls, holdfast: Holdfast, standing: Standing, seen: Picture) -> Asked:
        """Ask now.

        Raises:
            SettingsError: neither its secret is in our store nor is there a SQL administrator.
            SecretStoreError: the store cannot be read.
        """
        looks = await _looks(holdfast, standing, seen)
        evidence = [fact for each in looks for fact in each.evidence]
        return cls(looks, holdfast.diagnose(standing.status.connection, evidence) if evidence else None)

    def told(self) -> Iterator[str]:
        """Sentences for people."""
        for look in self.looks:
            yield _told(look)
        if not self.looks:
            yield "not asked: neither the connection nor its flows name a server and a database"
        if self.verdict is not None:
            yield f"with that: {self.verdict.cause.id}: {self.verdict.cause.title} ({self.verdict.confidence:.0%} sure)"

    def row(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "asked": [_row(look) for look in self.looks],
            "cause": self.verdict.cause.id if self.verdict else None,
            "confidence": self.verdict.confidence if self.verdict else None,
        }


async def _looks(holdfast: Holdfast, standing: Standing, seen: Picture) -> list[SqlLook]:
    """Every database once: as the connection's application where its secret is in our store, else as our administrator."""
    from holdfast.core.errors import SettingsError
    from holdfast.core.identity import Role
    from holdfast.scan.sql_look import as_administrator, as_application, places_of

    tenant, connection = holdfast.tenants[seen.name], standing.status.connection
    places = places_of(connection, standing.status.flows)
    for secret in await _secrets(holdfast, connection.client_id):
        async with tenant.sql_as(connection.client_id or "", secret) as server:
            found = [await as_application(server, place, holdfast.read) for place in places]
        if not any(each.trouble for each in found):
            return found
    if not tenant.has(Role.SQL_ADMIN):
        raise SettingsError(
            f"The secret of connection {connection.id} is not in our store, and tenant {tenant.name!r} has no sql_admin identity to"
            " look for it: `holdfast init` explains how to add one."
        )
    async with tenant.sql() as server:
        return [
            await as_administrator(server, place, connection.client_id, holdfast.read) for place in places
        ]


async def _secrets(holdfast: Holdfast, client_id: str | None) -> list[Secret]:
    """The secrets of that application that we made and keep."""
    if client_id is None:
        return []
    names = [name for name in await holdfast.secrets.names() if name.startswith(f"app/{client_id}/")]
    found = [await holdfast.secrets.read(name) for name in names]
    return [each for each in found if each is not None]


def _told(look: SqlLook) -> str:
    from holdfast.reading.sql_answers import as_text

    who = AS[look.seen_as]
    if look.refusal is not None:
        return f"{look.place} refused {who}: {as_text(look.refusal)}"
    if look.trouble:
        return look.trouble
    if look.evidence:
        return f"{look.place} let {who} in; the application has no user there"
    return f"{look.place} let {who} in" + (f"; the application is its user {look.user}" if look.user else "")


def _row(look: SqlLook) -> dict[str, Any]:
    refusal = look.refusal
    return {
        "server": look.place.server,
        "database": look.place.database,
        "as": look.seen_as,
        "at": iso(look.at),
        "number": refusal.number if refusal else None,
        "state": refusal.state if refusal else None,
        "message": refusal.message if refusal else look.trouble or None,
        "user": look.user,
    }
