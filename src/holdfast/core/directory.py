"""What the directory tells: accounts, their sign-ins, and who changed what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Account:
    """A person's or a service account.

    Attributes:
        sessions_valid_from: a sign-in from before is refused (AADSTS50173); None where it was never set.
        is_synced: its password lives in a directory on premises.
    """

    id: str
    user_principal_name: str
    display_name: str
    is_enabled: bool | None = None
    is_guest: bool = False
    is_synced: bool = False
    created_at: datetime | None = None
    password_changed_at: datetime | None = None
    password_never_expires: bool = False
    sessions_valid_from: datetime | None = None


class SignInKind(StrEnum):
    """How a sign-in came about."""

    INTERACTIVE = "interactive"  # somebody sat there
    NON_INTERACTIVE = "non_interactive"  # a refresh token was redeemed
    APPLICATION = "application"  # a secret or certificate was shown
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """One row of the sign-in log. Logs reach 30 days at most.

    Attributes:
        who: object id of the account, or of the application identity.
        client_id: the application that signed in, or for which somebody did.
        resource_id: whom the token is for; `resource` is what people call it.
        code: the AADSTS number; 0 for success.
        blocked_by: ids of the Conditional Access policies that said no.
        key_id: which secret or certificate was shown; None where the log does not tell.
    """

    id: str
    at: datetime
    kind: SignInKind
    who: str
    client_id: str
    resource_id: str
    code: int
    reason: str = ""
    correlation_id: str = ""
    blocked_by: tuple[str, ...] = ()
    key_id: str | None = None
    resource: str = ""
    ip_address: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the audit log.

    Attributes:
        activity: as Microsoft words it: "Reset user password".
        by: object id of whoever did it; empty where the log does not tell.
        targets: object ids of what was changed; `target_names` as people call them, where the log tells.
        properties: names of what changed about it.
    """

    id: str
    at: datetime
    activity: str
    succeeded: bool
    by: str = ""
    by_name: str = ""
    targets: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    correlation_id: str = ""
