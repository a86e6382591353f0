"""Why an application is left alone (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.making import AppPolicy
from holdfast.core.plan import Accepted
from holdfast.rotation.due import DUE_AT, USUAL_LIFE, Candidate, deciding, due_at, is_due, newest

SHORTEST_LIFE: Final = timedelta(days=2)
"""A credential that lives shorter cannot be proven, switched and watched in time."""

SHORTEST_USUAL: Final = timedelta(days=30)
"""What a new credential lives at least, where nobody chose; the first one may have been made for a day's trial."""

QUIET: Final = timedelta(hours=24)
"""How long no sign-in may show the old credential before it is removed; a cached token lives 90 minutes at most."""

QUIET_UNSEEN: Final = timedelta(days=7)
"""The same where the sign-in log cannot be read."""

QUIET_STRANGE: Final = timedelta(days=30)
"""The same where something that is no connection used it: as far as the log reaches, for it may come but once a month."""

MOST_NAMED: Final = 3

STRANGERS: Final = "other_consumers"
"""The fact that somebody answers for who knows the other consumers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose, and who holdfast is.

    Attributes:
        app_admin: object id of our application administrator's identity.
        apps: client ids; empty for all that is due.
        life: of the new credentials; None is that of the old one.
    """

    plan: str
    tenant: str
    tenant_name: str
    tenant_id: str
    now: datetime
    app_admin: str
    policy: AppPolicy | None
    apps: frozenset[str] = frozenset()
    life: timedelta | None = None
    accepted: tuple[Accepted, ...] = ()

    def accepts(self, fact: str) -> bool:
        """Whether somebody answers for it."""
        return any(each.fact == fact for each in self.accepted)


Refusal = tuple[str, str]
"""A stable word, and a sentence for people."""

Check = Callable[[Candidate, Choices, bool], Refusal | None]


