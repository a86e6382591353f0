"""Solutions, who publishes them, and how they are handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Who made solutions; `prefix` begins the names of what is in them."""

    id: str
    environment_id: str
    unique_name: str
    display_name: str
    prefix: str
    option_prefix: int
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Solution:
    """A container of flows and references; `components` are ids of what was placed in it."""

    id: str
    environment_id: str
    unique_name: str
    display_name: str
    version: str
    publisher_id: str
    created_at: datetime
    description: str | None = None
    is_managed: bool = False
    components: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class StagedSolution:
    """A solution file that was handed in, in base64."""

    id: str
    environment_id: str
    content: str
    staged_at: datetime


@dataclass(slots=True, kw_only=True)
class SolutionImport:
    """An import; `error` is None for one that passed."""

    id: str
    operation_id: str
    environment_id: str
    started_at: datetime
    ends_at: datetime
    error: str | None = None
