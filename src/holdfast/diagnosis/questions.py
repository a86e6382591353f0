"""Where evidence fits several causes: the question whose answer tells them apart, and who can answer it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.core.verdict import Actor


class Question(NamedTuple):
    """What to ask whom.

    Attributes:
        between: the causes that the answer tells apart.
    """

    between: frozenset[str]
    who: Actor
    asks: str


def _ask(between: str, who: Actor, asks: str) -> Question:
    return Question(frozenset(between.split()), who, asks)


QUESTIONS: Final = (
    _ask(
        "password_changed session_revoked",
        Actor.ENTRA_ADMIN,
        "Was the password changed or reset at that time, or were sessions revoked? The Entra audit log names the deed and who did it.",
    ),
    _ask(
        "token_inactive password_changed session_revoked",
        Actor.OWNER,
        "When was the connection last used, and was the password changed since? After 90 days without use it is inactivity.",
    ),
    _ask(
        "mfa_required terms_of_use conditional_access_blocked device_not_compliant",
        Actor.ENTRA_ADMIN,
        "Which policy refused, and which of its demands was not met? The failed entry of the sign-in log says so under Conditional Access.",
    ),
    _ask(
        "app_disabled_or_missing token_audience_or_tenant_wrong",
        Actor.ENTRA_ADMIN,
        "Is the application of that id in this tenant, under Enterprise applications? If not, is the tenant the right one?",
    ),
    _ask(
        "account_deleted token_audience_or_tenant_wrong bad_credentials",
        Actor.ENTRA_ADMIN,
        "Is the account in this tenant, under Users or Deleted users, or does it belong to another one?",
    ),
    _ask(
        "sql_login_failed_other bad_credentials sql_user_missing sql_permission_denied token_audience_or_tenant_wrong",
        Actor.DBA,
        "Which state of error 18456 stands in the server's log or audit, and is there a user for this identity in that database?",
    ),
    _ask(
        "gateway_offline network_or_tls",
        Actor.GATEWAY_ADMIN,
        "Is the gateway online? If it is, can its machine reach the server's port?",
    ),
    _ask(
        "network_or_tls sql_transient sql_database_unavailable service_transient",
        Actor.MAKER,
        "Does the next run succeed? What passes by itself was a passing fault; what stays is the network or the database.",
    ),
    _ask(
        "role_or_assignment_missing consent_missing bad_credentials",
        Actor.ENTRA_ADMIN,
        "Which permissions and roles does the identity hold? An application needs consent as well as its role.",
    ),
    _ask(
        "role_or_assignment_missing conditional_access_blocked",
        Actor.ENTRA_ADMIN,
        "Did the sign-in succeed? If the sign-in log shows it refused, a policy did it; if it shows success, the resource misses a role.",
    ),
    _ask(
        "sql_firewall network_or_tls",
        Actor.DBA,
        "Did the refusal come from the server? A firewall answers at once and names an address; a network does not answer.",
    ),
    _ask(
        "network_or_tls sql_login_failed_other sql_database_unavailable",
        Actor.DBA,
        "Does the server's log hold a failed login at that time? If it does, the network works; if it does not, nothing arrived.",
    ),
    _ask(
        "account_disabled bad_credentials",
        Actor.DBA,
        "Is the login enabled? If it is, the password that the connection holds is wrong.",
    ),
    _ask(
        "not_connection bad_credentials network_or_tls connection_missing_or_unshared token_inactive",
        Actor.MAKER,
        "Do other flows with the same connection run? If they do, the connection is sound and this action needs correcting.",
    ),
    _ask(
        "certificate_invalid secret_invalid bad_credentials",
        Actor.APP_OWNER,
        "Which credential does the connection send, a secret or a certificate, and is that one registered with the application?",
    ),
)


def question(in_doubt: Iterable[str]) -> Question | None:
    """What tells the two likeliest causes apart; None where nothing is in doubt or no question helps.

    Args:
        in_doubt: cause ids, likeliest first.
    """
    likeliest = set(list(in_doubt)[:2])
    if len(likeliest) < 2:
        return None
    return next((one for one in QUESTIONS if one.between >= likeliest), None)
