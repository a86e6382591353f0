"""What an Outbox does on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.alert import Audience, Delivery, Event, Thread, Topic
from holdfast.ports import Outbox
from tests.builders import START, day

EVENT = Event(
    "e1",
    "e1",
    Topic.BROKEN,
    "contoso",
    START,
    "Broken",
    "Why",
    "Do",
    Audience.OWNER,
    "ada@contoso.example",
    ("c1",),
    2,
)
THREAD = Thread(
    "k", "e1", Topic.BROKEN, START, START, ("c1",), "Broken", Audience.OWNER, "ada@contoso.example"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outbox]:
    place = request.getfixturevalue("database_url") if request.param == "postgresql" else tmp_path / "h.db"
    history = SqlHistory(place)
    yield history.outbox()
    history.close()


async def test_a_thread_comes_back_as_it_was(outbox: Outbox):
    over = replace(THREAD, recovered_at=day(1), told=3)
    await outbox.put([THREAD], [], "contoso")
    await outbox.put([over], [], "contoso")

    assert await outbox.threads("contoso") == {"k": over}
    assert await outbox.threads("fabrikam") == {}


async def test_an_event_leaves_by_each_channel_once(outbox: Outbox):
    ways = [(Delivery(EVENT, "mail"), START), (Delivery(EVENT, "teams"), START)]
    await outbox.put([THREAD], ways, "contoso")
    await outbox.put([THREAD], ways, "contoso")

    due = await outbox.due(START)
    await outbox.delivered(due[:1], START)

    assert [(way.channel, way.event) for way in due] == [("mail", EVENT), ("teams", EVENT)]
    assert [way.channel for way in await outbox.due(START)] == ["teams"]


async def test_what_may_not_leave_yet_waits(outbox: Outbox):
    await outbox.put([], [(Delivery(EVENT, "mail"), day(1))], "contoso")

    assert await outbox.due(START) == []
    assert len(await outbox.due(day(1))) == 1


async def test_what_failed_is_tried_again_later_and_counted(outbox: Outbox):
    await outbox.put([], [(Delivery(EVENT, "mail"), START)], "contoso")

    await outbox.failed(await outbox.due(START), START, "no answer", START + timedelta(minutes=1))
    failing = await outbox.failing()
    await outbox.failed(await outbox.due(day(1)), day(1), "still none", day(2))

    assert failing == {"mail": (START, "no answer")}
    assert await outbox.failing() == {"mail": (START, "still none")}
    assert [way.attempts for way in await outbox.due(day(2))] == [2]


async def test_a_channel_that_took_it_fails_no_more(outbox: Outbox):
    await outbox.put([], [(Delivery(EVENT, "mail"), START)], "contoso")
    await outbox.failed(await outbox.due(START), START, "no answer", START)

    await outbox.delivered(await outbox.due(START), START)

    assert await outbox.failing() == {}


async def test_an_event_that_arrived_is_not_sent_again_when_it_is_put_again(outbox: Outbox):
    await outbox.put([], [(Delivery(EVENT, "mail"), START)], "contoso")
    await outbox.delivered(await outbox.due(START), START)

    await outbox.put([], [(Delivery(EVENT, "mail"), START)], "contoso")

    assert await outbox.due(day(9)) == []
