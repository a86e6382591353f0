"""What an administrator demands: Conditional Access with all it speaks of, and data policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, kw_only=True)
class Policy:
    """A Conditional Access policy, its parts as Graph shows them."""

    id: str
    display_name: str
    state: str
    created_at: datetime
    modified_at: datetime | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    grant_controls: dict[str, Any] | None = None
    session_controls: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class NamedLocation:
    """A place that policies speak of, as address ranges in CIDR form."""

    id: str
    display_name: str
    ranges: list[str]
    is_trusted: bool
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class TermsOfUse:
    """An agreement that a policy can demand."""

    id: str
    display_name: str
    published_at: datetime


@dataclass(slots=True, kw_only=True)
class DataPolicy:
    """A data policy (DLP) of the Power Platform.

    Attributes:
        default_group: "General", "Confidential" or "Blocked" for connectors that no group names.
        groups: connectors by group.
        action_rules: by connector, "Allow" or "Block" by operation; "" is for all others.
        endpoint_rules: by connector, patterns of servers with "Allow" or "Deny"; the first that matches counts.
    """

    id: str
    display_name: str
    created_at: datetime
    modified_at: datetime
    default_group: str = "General"
    groups: dict[str, list[str]] = field(default_factory=dict)
    environment_type: str = "AllEnvironments"
    environment_ids: list[str] = field(default_factory=list)
    action_rules: dict[str, dict[str, str]] = field(default_factory=dict)
    endpoint_rules: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    etag: str = ""
