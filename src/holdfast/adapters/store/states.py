"""Things and what was observed of them: each function is the inside of one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Select, bindparam, insert, select, tuple_, update

from holdfast.adapters.store import changes
from holdfast.adapters.store.database import Line
from holdfast.adapters.store.instants import millis
from holdfast.adapters.store.schema import observations, scans, tenants, things
from holdfast.adapters.store.shapes import placed
from holdfast.core.coverage import ScanId
from holdfast.ports import Thing

BATCH = 500
"""Rows that are read at once: little memory, and below every database's limit of parameters."""

Name = tuple[str, str, str]
"""Kind, environment, key."""


def observe(transaction: Transaction, scan: ScanId, at: datetime, seen: Sequence[Thing]) -> int:
    """Keep what is new about these things."""
    tenant = _tenant_of(transaction, scan)
    facts = {(kind, environment, key): text for kind, environment, key, text in map(placed, seen)}
    known = {(row.kind, row.environment, row.key): row for row in _named(transaction, tenant, list(facts))}
    changed = [name for name, row in known.items() if row.facts != facts[name] or row.gone_at is not None]
    new = [name for name in facts if name not in known]
    log = [{"thing": known[name].id, "change": _change(known[name], facts[name])} for name in changed]
    _rewrite(transaction, at, {known[name].id: facts[name] for name in changed})
    log += [
        {"thing": number, "change": changes.whole(facts[name])}
        for name, number in zip(
            new, _insert(transaction, tenant, at, {n: facts[n] for n in new}), strict=True
        )
    ]
    _append(transaction, scan, at, log)
    return len(log)


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
    there = select(things.c.id, things.c.key).where(
        things.c.tenant == _tenant_of(transaction, scan),
        things.c.kind == kind,
        things.c.environment == environment,
        things.c.gone_at.is_(None),
        things.c.key.startswith(under, autoescape=True),
    )
    gone = [row.id for row in transaction.execute(there) if row.key not in present]
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


def _named(transaction: Transaction, tenant: int, names: Sequence[Name]) -> Iterator[Line]:
    for (kind, environment), group in groupby(sorted(names), key=lambda name: name[:2]):
        query = select(things).where(
            things.c.tenant == tenant, things.c.kind == kind, things.c.environment == environment
        )
        for some in _batches([key for *_, key in group]):
            yield from transaction.execute(query.where(things.c.key.in_(some)))


def _change(row: Line, facts: str) -> str:
    return changes.whole(facts) if row.gone_at is not None else changes.change(row.facts, facts)


def _rewrite(transaction: Transaction, at: datetime, facts: dict[int, str]) -> None:
    if facts:
        statement = (
            update(things)
            .where(things.c.id == bindparam("thing"))
            .values(facts=bindparam("new_facts"), changed_at=millis(at), gone_at=None)
        )
        rows = [{"thing": number, "new_facts": text} for number, text in facts.items()]
        transaction.execute(statement, rows)


def _insert(transaction: Transaction, tenant: int, at: datetime, facts: dict[Name, str]) -> list[int]:
    """The numbers of the new things, in the same order."""
    if not facts:
        return []
    now = millis(at)
    rows = [
        {
            "tenant": tenant,
            "kind": kind,
            "environment": environment,
            "key": key,
            "first_at": now,
            "changed_at": now,
            "facts": text,
        }
        for (kind, environment, key), text in facts.items()
    ]
    made = insert(things).returning(things.c.id, sort_by_parameter_order=True)
    return [row.id for row in transaction.execute(made, rows)]


def _append(transaction: Transaction, scan: ScanId, at: datetime, log: Sequence[dict[str, Any]]) -> None:
    if log:
        transaction.execute(insert(observations), [{"scan": scan, "at": millis(at), **line} for line in log])
