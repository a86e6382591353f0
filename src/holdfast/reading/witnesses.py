"""What was observed → when each connection's token was last refreshed, and how surely."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from holdfast.core import beliefs
from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.facts import (
    ACCESS_TOKEN_LIFE_LONGEST,
    ACCESS_TOKEN_LIFE_MAX,
    ACCESS_TOKEN_LIFE_MIN,
    REFRESH_TOKEN_IDLE_LIMIT,
)
from holdfast.core.horizon import Interval
from holdfast.core.inventory import Connection
from holdfast.core.witness import Source, Witness


def witnesses(
    connection: Connection,
    seen_at: datetime,
    earlier: Iterable[Witness] | None = None,
    looks: Interval | None = None,
) -> tuple[Witness, ...]:
    """All that tells when the token was last refreshed, most trusted first.

    `modified_at` is none of them: a rename moves it.

    Args:
        seen_at: when the connection was read.
        earlier: the witnesses of the look before; None if there was none.
        looks: from the beginning of the look before to the end of this one; None if there was none.
    """
    expiry = expiry_witness(connection, seen_at)
    if expiry is None:
        return tuple(_since(witness, seen_at) for witness in earlier or () if witness.source is LOGGED)
    if earlier is None:
        return (expiry,)
    then = tuple(earlier)
    if any(witness.expires_at == expiry.expires_at for witness in then):
        # The same token: what an earlier look said is as true and may be sharper.
        return then
    if looks is None:
        return (expiry,)
    moved = Witness(Source.LOOKS, looks, beliefs.LOOKS_REACH, (beliefs.EXPIRY_MOVES,), expiry.expires_at)
    return (expiry, moved)


LOGGED: Final = Source.OWNER_SIGN_IN


def _since(witness: Witness, seen_at: datetime) -> Witness:
    """The same a while later: it was refreshed then, or since."""
    then = witness.refreshed
    return replace(witness, refreshed=Interval(then.earliest, max(then.latest, seen_at)))


def expiry_witness(connection: Connection, seen_at: datetime) -> Witness | None:
    """What `expirationTime` tells; None where the platform gives none: passwords, and what never signed in."""
    expires_at = connection.token_expires_at
    if expires_at is None:
        return None
    reach, belief = beliefs.EXPIRY_REACH, beliefs.EXPIRATION_TIME
    earliest = expires_at - ACCESS_TOKEN_LIFE_MAX
    if earliest > seen_at:
        # Refreshed in our future it cannot be: this token lives longer than most.
        refreshed = Interval(min(expires_at - ACCESS_TOKEN_LIFE_LONGEST, seen_at), seen_at)
        return Witness(Source.EXPIRY, refreshed, reach, (belief, beliefs.LONG_LIFE), expires_at)
    refreshed = Interval(earliest, max(earliest, min(expires_at - ACCESS_TOKEN_LIFE_MIN, seen_at)))
    return Witness(Source.EXPIRY, refreshed, reach, (belief,), expires_at)


def last_refresh(found: Iterable[Witness]) -> Interval | None:
    """When the token was last refreshed by all witnesses together; None where none tells.

    Where two contradict each other the later interval counts: a refresh that one of them saw happened.
    """
    together: Interval | None = None
    for witness in found:
        if together is None:
            together = witness.refreshed
            continue
        earliest = max(together.earliest, witness.refreshed.earliest)
        latest = min(together.latest, witness.refreshed.latest)
        if earliest <= latest:
            together = Interval(earliest, latest)
        else:
            together = max(together, witness.refreshed, key=lambda interval: interval.latest)
    return together


def idle_evidence(refreshed: Interval | None, seen_at: datetime) -> Evidence | None:
    """That the sign-in was already dead when we looked, whatever its status says; None if that is not sure.

    A connection says Connected until something uses it.
    """
    if refreshed is None or seen_at <= refreshed.latest + REFRESH_TOKEN_IDLE_LIMIT:
        return None
    days = (seen_at - refreshed.latest).days
    return Evidence(
        EvidenceKind.STATUS,
        "idle_past_limit",
        quote=f"last refreshed {refreshed.latest:%Y-%m-%d %H:%M} UTC, unused for {days} days since",
        origin="connection",
        at=seen_at,
        causes=("token_inactive",),
        weight=0.95,
        details={"refreshed_at": refreshed.latest.isoformat()},
    )
