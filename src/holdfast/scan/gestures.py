"""From what is broken to the gestures that heal it, and what came of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from holdfast.core.inventory import Connection, ConnectionReference, Flow, SignIn
from holdfast.core.verdict import Actor
from holdfast.diagnosis.status import State
from holdfast.diagnosis.worklist import Gesture, Stopped, Worklist, worklist
from holdfast.ports import History, Platform
from holdfast.reading.schedules import runs_per_week
from holdfast.scan.standing import Picture, Standing, standings

SIGN_IN_HEALS: Final = frozenset(
    {
        "token_inactive",
        "password_changed",
        "session_revoked",
        "mfa_required",
        "terms_of_use",
        "signin_frequency",
        "connection_missing_or_unshared",
        "password_expired",
        "bad_credentials",
        "unknown",
    }
)
"""After these the owner's sign-in is enough; before others somebody has to change something."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Broken connections of one person and kind that need not all be healed.

    Attributes:
        references: so many could be bound to one of them.
    """

    environment: str
    connections: tuple[str, ...]
    references: int


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do in one tenant.

    Attributes:
        names: of people, by id; roles speak for themselves.
        connections: the broken ones, by environment and id.
        lost: runs that are lost in a week.
        sharing: by person.
    """

    picture: Picture
    list: Worklist
    names: Mapping[str, str]
    connections: Mapping[tuple[str, str], Standing]
    lost: float
    sharing: Mapping[str, tuple[Sharing, ...]]


async def work(history: History, seen: Picture) -> Work:
    """The gestures for everything that is broken in a tenant, as last scanned."""
    broken: dict[tuple[str, str], Standing] = {}
    flows: dict[str, Flow] = {}
    held: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    async for standing in standings(history, seen):
        connection = standing.status.connection
        if standing.status.state is not State.BROKEN:
            continue
        key = (str(connection.environment), str(connection.id))
        broken[key] = standing
        for flow in standing.status.flows:
            if flow.is_on or flow.is_suspended:
                flows[flow.id] = flow
                held[flow.id].add(key)
    gestures = [gesture_for(standing) for standing in broken.values()]
    stopped = [Stopped(id, frozenset(held[id]), _rate(flow)) for id, flow in flows.items()]
    names = {
        standing.status.connection.owner.id: _name(standing.status.connection)
        for standing in broken.values()
        if standing.status.connection.owner is not None
    }
    sharing = await _sharing(history, seen, gestures, broken)
    lost = round(sum(flow.runs for flow in stopped), 1)
    return Work(seen, worklist(gestures, stopped), names, broken, lost, sharing)


def gesture_for(standing: Standing) -> Gesture:
    """Who has to do what for a broken connection."""
    connection, verdict = standing.status.connection, standing.status.verdict
    cause = standing.status.cause or "unknown"
    first = verdict.remedies[0] if verdict and verdict.remedies else None
    is_sign_in = connection.sign_in is SignIn.USER and cause in SIGN_IN_HEALS and connection.owner is not None
    who = connection.owner.id if is_sign_in and connection.owner else (first.who if first else Actor.MAKER)
    by_owner = next((r.does for r in (verdict.remedies if verdict else ()) if r.who is Actor.OWNER), "")
    does = by_owner if is_sign_in and by_owner else standing.status.next_action
    return Gesture(str(connection.environment), str(connection.id), str(who), cause, does, is_sign_in)


async def _sharing(
    history: History,
    seen: Picture,
    gestures: list[Gesture],
    broken: Mapping[tuple[str, str], Standing],
) -> dict[str, tuple[Sharing, ...]]:
    """Where one sign-in could carry what several carried: same person, environment and connector."""
    alike: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for gesture in gestures:
        if gesture.is_sign_in:
            connection = broken[gesture.environment, gesture.connection].status.connection
            alike[gesture.who, gesture.environment, connection.connector].append(gesture.connection)
    found: defaultdict[str, list[Sharing]] = defaultdict(list)
    for (who, environment, _), ids in alike.items():
        if len(ids) < 2:
            continue
        bound = 0
        async for reference in history.current(seen.tenant, ConnectionReference, environment):
            bound += reference.connection in ids
        if bound > 1:
            found[who].append(Sharing(environment, tuple(sorted(ids)), bound))
    return {who: tuple(each) for who, each in found.items()}


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one broken connection since the last scan.

    Attributes:
        now: as it is now; None where it is not there any more, or could not be read.
        refreshed: it got a token since.
    """

    key: tuple[str, str]
    now: Connection | None
    refreshed: bool

    @property
    def is_healed(self) -> bool:
        """A witness moved, or the platform took a new sign-in."""
        return self.now is not None and self.now.status == "Connected" and self.refreshed


async def verified(platform: Platform, done: Work) -> AsyncIterator[Checked]:
    """Read the witnesses of what was broken anew; nothing is written."""
    places = {(key[0], standing.status.connection.connector) for key, standing in done.connections.items()}
    now: dict[tuple[str, str], Connection] = {}
    for environment, connector in sorted(places):
        place = done.picture.environments[environment]
        async for connection in platform.connections(place, connector):
            now[environment, str(connection.id)] = connection
    for key, standing in done.connections.items():
        before, after = standing.status.connection, now.get(key)
        yield Checked(key, after, after is not None and _moved(before, after))


def _moved(before: Connection, after: Connection) -> bool:
    def later(new: datetime | None, old: datetime | None) -> bool:
        return new is not None and (old is None or new > old)

    if after.sign_in.has_refresh_token:
        return later(after.token_expires_at, before.token_expires_at)
    return before.status != after.status or later(after.token_expires_at, before.token_expires_at)


def _rate(flow: Flow) -> float:
    return runs_per_week(flow.recurrence) if flow.recurrence is not None else 0.0


def _name(connection: Connection) -> str:
    owner = connection.owner
    return (owner.user_principal_name or owner.display_name or owner.id) if owner else ""
