"""What a run leaves behind: itself and its actions, as plain values that a snapshot can keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
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


@dataclass(slots=True, kw_only=True)
class Use:
    """One use of a connection within a run: how long after the run's start, and what came of it ("ok" or a code)."""

    connection_id: str
    offset: timedelta
    code: str


@dataclass(slots=True, kw_only=True)
class Look:
    """What the last executed occurrence of a flow's trigger came to, and what that depended on.

    Attributes:
        run_ids: the runs it made; none for a poll that found nothing.
        touched: what it read or changed, as keys of `sql_connector.mark_of`.
        repeats: done again with nothing changed, it comes to the same.
        turns_at: when time alone changes what it comes to.
        fingerprint: the state of everything that it depended on, just after it.
    """

    at: datetime
    is_ok: bool
    run_ids: list[str]
    uses: list[Use]
    touched: list[str]
    repeats: bool
    turns_at: datetime | None
    failed: int
    fingerprint: str = ""


@dataclass(slots=True, kw_only=True)
class Stretch:
    """Occurrences that were not executed because each would have come to the same as the one before the first.

    Attributes:
        run_id: the executed run that stands for each of them; None where none was made.
        after: the instant of that run: the occurrences are later than it.
        until: and not later than this; None while it goes on.
        failed: failed SQL actions of each.
    """

    recurrence: dict[str, Any]
    anchor: datetime
    after: datetime
    run_id: str | None
    failed: int
    is_ok: bool
    until: datetime | None = None
