"""Did each due run move a witness; what is overdue. Pure but for `look`, which reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from holdfast.core.deed import Deed
from holdfast.core.errors import MissingError
from holdfast.core.horizon import Interval
from holdfast.core.inventory import Environment, EnvironmentId, FlowId, FlowRun
from holdfast.core.judgement import Judgement
from holdfast.core.making import FlowRow
from holdfast.core.plan import Plan, PlannedStep
from holdfast.keepalive.plan import Cadence
from holdfast.ports import History, Operator, Surroundings
from holdfast.reading.witnesses import last_refresh
from holdfast.saga import outcomes_of

OVERDUE: Final = 1 / 3
"""Of a period: so long after a run was due without a moved witness, it is overdue."""

RUNS_REACH: Final = timedelta(days=28)
"""How long Dataverse keeps runs by default (power-automate-docs cloud-flow-run-metadata)."""


class Finding(NamedTuple):
    """One thing about a keep-alive flow that somebody should know.

    Attributes:
        problem: a stable word; empty where all is well.
        proven_at: when the connection's token was last seen refreshed by a run of the flow.
        next_at: when it runs next.
    """

    plan: str
    saga: str
    flow: str
    connection: str
    environment: str
    problem: str
    says: str
    proven_at: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one saga's flow.

    Attributes:
        flow: None where it is gone.
        runs: newest first, as far back as they are kept.
        owner_gone: whether who owns the flow is no longer a user of the environment; None where not looked at.
        refreshed: by connection id, when its token was last refreshed.
        seen_at: up to when `refreshed` was looked at.
    """

    flow: FlowRow | None
    runs: Sequence[FlowRun]
    refreshed: Mapping[str, Interval | None]
    seen_at: datetime
    on_since: datetime
    owner_gone: bool | None = None


def findings(plan: str, step: PlannedStep, flow: str, looked: Looked, now: datetime) -> list[Finding]:
    """One per connection of the saga, with the worst that is to be said about it.

    Args:
        step: the plan's step that made the flow.
        flow: its id.
        now: the cloud's time.
    """
    arguments = step.arguments
    period = Cadence(arguments["cadence"]).period
    start = datetime.fromisoformat(arguments["start_at"])
    due = last_due(start, period, looked.on_since, now)
    next_at = next_due(start, period, max(now, looked.on_since))
    found = []
    for branch in arguments["branches"]:
        id = branch["connection"]
        problem, says = _of_flow(looked) or _of_runs(looked, due, period, now) or ("", "")
        proven = _proven(looked, looked.refreshed.get(id))
        if not problem and due is not None and proven is None:
            problem, says = _unproven(looked, due, period, now)
        elif not problem:
            says = (
                f"Proven {proven:%Y-%m-%d %H:%M} UTC."
                if proven
                else f"First due {next_at:%Y-%m-%d %H:%M} UTC."
            )
        found.append(
            Finding(plan, step.saga, flow, id, step.environment or "", problem, says, proven, next_at)
        )
    return found


def last_due(start: datetime, period: timedelta, on_since: datetime, now: datetime) -> datetime | None:
    """The newest instant up to `now` at which the flow, on since then, should have run."""
    if now < start:
        return None
    due = start + (now - start) // period * period
    return due if due >= on_since else None


