"""The runs of a flow as they can be read: executed ones, and folded ones expanded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from holdfast.sandbox.flows.folding import HISTORY, INSTANT, count_of
from holdfast.sandbox.flows.runtime import run_name, started_at
from holdfast.sandbox.flows.schedule import schedule_of
from holdfast.sandbox.records.platform import Flow
from holdfast.sandbox.records.runs import ActionRecord, RunRecord
from holdfast.sandbox.world import World


class Run(NamedTuple):
    """A run, executed or folded.

    Attributes:
        record: the executed run that stands for it.
        later: how much later it was than that one; nothing for an executed run.
    """

    id: str
    record: RunRecord
    later: timedelta

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.record.started_at + self.later

    @property
    def ended_at(self) -> datetime:
        """When it ended."""
        return self.record.ended_at + self.later

    def actions(self) -> Iterator[tuple[ActionRecord, datetime, datetime]]:
        """Its actions, each with its own beginning and end."""
        for action in self.record.actions:
            yield action, action.started_at + self.later, action.ended_at + self.later


def runs_of(
    world: World, flow: Flow, now: datetime, since: datetime | None = None, status: str | None = None
) -> list[Run]:
    """Every run of the last 30 days, newest first.

    Args:
        since: of those only what began then or later; None for all.
        status: of those only what ended so, whatever its case; None for all.
    """
    edge = now - HISTORY if since is None else max(since, now - HISTORY)
    wanted = None if status is None else status.casefold()
    by_id = {run.id: run for run in flow.runs if wanted is None or run.status.casefold() == wanted}
    found = [Run(run.id, run, timedelta()) for run in by_id.values() if edge <= run.started_at <= now]
    for stretch in flow.stretches:
        record = by_id.get(stretch.run_id or "")
        if record is None:
            continue
        schedule = schedule_of(stretch.recurrence, stretch.anchor)
        for at in schedule.between(max(stretch.after, edge - INSTANT), min(stretch.until or now, now)):
            found.append(Run(run_name(world, flow, at), record, at - record.started_at))
    return sorted(found, key=lambda run: (run.started_at, run.id), reverse=True)


def run_of(world: World, flow: Flow, run_id: str, now: datetime) -> Run | None:
    """One run by its id; None if there is none, or none any more."""
    naive = started_at(run_id)
    if naive is None:
        return None
    at = naive.replace(tzinfo=UTC)
    if not now - HISTORY <= at <= now:
        return None
    for record in flow.runs:
        if record.id == run_id:
            return Run(run_id, record, timedelta())
    for stretch in flow.stretches:
        record_of = next((run for run in flow.runs if run.id == stretch.run_id), None)
        if record_of is None or not stretch.after < at <= (stretch.until or now):
            continue
        schedule = schedule_of(stretch.recurrence, stretch.anchor)
        if schedule.after(at - INSTANT) == at and run_name(world, flow, at) == run_id:
            return Run(run_id, record_of, at - record_of.started_at)
    return None


def last_run(world: World, flow: Flow, now: datetime) -> tuple[datetime | None, bool | None]:
    """When the newest run began and whether it was good; nothing for a flow that never ran."""
    if flow.stretches and flow.stretches[-1].until is None and flow.stretches[-1].run_id is not None:
        stretch = flow.stretches[-1]
        last = schedule_of(stretch.recurrence, stretch.anchor).last(stretch.after, now)
        if last is not None:
            return last, stretch.is_ok
    return flow.last_run_at, flow.last_run_ok


def folded(world: World, now: datetime) -> tuple[int, int]:
    """Runs that were folded by now, closed stretches and open ones, and the failed SQL actions of the open ones."""
    runs, failed = world.counts.get("runs_folded", 0), 0
    for flow in world.flows.values():
        if flow.stretches and flow.stretches[-1].until is None:
            count = count_of(flow.stretches[-1], now)
            runs += count
            failed += count * flow.stretches[-1].failed
    return runs, failed
