"""What stands in a tenant that somebody should act on, grouped by what it has in common (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from holdfast.core.alert import Audience, Problem, Thread, Topic
from holdfast.core.deed import Standing
from holdfast.core.horizon import Condition, Horizon
from holdfast.core.inventory import Connection
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import Actor
from holdfast.diagnosis.status import ConnectionStatus, State
from holdfast.diagnosis.together import together
from holdfast.reading.witnesses import last_refresh

ACT_BEFORE: Final = timedelta(days=16)
"""So long before an expected break the action is overdue: two weeks, and a look a day with one that fails."""

SHARED_BY: Final = 3
"""So many breaks with one cause are told to the administrators as one."""

Seen = tuple[ConnectionStatus, Judgement | None]


def of_connections(seen: Sequence[Seen], now: datetime) -> Iterator[Problem]:
    """Broken connections and overdue actions.

    Args:
        seen: every connection with what was concluded about it.
        now: the cloud's time.
    """
    broken = [each for each in seen if each[0].state is State.BROKEN]
    shared = list(_shared(broken))
    yield from shared
    yield from _alone(broken, frozenset(subject for each in shared for subject in each.subjects))
    yield from _overdue([each for each in seen if each[0].state is not State.BROKEN], now)


def _shared(broken: Sequence[Seen]) -> Iterator[Problem]:
    """One cause for many breaks: one thread for the administrators."""
    flows = {str(status.connection.id): len(status.flows) for status, _ in broken}
    for shared in together(judgement for _, judgement in broken if judgement and judgement.verdict):
        subjects = tuple(connection for _, connection in shared.behind)
        if shared.act is None or len(subjects) < SHARED_BY:
            continue
        yield Problem(
            f"shared/{shared.cause}/{shared.act.id}",
            Topic.BROKEN,
            shared.since or _since(broken, subjects),
            subjects,
            f"{len(subjects)} connections broke for one reason: {shared.act.thing}",
            shared.sentence,
            "`holdfast status` lists them; `holdfast worklist` ranks the gestures that heal them.",
            flows=sum(flows.get(each, 0) for each in subjects),
        )


def _since(broken: Sequence[Seen], subjects: Sequence[str]) -> datetime:
    return min(
        _began(status.connection, judgement)
        for status, judgement in broken
        if status.connection.id in subjects
    )


def _began(connection: Connection, judgement: Judgement | None) -> datetime:
    found = [f.since for f in judgement.findings if f.since is not None] if judgement else []
    known = found or [at for at in (connection.modified_at, connection.created_at) if at is not None]
    return min(found) if found else known[0]


def _alone(broken: Sequence[Seen], told: Collection[str]) -> Iterator[Problem]:
    """One thread per cause and whoever has to act about it.

    Args:
        told: ids of connections that the administrators are told of by what they have in common.
    """
    groups: defaultdict[tuple[str, str], list[Seen]] = defaultdict(list)
    for status, judgement in broken:
        groups[status.cause or "unknown", _behind(status.connection)].append((status, judgement))
    for (cause, behind), members in groups.items():
        first = members[0][0]
        remedy = first.verdict.remedies[0] if first.verdict and first.verdict.remedies else None
        audience, to = _audience(remedy.who if remedy else Actor.ADMIN, first.connection)
        if audience is Audience.ADMIN:
            members = [each for each in members if each[0].connection.id not in told]
            if not members:
                continue
            first = members[0][0]
        title = first.verdict.cause.title if first.verdict else "No known cause"
        subjects = tuple(status.connection.id for status, _ in members)
        flows = sum(len(status.flows) for status, _ in members)
        yield Problem(
            f"broken/{cause}/{behind}",
            Topic.BROKEN,
            min(_began(status.connection, judgement) for status, judgement in members),
            subjects,
            f"Broken: {_named(members)} ({title})",
            f"{title}. {_flows(flows)}",
            first.next_action,
            audience,
            to,
            flows,
        )


def _overdue(seen: Sequence[Seen], now: datetime) -> Iterator[Problem]:
    """Actions that should have been taken by now: what is expected breaks soon, and nothing was done about it."""
    groups: defaultdict[tuple[str, str], list[tuple[ConnectionStatus, Horizon]]] = defaultdict(list)
    for status, judgement in seen:
        horizon = _due(judgement, now)
        if horizon is not None:
            groups[horizon.cause, _behind(status.connection)].append((status, horizon))
    for (cause, behind), members in groups.items():
        ends = min(horizon.earliest for _, horizon in members if horizon.earliest is not None)
        first = members[0][0]
        audience = Audience.OWNER if cause == "token_inactive" else Audience.ADMIN
        to = first.connection.owner.user_principal_name if first.connection.owner else ""
        flows = sum(len(status.flows) for status, _ in members)
        yield Problem(
            f"at_risk/{cause}/{behind}",
            Topic.AT_RISK,
            ends - ACT_BEFORE,
            tuple(status.connection.id for status, _ in members),
            f"Overdue: {_named([(status, None) for status, _ in members])} breaks {ends:%Y-%m-%d} ({cause})",
            f"Nothing was done about it yet. {_flows(flows)}",
            first.next_action or _usual_remedy(cause, ends),
            audience,
            to if audience is Audience.OWNER else "",
            flows,
        )


def _usual_remedy(cause: str, ends: datetime) -> str:
    commands = {
        "token_inactive": "keep it alive with `holdfast keepalive plan`",
        "secret_expired": "renew it with `holdfast rotate plan`",
    }
    return f"Act before {ends:%Y-%m-%d}: {commands.get(cause, 'see `holdfast show`')}."


def _due(judgement: Judgement | None, now: datetime) -> Horizon | None:
    for horizon in judgement.horizons if judgement else ():
        if horizon.condition is Condition.EXPECTED and horizon.earliest is not None:
            return horizon if horizon.earliest - ACT_BEFORE <= now else None
    return None


def _behind(connection: Connection) -> str:
    """What connections of one fate have in common: whose sign-in, or which application's."""
    if connection.client_id is not None:
        return connection.client_id
    if connection.sign_in.has_refresh_token and connection.owner is not None:
        return connection.owner.id
    return f"{connection.environment}/{connection.id}"


