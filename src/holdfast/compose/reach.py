"""What an identity of the settings reaches in its tenant, and what it may do there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from holdfast.core.probe import Probe
from holdfast.core.spent import Spent
from holdfast.diagnosis.known import NOTHING_COMES_ROUND, Recurrences
from holdfast.ports import (
    Applications,
    Consenting,
    Directory,
    FlowList,
    Operator,
    Platform,
    Registry,
    Runs,
    Starter,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What one identity reaches in one tenant, while it is open.

    Attributes:
        runs: of flows that the person owns; None where no person signed in, as `starter`.
        consenting: for the own connections of a maker; None for everybody else.
        spent: what asking took so far.
        recurrences: what comes round for its sign-ins, from the settings.
        flow_list: every flow, for a reader beside whom a person signed in, or who is one and no maker.
    """

    platform: Platform
    directory: Directory
    applications: Applications
    operator: Operator
    registry: Registry
    runs: Runs | None = None
    spent: Callable[[], Spent] = Spent
    recurrences: Recurrences = NOTHING_COMES_ROUND
    starter: Starter | None = None
    flow_list: FlowList | None = None
    consenting: Consenting | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What an identity may do, and how far the cloud's clock is ahead of ours (None without an answer)."""

    probes: tuple[Probe, ...]
    skew: timedelta | None
