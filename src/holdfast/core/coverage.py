"""Scans, and how much of the tenant each could see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, NewType

ScanId = NewType("ScanId", int)

ENVIRONMENTS = "environments"
SERVICE_PRINCIPALS = "service_principals"
ACCOUNTS = "accounts"
SIGN_INS = "sign_ins"
ACCESS_POLICIES = "access_policies"
PRINCIPALS = "application_identities"
AUDITS = "directory_audits"
DATA_POLICIES = "data_policies"
RUNS = "flow_runs"
OWNER_SIGN_INS = "sign_ins_of_owners"
CONNECTIONS = "connections"
FLOWS = "flows"
LISTED_FLOWS = "flows_listed_for_a_person"
REFERENCES = "connection_references"
CANVAS_APPS = "canvas_apps"
IMPORTED = "imported"
"""Parts of a scan. Of an environment each connector's connections are a part of their own."""


class Outcome(StrEnum):
    """What became of one part, worst last."""

    SCANNED = "scanned"
    MISSING = (
        "missing"  # the cloud says there is no such thing there, as for an environment without Power Apps
    )
    PARTIAL = "partial"  # the answer broke off, or a page could not be read
    TIMED_OUT = "timed_out"
    DENIED = "denied"

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the part can have escaped us."""
        return self in (Outcome.SCANNED, Outcome.MISSING)


class News(NamedTuple):
    """What a write brought that was not known.

    Attributes:
        things: how many were new or changed, judgements apart.
        judgements: how many of those were.
        gone: how many turned out to be gone.
    """

    things: int = 0
    judgements: int = 0
    gone: int = 0

    def plus(self, other: News) -> News:
        """Both together."""
        return News(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Sweep:
    """One part of a scan, read from its first page to its last or to where it broke off.

    Attributes:
        environment: its id; "" for what belongs to the whole tenant.
        part: ENVIRONMENTS, SERVICE_PRINCIPALS, or CONNECTIONS with the connector: "connections:shared_sql".
        started_at: before the first page was asked for; the cloud's time, as below.
        ended_at: after the last page was read.
        counted: how many things were seen.
        detail: the one sentence of what went wrong; "" when nothing did.
    """

    environment: str
    part: str
    outcome: Outcome
    started_at: datetime
    ended_at: datetime
    counted: int = 0
    detail: str = ""

    @property
    def is_gap(self) -> bool:
        """Whether there may be things that it did not see.

        An environment that knows no connections or apps has none; one that has a Dataverse has flows to read there.
        """
        if self.outcome is Outcome.MISSING:
            return not self.part.startswith((CONNECTIONS, CANVAS_APPS, LISTED_FLOWS))
        return self.outcome is not Outcome.SCANNED


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One look at a tenant, finished or not.

    Attributes:
        finished_at: None while it runs, and for ever if it was broken off and not resumed.
        skew: the cloud's clock minus ours, as measured.
    """

    id: ScanId
    started_at: datetime
    finished_at: datetime | None
    skew: timedelta
    sweeps: tuple[Sweep, ...] = ()
    # Asked once per connection, of which there may be 200,000, among thousands of parts.
    _by_place: dict[tuple[str, str], Sweep] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {(sweep.environment, sweep.part): sweep for sweep in reversed(self.sweeps)}
        object.__setattr__(self, "_by_place", index)

    def sweep_of(self, environment: str, part: str) -> Sweep | None:
        """That part, if it was read or tried."""
        return self._by_place.get((environment, part))

    def by_environment(self) -> dict[str, Outcome]:
        """The worst outcome of each environment's parts; the tenant's own parts stand under ""."""
        order = list(Outcome)
        worst: dict[str, Outcome] = {}
        for sweep in self.sweeps:
            if sweep.part in (RUNS, CANVAS_APPS, LISTED_FLOWS):
                continue  # no connection, nor flow that the reader sees, is missing without them
            so_far = worst.get(sweep.environment, Outcome.SCANNED)
            worst[sweep.environment] = max(so_far, sweep.outcome, key=order.index)
        return worst

    @property
    def gaps(self) -> tuple[Sweep, ...]:
        """The parts that we cannot vouch for."""
        return tuple(sweep for sweep in self.sweeps if sweep.is_gap)
