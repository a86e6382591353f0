"""Which secrets are due, who uses them, and the steps that renew each without anybody noticing (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionReference, Environment
from holdfast.core.making import AppPolicy
from holdfast.core.plan import LABEL, Accepted, Declined, Plan, PlannedStep, label, saga_id
from holdfast.reading.credentials import KIND_OF_SIGN_IN

KIND: Final = "rotate"
DUE_AT: Final = 2 / 3
"""Of a secret's life: from then on it is due."""

ALWAYS_WITHIN: Final = timedelta(days=14)
"""What expires so soon is taken along whatever its life was."""

USUAL_LIFE: Final = timedelta(days=180)
SHORTEST_LIFE: Final = timedelta(days=2)
"""A secret that lives shorter cannot be proven, switched and watched in time."""

QUIET: Final = timedelta(hours=24)
"""How long no sign-in may show the old secret before it is removed; a cached token lives 90 minutes at most."""

QUIET_UNSEEN: Final = timedelta(days=7)
"""The same where the sign-in log cannot be read."""


class Consumer(NamedTuple):
    """A connection that holds a secret of the application.

    Attributes:
        is_seen: the operator made it, or it is shared with it, so that it may be changed in place.
        references: those bound to it, for the way round where it cannot be changed.
        target: server and database of a proof query; None where no flow tells.
    """

    connection: Connection
    environment: Environment
    is_seen: bool
    references: tuple[ConnectionReference, ...] = ()
    target: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One application with all that was looked at; None for what could not be.

    Attributes:
        owners: object ids of who owns the registration.
        stored: key ids whose text lies in our secret store, with the name there.
        own: roles that this application plays for holdfast itself.
        log_read: whether its sign-ins can be read.
    """

    app: ServicePrincipal
    consumers: tuple[Consumer, ...] = ()
    owners: frozenset[str] | None = None
    stored: Mapping[str, str] = field(default_factory=dict)
    own: str = ""
    log_read: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose, and who holdfast is.

    Attributes:
        app_admin: object id of our application administrator's identity; `app_admin_id` its client id.
        apps: client ids; empty for all that is due.
        life: of the new secrets; None is that of the old one.
    """

    plan: str
    tenant: str
    tenant_name: str
    tenant_id: str
    now: datetime
    app_admin: str
    app_admin_id: str
    policy: AppPolicy | None
    apps: frozenset[str] = frozenset()
    life: timedelta | None = None
    accepted: tuple[Accepted, ...] = ()


def plan_rotation(candidates: Sequence[Candidate], choices: Choices) -> Plan:
    """A saga for each application that has a secret in use that is due."""
    steps: list[PlannedStep] = []
    declined: list[Declined] = []
    number = 0
    for candidate in candidates:
        wanted = candidate.app.client_id in choices.apps
        if choices.apps and not wanted:
            continue
        refusal = _refusal(candidate, choices, wanted)
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


def is_ours(secret: ClientSecret) -> bool:
    """Whether holdfast made it; nothing else is ever removed."""
    return secret.display_name.startswith(LABEL)


def due_at(secret: ClientSecret) -> datetime | None:
    """When it should be renewed: at two thirds of its life; None without an expiry."""
    if secret.expires_at is None:
        return None
    start = secret.starts_at or secret.expires_at - USUAL_LIFE
    return start + (secret.expires_at - start) * DUE_AT


def in_use(candidate: Candidate) -> tuple[ClientSecret, ...]:
    """The secrets that its connections can be holding."""
    return tuple(secret for secret in candidate.app.secrets if secret.kind == "secret")


def is_due(candidate: Candidate, now: datetime) -> bool:
    """Whether a secret in use is past two thirds of its life, or ends within 14 days.

    What was renewed beside does not count: the newest secret decides.
    """
    newest = _newest(candidate)
    if newest is None or newest.expires_at is None:
        return False
    due = due_at(newest)
    return newest.expires_at - now <= ALWAYS_WITHIN or (due is not None and due <= now)


def _newest(candidate: Candidate) -> ClientSecret | None:
    dated = [secret for secret in in_use(candidate) if secret.expires_at is not None]
    return max(dated, key=lambda secret: (secret.expires_at, secret.key_id), default=None)


