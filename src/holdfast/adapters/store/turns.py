"""One scan, or one doer, in a tenant at a time, whoever runs it and wherever; a killed process lets go by itself."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

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
    # PostgreSQL frees an advisory lock with the session that holds it.
    number = int.from_bytes(hashlib.sha256(f"holdfast {name}".encode()).digest()[:8], signed=True)
    with database.outside_transactions() as connection:
        if not connection.execute(text("select pg_try_advisory_lock(:number)"), {"number": number}).scalar():
            raise StoreError(busy)
        yield
        connection.execute(text("select pg_advisory_unlock(:number)"), {"number": number})
