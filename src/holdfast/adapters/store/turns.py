"""One scan, or one doer, in a tenant at a time, whoever runs it and wherever; a killed process lets go by itself."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import Connection as Transaction
from sqlalchemy import text

from holdfast.adapters.store.database import Database
from holdfast.adapters.system import lock_file, make_private_file
from holdfast.core.errors import StoreError

_FOR_LONG = text(
    "select set_config(name, '0', true) from pg_settings"
    " where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')"
)
"""A server may end transactions that are idle or long; this one is both on purpose. The second name came with 17."""


@asynccontextmanager
async def one_at_a_time(database: Database, name: str, busy: str) -> AsyncIterator[None]:
    """Hold the turn of that name.

    Args:
        busy: what to say where somebody else holds it.

    Raises:
        StoreError: somebody else holds it.
    """
    turn = _file_turn(database.file, name, busy) if database.file else _server_turn(database, name, busy)
    await asyncio.to_thread(turn.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(turn.__exit__, None, None, None)


@contextmanager
def _file_turn(store: Path, name: str, busy: str) -> Iterator[None]:
    place = store.with_name(f"{store.name}.{hashlib.sha256(name.encode()).hexdigest()[:12]}.turn")
    make_private_file(place)
    with place.open("r+b") as file:
        if not lock_file(file):
            raise StoreError(busy)
        yield


@contextmanager
def _server_turn(database: Database, name: str, busy: str) -> Iterator[None]:
    with database.holding() as connection:
        connection.execute(_FOR_LONG)
        if not hold(connection, name):
            raise StoreError(busy)
        yield


def hold(transaction: Transaction, name: str) -> bool:
    """Take the turn of that name on PostgreSQL until the transaction ends; whether it was free.

    The lock is of the transaction, not of the session: a pooler such as PgBouncer hands a session to somebody
    else after each transaction. It reads nothing, so it keeps no row from being vacuumed.
    """
    number = int.from_bytes(hashlib.sha256(f"holdfast {name}".encode()).digest()[:8], signed=True)
    return bool(
        transaction.execute(text("select pg_try_advisory_xact_lock(:number)"), {"number": number}).scalar()
    )
