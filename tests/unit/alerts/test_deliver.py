"""What is due leaves by every channel that takes it, once; what does not arrive is tried again and told by the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, time, timedelta

import pytest

from holdfast.alerts.deliver import ENOUGH, Hours, Route, deliver, of_channels, routed
from holdfast.core.alert import Audience, Delivery, Event, Message, Thread, Topic
from holdfast.core.errors import UnreachableError
from tests.builders import START, day

ADMIN = frozenset({Audience.ADMIN})


def an_event(id: str = "e1", **changes: object) -> Event:
    given = {
        "topic": Topic.BROKEN,
        "tenant": "contoso",
        "at": START,
        "title": id,
        "says": "",
        "remedy": "",
        "audience": Audience.ADMIN,
    }
    return Event(id, id, **{**given, **changes})  # type: ignore[arg-type]


class Box:
    """An outbox in memory."""

    def __init__(self, *ways: Delivery) -> None:
        self.waiting = {(way.event.id, way.channel): (way, START) for way in ways}
        self.arrived: list[str] = []
        self.at_once = 200
        self.troubles: dict[str, tuple[datetime, str]] = {}

    async def threads(self, tenant: str) -> dict[str, Thread]:
        return {}

    async def put(
        self, threads: Sequence[Thread], deliveries: Sequence[tuple[Delivery, datetime]], tenant: str
    ) -> None:
        for way, at in deliveries:
            self.waiting[way.event.id, way.channel] = (way, at)

    async def due(self, now: datetime, limit: int = 200) -> list[Delivery]:
        return [way for way, at in self.waiting.values() if at <= now][: min(limit, self.at_once)]

    async def delivered(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        for way in deliveries:
            del self.waiting[way.event.id, way.channel]
            self.arrived.append(f"{way.channel}:{way.event.id}")
            self.troubles.pop(way.channel, None)

    async def failed(
        self, deliveries: Sequence[Delivery], at: datetime, trouble: str, again_at: datetime
    ) -> None:
        for way in deliveries:
            self.waiting[way.event.id, way.channel] = (
                Delivery(way.event, way.channel, way.attempts + 1),
                again_at,
            )
            self.troubles.setdefault(way.channel, (at, trouble))

    async def failing(self) -> dict[str, tuple[datetime, str]]:
        return self.troubles


class Channel:
    def __init__(self, works: bool = True) -> None:
        self.works, self.messages = works, list[Message]()

    async def send(self, message: Message) -> None:
        if not self.works:
            raise UnreachableError("no answer", "alerts", "alerts.send")
        self.messages.append(message)


async def test_one_failing_channel_stops_no_other():
    box = Box(Delivery(an_event(), "mail"), Delivery(an_event(), "teams"))
    routes = [Route("mail", ADMIN), Route("teams", ADMIN)]

    assert await deliver(box, {"mail": Channel(False), "teams": Channel()}, routes, START) == (1, 1)
    assert box.arrived == ["teams:e1"]


class Hanging:
    """A channel that never answers; how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def send(self, message: Message) -> None:
        self.asked += 1
        await asyncio.Event().wait()


async def test_one_that_hangs_holds_up_no_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("holdfast.alerts.deliver.LONGEST_SEND", timedelta(milliseconds=1))
    events = [an_event(f"e{number}") for number in range(20)]
    box = Box(*(Delivery(event, channel) for event in events for channel in ("hook", "mail")))
    hanging = Hanging()
    routes = [Route("hook", ADMIN), Route("mail", ADMIN)]

    assert await deliver(box, {"hook": hanging, "mail": Channel()}, routes, START) == (20, 20)
    assert hanging.asked == ENOUGH
    assert "did not take the message" in box.troubles["hook"][1]
    assert await box.due(START) == []


async def test_more_than_is_read_at_once_leaves_in_one_go():
    box, channel = Box(*(Delivery(an_event(f"e{number}"), "mail") for number in range(5))), Channel()
    box.at_once = 2

    assert await deliver(box, {"mail": channel}, [Route("mail", ADMIN)], START) == (5, 0)


async def test_it_is_tried_again_less_and_less_often():
    box, channel, gaps = Box(Delivery(an_event(), "mail")), Channel(False), []
    now = START
    for _ in range(12):
        await deliver(box, {"mail": channel}, [Route("mail", ADMIN)], now)
        again = box.waiting["e1", "mail"][1]
        gaps.append(again - now)
        now = again

    assert gaps[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert gaps[-1] == timedelta(hours=6)

    channel.works = True
    await deliver(box, {"mail": channel}, [Route("mail", ADMIN)], now)
    assert box.arrived == ["mail:e1"]


async def test_a_digest_is_one_message_with_an_id_of_its_own():
    ways = [Delivery(an_event(id), "mail") for id in ("e1", "e2", "e3")]
    channel = Channel()

    await deliver(Box(*ways), {"mail": channel}, [Route("mail", ADMIN, is_digest=True)], START)

    [message] = channel.messages
    assert len(message.events) == 3
    assert message.id == Message(tuple(reversed(message.events))).id != "e1"


async def test_owners_get_messages_of_their_own():
    ways = [Delivery(an_event(to, audience=Audience.OWNER, to=to), "mail") for to in ("ada", "bob")]
    channel = Channel()

    await deliver(Box(*ways), {"mail": channel}, [Route("mail", frozenset(Audience), is_digest=True)], START)

    assert sorted(message.to for message in channel.messages) == ["ada", "bob"]


async def test_a_channel_that_left_the_settings_is_told_as_such():
    box = Box(Delivery(an_event(), "gone"))

    assert await deliver(box, {}, [], START) == (0, 1)
    assert "in the settings" in box.troubles["gone"][1]


def test_a_channel_that_takes_nothing_is_a_problem_after_a_while():
    failing = {"mail": (START, "no answer")}

    assert list(of_channels(failing, START + timedelta(minutes=5))) == []
    [problem] = of_channels(failing, START + timedelta(minutes=11))
    assert (problem.topic, problem.key) == (Topic.CHANNEL, "channel/mail")


@pytest.mark.parametrize(
    ("route", "takes"),
    [
        (Route("a", ADMIN), True),
        (Route("a", frozenset({Audience.DBA})), False),
        (Route("a", ADMIN, ("connection.*",)), True),
        (Route("a", ADMIN, ("rotation.*",)), False),
        (Route("a", ADMIN, ("connection.broken",)), True),
        (Route("a", ADMIN, tenants=frozenset({"fabrikam"})), False),
    ],
)
def test_a_route_takes_what_it_is_for(route, takes):
    assert bool(list(routed([an_event()], [route], Hours(), START))) == takes


QUIET = Hours((time(20), time(7)), time(8), "Europe/Berlin")


@pytest.mark.parametrize(
    ("utc", "leaves"),
    [("12:00", "12:00"), ("20:00", "06:00"), ("03:00", "06:00"), ("06:30", "06:30")],
)
def test_nothing_leaves_in_quiet_hours(utc, leaves):
    now = datetime.fromisoformat(f"2026-01-15T{utc}+00:00")

    assert f"{QUIET.may_leave(Route('a', ADMIN), now):%H:%M}" == leaves


def test_a_digest_leaves_at_its_hour():
    at = QUIET.may_leave(Route("a", ADMIN, is_digest=True), datetime.fromisoformat("2026-01-15T12:00+00:00"))

    assert at == datetime.fromisoformat("2026-01-16T07:00+00:00")
    assert day(0) == START
