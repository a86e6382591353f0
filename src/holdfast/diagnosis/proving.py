"""Witnesses before and after a run → refreshed or not (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.horizon import Horizon, Interval
from holdfast.core.inventory import Connection, Flow, FlowRun
from holdfast.core.proof import Answer, Proof
from holdfast.core.witness import Witness
from holdfast.diagnosis.usage import next_run_of

RUN_TAKES: Final = timedelta(minutes=30)
"""So long after its start a run is taken for over; SQL actions end after two minutes, and flows wait in between."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be said about a proof.

    Attributes:
        says: one sentence.
        after: the witnesses as they are now.
        hard_date: the next break that is foreseen now; None where none has a date.
    """

    answer: Answer
    says: str
    after: tuple[Witness, ...] = ()
    hard_date: Horizon | None = None


def coming_run(
    connection: Connection, flows: Sequence[Flow], refreshed: Interval | None, now: datetime
) -> tuple[Flow, Interval] | None:
    """The first scheduled run that has to fetch a new token; None where no flow that is on has a schedule.

    While the cached access token lives a run refreshes nothing.
    """
    after = max(now, connection.token_expires_at or now)
    anchor = refreshed or Interval(now, now)
    found = [
        (flow, next_run_of(flow, flow.recurrence, anchor, after))
        for flow in flows
        if flow.is_on and flow.recurrence is not None
    ]
    return min(found, key=lambda each: each[1].earliest, default=None)


def answered(
    proof: Proof, now_is: Connection, runs: Sequence[FlowRun] | None, now: datetime, fault: str
) -> tuple[Answer, str]:
    """What the witnesses say of a proof that was begun.

    Args:
        now_is: the connection as it is now.
        runs: of the flow since the proof was begun, newest first; None where they cannot be read.
        fault: what the platform's recorded fault says, in a few words; empty where there is none.
    """
    if now_is.token_expires_at != proof.expires_at and now_is.token_expires_at is not None:
        return Answer.REFRESHED, "It was refreshed: the expiry of its token moved."
    if fault and now_is.status == "Error":
        return Answer.NOT_REFRESHED, f"It was not refreshed: the platform says {fault}."
    is_over = proof.due is not None and now > proof.due.latest + RUN_TAKES
    newest = next(iter(runs or ()), None)
    if proof.expires_at is None and now_is.token_expires_at is None:
        return _by_run(newest, proof, now, is_over=is_over)
    if not is_over:
        return Answer.WAITING, f"Not over yet: {_due(proof)}."
    if newest is None:
        why = "its runs cannot be read" if runs is None else "the flow has not run since; is it still on?"
        return Answer.NOT_REFRESHED, f"No witness moved, and {why}."
    if newest.succeeded:
        return (
            Answer.NOT_REFRESHED,
            f"The run of {newest.started_at:%Y-%m-%d %H:%M} UTC succeeded, and no witness moved: its SQL action was"
            " skipped, or another connection was used.",
        )
    return (
        Answer.NOT_REFRESHED,
        f"The run of {newest.started_at:%Y-%m-%d %H:%M} UTC ended as {newest.status}, and no witness moved.",
    )


def _by_run(newest: FlowRun | None, proof: Proof, now: datetime, *, is_over: bool) -> tuple[Answer, str]:
    """Passwords leave no witness; that a run succeeded is the most there is."""
    if newest is not None and newest.started_at is not None:
        return (
            Answer.NO_WITNESS,
            f"Such a connection has no token to look at; the run of {newest.started_at:%Y-%m-%d %H:%M} UTC ended as"
            f" {newest.status}.",
        )
    if proof.due is not None and not is_over:
        return Answer.WAITING, f"Not over yet: {_due(proof)}."
    return Answer.NO_WITNESS, "Such a connection has no token to look at, and no run of it was seen."


def _due(proof: Proof) -> str:
    if proof.due is None:
        return "no flow that uses it is scheduled, so use it once by hand"
    first, last = proof.due.earliest, proof.due.latest
    until = f" to {last:%Y-%m-%d %H:%M}" if last - first > timedelta(minutes=1) else ""
    return f"the run is due {first:%Y-%m-%d %H:%M}{until} UTC"
