"""What history says of every connection of a tenant now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.core.coverage import CONNECTIONS, FLOWS, Outcome, ScanRecord
from holdfast.core.inventory import EVERY_CONNECTOR, Connection, ConnectionId, Environment, Flow
from holdfast.core.judgement import Judgement
from holdfast.diagnosis.status import ConnectionStatus, status
from holdfast.ports import History
from holdfast.scan.carried import carried, flows_are_complete

BATCH = 500


@dataclass(frozen=True, slots=True)
class Picture:
    """The last finished scan of a tenant, and the time by which to look at it.

    Attributes:
        tenant: under which history keeps it.
        name: as people call the tenant.
        now: the cloud's time: our clock and the skew that the scan measured.
        environments: those that are there, by id.
        own_only: whether the reader is a maker, to whom only the own connections show.
    """

    tenant: str
    name: str
    record: ScanRecord
    now: datetime
    environments: dict[str, Environment]
    own_only: bool = False

    @property
    def flows_seen(self) -> bool:
        """Whether the flows in solutions of any environment could be read."""
        return any(sweep.part == FLOWS and not sweep.is_gap for sweep in self.record.sweeps)

    @property
    def flows_complete(self) -> bool:
        """Whether every flow of every environment was seen, also those outside solutions."""
        return bool(self.environments) and all(
            flows_are_complete(self.record, each) for each in self.environments
        )

    @property
    def age(self) -> timedelta:
        """Since the scan ended; never negative, whatever the clocks say."""
        ended = self.record.finished_at or self.record.started_at
        return max(self.now - ended, timedelta(0))

    def name_of(self, environment: str) -> str:
        """The environment as people call it."""
        known = self.environments.get(environment)
        return known.display_name if known else environment

    def outcome_of(self, connection: Connection) -> Outcome:
        """How the part of the scan went in which the connection would have been seen."""
        place = connection.environment
        sweep = self.record.sweep_of(place, f"{CONNECTIONS}:{connection.connector}") or self.record.sweep_of(
            place, f"{CONNECTIONS}:{EVERY_CONNECTOR}"
        )
        return sweep.outcome if sweep else Outcome.PARTIAL


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection: what was concluded at the last look, and how it stands now."""

    status: ConnectionStatus
    judgement: Judgement | None


async def picture(history: History, tenant: str, name: str, our_now: datetime) -> Picture | None:
    """The tenant as last scanned; None before the first scan."""
    record = await history.last_scan(tenant)
    if record is None:
        return None
    environments = {each.id: each async for each in history.current(tenant, Environment)}
    return Picture(
        tenant, name, record, our_now + record.skew, {str(id): e for id, e in environments.items()}
    )


async def standings(history: History, seen: Picture) -> AsyncIterator[Standing]:
    """Every connection that is there, in the order of environment and id."""
    for environment in seen.environments:
        flows = await carried(history, seen.tenant, environment)
        batch: list[Connection] = []
        async for connection in history.current(seen.tenant, Connection, environment):
            batch.append(connection)
            if len(batch) == BATCH:
                for standing in await _together(history, seen, batch, flows):
                    yield standing
                batch = []
        for standing in await _together(history, seen, batch, flows):
            yield standing


async def _together(
    history: History,
    seen: Picture,
    batch: Sequence[Connection],
    flows: Mapping[ConnectionId, tuple[Flow, ...]],
) -> Iterable[Standing]:
    """Those of one environment, whose judgements are then one question."""
    if not batch:
        return ()
    keys = [f"{connection.connector}/{connection.id}" for connection in batch]
    judged = await history.lookup(seen.tenant, Judgement, batch[0].environment, keys)
    complete = flows_are_complete(seen.record, batch[0].environment)
    standings = []
    for key, connection in zip(keys, batch, strict=True):
        outcome, held = seen.outcome_of(connection), flows.get(connection.id, ())
        found = status(connection, judged.get(key), outcome, seen.now, held, complete)
        standings.append(Standing(found, judged.get(key)))
    return standings
