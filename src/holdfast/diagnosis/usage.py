"""What is known to use a connection, and whether that keeps its sign-in from going idle."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.horizon import Interval
from holdfast.core.inventory import Flow
from holdfast.core.plan import LABEL
from holdfast.core.schedule import Recurrence
from holdfast.reading.schedules import longest_gap, placed_within, runs, runs_per_week

UNSEEN_WITHIN: Final = timedelta(days=65)
"""What nothing has used for so long, nothing uses that comes round every two months or more often."""

GRACE: Final = timedelta(days=2)
FURTHEST_RUNS: Final = 12
"""How many runs ahead a break is looked for: three years of a quarterly flow."""


@dataclass(frozen=True, slots=True)
class IdleBreak:
    """That the sign-in will have gone idle, as things stand.

    Attributes:
        at: when it expires.
        because: sentences that it stands on.
    """

    at: Interval
    because: tuple[str, ...]


def idle_break(
    refreshed: Interval,
    flows: Iterable[Flow],
    seen_at: datetime,
    *,
    flows_read: bool,
    unseen: tuple[str, ...] | None = None,
    canvas: tuple[str, ...] | None = None,
    failing: Collection[str] = (),
    flows_complete: bool = False,
) -> IdleBreak | None:
    """When the sign-in expires though the known flows run as scheduled; None where they keep it, or nobody knows.

    A keep-alive flow of ours was made because nothing else was seen to use it, so that without it it is expected to
    go idle again; one that runs counts as the flow that it is.

    Args:
        flows: those that hold the connection, switched on or off.
        flows_read: whether the flows in solutions of its environment could be read.
        unseen: flows there that an imported table names besides; None without such a table.
        canvas: canvas apps there that name its connector; None where they were not read.
        failing: names of flows whose last run failed.
        flows_complete: whether all flows there were seen, also those outside solutions.
    """
    idle = seen_at - refreshed.latest
    flows = tuple(flows)
    stopped = [flow for flow in flows if flow.display_name.startswith(LABEL) and _is_stopped(flow, failing)]
    scheduled = [
        (flow, flow.recurrence)
        for flow in flows
        if flow.is_on and flow.recurrence is not None and flow not in stopped
    ]
    users = [(flow, each) for flow, each in scheduled if idle <= 2 * longest_gap(each) + GRACE]
    if any(longest_gap(each) < REFRESH_TOKEN_IDLE_LIMIT - GRACE for _, each in users):
        return None
    if users:
        return _between_runs(refreshed, users, seen_at)
    for flow in stopped:
        if flow.modified_at is None or refreshed.earliest <= flow.modified_at + GRACE:
            return IdleBreak(refreshed.shifted(REFRESH_TOKEN_IDLE_LIMIT), (_without(flow, canvas),))
    if not flows_read or idle < UNSEEN_WITHIN:
        return None
    silent = tuple(
        f"Flow {flow.display_name!r} is scheduled more often than that, but does not reach its SQL action."
        for flow, _ in scheduled
    )
    out_of_sight = [
        *([] if flows_complete else ["flows outside solutions"]),
        *([] if canvas is not None else ["apps"]),
    ]
    rest = (
        f"Nothing has used it for {idle.days} days, so nothing that comes round every two months does"
        + (f"; {' and '.join(out_of_sight)} were not seen" if out_of_sight else "; no flow there uses it")
        + f"{'' if flows_complete else _named(unseen)}{_apps(canvas)}.",
    )
    return IdleBreak(refreshed.shifted(REFRESH_TOKEN_IDLE_LIMIT), silent + rest)


def _is_stopped(flow: Flow, failing: Collection[str]) -> bool:
    return not flow.is_on or flow.is_suspended or flow.display_name in failing


def _without(flow: Flow, canvas: tuple[str, ...] | None) -> str:
    state = "suspended" if flow.is_suspended else "failing" if flow.is_on else "switched off"
    return (
        f"Its keep-alive flow {flow.display_name!r} is {state}, and nothing else that was seen runs often enough to"
        f" keep it{_apps(canvas)}."
    )


def _named(unseen: tuple[str, ...] | None) -> str:
    if unseen is None:
        return ""
    shown = ", ".join(repr(name) for name in unseen[:3]) + (" and others" if len(unseen) > 3 else "")
    return f"; by the imported table of flows there are {len(unseen)} with SQL there" + (
        f" ({shown})" if shown else ""
    )


def _apps(canvas: tuple[str, ...] | None) -> str:
    if not canvas:
        return "" if canvas is None else "; no canvas app there names its connector"
    shown = ", ".join(repr(name) for name in canvas[:3]) + (" and others" if len(canvas) > 3 else "")
    return f"; canvas apps there name its connector and may use it ({shown})"


def runs_per_week_of(flows: Iterable[Flow]) -> float | None:
    """How many scheduled runs a week are lost when these flows stop; None where none of them has a schedule."""
    rates = [runs_per_week(flow.recurrence) for flow in flows if flow.is_on and flow.recurrence is not None]
    return round(sum(rates), 1) if rates else None


def is_kept_alive(flows: Iterable[Flow]) -> bool:
    """Whether a flow that is on is scheduled so often that the sign-in cannot go idle."""
    scheduled = [flow.recurrence for flow in flows if flow.is_on and flow.recurrence is not None]
    return any(longest_gap(each) < REFRESH_TOKEN_IDLE_LIMIT - GRACE for each in scheduled)


def _between_runs(
    refreshed: Interval, users: list[tuple[Flow, Recurrence]], seen_at: datetime
) -> IdleBreak | None:
    """The first pause between scheduled runs that is longer than the limit."""
    now = seen_at
    for _ in range(FURTHEST_RUNS):
        dies = refreshed.shifted(REFRESH_TOKEN_IDLE_LIMIT)
        coming = min(
            (next_run_of(flow, each, refreshed, now) for flow, each in users), key=lambda run: run.earliest
        )
        if coming.earliest > dies.latest:
            names = ", ".join(sorted({flow.display_name for flow, _ in users}))
            return IdleBreak(
                dies,
                (
                    f"It is used as {names} is scheduled, and by nothing else that was seen; the run of"
                    f" {coming.earliest:%Y-%m-%d} comes too late and is the first that fails.",
                ),
            )
        if coming.latest >= dies.earliest:
            return None
        refreshed, now = coming, coming.latest
    return None


def next_run_of(flow: Flow, recurrence: Recurrence, refreshed: Interval, after: datetime) -> Interval:
    """When it runs next.

    Without a start time it counts from when it was turned on, which its last change may be, or may not; that
    the last refresh was a run of it is the other reading.
    """
    anchors = [refreshed.middle] if flow.modified_at is None else [refreshed.middle, flow.modified_at]
    if recurrence.start_at is not None:
        anchors = [recurrence.start_at]
    found = [next(runs(recurrence, anchor, after), None) for anchor in anchors]
    known = [run for run in found if run is not None] or [after]
    margin = placed_within(recurrence)
    return Interval(min(known) - margin, max(known) + margin)
