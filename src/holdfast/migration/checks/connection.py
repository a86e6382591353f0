"""What the connection is, how it stands, and whose it is."""

from __future__ import annotations

from typing import Final

from holdfast.core.inventory import SignIn
from holdfast.migration.case import Case, Finding

SQL: Final = "shared_sql"

CURED: Final = frozenset(
    {
        "account_deleted",
        "account_disabled",
        "account_locked",
        "bad_credentials",
        "conditional_access_blocked",
        "connection_missing_or_unshared",
        "consent_missing",
        "device_not_compliant",
        "mfa_required",
        "password_changed",
        "password_expired",
        "role_or_assignment_missing",
        "session_revoked",
        "signin_frequency",
        "sql_user_missing",
        "terms_of_use",
        "token_inactive",
    }
)
"""Causes that lie in a person's sign-in: they end with it."""

PASSING: Final = frozenset({"throttled", "service_transient", "sql_transient"})


def signs_in_as_a_person_or_login(case: Case) -> Finding | None:
    """Only what holds a person's sign-in or a login has to move, and can."""
    sign_in = case.connection.sign_in
    if sign_in in (SignIn.SERVICE_PRINCIPAL, SignIn.CERTIFICATE):
        return Finding("service_principal", "It is on a service principal already.")
    if sign_in is SignIn.UNKNOWN:
        return Finding("sign_in", "How it signs in is not told.", not_seen=True)
    if case.connection.gateway is not None:
        return Finding("gateway", "It goes through an on-premises gateway, which takes no service principal.")
    if sign_in is SignIn.WINDOWS:
        return Finding("windows", "It signs in as a Windows account, which Azure SQL does not take.")
    return None


def is_of_the_sql_connector(case: Case) -> Finding | None:
    """Only of that connector it is known how it signs in as a service principal."""
    if case.connection.connector == SQL:
        return None
    says = f"How {case.connection.connector} signs in as a service principal is told by one source only."
    return Finding("connector", says, not_seen=True)


def is_offered(case: Case) -> Finding | None:
    """The connector has to offer the sign-in in this environment."""
    if case.sign_ins is None:
        return Finding(
            "sign_ins", "Which sign-ins the connector offers there could not be read.", not_seen=True
        )
    offered = {name.casefold() for name in case.sign_ins}
    if ("certoauth" if case.certificate else "oauthsp") in offered:
        return None
    if "certoauth" in offered:
        says = "The connector offers service principals with a certificate only: plan with --certificate."
        return Finding("not_offered", says)
    kind = "certificates of service principals" if case.certificate else "service principal"
    return Finding("not_offered", f"The connector offers no {kind} in this environment or cloud.")


def is_cured_by_moving(case: Case) -> Finding | None:
    """Whatever else is broken comes first."""
    verdict = case.judgement.verdict if case.judgement else None
    if verdict is None or verdict.cause.id in CURED | PASSING:
        return None
    says = (
        f"It is broken ({verdict.cause.title}), which a service principal does not heal: that comes first, see"
        f" `holdfast show {case.connection.id}`."
    )
    return Finding("broken", says)


def is_broken(case: Case) -> Finding | None:
    """Broken by what moving cures."""
    verdict = case.judgement.verdict if case.judgement else None
    if verdict is None:
        return None
    return Finding("broken_now", f"It is broken now ({verdict.cause.title})", blocks=False)


def owner_left(case: Case) -> Finding | None:
    """Whom the new connection would be shared with."""
    if not case.accounts_read:
        return Finding("owner_not_seen", "Whether its owner is still there could not be read", blocks=False)
    if case.owner is None or case.owner.is_enabled is False:
        says = "Its owner has left: the new connection is shared only with whoever else owns a flow on it"
        return Finding("owner_left", says, blocks=False)
    return None
