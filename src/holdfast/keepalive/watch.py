"""Did each due run move a witness; what is overdue. Pure but for `Eyes`, which read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple

from holdfast.core.deed import Deed
from holdfast.core.errors import CloudError, MissingError
from holdfast.core.facts import ACCESS_TOKEN_LIFE_MAX, REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.horizon import Interval
from holdfast.core.inventory import Environment, FlowId, FlowRun
from holdfast.core.judgement import Judgement
from holdfast.core.making import FlowRow
from holdfast.core.plan import Plan, PlannedStep
from holdfast.keepalive.deployed import Deployed, watched
from holdfast.keepalive.plan import FAILING_LIMIT, Cadence, connector_of
from holdfast.ports import History, Operator, Platform
from holdfast.reading.witnesses import last_refresh

OVERDUE: Final = 1 / 3
"""Of a period: so long after a run was due without a moved witness, it is overdue."""

SPENT: Final = REFRESH_TOKEN_IDLE_LIMIT / 3
"""So long after the last refresh one failed run is enough to be told."""

EARLY: Final = timedelta(hours=1)
"""A run that began so much before it was due is that run: clocks differ."""

TAKES: Final = timedelta(minutes=15)
"""A run that fetched a token began at most so long before."""

RUNS_REACH: Final = timedelta(days=28)
"""How long Dataverse keeps runs by default (power-automate-docs cloud-flow-run-metadata)."""


class Finding(NamedTuple):
    """One thing about a keep-alive flow that somebody should know.

    Attributes:
        problem: a stable word; empty where all is well.
        proven_at: when the connection's token was last seen refreshed by a run of the flow.
        next_at: when it runs next; None where it cannot.
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
        by_hand: whether somebody imported it, and only its owner switches it on.
    """

    flow: FlowRow | None
    runs: Sequence[FlowRun]
    refreshed: Mapping[str, Interval | None]
    seen_at: datetime
    on_since: datetime
    owner_gone: bool | None = None
    by_hand: bool = False


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
    next_at = next_due(start, period, now)
    stopped = _of_flow(looked)
    found = []
    for branch in arguments["branches"]:
        id = branch["connection"]
        refreshed = looked.refreshed.get(id)
        proven = _proven(looked, refreshed)
        problem, says = stopped or (
            ("", f"Next due {next_at:%Y-%m-%d %H:%M} UTC.")
            if due is None
            else _of_runs(looked, refreshed, proven, due, period, now)
        )
        found.append(
            Finding(
                plan,
                step.saga,
                flow,
                id,
                step.environment or "",
                problem,
                says,
                proven,
                None if stopped else next_at,
            )
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
        return (
            "flow_suspended",
            f"The platform suspended the keep-alive flow, most often by a data policy; once that is mended: {_on(looked)}",
        )
    if not looked.flow.is_on:
        return (
            "flow_off",
            f"The keep-alive flow is off{_why_off(looked)}: {_on(looked)}",
        )
    if looked.owner_gone:
        return (
            "flow_ownerless",
            "The owner of the keep-alive flow is no longer a user: give it another owner.",
        )
    return None


def _on(looked: Looked) -> str:
    """Who switches it on, and how."""
    place = flow_link(looked.flow) if looked.flow else "its page"
    if looked.by_hand:
        return f"its owner switches it on at {place}"
    return f"`holdfast keepalive status --switch-on`, or its owner at {place}"


def _why_off(looked: Looked) -> str:
    """The platform does it to a flow whose runs failed for two weeks (power-automate-docs limits-and-config)."""
    ended = [run for run in looked.runs if run.ended_at is not None and run.started_at is not None]
    failing = list(takewhile(lambda run: not run.succeeded, ended))
    if len(failing) < 2:
        return ""
    first, last = failing[-1].started_at, failing[0].started_at
    if first is None or last is None or last - first < FAILING_LIMIT:
        return ""
    return ", by the platform after failing for two weeks"


def _of_runs(
    looked: Looked,
    refreshed: Interval | None,
    proven: datetime | None,
    due: datetime,
    period: timedelta,
    now: datetime,
) -> tuple[str, str]:
    """What is to be said of one connection when a run was due; a witness that moved counts more than its run."""
    if proven is not None and proven >= due - ACCESS_TOKEN_LIFE_MAX:
        return "", f"Proven {proven:%Y-%m-%d %H:%M} UTC."
    ended = [run for run in looked.runs if run.ended_at is not None]
    if len(ended) > 1 and not any(run.succeeded for run in ended[:2]):
        why = ended[0].message or ended[0].code or "no reason is told"
        return "runs_failing", f"The newest two runs failed: {why}"
    since = [run for run in looked.runs if run.started_at is not None and run.started_at >= due - EARLY]
    is_late = now - due > period * OVERDUE
    if not since:
        problem = "run_overdue" if is_late else ""
        return (
            problem,
            f"The run of {due:%Y-%m-%d %H:%M} UTC {'did not come' if is_late else 'is not seen yet'}.",
        )
    good = next((run.started_at for run in since if run.succeeded), None)
    if good is None:
        return _of_failed_run(looked, refreshed, due, now)
    return _of_good_run(looked, refreshed, good, is_late)


def _of_failed_run(
    looked: Looked, refreshed: Interval | None, due: datetime, now: datetime
) -> tuple[str, str]:
    """One failed run is no news while there is time for many; of a month's flow there is not."""
    says = f"The run of {due:%Y-%m-%d %H:%M} UTC did not succeed; the next one may."
    if refreshed is None or looked.seen_at <= due or now - refreshed.latest <= SPENT:
        return "", says
    return "runs_failing", f"{says} Last refreshed {refreshed.latest:%Y-%m-%d}: a third of 90 days is over."


