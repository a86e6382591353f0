"""What ends a person's sign-in after a time though it is used: frequency, a remembered factor, terms of use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from holdfast.core import beliefs
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.policies import AccessPolicy, PolicyState
from holdfast.diagnosis.known import Known, unknown
from holdfast.diagnosis.policies import Hit, hits_of

WIDEST: Final = timedelta(days=30)
"""An `expected` break that is less certain than this is said as unknown."""


def sign_in_limits(known: Known) -> list[Horizon]:
    """By policies that are enforced and stop it once its sign-in is old enough."""
    if not known.connection.sign_in.has_refresh_token:
        return []
    return [horizon for horizon in (_frequency(known), _factor(known), _terms(known)) if horizon is not None]


def _enforced(known: Known, cause: str) -> Iterator[tuple[AccessPolicy, Hit]]:
    for policy in known.policies:
        if policy.state is PolicyState.ENFORCED:
            yield from ((policy, hit) for hit in hits_of(policy, known.connection) if hit.cause == cause)


def _frequency(known: Known) -> Horizon | None:
    """Two scenarios, since the documents and what was seen disagree; never one invented date."""
    limits = [p.sign_in_frequency for p, _ in _enforced(known, "signin_frequency") if p.sign_in_frequency]
    if not limits or known.cause == "signin_frequency":
        return None
    limit = min(limits)
    ends = _from_sign_in(known, limit)
    when = f" from {ends.earliest:%Y-%m-%d} to {ends.latest:%Y-%m-%d}" if ends else ""
    # Where it outlived the limit, that has settled which of the two holds here.
    if ends is not None and ends.latest < known.seen_at:
        return None
    return unknown(
        "signin_frequency",
        f"Either it breaks{when}, {limit.days} days after the sign-in (AADSTS70043, seen for a server application);",
        "or not at all: by the documents confidential clients, as the platform is believed to be one, are spared"
        " until the next sign-in by hand.",
    )


def _factor(known: Known) -> Horizon | None:
    """Enforced, and it works: so it carries a proof, which lasts as long as the tenant remembers it."""
    limit = known.recurrences.remember_mfa
    if limit is None or known.verdict is not None or not any(_enforced(known, "mfa_required")):
        return None
    return _comes_round(known, "mfa_required", limit, beliefs.REMEMBERED_FACTOR)


def _terms(known: Known) -> Horizon | None:
    limit = known.recurrences.terms
    if limit is None or known.verdict is not None or not any(_enforced(known, "terms_of_use")):
        return None
    return _comes_round(known, "terms_of_use", limit, beliefs.TERMS_RECUR)


def _comes_round(known: Known, cause: str, limit: timedelta, because: str) -> Horizon | None:
    ends = _from_sign_in(known, limit)
    if ends is not None and ends.latest < known.seen_at:
        return None  # it outlived the limit: that does not hold for it
    if ends is None or ends.width > WIDEST:
        return unknown(cause, because, beliefs.SIGNED_IN_WHEN)
    return Horizon(cause, Condition.EXPECTED, ends.earliest, ends.middle, ends.latest, (because,))


def _from_sign_in(known: Known, limit: timedelta) -> Interval | None:
    """The limit counted from the sign-in: when it was made, or when somebody last changed it."""
    made, changed = known.connection.created_at, known.connection.modified_at
    if made is None or changed is None:
        return None
    return Interval(made, max(made, changed)).shifted(limit)
