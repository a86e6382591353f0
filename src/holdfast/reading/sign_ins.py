"""Rows of an owner's sign-in log → when one of the owner's connections last got a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from holdfast.core import beliefs
from holdfast.core.directory import SignInRecord
from holdfast.core.horizon import Interval
from holdfast.core.inventory import Connection, ConnectionId
from holdfast.core.witness import Source, Witness

CONNECTIONS_CLIENT: Final = "fe053c5f-3692-4f14-aef2-ee34fc081cae"
"""Azure API Connections, in whose name the platform refreshes connections (assumed; no document says so)."""
SQL_APPLICATION: Final = "022907d3-0f1b-48f7-badc-1ba6abab6d66"
"""Azure SQL Database: whom their tokens are for."""

NEAR: Final = timedelta(minutes=10)
"""A row so near to a refresh is that refresh: clocks and logs are not to the second."""
LAG: Final = timedelta(days=1)
"""So late a row may still appear (assumed)."""


def dated_by_sign_ins(
    rows: Iterable[SignInRecord],
    wanted: Connection,
    others: Mapping[ConnectionId, Interval | None],
    seen_at: datetime,
) -> Witness | None:
    """What the rows tell of one connection; None where the newest of them can be another's.

    Args:
        rows: of its owner, by refresh token.
        others: the Entra SQL connections of the owner, with when it was last refreshed where that is known.
    """
    newest = max((row.at for row in rows if is_of_a_connection(row)), default=None)
    if newest is None or (wanted.created_at is not None and newest + NEAR < wanted.created_at):
        return None  # no row, or one of a connection that is gone
    rest = [known for id, known in others.items() if id != wanted.id]
    if any(known is None or known.latest + NEAR >= newest for known in rest):
        return None
    quiet = seen_at - newest > LAG
    latest = min(newest + NEAR, seen_at) if quiet else seen_at
    return Witness(
        Source.OWNER_SIGN_IN,
        Interval(min(newest - NEAR, latest), latest),
        beliefs.OWNER_SIGN_IN_REACH,
        (beliefs.OWNER_SIGN_IN,),
    )


def is_of_a_connection(row: SignInRecord) -> bool:
    """Whether some connection of the account got a token for SQL in it."""
    return row.code == 0 and row.client_id == CONNECTIONS_CLIENT and row.resource_id == SQL_APPLICATION
