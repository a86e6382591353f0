"""What monitoring is told of a tenant, from the store alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

from holdfast import __version__
from holdfast.compose import Holdfast, Tenant
from holdfast.core.horizon import Condition, Horizon
from holdfast.core.measure import Measure
from holdfast.diagnosis.status import State
from holdfast.reading.witnesses import last_refresh
from holdfast.saga import standing
from holdfast.scan.standing import Picture, Standing, picture, standings

ENDS = "holdfast_connection_expiration_timestamp_seconds"
ENDS_HELP = (
    "When a connection ends as things stand; without connection labels the first of its tenant and cause."
)
REFRESHED = "holdfast_connection_last_refresh_timestamp_seconds"
REFRESHED_HELP = (
    "When a connection's token was last refreshed; without connection labels the oldest of its tenant."
)


async def measures(
    holdfast: Holdfast, tenants: Sequence[Tenant], *, per_connection: bool = False
) -> list[Measure]:
    """Everything there is to measure.

    Args:
        per_connection: also a series per connection, which in a large tenant is many.
    """
    found = [Measure("holdfast_build_info", "The version that runs.", 1, {"version": __version__})]
    for channel, (since, _) in (await holdfast.outbox.failing()).items():
        says = "Since when an alert channel has not taken what it was given."
        found.append(
            Measure(
                "holdfast_alert_channel_failing_since_timestamp_seconds",
                says,
                since.timestamp(),
                {"channel": channel},
            )
        )
    for tenant in tenants:
        seen = await picture(holdfast.history, tenant.id, tenant.name, holdfast.clock.now())
        if seen is not None:
            found += [each async for each in _of_tenant(holdfast, tenant, seen, per_connection)]
    return found


async def _of_tenant(
    holdfast: Holdfast, tenant: Tenant, seen: Picture, per_connection: bool
) -> AsyncIterator[Measure]:
    of = {"tenant": tenant.name}
    for measure in _of_scan(seen, of):
        yield measure
    tally = _Tally()
    async for each in standings(holdfast.history, seen):
        tally.add(each)
        if per_connection:
            for measure in _of_connection(each, of):
                yield measure
    for measure in tally.measures(of, with_sums=not per_connection):
        yield measure
    for topic, number in Counter(
        thread.topic.value
        for thread in (await holdfast.outbox.threads(tenant.id)).values()
        if thread.recovered_at is None
    ).items():
        says = "Problems that were told and are not over."
        yield Measure("holdfast_alert_threads_open", says, number, {**of, "topic": topic})
    for (kind, state), number in (await _sagas(holdfast, tenant)).items():
        yield Measure(
            "holdfast_sagas",
            "Parts of plans by how they stand.",
            number,
            {**of, "kind": kind, "state": state},
        )


def _of_scan(seen: Picture, of: dict[str, str]) -> Iterator[Measure]:
    ended = seen.record.finished_at
    if ended is not None:
        says = "When the tenant was last scanned to the end."
        yield Measure("holdfast_scan_last_success_timestamp_seconds", says, ended.timestamp(), of)
    gaps = sum(sweep.is_gap for sweep in seen.record.sweeps)
    yield Measure("holdfast_scan_gaps", "Parts of the last scan that could not be read.", gaps, of)


def _of_connection(each: Standing, of: dict[str, str]) -> Iterator[Measure]:
    status = each.status
    connection = status.connection
    labels = {**of, "environment": str(connection.environment), "connection": str(connection.id)}
    for condition, states in _CONDITIONS.items():
        says = "Whether a connection works: 1 for the condition that holds."
        holds = float(status.state in states)
        yield Measure("holdfast_connection_ready_status", says, holds, {**labels, "condition": condition})
    refreshed = last_refresh(each.judgement.witnesses) if each.judgement else None
    if refreshed is not None:
        yield Measure(REFRESHED, REFRESHED_HELP, refreshed.latest.timestamp(), labels)
    for horizon in _expected(each):
        ends = horizon.earliest.timestamp() if horizon.earliest else 0
        yield Measure(ENDS, ENDS_HELP, ends, {**labels, "cause": horizon.cause})


# As cert-manager has it for certificates: one series per condition, of which one is 1.
_CONDITIONS = {
    "True": (State.OK, State.AT_RISK),
    "False": (State.BROKEN,),
    "Unknown": (State.UNKNOWN,),
}


def _expected(each: Standing) -> Iterator[Horizon]:
    for horizon in each.judgement.horizons if each.judgement else ():
        if horizon.condition is Condition.EXPECTED and horizon.earliest is not None:
            yield horizon


class _Tally:
    """Sums over the connections of a tenant."""

    def __init__(self) -> None:
        self._states = Counter[str](dict.fromkeys((state.value for state in State), 0))
        self._ends: dict[str, datetime] = {}
        self._oldest: datetime | None = None

    def add(self, each: Standing) -> None:
        self._states[each.status.state.value] += 1
        refreshed = last_refresh(each.judgement.witnesses) if each.judgement else None
        if refreshed is not None and each.status.state is not State.BROKEN:
            self._oldest = min(self._oldest or refreshed.latest, refreshed.latest)
        for horizon in _expected(each):
            assert horizon.earliest is not None
            self._ends[horizon.cause] = min(self._ends.get(horizon.cause, horizon.earliest), horizon.earliest)

    def measures(self, of: dict[str, str], *, with_sums: bool) -> Iterator[Measure]:
        for state, number in self._states.items():
            yield Measure(
                "holdfast_connections", "Connections by how they stand.", number, {**of, "state": state}
            )
        if not with_sums:
            return
        for cause, ends in self._ends.items():
            yield Measure(ENDS, ENDS_HELP, ends.timestamp(), {**of, "cause": cause})
        if self._oldest is not None:
            yield Measure(REFRESHED, REFRESHED_HELP, self._oldest.timestamp(), of)


async def _sagas(holdfast: Holdfast, tenant: Tenant) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for record in await holdfast.journal.plans(tenant.id):
        deeds = await holdfast.journal.deeds(tenant.id, record.plan.id)
        found.update((record.plan.kind, each.state) for each in standing(record.plan, deeds))
    return found
