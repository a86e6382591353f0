"""The records of scans: each function is the inside of one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import ScalarSelect, insert, select, update

from holdfast.adapters.store.bulk import Plain
from holdfast.adapters.store.database import Line
from holdfast.adapters.store.instants import instant, millis
from holdfast.adapters.store.schema import scans, sweeps, tenants
from holdfast.adapters.store.shapes import shape_of
from holdfast.adapters.store.states import lose, observe
from holdfast.core.coverage import News, Outcome, ScanId, ScanRecord, Sweep
from holdfast.ports import Thing


def tenant_id(name: str) -> ScalarSelect[Any]:
    """The tenant's number, as part of a question."""
    return select(tenants.c.id).where(tenants.c.name == name).scalar_subquery()


def begin(transaction: Transaction, tenant: str, at: datetime, resume_since: datetime) -> ScanRecord:
    """The newest scan if it may go on, else a new one."""
    newest = transaction.execute(_newest_first(tenant)).first()
    if newest is not None and newest.finished_at is None and newest.started_at >= millis(resume_since):
        return _record(transaction, newest)
    if transaction.execute(select(tenants.c.id).where(tenants.c.name == tenant)).first() is None:
        transaction.execute(insert(tenants).values(name=tenant))
    row = {"tenant": tenant_id(tenant), "started_at": millis(at), "skew_ms": 0}
    number: int = transaction.execute(insert(scans).values(row).returning(scans.c.id)).scalar_one()
    return ScanRecord(ScanId(number), at, None, timedelta(0))


# Three for every environment, and most of them bring nothing else.
_SWEPT = Plain(
    "INSERT INTO sweeps (scan, environment, part, started_at, ended_at, outcome, counted, detail)"
    " VALUES ({0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}) ON CONFLICT (scan, environment, part) DO UPDATE SET"
    " started_at = excluded.started_at, ended_at = excluded.ended_at, outcome = excluded.outcome,"
    " counted = excluded.counted, detail = excluded.detail"
)


def conclude(
    transaction: Transaction,
    scan: ScanId,
    sweep: Sweep,
    kind: type[Thing] | None,
    present: Collection[str],
    under: str,
    last: Sequence[Thing],
) -> News:
    """Note the sweep; what it should have met and did not is gone."""
    news = observe(transaction, scan, sweep.ended_at, last) if last else News()
    row = (
        scan,
        sweep.environment,
        sweep.part,
        millis(sweep.started_at),
        millis(sweep.ended_at),
        sweep.outcome.value,
        sweep.counted,
        sweep.detail,
    )
    _SWEPT.written(transaction, row)
    if kind is None:
        return news
    name = shape_of(kind).kind
    gone = lose(transaction, scan, sweep.ended_at, name, sweep.environment, present, under)
    return news._replace(gone=gone)


def finish(transaction: Transaction, scan: ScanId, at: datetime, skew: timedelta) -> None:
    """Note the end."""
    values = {"finished_at": millis(at), "skew_ms": skew // timedelta(milliseconds=1)}
    transaction.execute(update(scans).where(scans.c.id == scan).values(values))


def last(transaction: Transaction, tenant: str) -> ScanRecord | None:
    """The newest finished one."""
    newest = transaction.execute(_newest_first(tenant).where(scans.c.finished_at.is_not(None))).first()
    return None if newest is None else _record(transaction, newest)


def _newest_first(tenant: str) -> Any:
    return select(scans).where(scans.c.tenant == tenant_id(tenant)).order_by(scans.c.id.desc()).limit(1)


def _record(transaction: Transaction, row: Line) -> ScanRecord:
    parts = transaction.execute(
        select(sweeps).where(sweeps.c.scan == row.id).order_by(sweeps.c.environment, sweeps.c.part)
    )
    return ScanRecord(
        ScanId(row.id),
        instant(row.started_at),
        None if row.finished_at is None else instant(row.finished_at),
        timedelta(milliseconds=row.skew_ms),
        tuple(_sweep(part) for part in parts),
    )


def _sweep(row: Line) -> Sweep:
    return Sweep(
        row.environment,
        row.part,
        Outcome(row.outcome),
        instant(row.started_at),
        instant(row.ended_at),
        row.counted,
        row.detail,
    )
