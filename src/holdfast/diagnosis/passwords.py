"""When the password of a SQL login or a Windows account ends."""

from __future__ import annotations

from datetime import datetime

from holdfast.core import beliefs
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.imported import PasswordTerm
from holdfast.core.inventory import SignIn
from holdfast.diagnosis.known import Known, unknown
from holdfast.reading.witnesses import last_refresh

CAUSE = "password_expired"


def password_expiry(known: Known) -> list[Horizon]:
    """By SQL Server's own word or an imported table, and for an age in that by the last change; else nothing tells.

    A person's own Entra sign-in is not concerned: by the documents an expired password revokes no token.
    """
    if known.connection.sign_in not in (SignIn.SQL_LOGIN, SignIn.WINDOWS) or known.cause == CAUSE:
        return []
    term = known.password
    if term is None or (term.asked_at is None and term.expires_from is None and term.max_age is None):
        return [unknown(CAUSE, beliefs.NO_LOGIN_DATE)]
    if term.is_endless:
        return []
    if term.max_age is not None and _changed_at(known) is None:
        days = term.max_age.days
        return [unknown(CAUSE, f"It lives {days} days from its last change. {beliefs.NO_LAST_CHANGE}")]
    ends = _ends(known)
    if ends is None or ends.latest <= known.seen_at:
        said = f" ({ends.latest:%Y-%m-%d})" if ends else ""
        again = (
            "By the imported table it has ended{}, and it works: import a newer table."
            if term.asked_at is None
            else "By what SQL Server said it has ended{}, and it works: ask again, `holdfast show ID --ask-sql`."
        )
        return [unknown(CAUSE, again.format(said))]
    return [
        Horizon(
            CAUSE,
            Condition.EXPECTED,
            ends.earliest,
            ends.middle,
            ends.latest,
            (_stands_on(term), beliefs.NOBODY_CHANGES_IT),
        )
    ]


def password_change(known: Known) -> list[Horizon]:
    """A person changed the password since the last use: two scenarios, since sources disagree; never one date."""
    refreshed = last_refresh(known.witnesses)
    changed_at = known.password_changed_at
    if not known.connection.sign_in.has_refresh_token or known.verdict is not None:
        return []
    if changed_at is None or refreshed is None or changed_at <= refreshed.latest:
        return []
    return [
        unknown(
            "password_changed",
            f"The password of its owner was changed on {changed_at:%Y-%m-%d}, after its last use: either its next use"
            " is refused (AADSTS50173, by the platform's own page on broken connections);",
            "or nothing happens: by the revocation matrix a change by the owner spares confidential clients, as the"
            " platform is believed to be one. A reset by an administrator ends it for good.",
        )
    ]


def _stands_on(term: PasswordTerm) -> str:
    if term.asked_at is None:
        return beliefs.IMPORTED_AGE if term.expires_from is None else beliefs.IMPORTED_DATE
    return beliefs.LOGINPROPERTY_AGE if term.expires_from is None else beliefs.LOGINPROPERTY_DATE


def _changed_at(known: Known) -> datetime | None:
    return known.password_changed_at or (known.password.set_at if known.password else None)


def _ends(known: Known) -> Interval | None:
    term, changed_at = known.password, _changed_at(known)
    if term is not None and term.expires_from is not None:
        return Interval(term.expires_from, term.expires_to or term.expires_from)
    if term is None or term.max_age is None or changed_at is None:
        return None
    return Interval(changed_at + term.max_age, changed_at + term.max_age)
