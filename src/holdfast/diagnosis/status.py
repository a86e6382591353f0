"""How each connection stands now: what was seen and judged, and the time, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.core.coverage import Outcome
from holdfast.core.finding import End
from holdfast.core.horizon import Condition, Horizon
from holdfast.core.inventory import Connection, Flow
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import Verdict

AT_RISK_WITHIN: Final = timedelta(days=14)
"""So near a break somebody has to act now."""


class State(StrEnum):
    """How a connection stands."""

    BROKEN = "broken"
    AT_RISK = "at_risk"
    UNKNOWN = "unknown"
    OK = "ok"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to act."""
        return self in (State.BROKEN, State.AT_RISK)


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One connection, judged.

    Attributes:
        cause: id of the cause that broke it or threatens it; None where nothing does.
        confidence: of the verdict, from 0 to 1; None where the cause is only foreseen.
        nearest: the horizon that comes first, None where none has a date.
        flows_complete: False as long as there can be flows that use it and that we did not see.
        next_action: one sentence; "" where there is nothing to do.
    """

    connection: Connection
    state: State
    cause: str | None
    confidence: float | None
    verdict: Verdict | None
    nearest: Horizon | None
    flows: tuple[Flow, ...]
    flows_complete: bool
    next_action: str


def status(
    connection: Connection,
    judgement: Judgement | None,
    outcome: Outcome,
    now: datetime,
    flows: tuple[Flow, ...] = (),
    flows_complete: bool = False,
) -> ConnectionStatus:
    """How the connection stands.

    Args:
        judgement: of the last look; None if it was not judged yet.
        outcome: how its environment could be read at the last scan.
        now: the cloud's time.
    """
    verdict = judgement.verdict if judgement else None
    horizons = judgement.horizons if judgement else ()
    nearest = next((horizon for horizon in horizons if horizon.is_known), None)
    state, cause, action = _in_the_open(judgement) or _stands(connection, verdict, horizons, outcome, now)
    return ConnectionStatus(
        connection,
        state,
        cause,
        verdict.confidence if verdict and state is State.BROKEN else None,
        verdict,
        nearest,
        flows,
        flows_complete,
        action,
    )


def is_near(horizon: Horizon, now: datetime, within: timedelta = AT_RISK_WITHIN) -> bool:
    """Whether it can be met before so much time has passed; one that lies behind us counts."""
    if horizon.condition is Condition.IF_ENFORCED:
        return False
    return horizon.earliest is not None and horizon.earliest <= now + within


def _in_the_open(judgement: Judgement | None) -> tuple[State, str | None, str] | None:
    """Where only its next use tells: what refused it is over, or passes by itself; None elsewhere."""
    if judgement is None or judgement.verdict is not None:
        return None
    if judgement.is_lifted:
        return State.UNKNOWN, None, "Run a flow that uses it, and scan again: what refused it is over."
    passing = next((each for each in judgement.findings if each.end is End.PASSING), None)
    if passing is not None:
        return State.UNKNOWN, passing.cause, "Run it again: this passes by itself."
    unproven = next((each for each in judgement.conflicts if "only a person" in each), None)
    if unproven is not None:
        return (
            State.UNKNOWN,
            None,
            "Open the failed run of its flow and explain what its first failed action says.",
        )
    return None


def _stands(
    connection: Connection,
    verdict: Verdict | None,
    horizons: tuple[Horizon, ...],
    outcome: Outcome,
    now: datetime,
) -> tuple[State, str | None, str]:
    if connection.status == "Error" or verdict is not None:
        return State.BROKEN, verdict.cause.id if verdict else "unknown", _first_remedy(verdict)
    near = next((horizon for horizon in horizons if is_near(horizon, now)), None)
    if near is not None:
        return State.AT_RISK, near.cause, _before(near, now)
    if outcome is not Outcome.SCANNED:
        return State.UNKNOWN, None, f"Scan again: its environment could not be read ({outcome.value})."
    if connection.status != "Connected":
        return State.UNKNOWN, None, f"Look at it in the portal: its state is {connection.status!r}."
    silent = next((h for h in horizons if h.condition is Condition.IF_UNUSED and not h.is_known), None)
    if silent is not None:
        return State.UNKNOWN, None, "Use it once and scan again: nothing tells when it was last used."
    return State.OK, None, ""


def _first_remedy(verdict: Verdict | None) -> str:
    if verdict is None or not verdict.remedies:
        return "Read what it says: `holdfast show` quotes it."
    return verdict.remedies[0].does


def _before(horizon: Horizon, now: datetime) -> str:
    assert horizon.earliest is not None
    if horizon.earliest <= now:
        return f"Scan again: it may have broken since {horizon.earliest:%Y-%m-%d}."
    date = f"{horizon.earliest:%Y-%m-%d}"
    match horizon.cause:
        case "token_inactive":
            return f"Let a flow use it before {date}."
        case "secret_expired":
            return f"Give it a new secret before {date}."
        case "certificate_invalid":
            return f"Give it a new certificate before {date}."
        case _:
            return f"Act before {date}."