_AUDIENCES: Final[Mapping[Actor, Audience]] = {Actor.OWNER: Audience.OWNER, Actor.DBA: Audience.DBA}


def _audience(who: Actor, connection: Connection) -> tuple[Audience, str]:
    audience = _AUDIENCES.get(who, Audience.ADMIN)
    owner = connection.owner
    return audience, (owner.user_principal_name if owner and audience is Audience.OWNER else "")


def _named(members: Sequence[tuple[ConnectionStatus, object]]) -> str:
    first = members[0][0].connection.display_name
    return first if len(members) == 1 else f"{first} and {len(members) - 1} more"


def _flows(number: int) -> str:
    if number == 0:
        return "No flow that was seen uses it."
    return "1 flow depends on it." if number == 1 else f"{number} flows depend on it."


class Renewal(NamedTuple):
    """A secret or certificate that should be renewed by now.

    Attributes:
        application: client id; `name` as people call it.
        since: from when on it was due; `ends_at` its end.
        subjects: the connections that hold it; "app:" and the client id where it is one of holdfast's own identities.
        hindered: why holdfast does not renew it by itself; empty where it can.
    """

    application: str
    name: str
    kind: str
    since: datetime
    ends_at: datetime
    subjects: tuple[str, ...]
    hindered: str = ""


def of_renewals(renewals: Iterable[Renewal], automatic: bool) -> Iterator[Problem]:
    """What is due and stays so until somebody acts.

    Args:
        automatic: holdfast renews by itself whatever it can, so that only the rest has to be told.
    """
    for each in renewals:
        if automatic and not each.hindered:
            continue
        yield Problem(
            f"rotation/{each.kind}/{each.application}",
            Topic.ROTATION_DUE,
            each.since,
            each.subjects,
            f"The {each.kind} of {each.name} should be renewed: it ends {each.ends_at:%Y-%m-%d}",
            each.hindered or f"{len(each.subjects)} connections sign in with it.",
            "Act on that, then: `holdfast rotate plan`, `holdfast rotate apply`."
            if each.hindered
            else "`holdfast rotate plan`, `holdfast rotate apply`.",
        )


def of_sagas(
    kind: str, standings: Iterable[Standing], connections: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Sagas that stopped and that somebody has to free; what only waits is not told.

    Args:
        kind: of their plan.
        connections: of each saga.
    """
    topic = Topic.ROTATION_STUCK if kind == "rotate" else Topic.MIGRATION_STUCK
    for each in standings:
        if each.state == "refused" and each.since is not None:
            yield Problem(
                f"{kind}/{each.saga}",
                topic,
                each.since,
                tuple(connections.get(each.saga, ())),
                f"{kind} {each.saga} stopped at {each.step}",
                each.says,
                f"Mend that, then run the same `holdfast {kind} apply` again, or undo it.",
            )


def proven(seen: Sequence[Seen], threads: Mapping[str, Thread]) -> frozenset[str]:
    """Connections that work by a witness: their token was refreshed after the trouble that was told of began."""
    opened: dict[str, datetime] = {}
    for thread in threads.values():
        if thread.recovered_at is None:
            for subject in thread.subjects:
                opened[subject] = max(opened.get(subject, thread.opened_at), thread.opened_at)
    found = set()
    for status, judgement in seen:
        refreshed = last_refresh(judgement.witnesses) if judgement else None
        began = opened.get(status.connection.id)
        if began and status.state is State.OK and refreshed and refreshed.latest > began:
            found.add(status.connection.id)
    return frozenset(found)
