"""The steps that renew each credential that is due without anybody noticing (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from holdfast.core.identity import ClientSecret
from holdfast.core.plan import Declined, Plan, PlannedStep, label, saga_id
from holdfast.rotation.checks import STRANGERS, Choices, life_of, owned_by, quiet_of, refusal_of
from holdfast.rotation.due import SETS, Candidate, Consumer, Use, deciding, due_at, is_due

__all__ = ["KIND", "Candidate", "Choices", "Consumer", "due_at", "is_due", "plan_rotation"]

KIND: Final = "rotate"


def plan_rotation(candidates: Sequence[Candidate], choices: Choices) -> Plan:
    """A saga for each application that has a credential in use that is due, or a connection that waits for one; these first."""
    steps: list[PlannedStep] = []
    declined: list[Declined] = []
    number = 0
    for candidate in sorted(candidates, key=lambda each: _decided(each, choices.now)):
        wanted = candidate.app.client_id in choices.apps
        if choices.apps and not wanted:
            continue
        refusal = refusal_of(candidate, choices, wanted)
        if refusal is not None:
            declined += _declined(candidate, *refusal)
            continue
        number += 1
        steps += _saga(saga_id(choices.plan, number), candidate, choices)
    return Plan(
        kind=KIND,
        id=choices.plan,
        tenant=choices.tenant,
        tenant_name=choices.tenant_name,
        made_at=choices.now,
        steps=tuple(steps),
        declined=tuple(declined),
        choices={"apps": sorted(choices.apps), "life_days": choices.life.days if choices.life else None},
        accepted=choices.accepted,
    )


def _decided(candidate: Candidate, now: datetime) -> datetime:
    if candidate.is_broken:
        return datetime.min.replace(tzinfo=UTC)
    decides = deciding(candidate, now)
    return decides.expires_at if decides and decides.expires_at else datetime.max.replace(tzinfo=UTC)


def _declined(candidate: Candidate, reason: str, says: str) -> Iterator[Declined]:
    """For each of its connections; only what a person would ask about is said."""
    name = candidate.app.display_name or candidate.app.client_id
    for consumer in candidate.consumers:
        yield Declined(consumer.connection.id, consumer.environment.id, reason, f"{name}: {says}")


def _saga(saga: str, candidate: Candidate, choices: Choices) -> Iterator[PlannedStep]:
    app, kind = candidate.app, candidate.kind
    about = {
        "application": app.object_id,
        "client_id": app.client_id,
        "name": app.display_name or app.client_id,
        "kind": kind,
    }
    yield _add(saga, candidate, about, choices)
    yield PlannedStep(
        saga,
        "prove",
        f"Waits until the new {kind} signs in several times in a row, long enough after it was made",
        None,
        None,
        {**about, "ends": _ends(candidate, choices.now)},
    )
    previous = _previous(candidate)
    for consumer in candidate.consumers:
        yield from _switch(saga, consumer, about, previous, choices)
    yield from _end(saga, candidate, about, choices)


def _add(saga: str, candidate: Candidate, about: Mapping[str, Any], choices: Choices) -> PlannedStep:
    life = life_of(candidate, choices)
    return PlannedStep(
        saga,
        "add",
        f"Adds a {candidate.kind} to {about['name']!r} that lives {life.days} days, and keeps it in the secret store",
        None,
        None,
        {
            **about,
            "life_seconds": int(life.total_seconds()),
            "label": label(saga),
            # All that the application has as planned: whatever else is there at apply was made meanwhile.
            "known": [each.key_id for each in candidate.credentials],
        },
        risk=f"Not due by its dates: a connection is broken, as the application no longer has the {candidate.kind} that it holds"
        if candidate.is_broken and not is_due(candidate, choices.now)
        else "",
        undo=f"Removes the new {candidate.kind}",
    )


def _ends(candidate: Candidate, now: datetime) -> str | None:
    """Until when the connections have something to lose."""
    decides = deciding(candidate, now)
    return decides.expires_at.isoformat() if decides and decides.expires_at else None


def _end(
    saga: str, candidate: Candidate, about: Mapping[str, Any], choices: Choices
) -> Iterator[PlannedStep]:
    """Watch, remove what is ours, and look for strays."""
    old, quiet = candidate.credentials, quiet_of(candidate, choices)
    ours = [each for each in old if each.key_id in candidate.ours]
    foreign = [each for each in old if each.key_id not in candidate.ours]
    watched = {
        **about,
        "old": [each.key_id for each in old],
        "quiet_seconds": int(quiet.total_seconds()),
        "log_read": candidate.log_read,
    }
    yield PlannedStep(
        saga,
        "quiet",
        f"Waits until nothing signs in with an older {candidate.kind} for {_length(quiet)}",
        None,
        None,
        {**watched, "seen": [_use_json(use) for use in candidate.uses]},
        risk=_risk(candidate, choices),
    )
    yield PlannedStep(
        saga,
        "remove",
        _removes(ours, foreign, candidate, choices),
        None,
        None,
        {
            **watched,
            "remove": [each.key_id for each in ours],
            "foreign": [_foreign_json(each, candidate) for each in foreign],
        },
    )
    yield PlannedStep(
        saga,
        "sweep",
        "Looks again, later, for what an interrupted attempt of this saga left",
        None,
        None,
        {**about, "label": label(saga)},
    )


def _risk(candidate: Candidate, choices: Choices) -> str:
    if not candidate.log_read:
        return "The sign-in log cannot be read: what else uses an older one is not seen"
    if not candidate.strangers:
        return ""
    told = "; ".join(use_said(use) for use in candidate.strangers[:5])
    answered = (
        "" if choices.accepts(STRANGERS) else f", or answer for it with --accept {STRANGERS}=NAME:REASON"
    )
    return (
        f"Used by something that is no connection: {told}. Give that the new {candidate.kind} too{answered}"
    )


def use_said(use: Use) -> str:
    """A use for people."""
    return f"{use.resource or 'something'} from {use.ip_address or 'an address that is not told'}, last {use.last_at:%Y-%m-%d}"


def _use_json(use: Use) -> dict[str, Any]:
    return {**use._asdict(), "last_at": use.last_at.isoformat()}


def _foreign_json(secret: ClientSecret, candidate: Candidate) -> dict[str, Any]:
    """What somebody else made, and whom to ask about it."""
    return {
        "key_id": secret.key_id,
        "name": secret.display_name,
        "made_at": secret.starts_at.isoformat() if secret.starts_at else None,
        "ends_at": secret.expires_at.isoformat() if secret.expires_at else None,
        "owners": dict(candidate.owners or {}),
    }


def _removes(
    ours: Sequence[ClientSecret], foreign: Sequence[ClientSecret], candidate: Candidate, choices: Choices
) -> str:
    removed = (
        f"Removes {'the older one' if len(ours) == 1 else f'{len(ours)} older ones'} that holdfast made"
        if ours
        else "Removes nothing: no older one is holdfast's"
    )
    if not foreign:
        return removed
    named = ", ".join(_dated(each, choices.now) for each in foreign)
    return f"{removed}; leaves {named}, which somebody else made and has to remove: the application is {owned_by(candidate, choices)}"


def _dated(secret: ClientSecret, now: datetime) -> str:
    dates = []
    if secret.starts_at is not None:
        dates.append(f"made {secret.starts_at:%Y-%m-%d}, {max((now - secret.starts_at).days, 0)} days ago")
    if secret.expires_at is not None:
        dates.append(f"{'ends' if secret.expires_at > now else 'ended'} {secret.expires_at:%Y-%m-%d}")
    name = repr(secret.display_name or secret.key_id)
    return f"{name} ({', '.join(dates)})" if dates else name


def _length(length: timedelta) -> str:
    hours = int(length.total_seconds() // 3600)
    return f"{hours} hours" if length < timedelta(days=2) else f"{length.days} days"


def _previous(candidate: Candidate) -> str | None:
    """Name in our store of the newest of the older ones; None where none lies there."""
    newest_first = sorted(
        candidate.credentials, key=lambda each: (each.key_id in candidate.held, _started(each)), reverse=True
    )
    return next(
        (candidate.stored[each.key_id] for each in newest_first if each.key_id in candidate.stored), None
    )


def _started(secret: ClientSecret) -> tuple[datetime, str]:
    return secret.starts_at or datetime.min.replace(tzinfo=UTC), secret.key_id


def _switch(
    saga: str, consumer: Consumer, about: Mapping[str, Any], previous: str | None, choices: Choices
) -> Iterator[PlannedStep]:
    connection, place = consumer.connection, consumer.environment.id
    owner, kind = connection.owner, about["kind"]
    where = {
        **about,
        "connector": connection.connector,
        "display_name": connection.display_name,
        "sign_in": SETS.get(connection.sign_in, "oauthSP"),
        "tenant_id": choices.tenant_id,
        "target": list(consumer.target) if consumer.target else None,
    }
    references = [{"id": each.id, "logical_name": each.logical_name} for each in consumer.references]
    back = (
        f"Puts the previous {kind} back, if it still signs in"
        if previous
        else f"Cannot put the previous {kind} back, which is not in the secret store"
    )
    yield PlannedStep(
        saga,
        f"switch:{connection.id}",
        f"Puts the new {kind} into {connection.display_name!r}, which keeps its id; where that is refused, makes one beside it",
        connection.id,
        place,
        {
            **where,
            "previous": previous,
            "references": references,
            "label": label(saga, connection.display_name)[:200],
            "owner": owner.id if owner and owner.kind == "User" else None,
        },
        undo=f"{back}; removes the one beside it",
    )
    yield PlannedStep(
        saga,
        f"prove:{connection.id}",
        "Runs a query through the connection"
        if consumer.target
        else "Reads the connection's state: no flow tells a server and database for a query",
        connection.id,
        place,
        where,
    )
    if references:
        yield PlannedStep(
            saga,
            f"bind:{connection.id}",
            f"Where one was made beside it, binds {', '.join(each.logical_name for each in consumer.references)} to that",
            connection.id,
            place,
            {**where, "references": references},
            undo="Binds as before",
        )
