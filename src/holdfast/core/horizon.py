"""Horizon: when a cause can break a connection, as an interval with what it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Condition(StrEnum):
    """What must hold for the horizon to be met."""

    EXPECTED = "expected"  # will happen as things stand
    IF_UNUSED = "if_unused"  # will happen unless something uses the connection before
    IF_ENFORCED = "if_enforced"  # will happen once a policy in waiting is switched on


@dataclass(frozen=True, slots=True)
class Interval:
    """Two aware UTC instants between which something happened or will happen.

    Raises:
        ValueError: `latest` lies before `earliest`.
    """

    earliest: datetime
    latest: datetime

    def __post_init__(self) -> None:
        if self.latest < self.earliest:
            raise ValueError(f"an interval must not end before it starts: {self.earliest} to {self.latest}")

    @property
    def width(self) -> timedelta:
        """How uncertain it is."""
        return self.latest - self.earliest

    @property
    def middle(self) -> datetime:
        """The instant half-way."""
        return self.earliest + self.width / 2

    def shifted(self, by: timedelta) -> Interval:
        """The same interval, moved."""
        return Interval(self.earliest + by, self.latest + by)


@dataclass(frozen=True, slots=True)
class Horizon:
    """When `cause` can break a connection.

    Attributes:
        cause: id of the cause.
        earliest: no break by this cause before; None where unknowable, as the two below.
        likely: the best single guess.
        latest: if it happens, then not after.
        assumptions: what this stands on, one sentence each; an assumed belief is named as such.
    """

    cause: str
    condition: Condition
    earliest: datetime | None
    likely: datetime | None
    latest: datetime | None
    assumptions: tuple[str, ...] = ()

    @classmethod
    def after(
        cls,
        start: Interval | None,
        limit: timedelta,
        cause: str,
        condition: Condition,
        assumptions: tuple[str, ...] = (),
    ) -> Horizon:
        """The horizon of a limit that runs from an uncertain start; unknowable where the start is None."""
        if start is None:
            return cls(cause, condition, None, None, None, assumptions)
        end = start.shifted(limit)
        return cls(cause, condition, end.earliest, end.middle, end.latest, assumptions)

    @property
    def is_known(self) -> bool:
        """Whether there is any date at all."""
        return self.earliest is not None

    def sort_key(self) -> tuple[bool, datetime | None, str]:
        """Nearest first, unknowable last. Comparable among horizons because None never meets a datetime."""
        return (self.earliest is None, self.earliest, self.cause)
