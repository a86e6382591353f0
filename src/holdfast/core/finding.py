"""Finding: what one check concluded about one connection, and what act of somebody made it so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.core.evidence import Evidence


class End(StrEnum):
    """How a connection ends."""

    REFUSED = "refused"  # works again when what was changed is changed back
    REVOKED = "revoked"  # needs a new sign-in, whatever is changed back
    EXPIRED = "expired"  # by time; needs a new sign-in or a new secret
    BLOCKED = "blocked"  # its flows are suspended; the connection itself stays whole
    PASSING = "passing"  # goes by itself; nothing is broken

    @property
    def comes_back(self) -> bool:
        """Whether the old sign-in or secret works again once the reason is gone."""
        return self not in (End.REVOKED, End.EXPIRED)


@dataclass(frozen=True, slots=True)
class Doer:
    """Whoever did something: a person or an application, as the audit log names it."""

    id: str = ""
    user_principal_name: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did that makes connections break.

    Attributes:
        id: what all breaks of one act have in common: the id of the policy, account or application.
        does: what was done, to follow "who": "added the policy 'X'".
        thing: what it was done to, as people call it: "policy 'X'".
        by: None where no log tells.
    """

    id: str
    does: str
    thing: str
    at: datetime | None = None
    by: Doer | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """That a check found something that stops the connection, or can.

    Attributes:
        check: name of the check.
        reason: for programs, stable: "AccountDisabled".
        message: for people, one sentence.
        is_certain: nothing about it is out of our sight; else it only can be so.
        confidence: from 0 to 1, how often such a finding names the right cause.
        since: from when on; None where nothing tells.
    """

    check: str
    reason: str
    message: str
    cause: str
    end: End
    is_certain: bool = True
    since: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    act: Act | None = None
    confidence: float = 0.95