Refusal = tuple[str, str]


def _refusal(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    """Why the application is left alone; the first that holds."""
    for check in CHECKS:
        found = check(candidate, choices, wanted)
        if found is not None:
            return found
    return None


def _has_secrets(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if in_use(candidate):
        return None
    kinds = {KIND_OF_SIGN_IN.get(each.connection.sign_in) for each in candidate.consumers}
    if "certificate" in kinds:
        return (
            "certificate",
            "Its connections hold certificates: renew them by hand, as `holdfast show` tells.",
        )
    return "no_secret", "It has no secret."


def _is_not_ourselves(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if not candidate.own:
        return None
    says = (
        f"It is holdfast's own identity ({candidate.own}), whose secret lies in the settings: renew it there."
    )
    return "own_identity", says


def _is_used(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if candidate.consumers or wanted:
        return None
    return "no_connection", "No SQL connection of the last scan names it."


def _is_due(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if wanted or is_due(candidate, choices.now):
        return None
    newest = _newest(candidate)
    due = due_at(newest) if newest else None
    when = f"due {due:%Y-%m-%d}" if due else "without an expiry"
    return "not_due", f"Its newest secret is {when}."


def _is_owned(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if candidate.owners is None:
        return (
            "not_looked_at:owners",
            "Who owns it could not be read, so whether we may add a secret is not known.",
        )
    if choices.app_admin in candidate.owners:
        return None
    says = (
        "holdfast's application administrator does not own it. An administrator makes it an owner:"
        f" az ad app owner add --id {candidate.app.client_id} --owner-object-id {choices.app_admin}"
    )
    return "not_owned", says


def _is_allowed(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    policy = choices.policy
    if policy is None:
        if any(each.fact == "app_policy" for each in choices.accepted):
            return None
        return "not_looked_at:app_policy", "The tenant's app management policy could not be read."
    if not policy.allows_secrets:
        return "secrets_forbidden", "The tenant's app management policy forbids new secrets."
    if _life(candidate, choices) < SHORTEST_LIFE:
        return (
            "life_too_short",
            f"The policy allows {policy.longest_secret}, too short to prove and switch in.",
        )
    return None


def _can_be_switched(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    stuck = [each for each in candidate.consumers if not each.is_seen and not each.references]
    if not stuck:
        return None
    names = ", ".join(repr(each.connection.display_name) for each in stuck[:3])
    says = (
        f"{names} belongs to a person and is bound directly by flows, so only its owner can put the new secret in."
        if len(stuck) == 1
        else f"{len(stuck)} of its connections ({names}) belong to persons and are bound directly: their owners have to act."
    )
    return "consumer_not_ours", says


CHECKS: Final = (
    _is_not_ourselves,
    _has_secrets,
    _is_used,
    _is_due,
    _is_owned,
    _is_allowed,
    _can_be_switched,
)


def _declined(candidate: Candidate, reason: str, says: str) -> Iterator[Declined]:
    """For each of its connections; only what a person would ask about is said."""
    name = candidate.app.display_name or candidate.app.client_id
    for consumer in candidate.consumers:
        yield Declined(consumer.connection.id, consumer.environment.id, reason, f"{name}: {says}")


def _life(candidate: Candidate, choices: Choices) -> timedelta:
    newest = _newest(candidate)
    old = (
        newest.expires_at - newest.starts_at
        if newest and newest.expires_at and newest.starts_at
        else USUAL_LIFE
    )
    wanted = choices.life or old
    longest = choices.policy.longest_secret if choices.policy else None
    # A minute less: the policy counts from the moment at which it is made.
    return min(wanted, longest - timedelta(minutes=1)) if longest else wanted


def _saga(saga: str, candidate: Candidate, choices: Choices) -> Iterator[PlannedStep]:
    app = candidate.app
    name = app.display_name or app.client_id
    about = {"application": app.object_id, "client_id": app.client_id, "name": name}
    old = list(in_use(candidate))
    life = _life(candidate, choices)
    yield PlannedStep(
        saga,
        "add",
        f"Adds a secret to {name!r} that lives {life.days} days, and keeps its text in the secret store",
        None,
        None,
        {**about, "life_seconds": int(life.total_seconds()), "label": label(saga)},
        undo="Removes the new secret",
    )
    yield PlannedStep(
        saga,
        "prove",
        "Waits until the new secret signs in several times in a row",
        None,
        None,
        about,
    )
    previous = _previous(candidate)
    for consumer in candidate.consumers:
        yield from _switch(saga, consumer, about, previous, choices)
    yield PlannedStep(
        saga,
        "quiet",
        f"Waits until nothing signs in with an older secret for {_hours(_quiet(candidate))}",
        None,
        None,
        {
            **about,
            "old": [secret.key_id for secret in old],
            "quiet_seconds": int(_quiet(candidate).total_seconds()),
            "log_read": candidate.log_read,
        },
        risk=""
        if candidate.log_read
        else "The sign-in log cannot be read: what else uses the old secret is not seen",
    )
    ours = [secret for secret in old if is_ours(secret)]
    foreign = [secret for secret in old if not is_ours(secret)]
    yield PlannedStep(
        saga,
        "remove",
        _removes(ours, foreign),
        None,
        None,
        {**about, "remove": [secret.key_id for secret in ours]},
    )
    yield PlannedStep(
        saga,
        "sweep",
        "Looks again, later, for secrets of this saga that an interrupted attempt left",
        None,
        None,
        {**about, "label": label(saga)},
    )


def _removes(ours: Sequence[ClientSecret], foreign: Sequence[ClientSecret]) -> str:
    removed = (
        f"Removes {_counted(ours)} that holdfast made"
        if ours
        else "Removes nothing: no older secret is holdfast's"
    )
    if not foreign:
        return removed
    left = ", ".join(
        f"{secret.display_name or secret.key_id} (ends {secret.expires_at:%Y-%m-%d})"
        if secret.expires_at
        else (secret.display_name or secret.key_id)
        for secret in foreign
    )
    return f"{removed}; leaves {left}, which somebody else made"


def _counted(secrets: Sequence[ClientSecret]) -> str:
    return "the older secret" if len(secrets) == 1 else f"{len(secrets)} older secrets"


def _quiet(candidate: Candidate) -> timedelta:
    return QUIET if candidate.log_read else QUIET_UNSEEN


def _hours(length: timedelta) -> str:
    return (
        f"{int(length.total_seconds() // 3600)} hours"
        if length < timedelta(days=2)
        else f"{length.days} days"
    )


def _previous(candidate: Candidate) -> str | None:
    """Name in our store of the newest of the older secrets' texts; None where none lies there."""
    newest_first = sorted(
        in_use(candidate),
        key=lambda each: (each.starts_at is not None, each.starts_at, each.key_id),
        reverse=True,
    )
    return next(
        (candidate.stored[secret.key_id] for secret in newest_first if secret.key_id in candidate.stored),
        None,
    )


def _switch(
    saga: str, consumer: Consumer, about: Mapping[str, Any], previous: str | None, choices: Choices
) -> Iterator[PlannedStep]:
    connection = consumer.connection
    owner = connection.owner
    where = {
        **about,
        "connector": connection.connector,
        "display_name": connection.display_name,
        "tenant_id": choices.tenant_id,
        "target": list(consumer.target) if consumer.target else None,
    }
    references = [{"id": each.id, "logical_name": each.logical_name} for each in consumer.references]
    back = (
        "Puts the previous secret back"
        if previous
        else "Cannot put the previous secret back, whose text is not in the secret store"
    )
    yield PlannedStep(
        saga,
        f"switch:{connection.id}",
        f"Puts the new secret into {connection.display_name!r}, which keeps its id; where that is refused, makes one beside it",
        connection.id,
        consumer.environment.id,
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
        consumer.environment.id,
        where,
    )
    if references:
        yield PlannedStep(
            saga,
            f"bind:{connection.id}",
            f"Where one was made beside it, binds {', '.join(each.logical_name for each in consumer.references)} to that",
            connection.id,
            consumer.environment.id,
            {**where, "references": references},
            undo="Binds as before",
        )