def refusal_of(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    """Why the application is left alone, the first that holds; None where it is renewed.

    Args:
        wanted: a person named it, due or not.
    """
    found = (check(candidate, choices, wanted) for check in CHECKS)
    return next((each for each in found if each is not None), None)


def life_of(candidate: Candidate, choices: Choices) -> timedelta:
    """How long the new credential lives."""
    last = newest(candidate.credentials)
    old = last.expires_at - last.starts_at if last and last.expires_at and last.starts_at else USUAL_LIFE
    wanted = choices.life or max(old, SHORTEST_USUAL)
    longest = _longest(candidate, choices)
    # A minute less: the policy counts from the moment at which it is made.
    return min(wanted, longest - timedelta(minutes=1)) if longest else wanted


def quiet_of(candidate: Candidate, choices: Choices) -> timedelta:
    """How long nothing may have used an older credential before it is removed."""
    if candidate.strangers and not choices.accepts(STRANGERS):
        return QUIET_STRANGE
    return QUIET if candidate.log_read else QUIET_UNSEEN


def _policy(candidate: Candidate, choices: Choices) -> AppPolicy | None:
    """What counts for the application: some are excepted."""
    return candidate.policy or choices.policy


def _longest(candidate: Candidate, choices: Choices) -> timedelta | None:
    policy = _policy(candidate, choices)
    if policy is None:
        return None
    return policy.longest_secret if candidate.kind == "secret" else policy.longest_certificate


def _has_credentials(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if candidate.credentials or candidate.consumers:
        return None
    return "no_secret", f"It has no {candidate.kind}, and no connection that would hold one."


def _is_not_ourselves(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if not candidate.own:
        return None
    says = f"It is holdfast's own identity ({candidate.own}), whose {candidate.kind} lies in the settings: renew it there."
    return "own_identity", says


def _is_used(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if candidate.consumers or wanted:
        return None
    return "no_connection", "No SQL connection of the last scan names it."


def _is_free(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if not candidate.under_way:
        return None
    plan = candidate.under_way.rpartition("-")[0]
    says = (
        f"The rotation {candidate.under_way} of it is not over: finish plan {plan} with `apply`, or undo it."
    )
    return "under_way", says


def _is_due(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if wanted or candidate.is_broken or is_due(candidate, choices.now):
        return None
    decides = deciding(candidate, choices.now)
    due = due_at(decides) if decides else None
    when = f"due {due:%Y-%m-%d}" if due else "without an expiry"
    return "not_due", f"Its {candidate.kind} in use is {when}."


def _may_sign_in(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    """What cannot sign in could not be proven, and its connections would stay broken with any secret."""
    if candidate.may_sign_in is not False:
        return None
    says = (
        f"Its identity in the tenant is disabled or gone, so no {candidate.kind} of it signs in, and a new one could not be"
        " proven: enable it first (Entra > Enterprise applications > Properties > Enabled for users to sign in), or"
        " move its connections elsewhere."
    )
    return "app_disabled", says


def _is_owned(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    if candidate.owners is None:
        says = f"Who owns it could not be read, so whether we may add a {candidate.kind} is not known."
        return "not_looked_at:owners", says
    if choices.app_admin in candidate.owners:
        return None
    says = (
        f"holdfast's application administrator does not own it ({owned_by(candidate, choices)}). An administrator makes"
        " it an owner:"
        f" az ad app owner add --id {candidate.app.client_id} --owner-object-id {choices.app_admin}"
    )
    return "not_owned", says


def owned_by(candidate: Candidate, choices: Choices) -> str:
    """Who owns the application, for people; whom to ask about a credential that holdfast did not make."""
    owners = candidate.owners or {}
    names = sorted(name or id for id, name in owners.items() if id != choices.app_admin)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    if names:
        return f"owned by {', '.join(names[:MOST_NAMED])}{more}"
    return "owned by nobody else" if choices.app_admin in owners else "owned by nobody"


def _is_allowed(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    policy = _policy(candidate, choices)
    if policy is None:
        if choices.accepts("app_policy"):
            return None
        return "not_looked_at:app_policy", "The tenant's app management policy could not be read."
    if candidate.kind == "secret" and not policy.allows_secrets:
        return "secrets_forbidden", "The tenant's app management policy forbids new secrets."
    if candidate.kind == "certificate" and not policy.allows_self_signed:
        says = "The tenant's app management policy takes certificates of named authorities only; holdfast's sign themselves."
        return "self_signed_forbidden", says
    return None


def _fits(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    """The old one must be gone before the new one is due, or two of ours pile up for ever."""
    quiet = quiet_of(candidate, choices)
    # While strangers may come the old one stays beside, whatever that takes.
    watched = timedelta(0) if quiet == QUIET_STRANGE else (quiet + timedelta(days=1)) / DUE_AT
    life, needed = life_of(candidate, choices), max(SHORTEST_LIFE, watched)
    return None if life >= needed else _too_short(life, needed, _longest(candidate, choices))


def _too_short(life: timedelta, needed: timedelta, longest: timedelta | None) -> Refusal:
    what = (
        f"The policy allows {_days(longest)}"
        if longest is not None and longest <= needed
        else f"A life of {_days(life)} is chosen"
    )
    return "life_too_short", f"{what}, too short to prove, switch and watch in: that takes {_days(needed)}."


def _days(length: timedelta) -> str:
    return f"{length / timedelta(days=1):.1f}".removesuffix(".0") + " days"


def _is_offered(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    gone = [each for each in candidate.consumers if not each.is_offered]
    if not gone:
        return None
    says = f"The connector no longer offers how {gone[0].connection.display_name!r} signs in, so it cannot be changed."
    return "not_offered", says


def _can_be_switched(candidate: Candidate, choices: Choices, wanted: bool) -> Refusal | None:
    stuck = [each for each in candidate.consumers if not each.is_seen and not each.references]
    if not stuck:
        return None
    names = ", ".join(repr(each.connection.display_name) for each in stuck[:3])
    whose = "belongs to a person" if len(stuck) == 1 else "belong to persons"
    says = (
        f"{names}{' and more' if len(stuck) > 3 else ''} {whose}, and no connection reference leads there: whoever owns it"
        f" shares it with holdfast's operator, or deletes it if nothing uses it. Until then the new {candidate.kind} cannot be put in."
    )
    return "consumer_not_ours", says


CHECKS: Final[tuple[Check, ...]] = (
    _is_not_ourselves,
    _has_credentials,
    _is_used,
    _is_free,
    _is_due,
    _may_sign_in,
    _is_owned,
    _is_allowed,
    _fits,
    _is_offered,
    _can_be_switched,
)
