"""The account behind a connection: deleted, disabled, its sign-ins revoked or too old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from holdfast.core.directory import Change
from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.finding import Act, End, Finding
from holdfast.diagnosis.case import Case
from holdfast.reading.changes import (
    DELETED,
    DISABLED,
    MFA_OFF,
    MFA_ON,
    PASSWORD_SET,
    REVOKED,
    TOGETHER,
    UNDISPUTED,
    act_of,
    letters,
)
from holdfast.reading.witnesses import idle_evidence

DIRECTORY_REACH = "The account as it is now; what was before, the audit log tells for 30 days."
AUDIT_REACH = "Acts of the last 30 days at most; 7 on a free tenant."


def lay_idle(case: Case) -> Iterator[Finding]:
    """Its sign-in was not used for 90 days."""
    if case.is_person and (fact := idle_evidence(case.refreshed, case.seen_at)) is not None:
        message = f"It was {fact.quote}; the limit is 90."
        yield Finding(
            "lay_idle", "UnusedForNinetyDays", message, "token_inactive", End.EXPIRED, evidence=(fact,)
        )


def account_deleted(case: Case) -> Iterator[Finding]:
    """The account is not in the directory."""
    owner = case.connection.owner
    if not case.is_person or case.accounts is None or owner is None or owner.kind != "User":
        return
    if case.account is not None:
        return
    row = case.changes.latest(owner.id, DELETED) if case.changes else None
    fact = _fact(
        "account_deleted", f"no account {case.person_name} is in the directory", row.at if row else None
    )
    message = f"{case.person_name} is not in the directory: deleted, or of another tenant."
    yield Finding(
        "account_deleted",
        "AccountMissing",
        message,
        "account_deleted",
        End.REFUSED,
        since=row.at if row else None,
        evidence=_with_row(fact, row),
        act=_act(row, owner.id, case.person_name),
    )


def account_disabled(case: Case) -> Iterator[Finding]:
    """Sign-in of the account is blocked."""
    account = case.account if case.is_person else None
    if account is None or account.is_enabled is not False:
        return
    row = case.changes.latest(account.id, DISABLED) if case.changes else None
    fact = _fact(
        "account_disabled", f"the account {case.person_name} is disabled", row.at if row else case.seen_at
    )
    message = f"The account {case.person_name} is disabled; enabled again, the old sign-in may work."
    yield Finding(
        "account_disabled",
        "AccountDisabled",
        message,
        "account_disabled",
        End.REFUSED,
        since=row.at if row else None,
        evidence=_with_row(fact, row),
        act=_act(row, account.id, case.person_name),
    )


def sign_in_revoked(case: Case) -> Iterator[Finding]:
    """Sign-ins from before a date are refused, and this one is from before."""
    account = case.account
    if not case.is_person or case.refreshed is None:
        return
    if account is None:
        yield from _revoked_before_deletion(case)
        return
    since = account.sessions_valid_from
    if since is None or since <= case.refreshed.earliest:
        return
    rows = _revoking_rows(case, account.id, since)
    row = revoking(case, rows, since)
    cause = _cause_of(row, since, account.password_changed_at)
    # Whether disabling had ended it before is disputed; disabled it is refused in either case.
    was_disabled = account.is_enabled is False and any(
        letters(each.activity) in DISABLED and (row is None or each.at < row.at) for each in rows
    )
    yield _revoked(case, cause, since, row, is_certain=since > case.refreshed.latest and not was_disabled)
    for other in {_cause_of(each, each.at, None): each for each in rows}.items():
        if other[0] not in (cause, "account_disabled"):
            yield _revoked(case, other[0], other[1].at, other[1], is_certain=False)


def _revoked_before_deletion(case: Case) -> Iterator[Finding]:
    """The account is gone, and its date with it; the log still tells what was done before and since."""
    if case.changes is None or case.refreshed is None or case.accounts is None:
        return
    rows = case.changes.to(case.person_id, PASSWORD_SET | REVOKED | DISABLED)
    later = [row for row in rows if row.at > case.refreshed.latest]
    for cause, row in {_cause_of(row, row.at, None): row for row in reversed(later)}.items():
        yield _revoked(case, cause, row.at, row, is_certain=False)


def _revoked(case: Case, cause: str, since: datetime, row: Change | None, *, is_certain: bool) -> Finding:
    at = row.at if row else since
    last = f"{case.refreshed.latest:%Y-%m-%d %H:%M}" if case.refreshed else "before"
    fact = _fact(
        cause,
        f"sign-ins of {case.person_name} from before {since:%Y-%m-%d %H:%M} UTC are refused, and this one was"
        f" last refreshed {last} UTC",
        since,
    )
    who = f" {row.by_name or 'Somebody'} did it: {row.activity}." if row else ""
    message = (
        f"Sign-ins of {case.person_name} from before {since:%Y-%m-%d %H:%M} UTC are refused for good.{who}"
    )
    reasons = {"password_changed": "PasswordChanged", "account_disabled": "RevokedByDisabling"}
    id = f"{case.person_id}/{at.isoformat()}"
    act = _act(row, id, case.person_name) or Act(id, "changed the account of", case.person_name, since)
    return Finding(
        "sign_in_revoked",
        reasons.get(cause, "SessionsRevoked"),
        message,
        cause,
        End.REVOKED,
        is_certain,
        at,
        _with_row(fact, row),
        act,
    )


def _revoking_rows(case: Case, account: str, since: datetime) -> list[Change]:
    """What was done to the account between its last token and the date, that can have revoked it."""
    if case.changes is None or case.refreshed is None:
        return []
    rows = case.changes.to(account, PASSWORD_SET | REVOKED | DISABLED)
    return [row for row in rows if case.refreshed.earliest < row.at <= since + TOGETHER]


def revoking(case: Case, rows: list[Change], since: datetime) -> Change | None:
    """The act that ended the sign-in: what the refusal dates, else the first that nobody disputes.

    A second act revokes nothing that the first has not. That a password which its owner changes, or an account
    that is disabled, revokes connections is disputed; that a reset or a revocation does, is not.
    """
    named = next((fact.details["valid_from"] for fact in case.said if "valid_from" in fact.details), None)
    if named is not None:
        refused_before = datetime.fromisoformat(named)
        rows = [row for row in rows if abs(row.at - refused_before) <= TOGETHER] or rows
    else:
        undisputed = [row for row in rows if letters(row.activity) in UNDISPUTED]
        rows = undisputed or [row for row in rows if abs(row.at - since) <= TOGETHER] or rows
    # Of one act's rows the password is the reason, the revocation its effect.
    first = [row for row in rows if row.at <= rows[0].at + TOGETHER]
    return min(first, key=lambda row: (letters(row.activity) not in PASSWORD_SET, row.at), default=None)


def mfa_of_account(case: Case) -> Iterator[Finding]:
    """A second factor is demanded of the account itself, apart from every policy."""
    person = case.person_id if case.is_person else None
    if person is None:
        return
    on = case.changes.latest(person, MFA_ON) if case.changes else None
    off = case.changes.latest(person, MFA_OFF) if case.changes else None
    stands = case.mfa_demanded
    if stands is None:
        stands = on is not None and (off is None or off.at < on.at)
    since = on.at if on else None
    if not stands or case.let_through(since) or (on is None and case.mfa_demanded is not True):
        return
    fact = _fact("mfa_required", f"MFA is required of {case.person_name}", since or case.seen_at)
    message = (
        f"MFA is required of {case.person_name} itself; a sign-in that was made without it is refused until it"
        " is made again with it, or MFA is no longer required."
    )
    yield Finding(
        "mfa_of_account",
        "MfaOfAccount",
        message,
        "mfa_required",
        End.REFUSED,
        is_certain=False,
        since=since,
        evidence=_with_row(fact, on),
        act=_act(on, person, case.person_name),
    )


def _cause_of(row: Change | None, since: datetime, password_changed_at: datetime | None) -> str:
    if row is not None:
        name = letters(row.activity)
        if name in PASSWORD_SET:
            return "password_changed"
        return "account_disabled" if name in DISABLED else "session_revoked"
    together = password_changed_at is not None and abs(password_changed_at - since) <= TOGETHER
    return "password_changed" if together else "session_revoked"


def _fact(code: str, quote: str, at: datetime | None) -> Evidence:
    return Evidence(
        EvidenceKind.STATUS,
        code,
        quote,
        origin="directory",
        at=at,
        causes=(code,),
        weight=0.95,
        reach=DIRECTORY_REACH,
    )


def row_fact(row: Change, cause: str) -> Evidence:
    """A row of the audit log as evidence."""
    who = row.by_name or row.by or "somebody"
    what = ", ".join(row.target_names) or ", ".join(row.targets)
    return Evidence(
        EvidenceKind.STATUS,
        "audit",
        f"{row.at:%Y-%m-%d %H:%M} UTC: {row.activity} on {what} by {who}",
        origin="audit log",
        at=row.at,
        causes=(cause,),
        weight=0.9,
        reach=AUDIT_REACH,
    )


def _with_row(fact: Evidence, row: Change | None) -> tuple[Evidence, ...]:
    return (fact,) if row is None else (fact, row_fact(row, fact.causes[0]))


def _act(row: Change | None, id: str, thing: str) -> Act | None:
    return None if row is None else act_of(row, id, thing)
