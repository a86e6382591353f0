"""Drop history that is older than the settings want; what stood at that time stays as one state of each thing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, delete, func, select, text, update

from holdfast.adapters.store import changes
from holdfast.adapters.store.database import Database
from holdfast.adapters.store.instants import millis
from holdfast.adapters.store.scanning import last, tenant_id
from holdfast.adapters.store.schema import observations, scans, sweeps, things
from holdfast.adapters.store.states import BATCH


def prune(database: Database, tenant: str, before: datetime) -> int:
    """Drop what was observed of a tenant before that instant, but for the last state of what was there then.

    That state is what the observations after it build upon, and it holds the forecast that stood at the
    time, so that this one can still be graded. What was gone by then goes altogether. Each batch is a
    transaction of its own, so that other writers are not kept waiting.

    Returns:
        How many observations were dropped.

    Raises:
        StoreError: the store could not be written; what was dropped so far is dropped whole.
    """
    with database.writing() as transaction:
        _overwrite(transaction, database)
        dropped = _drop_what_is_gone(transaction, tenant, millis(before))
        _drop_sweeps(transaction, tenant, millis(before))
    after = 0
    while True:
        with database.reading() as transaction:
            some = _with_an_older_past(transaction, tenant, millis(before), after)
        if not some:
            return dropped
        with database.writing() as transaction:
            _overwrite(transaction, database)
            dropped += _fold(transaction, some, millis(before))
        after = some[-1]


def _overwrite(transaction: Transaction, database: Database) -> None:
    """Else the old bytes stay in the file until something else needs their place."""
    if database.file is not None:
        transaction.execute(text("PRAGMA secure_delete = ON"))


def _drop_what_is_gone(transaction: Transaction, tenant: str, before: int) -> int:
    gone = select(things.c.id).where(things.c.tenant == tenant_id(tenant), things.c.gone_at < before)
    dropped: int = transaction.execute(delete(observations).where(observations.c.thing.in_(gone))).rowcount
    transaction.execute(delete(things).where(things.c.id.in_(gone)))
    return dropped


def _drop_sweeps(transaction: Transaction, tenant: str, before: int) -> None:
    """What each part of an old scan answered; that of the newest is what `status` stands on, however old."""
    newest = last(transaction, tenant)
    old = select(scans.c.id).where(
        scans.c.tenant == tenant_id(tenant),
        scans.c.started_at < before,
        scans.c.id != (newest.id if newest else 0),
    )
    transaction.execute(delete(sweeps).where(sweeps.c.scan.in_(old)))


def _with_an_older_past(transaction: Transaction, tenant: str, before: int, after: int) -> Sequence[int]:
    """The next things of which more than one old state is kept, in the order of their numbers."""
    query = (
        select(observations.c.thing)
        .join(things, things.c.id == observations.c.thing)
        .where(things.c.tenant == tenant_id(tenant), observations.c.at < before, observations.c.thing > after)
        .group_by(observations.c.thing)
        .having(func.count() > 1)
        .order_by(observations.c.thing)
        .limit(BATCH)
    )
    return transaction.execute(query).scalars().all()


def _fold(transaction: Transaction, some: Sequence[int], before: int) -> int:
    """Make the last old observation of each thing hold the whole of its state, and drop those before it."""
    query = (
        select(observations.c.id, observations.c.thing, observations.c.change)
        .where(observations.c.thing.in_(some), observations.c.at < before)
        .order_by(observations.c.thing, observations.c.id)
    )
    folded = []
    for thing, lines in groupby(transaction.execute(query), key=lambda line: line.thing):
        state: Any = None
        for line in lines:
            state = None if line.change is None else changes.applied(state, line.change)
        folded.append({"of": thing, "last": line.id, "state": _whole(state)})
    if not folded:
        return 0
    transaction.execute(
        update(observations).where(observations.c.id == bindparam("last")).values(change=bindparam("state")),
        [{"last": one["last"], "state": one["state"]} for one in folded],
    )
    older = delete(observations).where(
        observations.c.thing == bindparam("of"), observations.c.id < bindparam("last")
    )
    done = transaction.execute(older, [{"of": one["of"], "last": one["last"]} for one in folded])
    return int(done.rowcount)


def _whole(state: Any) -> str | None:
    """The change that makes this state out of nothing; None where the thing was gone then."""
    if state is None:
        return None
    return changes.whole(json.dumps(state, separators=(",", ":"), ensure_ascii=False))
