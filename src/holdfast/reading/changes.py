"""The directory's audit log → what was done to an account, an application or a policy, when and by whom.

Names of activities: entra-docs reference-audit-activities.md @092dd5c. Real logs differ in dashes and blanks, so
that names are compared by their letters only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from holdfast.core.directory import Change
from holdfast.core.finding import Act, Doer

TOGETHER: Final = timedelta(minutes=10)
"""Rows so near to each other belong to one act: a reset writes the password and the revocation."""


def _names(*spoken: str) -> frozenset[str]:
    return frozenset(letters(each) for each in spoken)


@lru_cache(1024)
def letters(activity: str) -> str:
    """The letters of a name, in lower case. Asked of few names, and for each of 200,000 connections."""
    return "".join(each for each in activity.casefold() if each.isalpha())


PASSWORD_SET: Final = _names(
    "Change user password",
    "Reset password",
    "Reset user password",
    "Set force change user password",
    "Reset password (self-service)",
    "Change password (self-service)",
    "Reset password (by admin)",
)
REVOKED: Final = _names(
    "Update StsRefreshTokenValidFrom Timestamp", "Revoke user sessions", "Revoke sign in sessions"
)
UNDISPUTED: Final = REVOKED | _names("Reset password", "Reset user password", "Reset password (by admin)")
"""What ends every sign-in of an account, by all sources but for where in the portal it is done."""
DISABLED: Final = _names("Disable account")
ENABLED: Final = _names("Enable account")
DELETED: Final = _names("Delete user", "Hard Delete user")
MFA_ON: Final = _names("Enable Strong Authentication")
MFA_OFF: Final = _names("Disable Strong Authentication")
TERMS_ACCEPTED: Final = _names("Accept Terms Of Use")
CONSENT_TAKEN: Final = _names(
    "Remove delegated permission grant", "Remove app role assignment from service principal"
)
CONSENT_GIVEN: Final = _names("Consent to application", "Add delegated permission grant")
APP_DELETED: Final = _names("Delete application", "Remove service principal", "Hard delete service principal")
APP_CHANGED: Final = _names("Update service principal")
CREDENTIALS_REMOVED: Final = _names("Remove service principal credentials")
POLICY_SET: Final = _names("Add Conditional Access policy", "Update Conditional Access policy")
POLICY_GONE: Final = _names("Delete Conditional Access policy")

TELLING: Final = frozenset().union(
    PASSWORD_SET,
    REVOKED,
    DISABLED,
    ENABLED,
    DELETED,
    MFA_ON,
    MFA_OFF,
    TERMS_ACCEPTED,
    CONSENT_TAKEN,
    CONSENT_GIVEN,
    APP_DELETED,
    APP_CHANGED,
    CREDENTIALS_REMOVED,
    POLICY_SET,
    POLICY_GONE,
)
"""What bears on connections; all else in the log is not kept."""

_DOES: Final[Mapping[str, str]] = {
    **dict.fromkeys(PASSWORD_SET, "changed or reset the password of"),
    **dict.fromkeys(REVOKED, "revoked the sessions of"),
    **dict.fromkeys(DISABLED, "disabled"),
    **dict.fromkeys(ENABLED, "enabled"),
    **dict.fromkeys(DELETED, "deleted"),
    **dict.fromkeys(MFA_ON, "required MFA of"),
    **dict.fromkeys(MFA_OFF, "no longer required MFA of"),
    **dict.fromkeys(CONSENT_TAKEN, "took back consent for"),
    **dict.fromkeys(APP_DELETED, "deleted"),
    **dict.fromkeys(APP_CHANGED, "changed"),
    **dict.fromkeys(CREDENTIALS_REMOVED, "removed credentials of"),
    letters("Add Conditional Access policy"): "added",
    letters("Update Conditional Access policy"): "changed",
    **dict.fromkeys(POLICY_GONE, "deleted"),
}


@dataclass(frozen=True, slots=True)
class Changes:
    """The telling rows of the log, by id of what was changed, oldest first.

    Attributes:
        since: how far back they reach.
    """

    since: datetime
    by_target: Mapping[str, tuple[Change, ...]]
    _by_activity: Mapping[str, tuple[Change, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, dict[Change, None]] = {}
        for rows in self.by_target.values():
            for row in rows:
                found.setdefault(letters(row.activity), {})[row] = None
        index = {name: tuple(each) for name, each in found.items()}
        object.__setattr__(self, "_by_activity", index)

    @classmethod
    def of(cls, rows: Iterable[Change], since: datetime) -> Changes:
        """Those that succeeded and bear on connections."""
        found: dict[str, list[Change]] = {}
        for row in rows:
            if row.succeeded and letters(row.activity) in TELLING:
                for target in row.targets:
                    found.setdefault(target.casefold(), []).append(row)
        return cls(since, {id: tuple(sorted(each, key=lambda row: row.at)) for id, each in found.items()})

    def to(self, target: str | None, activities: frozenset[str]) -> tuple[Change, ...]:
        """What of this kind was done to it, oldest first."""
        rows = self.by_target.get((target or "").casefold(), ())
        return tuple([row for row in rows if letters(row.activity) in activities]) if rows else ()

    def of_kind(self, activities: frozenset[str]) -> list[Change]:
        """What of this kind was done to anything, each row once."""
        return [row for name in activities for row in self._by_activity.get(name, ())]

    def latest(self, target: str | None, activities: frozenset[str]) -> Change | None:
        """The newest of them."""
        rows = self.to(target, activities)
        return rows[-1] if rows else None


def act_of(row: Change, id: str, thing: str) -> Act:
    """The row as a act. `id` is what its consequences have in common; `thing` as people call it."""
    by = Doer(row.by, row.by_name) if row.by or row.by_name else None
    return Act(id, _DOES.get(letters(row.activity), row.activity), thing, row.at, by)
