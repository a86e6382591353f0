"""What `show --ask-sql` asks and says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.cli.times import iso

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.inventory import Connection
    from holdfast.core.secret import Secret
    from holdfast.core.sql import LoginState, SqlPlace
    from holdfast.core.verdict import Verdict
    from holdfast.scan.sql_look import SqlLook
    from holdfast.scan.standing import Picture, Standing

NO_LOGIN = (
    "Which login it holds the platform does not tell: name it with --login, or import a table connection,login,kind;"
    " then SQL Server is asked when its password ends."
)
AS = {"application": "its own application", "sql_admin": "our SQL administrator"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the databases of one connection said, and what that means with all that was known.

    Attributes:
        verdict: None where nothing that they said speaks of a break.
        note: what could not be asked or kept; "" where there is nothing to say.
    """

    looks: Sequence[SqlLook]
    verdict: Verdict | None
    note: str = ""

    @classmethod
    async def of(cls, holdfast: Holdfast, standing: Standing, seen: Picture, login: str | None) -> Asked:
        """Ask now; what is told of a SQL login's password is kept for the next scan.

        Args:
            login: that the connection holds, where somebody says it.

        Raises:
            SettingsError: neither its secret is in our store nor is there a SQL administrator.
            SecretStoreError: the store cannot be read.
        """
        looks, note = await _looks(holdfast, standing, seen, login)
        evidence = [fact for each in looks for fact in each.evidence]
        verdict = holdfast.diagnose(standing.status.connection, evidence) if evidence else None
        return cls(looks, verdict, note)

    def told(self) -> Iterator[str]:
        """Sentences for people."""
        for look in self.looks:
            yield _told(look)
        if not self.looks:
            yield "not asked: neither the connection nor its flows name a server and a database"
        if self.note:
            yield self.note
        if self.verdict is not None:
            yield f"with that: {self.verdict.cause.id}: {self.verdict.cause.title} ({self.verdict.confidence:.0%} sure)"

    def row(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "asked": [_row(look) for look in self.looks],
            "note": self.note or None,
            "cause": self.verdict.cause.id if self.verdict else None,
            "confidence": self.verdict.confidence if self.verdict else None,
        }


async def _looks(
    holdfast: Holdfast, standing: Standing, seen: Picture, login: str | None
) -> tuple[list[SqlLook], str]:
    """Every database once: as the connection's application where its secret is in our store, else as our administrator."""
    from holdfast.core.errors import SettingsError
    from holdfast.core.identity import Role
    from holdfast.core.inventory import SignIn
    from holdfast.scan.sql_look import as_administrator, as_application, places_of

    tenant, connection = holdfast.tenants[seen.name], standing.status.connection
    places = places_of(connection, standing.status.flows)
    kind = connection.sign_in.credential or "secret"
    for secret in await _secrets(holdfast, connection.client_id, kind):
        async with tenant.sql_as(connection.client_id or "", secret, kind) as server:
            found = [await as_application(server, place, holdfast.read) for place in places]
        if not any(each.trouble for each in found):
            return found, ""
    if not tenant.has(Role.SQL_ADMIN):
        raise SettingsError(
            f"The secret of connection {connection.id} is not in our store, and tenant {tenant.name!r} has no sql_admin identity to"
            " look for it: `holdfast init` explains how to add one."
        )
    if connection.sign_in is SignIn.SQL_LOGIN:
        return await _at_login(holdfast, connection, places, seen, login)
    async with tenant.sql() as server:
        found = [
            await as_administrator(server, place, connection.client_id, holdfast.read) for place in places
        ]
    return found, ""


async def _at_login(
    holdfast: Holdfast, connection: Connection, places: Sequence[SqlPlace], seen: Picture, login: str | None
) -> tuple[list[SqlLook], str]:
    """As our administrator: whether we are let in, and how the connection's login and its password stand."""
    from holdfast.core.errors import StoreError
    from holdfast.scan.sql_look import as_administrator, at_login
    from holdfast.scan.terms import keep_term, term_of, told_term

    term = await term_of(holdfast.history, seen.tenant, connection.id)
    name = login or (term.login if term else "")
    async with holdfast.tenants[seen.name].sql() as server:
        if not name:
            found = [await as_administrator(server, place, None, holdfast.read) for place in places]
            return found, NO_LOGIN
        found = [await at_login(server, place, name, holdfast.read) for place in places]
    state = next((each.login for each in found if each.login is not None), None)
    if state is None:
        return found, ""
    try:
        term = told_term(term, connection.id, state)
        await keep_term(holdfast.history, seen.tenant, seen.record, term)
    except StoreError as error:
        return found, f"This could not be kept, so that no forecast knows it: {error}"
    return found, "Kept: the next scan forecasts by it."


async def _secrets(holdfast: Holdfast, client_id: str | None, kind: str) -> list[Secret]:
    """The secrets, or certificates, of that application that we made and keep."""
    from holdfast.adapters.certificates import is_certificate

    if client_id is None:
        return []
    names = [name for name in await holdfast.secrets.names() if name.startswith(f"app/{client_id}/")]
    found = [await holdfast.secrets.read(name) for name in names]
    return [each for each in found if each and is_certificate(each) == (kind == "certificate")]


def _told(look: SqlLook) -> str:
    from holdfast.reading.sql_answers import as_text

    who = AS[look.seen_as]
    if look.refusal is not None:
        return f"{look.place} refused {who}: {as_text(look.refusal)}"
    if look.trouble:
        return look.trouble
    if look.login is not None:
        return f"{look.place}: {_login(look.login)}"
    if look.evidence:
        return f"{look.place} let {who} in; the application has no user there"
    return f"{look.place} let {who} in" + (f"; the application is its user {look.user}" if look.user else "")


def _login(state: LoginState) -> str:
    faults = [
        words
        for holds, words in (
            (state.is_locked, "it is locked"),
            (state.is_expired, "its password has expired"),
            (state.must_change, "its password must be changed"),
        )
        if holds
    ]
    if state.ends_from is None or state.ends_to is None:
        ends = "the server's policy ends it never"
    else:
        ends = f"it ends between {state.ends_from:%Y-%m-%d %H:%M} and {state.ends_to:%Y-%m-%d %H:%M} UTC"
    return f"the password of login {state.login} was set {state.set_at:%Y-%m-%d}; " + "; ".join(
        faults or [ends]
    )


def _row(look: SqlLook) -> dict[str, Any]:
    refusal, login = look.refusal, look.login
    return {
        "server": look.place.server,
        "database": look.place.database,
        "as": look.seen_as,
        "at": iso(look.at),
        "number": refusal.number if refusal else None,
        "state": refusal.state if refusal else None,
        "message": refusal.message if refusal else look.trouble or None,
        "user": look.user,
        "login": login
        and {
            "name": login.login,
            "password_set_at": iso(login.set_at),
            "password_ends_from": iso(login.ends_from),
            "password_ends_to": iso(login.ends_to),
            "locked": login.is_locked,
            "expired": login.is_expired,
            "must_change": login.must_change,
        },
    }
