"""Hand on what is due, channel by channel; what does not arrive is tried again, and said by the others."""

from __future__ import annotations

from asyncio import timeout
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from holdfast.core.alert import Audience, Delivery, Event, Message, Problem, Topic, pattern_fits
from holdfast.core.errors import CloudError, SecretStoreError, SettingsError
from holdfast.ports import Notifier, Outbox
from holdfast.saga import side_by_side

FIRST_AGAIN: Final = timedelta(minutes=1)
LONGEST_AGAIN: Final = timedelta(hours=6)
FAILING_AFTER: Final = timedelta(minutes=10)
"""What a channel has not taken for so long is told by the others."""

DIGEST_AT_MOST: Final = 100

ENOUGH: Final = 3
"""So many failures one after another are the channel's, and not a message's or a recipient's."""

LONGEST_SEND: Final = timedelta(seconds=45)
"""A receiver that answers drop by drop is let go; it may have the message then, and gets it again under the same id."""


@dataclass(frozen=True, slots=True)
class Route:
    """Which events a channel is given, and when.

    Attributes:
        audiences: whom it reaches.
        topics: patterns: "*", "connection.*", a whole topic.
        tenants: names; empty for all.
        is_digest: it collects what is not urgent and hands it on once a day.
    """

    channel: str
    audiences: frozenset[Audience]
    topics: tuple[str, ...] = ("*",)
    tenants: frozenset[str] = frozenset()
    is_digest: bool = False

    def takes(self, event: Event) -> bool:
        """Whether the event goes this way."""
        return (
            event.audience in self.audiences
            and any(pattern_fits(pattern, event.topic) for pattern in self.topics)
            and (not self.tenants or event.tenant in self.tenants)
        )


class Hours(NamedTuple):
    """When people want to be left alone.

    Attributes:
        quiet: from and until, in the zone; None for never. What is broken waits too: nobody mends it at night.
        digest_at: time of day of digests.
    """

    quiet: tuple[time, time] | None = None
    digest_at: time = time(8)
    zone: str = "UTC"

    def may_leave(self, route: Route, now: datetime) -> datetime:
        """The earliest instant at which an event may leave."""
        at = self._after_quiet(now)
        return self._next(self.digest_at, now) if route.is_digest else at

    def _after_quiet(self, now: datetime) -> datetime:
        if self.quiet is None:
            return now
        start, end = self.quiet
        local = now.astimezone(ZoneInfo(self.zone)).time()
        inside = start <= local < end if start <= end else (local >= start or local < end)
        return self._next(end, now) if inside else now

    def _next(self, at: time, now: datetime) -> datetime:
        zone = ZoneInfo(self.zone)
        local = now.astimezone(zone)
        day = local.date() if local.time() < at else local.date() + timedelta(days=1)
        return datetime.combine(day, at, zone).astimezone(now.tzinfo)


def routed(
    events: Iterable[Event], routes: Sequence[Route], hours: Hours, now: datetime
) -> Iterator[tuple[Delivery, datetime]]:
    """Each event by every channel that takes it, with when it may leave."""
    for event in events:
        for route in routes:
            if route.takes(event):
                yield Delivery(event, route.channel), hours.may_leave(route, now)


async def deliver(
    outbox: Outbox, notifiers: Mapping[str, Notifier], routes: Sequence[Route], now: datetime
) -> tuple[int, int]:
    """Hand on all that is due, the channels side by side; how many events arrived, and how many did not.

    A channel that failed `ENOUGH` times running is given nothing more this time: one that hangs takes long to fail.
    """
    digests = {route.channel for route in routes if route.is_digest}
    arrived = lost = 0
    # Whatever was handed on, or put off, is due no more.
    while due := await outbox.due(now):
        queues: defaultdict[str, list[tuple[Message, list[Delivery]]]] = defaultdict(list)
        for message, ways in _messages(due, digests):
            queues[ways[0].channel].append((message, ways))
        rounds = [
            _through(outbox, channel, notifiers.get(channel), queue, now) for channel, queue in queues.items()
        ]
        for some_arrived, some_lost in await side_by_side(rounds):
            arrived, lost = arrived + some_arrived, lost + some_lost
    return arrived, lost


async def _through(
    outbox: Outbox,
    channel: str,
    notifier: Notifier | None,
    queue: Sequence[tuple[Message, list[Delivery]]],
    now: datetime,
) -> tuple[int, int]:
    """Hand a channel what is for it, in order."""
    arrived = lost = running = 0
    trouble: str | None = None
    for message, ways in queue:
        if notifier is None:
            trouble = f"There is no channel {channel!r} in the settings any more."
        elif running < ENOUGH:
            trouble = await sent(notifier, message)
        if trouble is None:
            await outbox.delivered(ways, now)
            arrived, running = arrived + len(ways), 0
        else:
            again = min(FIRST_AGAIN * 2 ** min(ways[0].attempts, 10), LONGEST_AGAIN)
            await outbox.failed(ways, now, trouble, now + again)
            lost, running = lost + len(ways), running + 1
    return arrived, lost


async def sent(notifier: Notifier, message: Message) -> str | None:
    """Send a message through a channel; why it did not arrive, None where it did."""
    try:
        async with timeout(LONGEST_SEND.total_seconds()):
            await notifier.send(message)
    except TimeoutError:
        return f"It did not take the message within {LONGEST_SEND.seconds} seconds."
    except (CloudError, SettingsError, SecretStoreError) as error:
        return str(error)
    return None


def _messages(due: Sequence[Delivery], digests: set[str]) -> Iterator[tuple[Message, list[Delivery]]]:
    together: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for way in due:
        to = way.event.to if way.event.audience is Audience.OWNER else ""
        if way.channel in digests:
            together[way.channel, to].append(way)
        else:
            yield Message((way.event,), to), [way]
    for (_, to), ways in together.items():
        for start in range(0, len(ways), DIGEST_AT_MOST):
            part = ways[start : start + DIGEST_AT_MOST]
            yield Message(tuple(way.event for way in part), to), part


def of_channels(failing: Mapping[str, tuple[datetime, str]], now: datetime) -> Iterator[Problem]:
    """Channels that do not take what they are given, to be told by the others."""
    for channel, (since, trouble) in failing.items():
        if now - since >= FAILING_AFTER:
            yield Problem(
                f"channel/{channel}",
                Topic.CHANNEL,
                since,
                (f"channel:{channel}",),
                f"The alert channel {channel!r} does not take what it is given",
                trouble,
                f"Mend it, then try it: `holdfast alerts test --channel {channel}`.",
            )
