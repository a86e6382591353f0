"""Proof: the witnesses of one connection before a run, and what they said after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.core.horizon import Interval
from holdfast.core.inventory import ConnectionId, ConnectorId, EnvironmentId, FlowId
from holdfast.core.witness import Witness


class Answer(StrEnum):
    """What came of it."""

    BEGUN = "begun"
    WAITING = "waiting"  # the run is not over
    REFRESHED = "refreshed"  # a witness moved
    NOT_REFRESHED = "not_refreshed"  # the run is over, or should be, and none moved
    NO_WITNESS = "no_witness"  # this kind of connection has none; only the run itself tells

    @property
    def is_over(self) -> bool:
        """Whether the next question begins a new proof."""
        return self not in (Answer.BEGUN, Answer.WAITING)


@dataclass(frozen=True, slots=True)
class Proof:
    """One attempt to see whether a run refreshes a connection.

    Attributes:
        begun_at: by the cloud's clock.
        expires_at: of the cached access token when it was begun; None where the platform gives none.
        flow: that is to run; None where none is scheduled.
        due: when it runs.
        answer: the last one given.
    """

    environment: EnvironmentId
    connector: ConnectorId
    connection: ConnectionId
    begun_at: datetime
    status: str
    before: tuple[Witness, ...] = ()
    expires_at: datetime | None = None
    flow: FlowId | None = None
    due: Interval | None = None
    answer: Answer = Answer.BEGUN
