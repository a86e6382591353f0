"""Whether what refused a connection when it was last used is over, so that its next use can succeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from holdfast.core.policies import PolicyState
from holdfast.diagnosis.case import Case
from holdfast.diagnosis.policies import hits_of
from holdfast.reading.changes import CONSENT_GIVEN, MFA_OFF, MFA_ON, TERMS_ACCEPTED


def lifted(case: Case, cause: str) -> str | None:
    """In a sentence, that this refusal is over; None where it stands or nobody can tell."""
    look = _LOOKS.get(cause)
    return look(case) if look is not None else None


def _account_enabled(case: Case) -> str | None:
    account = case.account
    return f"the account {case.person_name} is enabled" if account and account.is_enabled else None


def _account_there(case: Case) -> str | None:
    return f"the account {case.person_name} is in the directory" if case.account else None


def _no_policy(cause: str) -> Callable[[Case], str | None]:
    def look(case: Case) -> str | None:
        if case.policies is None:
            return None
        principal = (case.principals or {}).get(case.connection.client_id or "")
        for policy in case.policies:
            if policy.state is PolicyState.ENFORCED and any(
                hit.cause == cause
                for hit in hits_of(policy, case.connection, principal.object_id if principal else "")
            ):
                return None
        return "no policy that is enforced demands it any more"

    return look


def _no_mfa(case: Case) -> str | None:
    """Neither a policy nor the account itself demands it; what security defaults demand is not looked at."""
    over = _no_policy("mfa_required")(case)
    if over is None or case.mfa_demanded is True:
        return None
    if case.mfa_demanded is False:
        return over
    on = case.changes.latest(case.person_id, MFA_ON) if case.changes else None
    off = case.changes.latest(case.person_id, MFA_OFF) if case.changes else None
    is_off = off is not None and (on is None or on.at <= off.at)
    return over if is_off else None


def _terms_done(case: Case) -> str | None:
    row = case.changes.latest(case.person_id, TERMS_ACCEPTED) if case.changes else None
    if row is not None and case.told_at is not None and row.at > case.told_at:
        return f"{case.person_name} accepted the terms"
    return _no_policy("terms_of_use")(case)


def _application_enabled(case: Case) -> str | None:
    principal = (case.principals or {}).get(case.connection.client_id or "")
    if principal is None or not principal.is_enabled or case.app is None:
        return None
    return f"application {principal.display_name} is there and enabled"


def _consented(case: Case) -> str | None:
    told_at = case.told_at
    if case.changes is None or told_at is None:
        return None
    for target in case.changes.by_target:
        row = case.changes.latest(target, CONSENT_GIVEN)
        if row is not None and row.at > told_at:
            return f"consent was given {row.at:%Y-%m-%d %H:%M} UTC"
    return None


def _data_policies_allow(case: Case) -> str | None:
    if case.data_policies is None:
        return None
    where, connector = case.connection.environment, case.connection.connector
    blocked = any(p.concerns(where) and p.group_of(connector) == "Blocked" for p in case.data_policies)
    return None if blocked else "no data policy blocks the connector here"


_LOOKS: Final[Mapping[str, Callable[[Case], str | None]]] = {
    "account_disabled": _account_enabled,
    "account_deleted": _account_there,
    "mfa_required": _no_mfa,
    "conditional_access_blocked": _no_policy("conditional_access_blocked"),
    "device_not_compliant": _no_policy("device_not_compliant"),
    "signin_frequency": _no_policy("signin_frequency"),
    "terms_of_use": _terms_done,
    "app_disabled_or_missing": _application_enabled,
    "consent_missing": _consented,
    "dlp_blocked": _data_policies_allow,
}