def next_due(start: datetime, period: timedelta, after: datetime) -> datetime:
    """The first instant later than `after` at which the flow runs."""
    return start if after < start else start + ((after - start) // period + 1) * period


def flow_link(flow: FlowRow) -> str:
    """Where its owner finds the flow."""
    return f"https://make.powerautomate.com/environments/{flow.environment}/flows/{flow.id}/details"


def _of_flow(looked: Looked) -> tuple[str, str] | None:
    if looked.flow is None:
        return "flow_gone", "The keep-alive flow was deleted: `holdfast keepalive plan` plans a new one."
    if looked.flow.is_suspended:
        return "flow_suspended", "The platform suspended the keep-alive flow; most often by a data policy."
    if not looked.flow.is_on:
        return (
            "flow_off",
            f"The keep-alive flow is off: whoever owns it can switch it on again: {flow_link(looked.flow)}",
        )
    if looked.owner_gone:
        return (
            "flow_ownerless",
            "The owner of the keep-alive flow is no longer a user: give it another owner.",
        )
    return None


def _of_runs(
    looked: Looked, due: datetime | None, period: timedelta, now: datetime
) -> tuple[str, str] | None:
    if due is None:
        return None
    since = [
        run
        for run in looked.runs
        if run.started_at is not None and run.started_at >= due - timedelta(hours=1)
    ]
    if not since and now - due > period * OVERDUE:
        return "run_overdue", f"The run of {due:%Y-%m-%d %H:%M} UTC did not come."
    ended = [run for run in looked.runs if run.ended_at is not None]
    if len(ended) > 1 and not any(run.succeeded for run in ended[:2]):
        return (
            "runs_failing",
            f"The newest {len(ended[:2])} runs failed: {ended[0].message or ended[0].code or 'no reason is told'}",
        )
    return None


def _proven(looked: Looked, refreshed: Interval | None) -> datetime | None:
    """When the witness shows a refresh that a run of the flow explains: proof, not hope."""
    if refreshed is None:
        return None
    for run in looked.runs:
        if run.started_at is None:
            continue
        # The token is fetched when the action runs; a cached one saves the fetch for an access-token life.
        if (
            refreshed.earliest - timedelta(minutes=90)
            <= run.started_at
            <= refreshed.latest + timedelta(minutes=90)
        ):
            return refreshed.middle
    return None


def _unproven(looked: Looked, due: datetime, period: timedelta, now: datetime) -> tuple[str, str]:
    succeeded = next((run for run in looked.runs if run.succeeded and run.started_at is not None), None)
    if succeeded is None or succeeded.started_at is None:
        return "", f"The run of {due:%Y-%m-%d %H:%M} UTC is not seen yet."
    if looked.seen_at <= succeeded.started_at:
        return "", "It ran; the connection has not been looked at since: `holdfast scan`."
    if now - succeeded.started_at < period * OVERDUE:
        return "", "It ran; its witness has not moved yet."
    return (
        "no_proof",
        f"It ran {succeeded.started_at:%Y-%m-%d %H:%M} UTC and no witness moved: the run does not keep it alive.",
    )


async def look(
    plan: Plan,
    deeds: Sequence[Deed],
    history: History,
    operator: Operator,
    surroundings: Surroundings,
    now: datetime,
    scanned_at: datetime,
    environments: Mapping[str, Environment],
) -> list[Finding]:
    """Every flow that the plan made, as it is now, with the proof of each of its connections.

    Args:
        scanned_at: when the connections were last read.
        environments: by id, as they are now; the flows of one that is gone are gone.
    """
    found = []
    for saga, steps in plan.sagas().items():
        outcomes = outcomes_of(saga, deeds)
        made, on = outcomes.get("flow"), outcomes.get("switch_on")
        undone = any(deed.saga == saga and deed.way == "undo" for deed in deeds)
        if made is None or on is None or undone:
            continue
        step = next(step for step in steps if step.name == "flow")
        since = next(
            d.at for d in reversed(deeds) if d.saga == saga and d.step == "switch_on" and d.outcome.is_done
        )
        flow = FlowId(made.facts["flow"])
        environment = environments.get(step.environment or "") or Environment(EnvironmentId(""), "")
        looked = await _look_at(
            plan, step, environment, flow, since, history, operator, surroundings, now, scanned_at
        )
        found += findings(plan.id, step, flow, looked, now)
    return found


async def _look_at(
    plan: Plan,
    step: PlannedStep,
    environment: Environment,
    flow: FlowId,
    since: datetime,
    history: History,
    operator: Operator,
    surroundings: Surroundings,
    now: datetime,
    scanned_at: datetime,
) -> Looked:
    ids = [branch["connection"] for branch in step.arguments["branches"]]
    judged = await history.lookup(
        plan.tenant, Judgement, environment.id, [f"shared_sql/{each}" for each in ids]
    )
    refreshed = {
        each: last_refresh(judged[f"shared_sql/{each}"].witnesses) if f"shared_sql/{each}" in judged else None
        for each in ids
    }
    try:
        row = await operator.flow(environment, flow) if environment.dataverse_url else None
    except MissingError:
        row = None
    if row is None:
        return Looked(None, (), refreshed, scanned_at, since)
    runs = [run async for run in surroundings.runs(environment, flow, now - RUNS_REACH)]
    return Looked(row, runs, refreshed, scanned_at, since)
