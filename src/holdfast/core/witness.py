"""Witness: a source that tells when a connection's token was last refreshed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.core.horizon import Interval


class Source(StrEnum):
    """Where it was read, most trusted first."""

    OWN_DEED = "own_deed"  # holdfast did it, and saw the answer
    EXPIRY = "expiration_time"  # expiry of the cached access token minus one access-token life
    LOOKS = "looks"  # the expiry moved between two of our own looks
    OWNER_SIGN_IN = "owner_sign_in"  # a row of the owner's log that only this connection can have made


@dataclass(frozen=True, slots=True)
class Witness:
    """When, according to one source, the token was last refreshed.

    Attributes:
        refreshed: the refresh lies in this interval; its width is the error bar.
        reach: what this source can and cannot see, in a sentence.
        assumptions: beliefs that it stands on.
        expires_at: the expiry of the access token that came of that refresh, where the platform told it.
    """

    source: Source
    refreshed: Interval
    reach: str
    assumptions: tuple[str, ...] = ()
    expires_at: datetime | None = None
