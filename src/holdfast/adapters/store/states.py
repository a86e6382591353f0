"""Things and what was observed of them: each function is the inside of one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, insert, select, update

from holdfast.adapters.store import changes
from holdfast.adapters.store.bulk import Plain
from holdfast.adapters.store.database import Line
from holdfast.adapters.store.instants import millis
from holdfast.adapters.store.schema import observations, tenants, things
from holdfast.adapters.store.shapes import placed, shape_of
from holdfast.core.coverage import News, ScanId
from holdfast.core.judgement import Judgement
from holdfast.ports import Thing

T = TypeVar("T")

BATCH = 400
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


_KNOWN = Plain(
    "WITH seen (key, facts) AS (VALUES {pairs})"
    " SELECT things.id, things.facts, things.gone_at, seen.facts FROM seen CROSS JOIN things"
    " WHERE things.key = seen.key AND things.tenant = {0} AND things.kind = {0} AND things.environment = {0}"
    " AND (things.facts <> seen.facts OR things.gone_at IS NOT NULL)"
)
_NEW = Plain(
    "INSERT INTO things (tenant, kind, environment, key, first_at, changed_at, facts)"
    " WITH seen (key, facts) AS (VALUES {pairs})"
    " SELECT {0}, {0}, {0}, key, {0}, {0}, facts FROM seen WHERE NOT EXISTS (SELECT 1 FROM things"
    " WHERE things.tenant = {0} AND things.kind = {0} AND things.environment = {0} AND things.key = seen.key)"
)
_LAST = Plain("SELECT coalesce(max(id), 0) FROM things")
_FIRST = Plain(
    "INSERT INTO observations (thing, scan, at, change) SELECT id, {0}, {0}, {0} || facts || {0} FROM things"
    " WHERE id > {0} AND tenant = {0} AND kind = {0} AND environment = {0}"
)


def _observe(
    transaction: Transaction, place: _Place, scan: ScanId, at: datetime, facts: dict[str, str]
) -> int:
    """The database compares by itself, many in one statement: what is known as it is never comes back here."""
    now = millis(at)
    last = _LAST.value(transaction, ())
    changed: list[_Changed] = []
    new = 0
    for some in _batches(list(facts.items())):
        pairs = [text for pair in some for text in pair]
        added = _NEW.written(transaction, (*pairs, *place, now, now, *place), pairs=len(some))
        new += added
        # Where all were new none can have changed; those just added are as they were seen.
        if added < len(some):
            changed += map(_Changed._make, _KNOWN.rows(transaction, (*pairs, *place), pairs=len(some)))
    _rewrite(transaction, scan, at, changed)
    if new:
        _FIRST.written(transaction, (scan, now, *changes.WHOLE, last, *place))
    return len(changed) + new


class _Changed(NamedTuple):
    """A known thing that is not as it was."""

    id: int
    before: str
    gone_at: int | None
    facts: str


_OF_PART = (
    " FROM things WHERE tenant = {0} AND kind = {0} AND environment = {0} AND gone_at IS NULL"
    " AND substr(key, 1, {0}) = {0}"
)
_COUNT_OF_PART = Plain("SELECT count(*)" + _OF_PART)
_KEYS_OF_PART = Plain("SELECT id, key" + _OF_PART)


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
    part = (_tenant_of(transaction, scan), kind, environment, len(under), under)
    # All that are present were just observed: where no more are known, none is gone, and none has to be read.
    if _COUNT_OF_PART.value(transaction, part) == len(present):
        return 0
    gone = [row.id for row in _KEYS_OF_PART.rows(transaction, part) if row.key not in present]
    if gone:
        statement = update(things).where(things.c.id == bindparam("thing")).values(gone_at=millis(at))
        transaction.execute(statement, [{"thing": number} for number in gone])
    _append(transaction, scan, at, [{"thing": number, "change": None} for number in gone])
    return len(gone)


_FOLLOWING = (
    "SELECT environment, key, facts FROM things WHERE tenant = (SELECT id FROM tenants WHERE name = {0})"
    " AND kind = {0} AND gone_at IS NULL"
)
_IN_ORDER = f" ORDER BY environment, key LIMIT {BATCH}"
_FOLLOWING_ANYWHERE = Plain(_FOLLOWING + " AND (environment, key) > ({0}, {0})" + _IN_ORDER)
_FOLLOWING_THERE = Plain(_FOLLOWING + " AND environment = {0} AND key > {0}" + _IN_ORDER)


def following(
    transaction: Transaction, tenant: str, kind: str, environment: str | None, after: tuple[str, str]
) -> Sequence[Line]:
    """The next things of a kind in the order of environment and key, after the last one read."""
    if environment is None:
        return _FOLLOWING_ANYWHERE.rows(transaction, (tenant, kind, *after))
    return _FOLLOWING_THERE.rows(transaction, (tenant, kind, environment, after[1]))


_PRESENT = Plain(
    "SELECT {document}(key, facts) FROM things WHERE tenant = (SELECT id FROM tenants WHERE name = {0})"
    " AND kind = {0} AND environment = {0} AND gone_at IS NULL AND key IN ({each})"
)


def present(
    transaction: Transaction, tenant: str, kind: str, environment: str, keys: Sequence[str]
) -> dict[str, str]:
    """The fields of those of the named things that are there."""
    found: dict[str, str] = {}
    for some in _batches(keys):
        found |= _PRESENT.document(transaction, (tenant, kind, environment, *some), each=len(some))
    return found


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


def _batches(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    return (all_of_them[start : start + BATCH] for start in range(0, len(all_of_them), BATCH))


_TENANT_OF = Plain("SELECT tenant FROM scans WHERE id = {0}")


def _tenant_of(transaction: Transaction, scan: ScanId) -> int:
    return _TENANT_OF.value(transaction, (scan,))


def _rewrite(transaction: Transaction, scan: ScanId, at: datetime, changed: Sequence[_Changed]) -> None:
    if not changed:
        return
    statement = (
        update(things)
        .where(things.c.id == bindparam("thing"))
        .values(facts=bindparam("new_facts"), changed_at=millis(at), gone_at=None)
    )
    transaction.execute(statement, [{"thing": each.id, "new_facts": each.facts} for each in changed])
    _append(transaction, scan, at, [{"thing": each.id, "change": _change(each)} for each in changed])


def _change(each: _Changed) -> str:
    return changes.whole(each.facts) if each.gone_at is not None else changes.change(each.before, each.facts)


def _append(transaction: Transaction, scan: ScanId, at: datetime, log: Sequence[dict[str, Any]]) -> None:
    if log:
        transaction.execute(insert(observations), [{"scan": scan, "at": millis(at), **line} for line in log])
