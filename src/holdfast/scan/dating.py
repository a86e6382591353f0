"""At the end of a scan: what the sign-in logs of owners tell of connections that nothing else dates.

Only then every other connection of an owner is known, and a row dates a connection only where no other can have
made it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from holdfast.core.horizon import Interval
from holdfast.core.inventory import SQL_CONNECTORS, Connection, ConnectionId
from holdfast.core.judgement import Judgement
from holdfast.diagnosis.judge import concluded
from holdfast.ports import History
from holdfast.reading.accounts import Accounts
from holdfast.reading.sign_ins import dated_by_sign_ins
from holdfast.reading.witnesses import last_refresh
from holdfast.scan.judging import Undated, judge
from holdfast.scan.owners import OwnerLog

Others = Mapping[ConnectionId, Interval | None]


async def dated(
    history: History, tenant: str, log: OwnerLog, accounts: Accounts, undated: Sequence[Undated]
) -> AsyncIterator[Judgement]:
    """The new judgements of those that an owner's log dates.

    Args:
        undated: of a scan that read all connections: of what was not seen nobody can say whose row it is.
    """
    owners = {owner for each in undated if (owner := each.case.person_id) is not None}
    held = await _held_by(history, tenant, accounts, owners)
    for case, bench, seen_at in undated:
        owner = case.person_id
        rows = await log.rows_of(owner) if owner is not None else None
        if owner is None or rows is None:
            continue
        witness = dated_by_sign_ins(rows, case.connection, held[owner], seen_at)
        if witness is None:
            continue
        case = replace(case, refreshed=witness.refreshed, sign_ins=rows)
        yield judge(case, seen_at, (witness,), concluded(case), bench)


async def _held_by(
    history: History, tenant: str, accounts: Accounts, owners: set[str]
) -> Mapping[str, Others]:
    """Every Entra SQL connection of these owners, with when it was last refreshed where that is known."""
    found: defaultdict[str, dict[ConnectionId, Interval | None]] = defaultdict(dict)
    async for connection in history.current(tenant, Connection):
        if connection.sign_in.has_refresh_token and connection.connector in SQL_CONNECTORS:
            owner = _owner_of(connection, accounts)
            if owner in owners:
                found[owner][connection.id] = await _refreshed(history, tenant, connection)
    return found


def _owner_of(connection: Connection, accounts: Accounts) -> str | None:
    account = accounts.behind(connection)
    return account.id if account else connection.owner.id if connection.owner else None


async def _refreshed(history: History, tenant: str, connection: Connection) -> Interval | None:
    key = f"{connection.connector}/{connection.id}"
    judged = await history.lookup(tenant, Judgement, connection.environment, [key])
    return last_refresh(judged[key].witnesses) if key in judged else None
