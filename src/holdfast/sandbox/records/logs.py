"""Rows of the two logs that Entra keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, kw_only=True)
class SignIn:
    """A row of the sign-in log.

    Attributes:
        kind: "interactiveUser", "nonInteractiveUser" or "servicePrincipal".
        policies: results of the Conditional Access policies whose conditions were met, by id.
    """

    id: str
    at: datetime
    kind: str
    principal_id: str
    client_id: str
    resource_id: str
    correlation_id: str
    error_code: int = 0
    reason: str | None = None
    ip_address: str = ""
    key_id: str | None = None
    credential: str = "none"
    policies: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Audit:
    """A row of the directory audit log."""

    id: str
    at: datetime
    activity: str
    category: str
    logged_by: str
    operation: str
    correlation_id: str
    target_id: str
    target_type: str
    target_name: str | None = None
    actor_id: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
