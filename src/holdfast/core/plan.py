"""What will be done: steps to read, to compare and to carry out, in one file with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.core.errors import SettingsError

SHAPE = "holdfast.plan/1"
LABEL = "holdfast/"
"""How the display name of everything begins that holdfast creates; the saga's id follows."""


class Show(NamedTuple):
    """JSON or T-SQL of a step, for people to read: it is rendered anew before it is used.

    Attributes:
        form: "json", "tsql", "diff" or "text".
    """

    title: str
    form: str
    text: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One reversible part of a saga, as data.

    Attributes:
        saga: to which saga it belongs; the steps of a saga run in order, sagas do not wait for each other.
        name: unique within its saga; "kind" or "kind:what".
        does: one sentence, without a full stop.
        connection: the connection it acts on or for, None for what serves several.
        arguments: JSON-ready; all that is needed to do it, and to render `shows` anew.
        undo: what undoing it does, one sentence; empty where there is nothing to undo.
        risk: what can go wrong, and `cost` what it costs; empty for nothing.
        by: a person who has to act, in words; empty where holdfast does it.
    """

    saga: str
    name: str
    does: str
    connection: str | None
    environment: str | None
    arguments: Mapping[str, Any]
    shows: tuple[Show, ...] = ()
    undo: str = ""
    risk: str = ""
    cost: str = ""
    by: str = ""


class Declined(NamedTuple):
    """A connection that the plan leaves alone.

    Attributes:
        reason: a stable word in snake_case.
        says: one sentence for people.
    """

    connection: str
    environment: str
    reason: str
    says: str = ""


class Accepted(NamedTuple):
    """A fact that nobody could look at, and that somebody answers for."""

    fact: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one `apply` does.

    Attributes:
        kind: "keepalive", "migrate" or "rotate".
        id: fresh for every plan; sagas are named after it.
        tenant: under which the store keeps the tenant, and `tenant_name` as the settings name it.
        made_at: aware UTC, the cloud's time.
        choices: what was chosen on the command line, JSON-ready.
    """

    kind: str
    id: str
    tenant: str
    tenant_name: str
    made_at: datetime
    steps: tuple[PlannedStep, ...]
    declined: tuple[Declined, ...] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()

    def sagas(self) -> dict[str, tuple[PlannedStep, ...]]:
        """The steps by saga, both in the plan's order."""
        found: dict[str, list[PlannedStep]] = {}
        for step in self.steps:
            found.setdefault(step.saga, []).append(step)
        return {saga: tuple(steps) for saga, steps in found.items()}


def saga_id(plan: str, number: int) -> str:
    """The id of a plan's n-th saga; what it makes is labelled with it."""
    return f"{plan}-{number}"


def label(saga: str, what: str = "") -> str:
    """The display name of something that a saga makes."""
    return f"{LABEL}{saga} {what}".rstrip()


def saga_of(display_name: str) -> str | None:
    """The saga that made a thing of this name; None where none did."""
    if not display_name.startswith(LABEL):
        return None
    return display_name.removeprefix(LABEL).split(" ", 1)[0] or None


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as its file holds it, with the digest at its end."""
    content = _content(plan)
    return content | {"digest": _digest(content)}


def digest(plan: Plan) -> str:
    """SHA-256 over the plan's canonical JSON, in lower-case hex: what a reviewer passes on."""
    return _digest(_content(plan))


def plan_text(plan: Plan) -> str:
    """The plan's file: JSON, a line per field, the same for the same plan."""
    return json.dumps(plan_json(plan), indent=2, ensure_ascii=True) + "\n"


def read_plan(text: str, what: str = "The plan") -> Plan:
    """The plan of a file's text.

    Args:
        what: how errors name the file.

    Raises:
        SettingsError: it is none, it is incomplete, or it was edited after planning.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{what} is not a plan: it is no JSON ({error}).") from None
    if not isinstance(found, dict) or found.get("shape") != SHAPE:
        raise SettingsError(f"{what} is not a plan that this holdfast reads: its shape is not {SHAPE!r}.")
    told = found.pop("digest", None)
    if told != _digest(found):
        raise SettingsError(f"{what} was edited or cut after planning: its digest does not fit. Plan again.")
    try:
        return plan_of(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{what} is not a plan: {type(error).__name__} at {error}.") from None


def _content(plan: Plan) -> dict[str, Any]:
    return {
        "shape": SHAPE,
        "kind": plan.kind,
        "id": plan.id,
        "tenant": plan.tenant,
        "tenant_name": plan.tenant_name,
        "made_at": plan.made_at.isoformat(),
        "choices": dict(plan.choices),
        "accepted": [one._asdict() for one in plan.accepted],
        "steps": [_step_json(step) for step in plan.steps],
        "declined": [one._asdict() for one in plan.declined],
    }


def _step_json(step: PlannedStep) -> dict[str, Any]:
    return {
        "saga": step.saga,
        "name": step.name,
        "does": step.does,
        "connection": step.connection,
        "environment": step.environment,
        "by": step.by,
        "risk": step.risk,
        "cost": step.cost,
        "undo": step.undo,
        "arguments": dict(step.arguments),
        "shows": [show._asdict() for show in step.shows],
    }


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def plan_of(found: Mapping[str, Any]) -> Plan:
    """The plan that `plan_json` told, without a look at its digest.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    return Plan(
        kind=str(found["kind"]),
        id=str(found["id"]),
        tenant=str(found["tenant"]),
        tenant_name=str(found["tenant_name"]),
        made_at=datetime.fromisoformat(found["made_at"]),
        steps=tuple(_steps(found["steps"])),
        declined=tuple(Declined(**one) for one in found["declined"]),
        choices=dict(found["choices"]),
        accepted=tuple(Accepted(**one) for one in found["accepted"]),
    )


def _steps(found: Iterable[Mapping[str, Any]]) -> Iterable[PlannedStep]:
    seen = set()
    for one in found:
        key = (one["saga"], one["name"])
        if key in seen:
            raise ValueError(f"step {one['name']!r} stands twice in saga {one['saga']!r}")
        seen.add(key)
        yield PlannedStep(**{**one, "shows": tuple(Show(**show) for show in one["shows"])})
