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
    # Of the session, which PostgreSQL frees it with. A transaction that stayed open meanwhile would hold up every
    # CREATE INDEX CONCURRENTLY in the server, the engine's own among them.
    key = {"number": _number(name)}
    with database.outside_transactions() as connection:
        if not connection.execute(text("select pg_try_advisory_lock(:number)"), key).scalar():
            raise StoreError(busy)
        yield
        if not connection.execute(text("select pg_advisory_unlock(:number)"), key).scalar():
            raise StoreError(
                f"The store {database.name} lost our turn meanwhile, so another holdfast may have worked at the same time:"
                " let store_url lead past a pooler in transaction mode (PgBouncer), or set it to session mode."
            )


def hold(transaction: Transaction, name: str) -> bool:
    """Take the turn of that name on PostgreSQL until the transaction ends; whether it was free."""
    taken = transaction.execute(text("select pg_try_advisory_xact_lock(:number)"), {"number": _number(name)})
    return bool(taken.scalar())


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"holdfast {name}".encode()).digest()[:8], signed=True)
