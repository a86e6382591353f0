"""Things and what was observed of them: each function is the inside of one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, insert, select, tuple_, update
from sqlalchemy import Connection as Transaction

from holdfast.adapters.store import changes
from holdfast.adapters.store.bulk import Plain, insert_rows
from holdfast.adapters.store.database import Line
from holdfast.adapters.store.instants import millis
from holdfast.adapters.store.schema import observations, scans, tenants, things
from holdfast.adapters.store.shapes import placed, shape_of
from holdfast.core.coverage import News, ScanId
from holdfast.core.judgement import Judgement
from holdfast.ports import Thing

BATCH = 500
"""Rows that are read at once: little memory, and below every database's limit of parameters."""


def observe(transaction: Transaction, scan: ScanId, at: datetime, seen: Sequence[Thing]) -> News:
    """Keep what is new about these things."""
    tenant = _tenant_of(transaction, scan)
    places: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for kind, environment, key, facts in map(placed, seen):
        places[(kind, environment)][key] = facts
    news = News()
    for place, facts_by_key in places.items():
        new = _observe(transaction, _Place(tenant, *place), scan, at, facts_by_key)
        judged = place[0] == shape_of(Judgement).kind
        news = news.plus(News(judgements=new) if judged else News(things=new))
    return news


class _Place(NamedTuple):
    """Where things of one kind belong."""

    tenant: int
    kind: str
    environment: str


_OF_PLACE = "tenant = {0} AND kind = {0} AND environment = {0}"
_KNOWN = Plain(f"SELECT id, key, facts, gone_at FROM things WHERE {_OF_PLACE} AND key IN ({{keys}})")
_FIRST = Plain(
    "INSERT INTO observations (thing, scan, at, change)"
    f" SELECT id, {{0}}, {{0}}, {{0}} || facts || {{0}} FROM things WHERE id > {{0}} AND {_OF_PLACE}"
)


def _observe(
    transaction: Transaction, place: _Place, scan: ScanId, at: datetime, facts: dict[str, str]
) -> int:
    missing = dict(facts)
    changed: list[tuple[Line, str]] = []
    for some in _batches(list(facts)):
        for row in _KNOWN.run(transaction, (*place, *some), keys=len(some)):
            _, key, before, gone_at = row
            text = missing.pop(key)
            if before != text or gone_at is not None:
                changed.append((row, text))
    _rewrite(transaction, scan, at, changed)
    _insert(transaction, place, scan, at, missing)
    return len(changed) + len(missing)


def lose(
    transaction: Transaction,
    scan: ScanId,
    at: datetime,
    kind: str,
    environment: str,
    present: Collection[str],
    under: str,
) -> int:
    """Note that things are gone: those whose key begins with `under` and is not among the present."""
    of_part = (
        things.c.tenant == _tenant_of(transaction, scan),
        things.c.kind == kind,
        things.c.environment == environment,
        things.c.gone_at.is_(None),
        things.c.key.startswith(under, autoescape=True),
    )
    # All that are present were just observed: where no more are known, none is gone, and none has to be read.
    if transaction.execute(select(func.count()).where(*of_part)).scalar_one() == len(present):
        return 0
    there = transaction.execute(select(things.c.id, things.c.key).where(*of_part))
    gone = [row.id for row in there if row.key not in present]
    if gone:
        statement = update(things).where(things.c.id == bindparam("thing")).values(gone_at=millis(at))
        transaction.execute(statement, [{"thing": number} for number in gone])
    _append(transaction, scan, at, [{"thing": number, "change": None} for number in gone])
    return len(gone)


def following(
    transaction: Transaction, tenant: str, kind: str, environment: str | None, after: tuple[str, str]
) -> Sequence[Line]:
    """The next things of a kind in the order of environment and key, after the last one read."""
    query = _things(tenant, kind).where(things.c.gone_at.is_(None))
    if environment is None:
        query = query.where(tuple_(things.c.environment, things.c.key) > after)
    else:
        query = query.where(things.c.environment == environment, things.c.key > after[1])
    return transaction.execute(query.order_by(things.c.environment, things.c.key).limit(BATCH)).all()


def present(
    transaction: Transaction, tenant: str, kind: str, environment: str, keys: Sequence[str]
) -> list[Line]:
    """Those of the named things that are there."""
    query = _things(tenant, kind).where(things.c.environment == environment, things.c.gone_at.is_(None))
    return [
        row for some in _batches(keys) for row in transaction.execute(query.where(things.c.key.in_(some)))
    ]


def log_of(transaction: Transaction, tenant: str, kind: str, environment: str, key: str) -> Sequence[Line]:
    """All that was observed of one thing, oldest first."""
    query = (
        select(observations.c.at, observations.c.change)
        .join(things, things.c.id == observations.c.thing)
        .join(tenants, tenants.c.id == things.c.tenant)
        .where(
            tenants.c.name == tenant,
            things.c.kind == kind,
            things.c.environment == environment,
            things.c.key == key,
        )
    )
    return transaction.execute(query.order_by(observations.c.id)).all()


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _things(tenant: str, kind: str) -> Select[Any]:
    number = select(tenants.c.id).where(tenants.c.name == tenant).scalar_subquery()
    return select(things.c.environment, things.c.key, things.c.facts).where(
        things.c.tenant == number, things.c.kind == kind
    )


def _tenant_of(transaction: Transaction, scan: ScanId) -> int:
    number: int = transaction.execute(select(scans.c.tenant).where(scans.c.id == scan)).scalar_one()
    return number


def _rewrite(
    transaction: Transaction, scan: ScanId, at: datetime, changed: Sequence[tuple[Line, str]]
) -> None:
    if not changed:
        return
    statement = (
        update(things)
        .where(things.c.id == bindparam("thing"))
        .values(facts=bindparam("new_facts"), changed_at=millis(at), gone_at=None)
    )
    transaction.execute(statement, [{"thing": row.id, "new_facts": text} for row, text in changed])
    log = [{"thing": row.id, "change": _change(row, text)} for row, text in changed]
    _append(transaction, scan, at, log)


def _change(row: Line, facts: str) -> str:
    return changes.whole(facts) if row.gone_at is not None else changes.change(row.facts, facts)


def _insert(
    transaction: Transaction, place: _Place, scan: ScanId, at: datetime, facts: dict[str, str]
) -> None:
    if not facts:
        return
    now = millis(at)
    before = transaction.execute(select(func.coalesce(func.max(things.c.id), 0))).scalar_one()
    columns = ("tenant", "kind", "environment", "key", "first_at", "changed_at", "facts")
    insert_rows(
        transaction, "things", columns, [(*place, key, now, now, text) for key, text in facts.items()]
    )
    # The database knows the numbers it gave; asking for them row by row is what takes the time.
    _FIRST.run(transaction, (scan, now, *changes.WHOLE, before, *place))


def _append(transaction: Transaction, scan: ScanId, at: datetime, log: Sequence[dict[str, Any]]) -> None:
    if log:
        transaction.execute(insert(observations), [{"scan": scan, "at": millis(at), **line} for line in log])
