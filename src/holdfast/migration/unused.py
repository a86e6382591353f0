"""Grants that no run since the move is known to have used, each with the actions that name it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from holdfast.core.deed import Deed
from holdfast.core.errors import CloudError
from holdfast.core.inventory import Environment, EnvironmentId, FlowId
from holdfast.core.plan import Plan, PlannedStep
from holdfast.migration.shown import grants_from
from holdfast.ports import Operator, Platform

NOT_RUN: Final = "Its flow has not run since the move, as far as runs are kept (28 days)."
NOT_GREEN: Final = "No run of its flow since the move succeeded."
BRANCH: Final = (
    "Its flow ran, but runs do not tell whether this action did: it stands where it may be left out."
)

_ALWAYS: Final = frozenset({"Scope", "Until"})
"""Containers whose actions run whenever they do; the body of Until runs at least once."""


class Unused(NamedTuple):
    """An action that names a grant of which no run is known to have made use.

    Attributes:
        grant: "SELECT dbo.Orders".
        action: flow and path, as the plan names it.
        says: why no use is known.
    """

    plan: str
    saga: str
    environment: str
    server: str
    database: str
    grant: str
    action: str
    says: str


class Seen(NamedTuple):
    """What is known of one flow's actions since the move.

    Attributes:
        used: paths of those that have run.
        otherwise: why nothing is known of the others.
    """

    used: frozenset[str]
    otherwise: str


def sure_paths(clientdata: str) -> frozenset[str]:
    """Paths of triggers and actions that every run which succeeds has gone through. Pure.

    Left out are branches and loops, what comes only after a failure, and all actions where one can end the run early.
    """
    try:
        definition = json.loads(clientdata)["properties"]["definition"]
        triggers, actions = definition.get("triggers") or {}, definition.get("actions") or {}
        if _ends_early(actions):
            return frozenset(triggers)
        return frozenset(triggers) | frozenset(_sure(actions, ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return frozenset()


def _sure(actions: Mapping[str, Any], above: str) -> Iterator[str]:
    sure: set[str] = set()
    left = dict(actions)
    # In the order in which they follow each other: whoever follows something sure, where that succeeds, is sure.
    while True:
        found = [name for name, action in left.items() if _follows(action.get("runAfter") or {}, sure)]
        if not found:
            return
        for name in found:
            action, path = left.pop(name), f"{above}/{name}" if above else name
            sure.add(name)
            yield path
            if action.get("type") in _ALWAYS:
                yield from _sure(action.get("actions") or {}, path)


def _follows(after: Mapping[str, Sequence[str]], sure: Collection[str]) -> bool:
    return all(name in sure and "Succeeded" in states for name, states in after.items())


def _ends_early(node: Any) -> bool:
    if isinstance(node, dict):
        return node.get("type") == "Terminate" or any(_ends_early(each) for each in node.values())
    return isinstance(node, list) and any(_ends_early(each) for each in node)


def unused(plan: str, step: PlannedStep, seen: Mapping[str, Seen]) -> Iterator[Unused]:
    """The grants of one database of which no action is known to have run, an entry for each action. Pure.

    Args:
        step: that made the user.
        seen: by the flow's name.
    """
    grants = grants_from(step.arguments)
    for need in grants.needs:
        told = [(action, *_told(action, seen)) for action in need.actions]
        if any(is_used for _, is_used, _ in told):
            continue
        for action, _, says in told:
            yield Unused(
                plan,
                step.saga,
                step.environment or "",
                grants.place.server or "",
                grants.place.database or "",
                f"{need.right.permission} {need.right.object}",
                action,
                says,
            )


def _told(action: str, seen: Mapping[str, Seen]) -> tuple[bool, str]:
    for name, one in seen.items():
        if action.startswith(f"{name}: "):
            return action.removeprefix(f"{name}: ") in one.used, one.otherwise
    return False, NOT_RUN


async def unused_grants(
    plan: Plan,
    stands: Mapping[str, Collection[str]],
    deeds: Sequence[Deed],
    operator: Operator,
    platform: Platform,
    environments: Mapping[str, Environment],
) -> list[Unused]:
    """Look at the runs of every flow that a plan has moved.

    Args:
        stands: by saga, the steps that are done and not undone.
        platform: as the reader, who sees runs.
        environments: by id, as they are now.
    """
    found: list[Unused] = []
    for saga, steps in plan.sagas().items():
        since = _moved_at(saga, deeds)
        watched = next((step for step in steps if step.name == "watch"), None)
        made = [step for step in steps if step.name.startswith("sql:") and step.name in stands.get(saga, ())]
        if since is None or watched is None or not made:
            continue
        id = EnvironmentId(watched.environment or "")
        environment = environments.get(id) or Environment(id, id)
        seen = {
            flow["flow_name"]: await _seen(FlowId(flow["flow"]), since, operator, platform, environment)
            for flow in watched.arguments["flows"]
        }
        for step in made:
            found += unused(plan.id, step, seen)
    return found


def _moved_at(saga: str, deeds: Sequence[Deed]) -> datetime | None:
    moves = [
        datetime.fromisoformat(deed.outcome.facts["at"])
        for deed in deeds
        if (deed.saga, deed.way) == (saga, "do")
        and deed.step.partition(":")[0] in ("bind", "define")
        and deed.outcome.is_done
    ]
    return max(moves, default=None)


async def _seen(
    flow: FlowId, since: datetime, operator: Operator, platform: Platform, environment: Environment
) -> Seen:
    try:
        runs = [
            run
            async for run in platform.runs(environment, flow, since)
            if run.started_at is not None and run.started_at > since
        ]
        if not runs:
            return Seen(frozenset(), NOT_RUN)
        if not any(run.succeeded for run in runs):
            return Seen(frozenset(), NOT_GREEN)
        return Seen(sure_paths((await operator.flow(environment, flow)).clientdata), BRANCH)
    except CloudError as error:
        return Seen(frozenset(), f"It could not be looked at: {error}")
