"""Alerts, wired: what stands in a tenant, whom the settings tell, and how it leaves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr

from holdfast.adapters.notify.opened import Way, opened
from holdfast.alerts.deliver import Hours, Route, deliver, of_channels, routed
from holdfast.alerts.problems import Renewal, Seen, of_connections, of_renewals, of_sagas, proven
from holdfast.alerts.threads import Told, tell
from holdfast.compose import Holdfast, Tenant, references
from holdfast.core.agenda import Cadence, Job, Performed, whole_tenant
from holdfast.core.alert import Audience, Event, Message, Problem, Thread, Topic, event_id
from holdfast.core.errors import SettingsError
from holdfast.core.secret import Secret, SecretReference
from holdfast.keepalive.watch import Finding
from holdfast.ports import Notifier
from holdfast.saga import standing
from holdfast.scan.standing import Picture, picture, standings
from holdfast.settings import Settings

STANDS_FOR: Final = timedelta(days=3)
"""A picture that is older proves nothing: what was fine then may be broken now."""


def routes_of(settings: Settings) -> list[Route]:
    """The channels of the settings as routes."""
    return [
        Route(
            name,
            frozenset(Audience(each) for each in channel.tells),
            channel.topics,
            frozenset(channel.tenants),
            channel.digest,
        )
        for name, channel in settings.alerts.channels.items()
    ]


def hours_of(settings: Settings) -> Hours:
    """When people want to be left alone."""
    return Hours(settings.alerts.quiet, settings.alerts.digest_at, settings.alerts.time_zone)


@asynccontextmanager
async def notifiers(holdfast: Holdfast, only: str | None = None) -> AsyncIterator[dict[str, Notifier]]:
    """The channels of the settings, ready to send; closed at the end.

    Raises:
        SettingsError: there is no channel of the name `only`.
        SecretStoreError: an address could not be read.
    """
    chosen = holdfast.settings.alerts.channels
    if only is not None and only not in chosen:
        known = ", ".join(sorted(chosen)) or "none"
        raise SettingsError(f"There is no alert channel {only!r} in the settings; there is {known}.")
    found = references(holdfast.settings, os.environ)

    async def text(source: SecretReference | SecretStr) -> Secret:
        if isinstance(source, SecretStr):
            return Secret(source.get_secret_value())
        return await found.text(source)

    ways = [
        Way(
            name,
            channel.kind,
            await text(channel.url),
            None if channel.key is None else await text(channel.key),
            channel.sender,
            channel.to,
        )
        for name, channel in chosen.items()
        if only in (None, name)
    ]
    async with opened(ways, holdfast.clock, holdfast.settings.alerts.ca_file) as ready:
        yield ready


def alerting(holdfast: Holdfast, tenants: Mapping[str, Tenant]) -> Job:
    """The job that looks what there is to tell, and hands it on.

    Args:
        tenants: by the id under which the store keeps them.
    """

    async def perform(tenant: str, _subjects: Sequence[str]) -> Performed:
        told = await look(holdfast, tenants[tenant])
        arrived, lost = await hand_on(holdfast)
        return Performed(f"{told} new, {arrived} delivered" + (f", {lost} not" if lost else ""), lost)

    return Job("alerts", Cadence(holdfast.settings.alerts.check_every), whole_tenant, perform)


async def look(holdfast: Holdfast, tenant: Tenant) -> int:
    """See what stands in a tenant and put what is new into the outbox; how many events there were."""
    seen = await picture(holdfast.history, tenant.id, tenant.name, holdfast.clock.now())
    if seen is None:
        return 0
    found = [(each.status, each.judgement) async for each in standings(holdfast.history, seen)]
    problems = {problem.key: problem for problem in await problems_of(holdfast, tenant, seen, found)}
    threads = await holdfast.outbox.threads(tenant.id)
    working = _working(found, threads, seen) | await _channels_that_work(holdfast, threads)
    about = [topic for topic in Topic if topic not in (Topic.KEEPALIVE, Topic.ROTATION_DUE)]
    told = tell(tenant.id, list(problems.values()), threads, working, seen.now, about)
    return await _put(holdfast, tenant, told)


async def tell_of_keepalive(
    holdfast: Holdfast, tenant: Tenant, found: Sequence[Finding], now: datetime
) -> int:
    """Put what is new about keep-alive flows into the outbox; how many events there were.

    Args:
        found: how every flow of the tenant does.
        now: the cloud's time.
    """
    problems: dict[str, Problem] = {}
    for each in found:
        if each.problem:
            key = f"keepalive/{each.saga}/{each.problem}"
            known = problems.get(key)
            subjects = (*(known.subjects if known else ()), each.connection)
            problems[key] = Problem(
                key,
                Topic.KEEPALIVE,
                now,
                subjects,
                f"A keep-alive flow needs somebody: {each.problem.replace('_', ' ')}",
                each.says,
                "`holdfast keepalive status` tells more.",
            )
    threads = await holdfast.outbox.threads(tenant.id)
    ours = [thread for thread in threads.values() if thread.topic is Topic.KEEPALIVE]
    opened = {each.connection: [t.opened_at for t in ours if each.connection in t.subjects] for each in found}
    working = {
        each.connection
        for each in found
        if not each.problem and each.proven_at and all(each.proven_at > at for at in opened[each.connection])
    }
    told = tell(tenant.id, list(problems.values()), threads, working, now, (Topic.KEEPALIVE,))
    return await _put(holdfast, tenant, told)


async def tell_of_renewals(
    holdfast: Holdfast, tenant: Tenant, due: Sequence[Renewal], hinderable: Collection[str], now: datetime
) -> int:
    """Put what is new about secrets that are due into the outbox; how many events there were.

    Args:
        due: all that is due.
        hinderable: subjects of what was looked at; what of it is no longer due was renewed.
        now: the cloud's time.
    """
    problems = list(of_renewals(due, holdfast.settings.rotate.automatic))
    still = {subject for problem in problems for subject in problem.subjects}
    threads = await holdfast.outbox.threads(tenant.id)
    told = tell(tenant.id, problems, threads, set(hinderable) - still, now, (Topic.ROTATION_DUE,))
    return await _put(holdfast, tenant, told)


async def _put(holdfast: Holdfast, tenant: Tenant, told: Told) -> int:
    routes, hours = routes_of(holdfast.settings), hours_of(holdfast.settings)
    # The store tells tenants apart by id; people know them by name.
    events = [replace(event, tenant=tenant.name) for event in told.events]
    sent = list(routed(events, routes, hours, holdfast.clock.now()))
    await holdfast.outbox.put(told.threads, sent, tenant.id)
    return len(told.events)


async def problems_of(
    holdfast: Holdfast, tenant: Tenant, seen: Picture, found: Sequence[Seen]
) -> list[Problem]:
    """All that somebody should act on now."""
    problems = list(of_connections(found, seen.now))
    for record in await holdfast.journal.plans(tenant.id):
        deeds = await holdfast.journal.deeds(tenant.id, record.plan.id)
        connections = {
            saga: sorted({step.connection for step in steps if step.connection})
            for saga, steps in record.plan.sagas().items()
        }
        problems += of_sagas(record.plan.kind, standing(record.plan, deeds), connections)
    return problems + list(of_channels(await holdfast.outbox.failing(), holdfast.clock.now()))


def _working(found: Sequence[Seen], threads: Mapping[str, Thread], seen: Picture) -> frozenset[str]:
    return proven(found, threads) if seen.age <= STANDS_FOR else frozenset()


async def _channels_that_work(holdfast: Holdfast, threads: Mapping[str, Thread]) -> frozenset[str]:
    failing = await holdfast.outbox.failing()
    told = {
        thread.key.removeprefix("channel/") for thread in threads.values() if thread.topic is Topic.CHANNEL
    }
    return frozenset(f"channel:{name}" for name in told - set(failing))


async def hand_on(holdfast: Holdfast) -> tuple[int, int]:
    """Deliver what is due; how many events arrived, and how many did not."""
    if not holdfast.settings.alerts.channels:
        return 0, 0
    routes = routes_of(holdfast.settings)
    async with notifiers(holdfast) as ready:
        return await deliver(holdfast.outbox, ready, routes, holdfast.clock.now())


def a_test(tenant: str, now: datetime) -> Message:
    """What `alerts test` sends."""
    id = event_id(tenant, "test", now, 1)
    return Message(
        (
            Event(
                id,
                id,
                Topic.TEST,
                tenant,
                now,
                "holdfast can reach you here",
                "This is a test; nothing is wrong.",
                "Nothing.",
                Audience.ADMIN,
            ),
        )
    )
