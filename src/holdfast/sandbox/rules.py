"""What the sandbox believes about the cloud: each rule with its support mark and source.

To add a rule, make a `Rule` in the module that obeys it, ask ``world.holds(RULE)`` where it matters, and name it
in that module's ``PART``. Rules nobody recorded are `assumed`; those can be flipped, to see that a client is
safe both ways.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """How well a belief is supported."""

    RECORDED = "recorded"
    DOCUMENTED = "documented"
    CODE = "code"
    SECONDARY = "secondary"
    ASSUMED = "assumed"
    ABSENT = "absent"


class Rule(NamedTuple):
    """One belief.

    Attributes:
        id: stable, snake_case.
        says: one sentence that is true while the rule holds.
        source: where it was read; for an assumed one, what it was inferred from.
        flipped: what is true instead when it is flipped; empty for a rule that cannot be.
        default: whether it holds unless flipped.
    """

    id: str
    says: str
    mark: Mark
    source: str
    flipped: str = ""
    default: bool = True
