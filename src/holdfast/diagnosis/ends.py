"""How each cause ends a connection: refused or revoked, for good or in passing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from holdfast.core.finding import End

PASSES_WITHIN: Final = timedelta(hours=24)
"""What passes by itself has passed by then; what has not, needs somebody."""

_ENDS: Final[Mapping[str, End]] = {
    **dict.fromkeys(("password_changed", "session_revoked"), End.REVOKED),
    **dict.fromkeys(
        (
            "token_inactive",
            "signin_frequency",
            "password_expired",
            "bad_credentials",
            "secret_expired",
            "secret_invalid",
            "certificate_invalid",
        ),
        End.EXPIRED,
    ),
    **dict.fromkeys(("dlp_blocked", "flow_suspended"), End.BLOCKED),
    **dict.fromkeys(("throttled", "service_transient", "sql_transient"), End.PASSING),
}

SIGN_IN_CAUSES: Final = frozenset(
    {
        "token_inactive",
        "password_changed",
        "session_revoked",
        "account_disabled",
        "account_deleted",
        "account_locked",
        "mfa_required",
        "conditional_access_blocked",
        "device_not_compliant",
        "terms_of_use",
        "signin_frequency",
        "consent_missing",
        "app_disabled_or_missing",
        "secret_expired",
        "secret_invalid",
        "certificate_invalid",
    }
)
"""What Entra answers: whoever got a token since is rid of it."""


def end_of(cause: str, age: timedelta | None = None) -> End:
    """How the cause ends a connection.

    Args:
        age: since when it is said without anything having worked; None where nobody knows.
    """
    end = _ENDS.get(cause, End.REFUSED)
    lasts = end is End.PASSING and age is not None and age > PASSES_WITHIN
    return End.REFUSED if lasts else end
