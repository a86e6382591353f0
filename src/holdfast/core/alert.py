"""Problems that somebody should know of, the thread of each, and the events that are told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Topic(StrEnum):
    """What an event is about; receivers filter by it."""

    AT_RISK = "connection.at_risk"
    BROKEN = "connection.broken"
    RECOVERED = "connection.recovered"
    KEEPALIVE = "keepalive.overdue"
    ROTATION_DUE = "rotation.due"
    ROTATION_STUCK = "rotation.stuck"
    MIGRATION_STUCK = "migration.stuck"
    CHANNEL = "channel.failing"
    TEST = "test"


class Audience(StrEnum):
    """Whom an event concerns: who can do something about it."""

    OWNER = "owner"
    ADMIN = "admin"
    DBA = "dba"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands now.

    Attributes:
        key: the same for the same problem at every look.
        since: when it began, as far as is known; not when it was first seen.
        subjects: ids of the connections that it concerns, in order.
        title: one line. `says` tells more, `remedy` what to do; all without secrets.
        to: where the audience is one person: the user principal name; empty otherwise.
        flows: how many flows it stops or will stop.
    """

    key: str
    topic: Topic
    since: datetime
    subjects: tuple[str, ...]
    title: str
    says: str
    remedy: str
    audience: Audience = Audience.ADMIN
    to: str = ""
    flows: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """One problem as it was told.

    Attributes:
        id: of its first event, which all later ones name.
        opened_at: `since` of the problem that opened it.
        told_at: when the newest event was made.
        subjects: those of the newest event.
        recovered_at: when it was over, by proof; None while it is open.
        told: how many events there were.
    """

    key: str
    id: str
    topic: Topic
    opened_at: datetime
    told_at: datetime
    subjects: tuple[str, ...]
    title: str
    audience: Audience
    to: str = ""
    recovered_at: datetime | None = None
    told: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """One message. It may arrive more than once, always under the same id.

    Attributes:
        thread: id of the first event of its thread; its own for the first.
    """

    id: str
    thread: str
    topic: Topic
    tenant: str
    at: datetime
    title: str
    says: str
    remedy: str
    audience: Audience
    to: str = ""
    subjects: tuple[str, ...] = ()
    flows: int = 0
    links: dict[str, str] = field(default_factory=dict)


def event_id(tenant: str, key: str, opened_at: datetime, number: int) -> str:
    """The id of a thread's n-th event: the same however often it is worked out, so that repeats can be told."""
    text = f"{tenant}\n{key}\n{opened_at.isoformat()}\n{number}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way through one channel.

    Attributes:
        attempts: that failed so far.
    """

    event: Event
    channel: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is given at once: one event, or several in a digest.

    Attributes:
        id: of the event; of a digest one that is worked out from its events' ids.
        to: the person it is for; empty for the channel's own recipients.
    """

    events: tuple[Event, ...]
    to: str = ""

    @property
    def id(self) -> str:
        """The same however often it is sent."""
        if len(self.events) == 1:
            return self.events[0].id
        return hashlib.sha256("\n".join(sorted(event.id for event in self.events)).encode()).hexdigest()[:32]

    @property
    def title(self) -> str:
        """One line."""
        first = self.events[0].title
        return first if len(self.events) == 1 else f"{len(self.events)} things need attention: {first}, …"


def pattern_fits(pattern: str, topic: Topic) -> bool:
    """Whether "*", "connection.*" or a whole topic takes the topic."""
    return pattern in ("*", topic.value) or (pattern.endswith(".*") and topic.value.startswith(pattern[:-1]))
