"""What was done about a plan: outcomes of steps, and their record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from holdfast.core.plan import Plan


class State(StrEnum):
    """How far a step is."""

    BEGUN = "begun"  # noted before the deed; without a later note the deed was interrupted
    DONE = "done"
    WAITING = "waiting"  # for a person or an effect; trying again later is right
    REFUSED = "refused"  # cannot go on as things stand; somebody has to change something first


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step.

    Attributes:
        says: one sentence: what was done, or for what it waits, or what refused it.
        facts: JSON-ready; what later steps and undoing need, never a secret.
    """

    state: State
    says: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether the next step may begin."""
        return self.state is State.DONE


def done(says: str = "", **facts: Any) -> Outcome:
    """The step did what it should."""
    return Outcome(State.DONE, says, facts)


def waiting(says: str, **facts: Any) -> Outcome:
    """Not yet: the step may be tried again."""
    return Outcome(State.WAITING, says, facts)


def refused(says: str, **facts: Any) -> Outcome:
    """No: somebody has to change something first."""
    return Outcome(State.REFUSED, says, facts)


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the journal.

    Attributes:
        way: "do" or "undo".
        at: aware UTC, by our clock.
    """

    saga: str
    step: str
    way: str
    outcome: Outcome
    at: datetime


class PlanRecord(NamedTuple):
    """A plan as this store knows it.

    Attributes:
        digest: as it was at planning.
    """

    plan: Plan
    digest: str


class Turn(NamedTuple):
    """The right to carry out deeds in one tenant; a later turn makes an earlier one worthless."""

    tenant: str
    fence: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one saga stands.

    Attributes:
        state: "planned" (nothing begun), "done", "waiting", "refused", "interrupted" (killed, or out of time),
            "undone", "undoing" (undo has begun and is not over).
        step: where it stands; None when it is over or not begun.
        says: why it stands there.
        stands: steps that are done and not undone, in order.
        since: when the newest note was made.
    """

    saga: str
    state: str
    step: str | None = None
    says: str = ""
    stands: tuple[str, ...] = ()
    since: datetime | None = None
