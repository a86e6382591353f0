"""How long Entra's opinion of a connection's next token stays what it is, so that it need not be asked at every use.

The opinion is a pure function of the world and the time. As long as nobody changed the world (`World.changes`), only
the instants collected here can turn it; between them the last opinion holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from holdfast.sandbox.entra.conditional_access import GRACE, person_of, policy_results
from holdfast.sandbox.entra.judgement import (
    SOFT_DELETED_FOR,
    SPA_LIMIT,
    circumstances_of_platform,
    idle_ends_at,
    refusals_of_refresh,
)
from holdfast.sandbox.entra.policy_conditions import frequency_of
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.world import World


class Opinion(NamedTuple):
    """What Entra would say of a refresh token that a connection holds.

    Attributes:
        marks: what it was formed on; another is needed when one of these differs.
        until: when time alone may change it; None for never.
        code: of the first refusal; None if the token would be taken.
        policies: the results that the sign-in log keeps of it, by policy.
    """

    marks: tuple[object, ...]
    until: datetime | None
    code: int | None
    policies: Mapping[str, str]


def opinion_of(world: World, token: RefreshToken, resource: Application | None, now: datetime) -> Opinion:
    """The opinion at `now`, formed anew only when it may have changed."""
    kept: dict[str, Opinion] = memo_of(world).setdefault("opinions", {})
    marks = (world.changes, len(world.flips), token.signed_in_at, token.revoked_at)
    known = kept.get(token.id)
    if known is None or known.marks != marks or (known.until is not None and now >= known.until):
        known = kept[token.id] = _formed(world, token, resource, now, marks)
    # Every success gives the token new days, so that this one limit moves with use.
    if known.code is None and now >= idle_ends_at(world, token):
        known = kept[token.id] = _formed(world, token, resource, now, marks)
    return known


def _formed(
    world: World, token: RefreshToken, resource: Application | None, now: datetime, marks: tuple[object, ...]
) -> Opinion:
    how = circumstances_of_platform(world, token, resource)
    refused = next(refusals_of_refresh(world, token, resource, now, how), None)
    turns = [at for at in _turns(world, token) if at > now]
    return Opinion(
        marks=marks,
        until=min(turns, default=None),
        code=refused.error.code if refused else None,
        policies=policy_results(world, person_of(world, token), how, now),
    )


def _turns(world: World, token: RefreshToken) -> Iterator[datetime]:
    """Every instant at which time alone may change the opinion."""
    yield idle_ends_at(world, token)
    if token.is_spa:
        yield token.signed_in_at + SPA_LIMIT
    if token.revoked_at is not None:
        yield token.revoked_at
    if world.remember_mfa_for is not None:
        yield token.signed_in_at + world.remember_mfa_for
    if world.security_defaults_since is not None:
        yield world.security_defaults_since + GRACE
    for policy in world.policies.values():
        if (limit := frequency_of(policy)) is not None:
            yield token.signed_in_at + limit
    yield from _turns_of_account(world.accounts[token.account_id])


def _turns_of_account(account: Account) -> Iterator[datetime]:
    if account.deleted_at is not None:
        yield account.deleted_at + SOFT_DELETED_FOR
