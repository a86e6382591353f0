"""What a run leaves behind: itself and its actions, as plain values that a snapshot can keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SUCCEEDED, FAILED, SKIPPED, CANCELLED, TIMED_OUT = "Succeeded", "Failed", "Skipped", "Cancelled", "TimedOut"

ACTION_FAILED = {"code": "ActionFailed", "message": "An action failed. No dependent actions succeeded."}


@dataclass(slots=True, kw_only=True)
class ActionRecord:
    """One action of one run.

    Attributes:
        turn: which turn of which loops, outermost first; empty outside loops.
        key: the connection key, of an action that calls a connector.
    """

    name: str
    status: str
    code: str
    started_at: datetime
    ended_at: datetime
    inputs: Any = None
    outputs: Any = None
    error: dict[str, Any] | None = None
    turn: list[int] = field(default_factory=list)
    key: str | None = None


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """One run that was really executed.

    Attributes:
        id: sorts newest first, as the platform's run names do.
        trigger_outputs: what the trigger brought.
        is_volatile: it looked at the clock or at chance, so the same run at another time may end otherwise.
        response: what a response action sent, if there was one.
    """

    id: str
    started_at: datetime
    ended_at: datetime
    status: str
    code: str | None
    error: dict[str, Any] | None
    trigger_name: str
    trigger_outputs: Any
    actions: list[ActionRecord]
    is_volatile: bool = False
    response: Any = None
