"""What Entra hands out and remembers: refresh tokens, and the codes of sign-ins under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class RefreshToken:
    """One refresh token. Redeeming leaves it and makes another; a connection's own is replaced in place.

    Attributes:
        issued_at: when this very token was issued.
        used_at: when this very token was last redeemed with success.
        signed_in_at: the interactive sign-in at the root of its chain.
        methods: how the person proved himself then: "pwd", "mfa", "rsa" …
        token_class: "password", "nonpassword" or "confidential": its column in the revocation matrix.
        scopes: what was consented, as asked for.
        revoked_at: the user's TokensValidFrom date that ended it; `revoked_by` is the cause id of what moved it.
        held_by: id of the connection that stores it; None for one that a client holds.
    """

    id: str
    account_id: str
    client_id: str
    issued_at: datetime
    signed_in_at: datetime
    used_at: datetime | None = None
    methods: list[str] = field(default_factory=lambda: ["pwd"])
    token_class: str = "password"  # noqa: S105 - a column of the matrix
    is_spa: bool = False
    scopes: list[str] = field(default_factory=list)
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    held_by: str | None = None


@dataclass(slots=True, kw_only=True)
class AuthorizationCode:
    """A code of the authorize page, good once; its text is derived, never kept."""

    id: str
    account_id: str
    client_id: str
    redirect_uri: str
    scope: str
    methods: list[str]
    issued_at: datetime
    challenge: str | None = None
    is_hashed: bool = True
    nonce: str | None = None
    is_used: bool = False


@dataclass(slots=True, kw_only=True)
class DeviceCode:
    """A device that waits for a person; `state` is "pending", "allowed", "declined" or "used"."""

    id: str
    user_code: str
    client_id: str
    scope: str
    issued_at: datetime
    state: str = "pending"
    account_id: str | None = None
    methods: list[str] = field(default_factory=list)
