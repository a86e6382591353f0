"""From what stands now and what was told already to what is told next: once per problem, no flapping (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from holdfast.core.alert import Event, Problem, Thread, Topic, event_id

QUIET_AFTER: Final = timedelta(days=7)
"""An open problem is told again so seldom, so that nobody forgets it and nobody mutes it."""

REOPENS_WITHIN: Final = timedelta(days=2)
"""A problem that comes back so soon goes on in its old thread, and is not told before `SETTLED`."""

SETTLED: Final = timedelta(hours=12)
"""Between two events of one thread, but for a recovery."""


class Told(NamedTuple):
    """What comes of one look.

    Attributes:
        events: to be delivered, in the order of the problems.
        threads: those that are new or changed.
    """

    events: tuple[Event, ...]
    threads: tuple[Thread, ...]


def tell(
    tenant: str,
    problems: Sequence[Problem],
    threads: Mapping[str, Thread],
    proven: Collection[str],
    now: datetime,
    about: Collection[Topic] = tuple(Topic),
) -> Told:
    """What to tell about a tenant.

    Args:
        problems: all that stand now, each key once.
        threads: all that were ever opened, by key.
        proven: ids of connections that a witness shows working; only they recover.
        now: the cloud's time.
        about: what was looked at; threads about other topics are left alone.
    """
    standing = {problem.key: problem for problem in problems}
    steps = [
        step
        for step in (
            *(_stands(tenant, problem, threads.get(problem.key), now) for problem in problems),
            *_over(tenant, standing, threads, proven, now, about),
        )
        if step is not None
    ]
    return Told(tuple(event for event, _ in steps if event is not None), tuple(thread for _, thread in steps))


Step = tuple[Event | None, Thread]


def _stands(tenant: str, problem: Problem, thread: Thread | None, now: datetime) -> Step | None:
    if thread is None or (thread.recovered_at is not None and now - thread.recovered_at > REOPENS_WITHIN):
        # One that is told to have begun when the old one did must not get the old one's id.
        same = thread is not None and thread.opened_at == problem.since
        return _open(tenant, problem, now, thread.told + 1 if thread and same else 1)
    grown = not set(problem.subjects) <= set(thread.subjects)
    worse = (thread.topic, problem.topic) == (Topic.AT_RISK, Topic.BROKEN)
    reopened = thread.recovered_at is not None
    since = now - thread.told_at
    if worse or (since >= SETTLED and (grown or reopened)) or since >= QUIET_AFTER:
        return _again(tenant, problem, thread, now)
    return None


def _open(tenant: str, problem: Problem, now: datetime, number: int) -> Step:
    id = event_id(tenant, problem.key, problem.since, number)
    thread = Thread(
        problem.key,
        id,
        problem.topic,
        problem.since,
        now,
        problem.subjects,
        problem.title,
        problem.audience,
        problem.to,
        told=number,
    )
    return _event(tenant, problem, thread, id, now), thread


def _again(tenant: str, problem: Problem, thread: Thread, now: datetime) -> Step:
    number = thread.told + 1
    after = replace(
        thread,
        topic=problem.topic,
        told_at=now,
        subjects=problem.subjects,
        title=problem.title,
        recovered_at=None,
        told=number,
    )
    return _event(tenant, problem, after, event_id(tenant, thread.key, thread.opened_at, number), now), after


def _event(tenant: str, problem: Problem, thread: Thread, id: str, now: datetime) -> Event:
    return Event(
        id,
        thread.id,
        problem.topic,
        tenant,
        now,
        problem.title,
        problem.says,
        problem.remedy,
        problem.audience,
        problem.to,
        problem.subjects,
        problem.flows,
    )


def _over(
    tenant: str,
    standing: Mapping[str, Problem],
    threads: Mapping[str, Thread],
    proven: Collection[str],
    now: datetime,
    about: Collection[Topic],
) -> Iterator[Step]:
    """Threads whose problem stands no more: over where that is proven, silent where nobody knows."""
    for key, thread in threads.items():
        if key in standing or thread.recovered_at is not None or thread.topic not in about:
            continue
        if not set(thread.subjects) <= set(proven):
            continue
        number = thread.told + 1
        after = replace(thread, recovered_at=now, told_at=now, told=number)
        yield (
            Event(
                event_id(tenant, key, thread.opened_at, number),
                thread.id,
                Topic.RECOVERED,
                tenant,
                now,
                f"Over: {thread.title}",
                "A witness moved after the trouble began: it works again.",
                "",
                thread.audience,
                thread.to,
                thread.subjects,
            ),
            after,
        )