def _of_good_run(looked: Looked, refreshed: Interval | None, ran: datetime, is_late: bool) -> tuple[str, str]:
    """What is to be said where a run succeeded that no witness proves."""
    if refreshed is not None and refreshed.earliest > ran:
        return "", f"Something else used it since: last refreshed {refreshed.latest:%Y-%m-%d %H:%M} UTC."
    if looked.seen_at <= ran:
        says = f"It ran {ran:%Y-%m-%d %H:%M} UTC; the connections were not read since: `holdfast scan`."
        return ("not_scanned" if is_late else ""), says
    if not is_late:
        return "", "It ran; its witness has not moved yet."
    return (
        "no_proof",
        f"It ran {ran:%Y-%m-%d %H:%M} UTC and no witness moved: the run does not keep it alive.",
    )


def _proven(looked: Looked, refreshed: Interval | None) -> datetime | None:
    """When the witness shows a refresh that a run of the flow explains: proof, not hope."""
    if refreshed is None:
        return None
    for run in looked.runs:
        # The token is fetched when the action runs; a cached one saves the fetch for an access-token life.
        if (
            run.started_at is not None
            and refreshed.earliest - TAKES <= run.started_at <= refreshed.latest + ACCESS_TOKEN_LIFE_MAX
        ):
            return refreshed.middle
    return None


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a look at a tenant's keep-alive flows is taken with.

    Attributes:
        environments: by id, as they are now.
        now: the cloud's time.
        scanned_at: when the connections were last read.
    """

    history: History
    operator: Operator
    platform: Platform
    environments: Mapping[str, Environment]
    now: datetime
    scanned_at: datetime

    async def look(
        self, plan: Plan, deeds: Sequence[Deed], sagas: Collection[str] | None = None
    ) -> list[Finding]:
        """Every flow of the plan, as it is now, with the proof of each of its connections.

        Args:
            sagas: only theirs; None for all of the plan.
        """
        found: list[Finding] = []
        for one in await watched(self.history, plan, deeds, sagas):
            found += await self._of_one(plan, one)
        return found

    async def _of_one(self, plan: Plan, one: Deployed) -> list[Finding]:
        environment = self.environments.get(one.step.environment or "")
        if environment is None or environment.dataverse_url is None:
            return unseen(
                plan.id, one, "environment_unseen", "Its environment is not among those that are seen."
            )
        try:
            looked = await self._looked(plan, one, environment)
        except CloudError as error:
            return unseen(plan.id, one, "not_looked_at", f"It could not be looked at: {error}")
        return findings(plan.id, one.step, one.flow, looked, self.now)

    async def _looked(self, plan: Plan, one: Deployed, environment: Environment) -> Looked:
        refreshed = await self._refreshed(plan, one, environment)
        try:
            row = await self.operator.flow(environment, FlowId(one.flow))
        except MissingError:
            return Looked(None, (), refreshed, self.scanned_at, one.on_since, by_hand=one.by_hand)
        since = self.now - RUNS_REACH
        runs = [run async for run in self.platform.runs(environment, row.id, since)]
        gone = await self._owner_is_gone(one, environment, row)
        return Looked(row, runs, refreshed, self.scanned_at, one.on_since, gone, one.by_hand)

    async def _refreshed(
        self, plan: Plan, one: Deployed, environment: Environment
    ) -> dict[str, Interval | None]:
        keys = {
            branch["connection"]: f"{connector_of(branch)}/{branch['connection']}" for branch in one.branches
        }
        judged = await self.history.lookup(plan.tenant, Judgement, environment.id, list(keys.values()))
        return {
            id: last_refresh(judged[key].witnesses) if key in judged else None for id, key in keys.items()
        }

    async def _owner_is_gone(self, one: Deployed, environment: Environment, row: FlowRow) -> bool | None:
        """Whether who was handed the flow can no longer be its owner; nobody knows for flows of somebody else."""
        if row.owner is None:
            return True
        if one.by_hand:
            return None
        if row.owner == await self.operator.user(environment):
            return False
        owner = await self.operator.user(environment, one.step.arguments["owner"])
        return None if owner not in (None, row.owner) else owner is None


def unseen(plan: str, one: Deployed, problem: str, says: str) -> list[Finding]:
    """What is said of the connections of a flow that nobody could look at."""
    step = one.step
    return [
        Finding(plan, step.saga, one.flow, branch["connection"], step.environment or "", problem, says)
        for branch in one.branches
    ]
