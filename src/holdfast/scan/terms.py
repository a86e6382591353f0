"""When passwords end, as SQL Server told: joined to what a table says, and kept for the next scan."""

from __future__ import annotations

from dataclasses import replace

from holdfast.core.coverage import ScanRecord
from holdfast.core.imported import PasswordTerm
from holdfast.core.inventory import ConnectionId
from holdfast.core.sql import LoginState
from holdfast.ports import History


def told_term(before: PasswordTerm | None, connection: ConnectionId, state: LoginState) -> PasswordTerm:
    """What is known of the password now. SQL Server's own date goes before that of a table.

    Where its policy ends the password never, what the table says stays: people agree on ends of their own.
    """
    term = before or PasswordTerm(connection, state.login, "sql")
    if term.asked_at is not None and term.expires_from is not None:
        term = replace(term, expires_from=None, expires_to=None)  # its own earlier answer
    if state.ends_from is not None:
        return replace(
            term,
            login=state.login,
            expires_from=state.ends_from,
            expires_to=state.ends_to,
            asked_at=state.at,
            set_at=state.set_at,
            is_endless=False,
        )
    if term.expires_from is not None:
        return replace(term, set_at=state.set_at)
    return replace(
        term, login=state.login, asked_at=state.at, set_at=state.set_at, is_endless=term.max_age is None
    )


async def term_of(history: History, tenant: str, connection: ConnectionId) -> PasswordTerm | None:
    """What is known of the password of a connection."""
    return (await history.lookup(tenant, PasswordTerm, "", [connection])).get(connection)


async def keep_term(history: History, tenant: str, record: ScanRecord, term: PasswordTerm) -> None:
    """Keep it beside what the last scan saw; the next scan judges by it.

    Raises:
        StoreError: history could not be written, or the tenant is being scanned.
    """
    async with history.scanning(tenant):
        await history.observe(record.id, term.asked_at or record.started_at, [term])
