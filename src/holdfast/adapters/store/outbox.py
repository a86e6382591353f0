"""The outbox over one database: threads, and events on their way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection as Transaction
from sqlalchemy import func, select, update

from holdfast.adapters.store.database import Database, insert_if_absent, insert_or_update
from holdfast.adapters.store.instants import instant, millis
from holdfast.adapters.store.schema import deliveries, threads
from holdfast.core.alert import Audience, Delivery, Event, Thread, Topic

LONGEST_TROUBLE: Final = 500


class SqlOutbox:
    """The port `Outbox` on the database of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def threads(self, tenant: str) -> dict[str, Thread]:
        """See the port."""
        return await self._database.read(_threads, tenant)

    async def put(
        self, opened: Sequence[Thread], sent: Sequence[tuple[Delivery, datetime]], tenant: str
    ) -> None:
        """See the port."""
        await self._database.write(_put, opened, sent, tenant)

    async def due(self, now: datetime, limit: int = 200) -> list[Delivery]:
        """See the port."""
        return await self._database.read(_due, now, limit)

    async def delivered(self, arrived: Sequence[Delivery], at: datetime) -> None:
        """See the port."""
        await self._database.write(
            _mark, arrived, {"delivered_at": millis(at), "failed_at": None, "trouble": ""}
        )

    async def failed(self, lost: Sequence[Delivery], at: datetime, trouble: str, again_at: datetime) -> None:
        """See the port."""
        values = {
            "attempts": deliveries.c.attempts + 1,
            "failed_at": func.coalesce(deliveries.c.failed_at, millis(at)),
            "trouble": trouble[:LONGEST_TROUBLE],
            "not_before": millis(again_at),
        }
        await self._database.write(_mark, lost, values)

    async def failing(self) -> dict[str, tuple[datetime, str]]:
        """See the port."""
        return await self._database.read(_failing)


def _threads(transaction: Transaction, tenant: str) -> dict[str, Thread]:
    rows = transaction.execute(select(threads).where(threads.c.tenant == tenant).order_by(threads.c.key))
    return {row.key: _thread(json.loads(row.content)) for row in rows}


def _put(
    transaction: Transaction,
    opened: Sequence[Thread],
    sent: Sequence[tuple[Delivery, datetime]],
    tenant: str,
) -> None:
    rows = [{"tenant": tenant, "key": each.key, "content": _text(each)} for each in opened]
    insert_or_update(transaction, threads, rows, by=["tenant", "key"])
    ways = [
        {
            "event": way.event.id,
            "channel": way.channel,
            "content": _text(way.event),
            "made_at": millis(way.event.at),
            "not_before": millis(not_before),
            "attempts": 0,
            "delivered_at": None,
            "failed_at": None,
            "trouble": "",
        }
        for way, not_before in sent
    ]
    if ways:
        insert_if_absent(transaction, deliveries, ways, by=["event", "channel"])


def _due(transaction: Transaction, now: datetime, limit: int) -> list[Delivery]:
    query = (
        select(deliveries)
        .where(deliveries.c.delivered_at.is_(None), deliveries.c.not_before <= millis(now))
        .order_by(deliveries.c.made_at, deliveries.c.event, deliveries.c.channel)
        .limit(limit)
    )
    return [
        Delivery(_event(json.loads(row.content)), row.channel, row.attempts)
        for row in transaction.execute(query)
    ]


def _mark(transaction: Transaction, ways: Sequence[Delivery], values: dict[str, Any]) -> None:
    for way in ways:
        place = deliveries.c.event == way.event.id, deliveries.c.channel == way.channel
        transaction.execute(update(deliveries).where(*place).values(values))


def _failing(transaction: Transaction) -> dict[str, tuple[datetime, str]]:
    query = (
        select(deliveries.c.channel, deliveries.c.failed_at, deliveries.c.trouble)
        .where(deliveries.c.delivered_at.is_(None), deliveries.c.failed_at.is_not(None))
        .order_by(deliveries.c.failed_at.desc())
    )
    return {row.channel: (instant(row.failed_at), row.trouble) for row in transaction.execute(query)}


def _text(thing: Thread | Event) -> str:
    return json.dumps(asdict(thing), default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _thread(content: dict[str, Any]) -> Thread:
    over = content.pop("recovered_at")
    return Thread(
        **{
            **content,
            "topic": Topic(content["topic"]),
            "audience": Audience(content["audience"]),
            "opened_at": datetime.fromisoformat(content["opened_at"]),
            "told_at": datetime.fromisoformat(content["told_at"]),
            "subjects": tuple(content["subjects"]),
            "recovered_at": None if over is None else datetime.fromisoformat(over),
        }
    )


def _event(content: dict[str, Any]) -> Event:
    return Event(
        **{
            **content,
            "topic": Topic(content["topic"]),
            "audience": Audience(content["audience"]),
            "at": datetime.fromisoformat(content["at"]),
            "subjects": tuple(content["subjects"]),
        }
    )
