"""Tables that a person hands in, into history: a table replaces the one of its kind that came before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from holdfast.core.coverage import IMPORTED, Outcome, ScanRecord, Sweep
from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import SQL_CONNECTORS, Connection, SignIn
from holdfast.ports import History
from holdfast.reading.tables import Tables


class Imported(NamedTuple):
    """What came of it.

    Attributes:
        strangers: connections of the table that the last scan did not see, or that hold no password.
        without: connections with a password that the table does not name.
    """

    passwords: int
    flows: int
    strangers: tuple[str, ...]
    without: int


def together(tables: Iterable[Tables]) -> Tables:
    """Several files as one, the connectors of each flow joined to it."""
    found = list(tables)
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for flow, connector in (pair for table in found for pair in table.references):
        uses[flow].append(connector)
    flows = {flow.id: flow for table in found for flow in table.flows}
    return Tables(
        tuple({term.connection: term for table in found for term in table.passwords}.values()),
        tuple(
            replace(flow, connectors=tuple(sorted(set(uses[flow.id])))) if uses else flow
            for flow in flows.values()
        ),
    )


async def take_in(
    history: History, tenant: str, record: ScanRecord, tables: Tables, now: datetime
) -> Imported:
    """Keep the tables beside what the last scan saw; the next scan judges by them.

    What SQL Server told of a password stays where the table says nothing of its end.

    Raises:
        StoreError: history could not be written, or the tenant is being scanned.
    """
    async with history.scanning(tenant):
        if tables.passwords:
            sweep = Sweep("", f"{IMPORTED}:passwords", Outcome.SCANNED, now, now, len(tables.passwords))
            asked = {t.connection: t async for t in history.current(tenant, PasswordTerm) if t.asked_at}
            terms = [_joined(term, asked.get(term.connection)) for term in tables.passwords]
            present = {*asked, *(term.connection for term in terms)}
            await history.conclude(record.id, sweep, PasswordTerm, present, last=terms)
        if tables.flows:
            sweep = Sweep("", f"{IMPORTED}:flows", Outcome.SCANNED, now, now, len(tables.flows))
            await history.conclude(
                record.id, sweep, KitFlow, {flow.id for flow in tables.flows}, last=tables.flows
            )
    held = [
        each.id
        async for each in history.current(tenant, Connection)
        if each.connector in SQL_CONNECTORS and each.sign_in in (SignIn.SQL_LOGIN, SignIn.WINDOWS)
    ]
    named = {term.connection for term in tables.passwords}
    return Imported(
        len(tables.passwords),
        len(tables.flows),
        tuple(sorted(named - set(held))),
        len(set(held) - named),
    )


def _joined(term: PasswordTerm, asked: PasswordTerm | None) -> PasswordTerm:
    """The row of the table; SQL Server's answer instead, where the row only names the login that was asked about."""
    if asked is None or term.expires_from is not None or term.max_age is not None:
        return term
    return asked if asked.login.casefold() == term.login.casefold() else term
