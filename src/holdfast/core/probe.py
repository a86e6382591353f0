"""Probe: whether an identity may make one call of the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.identity import Role


class Answered(StrEnum):
    """What the cloud said to a probe."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"  # the cloud could not be asked, or answered something unreadable
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Probe:
    """One call of the ledger as one identity.

    Attributes:
        call: its id.
        unlocks: what holdfast cannot do without it.
        lacks: the permission that is missing; None unless refused.
        detail: why, in one sentence; empty when allowed.
    """

    role: Role
    call: str
    unlocks: str
    answered: Answered
    lacks: str | None = None
    detail: str = ""
