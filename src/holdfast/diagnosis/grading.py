"""Past forecasts against what then happened: hits, misses, false alarms, lead times (pure).

A forecast counts as it stood a week before: later ones leave no time to act. Only `expected` ones are graded, and a
break only if it was seen to come: a connection that was broken at the first look gave no chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.core.horizon import Condition, Horizon
from holdfast.core.judgement import Judgement

IN_TIME: Final = timedelta(days=7)
"""So long before a break its forecast must have stood."""

TOLERANCE: Final = timedelta(days=1)
"""Scans are a day or so apart: a break is seen this much after it happened, and clocks disagree."""


class Outcome(StrEnum):
    """What became of a forecast, or of a break that had none."""

    HIT = "hit"
    MISSED = "missed"  # it broke, and nothing said so in time
    FALSE_ALARM = "false_alarm"  # the last day passed and it lived
    WITHDRAWN = (
        "withdrawn"  # taken back before its first day: somebody acted, or it was wrong in time to say so
    )


@dataclass(frozen=True, slots=True)
class Grade:
    """One forecast or break of one connection.

    Attributes:
        lead: from when it was first said to the break; None where there was no break or no word.
        width: of the interval that was said.
        is_within: whether the break came within the interval; None where nothing was said or it was taken back.
    """

    cause: str
    outcome: Outcome
    lead: timedelta | None = None
    width: timedelta | None = None
    is_within: bool | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """Forecasts of about one width that fell due, and how many of the breaks came within the interval.

    Attributes:
        up_to: the widest of them.
        share: of those said, how many came within.
    """

    up_to: timedelta
    said: int
    within: int

    @property
    def share(self) -> float:
        """How often such an interval held."""
        return self.within / self.said


WIDTHS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))


@dataclass(frozen=True, slots=True)
class Sum:
    """The grades of one cause.

    Attributes:
        precision: of what was said and fell due, how much came; None where nothing fell due.
        recall: of what broke, how much was said in time; None where nothing broke.
    """

    cause: str
    hits: int
    missed: int
    false_alarms: int
    withdrawn: int
    precision: float | None
    recall: float | None
    median_lead: timedelta | None
    median_width: timedelta | None


States = Sequence[tuple[datetime, Judgement | None]]
"""What was concluded about one connection, by when it changed; None where it was gone."""


def grades(states: States, until: datetime) -> Iterator[Grade]:
    """The grades of one connection.

    Args:
        until: when it was last looked at.
    """
    broke_at, cause = _break(states)
    end = broke_at or until
    for said in _foretold(states):
        yield from _graded(said, states, broke_at, cause, end)
    if broke_at is not None and cause is not None and _standing(states, broke_at - IN_TIME, cause) is None:
        yield Grade(cause, Outcome.MISSED)


def summed(found: Iterable[Grade]) -> list[Sum]:
    """By cause, those with most to tell first."""
    by_cause: dict[str, list[Grade]] = {}
    for grade in found:
        by_cause.setdefault(grade.cause, []).append(grade)
    return sorted(
        (_sum(cause, each) for cause, each in by_cause.items()), key=lambda s: (-(s.hits + s.missed), s.cause)
    )


def calibration(found: Iterable[Grade]) -> list[Bucket]:
    """Of the intervals that were said and fell due, how many held what they said, by their width."""
    due = [(g.width, g.is_within) for g in found if g.width is not None and g.is_within is not None]
    buckets = []
    for least, most in zip((timedelta(-1), *WIDTHS), WIDTHS, strict=False):
        of_width = [within for width, within in due if least < width <= most]
        if of_width:
            buckets.append(Bucket(most, len(of_width), sum(of_width)))
    return buckets


def _sum(cause: str, found: Sequence[Grade]) -> Sum:
    count: Mapping[Outcome, int] = {o: sum(g.outcome is o for g in found) for o in Outcome}
    hits, missed, false = count[Outcome.HIT], count[Outcome.MISSED], count[Outcome.FALSE_ALARM]
    leads = [grade.lead for grade in found if grade.lead is not None]
    widths = [grade.width for grade in found if grade.width is not None and grade.outcome is Outcome.HIT]
    return Sum(
        cause,
        hits,
        missed,
        false,
        count[Outcome.WITHDRAWN],
        hits / (hits + false) if hits + false else None,
        hits / (hits + missed) if hits + missed else None,
        _middle(leads),
        _middle(widths),
    )


def _middle(lengths: Sequence[timedelta]) -> timedelta | None:
    return sorted(lengths)[len(lengths) // 2] if lengths else None


def _break(states: States) -> tuple[datetime | None, str | None]:
    """When it was first seen broken after it had been seen whole, and of what."""
    whole = False
    for at, judgement in states:
        if judgement is None:
            continue
        if judgement.verdict is None:
            whole = True
        elif whole:
            return at, judgement.verdict.cause.id
        else:
            return None, None
    return None, None


@dataclass(frozen=True, slots=True)
class _Said:
    """A forecast that was made, with its last dates, from when to when it stood."""

    horizon: Horizon
    since: datetime
    till: datetime | None


def _foretold(states: States) -> Iterator[_Said]:
    """Each `expected` forecast of a cause, from when it was first said until it was taken back."""
    open_: dict[str, _Said] = {}
    for at, judgement in states:
        now = {h.cause: h for h in _expected(judgement)}
        broken = judgement is not None and judgement.verdict is not None
        for cause in list(open_):
            if cause not in now and not broken:
                said = open_.pop(cause)
                yield _Said(said.horizon, said.since, at)
        for cause, horizon in now.items():
            since = open_[cause].since if cause in open_ else at
            open_[cause] = _Said(horizon, since, None)
        if broken:
            break
    yield from open_.values()


def _graded(
    said: _Said, states: States, broke_at: datetime | None, cause: str | None, end: datetime
) -> Iterator[Grade]:
    horizon = said.horizon
    assert horizon.earliest is not None
    assert horizon.latest is not None
    width = horizon.latest - horizon.earliest
    if said.till is not None:
        if said.till < horizon.earliest:
            yield Grade(horizon.cause, Outcome.WITHDRAWN, width=width)
        elif said.till - said.since >= IN_TIME:
            yield Grade(horizon.cause, Outcome.FALSE_ALARM, width=width, is_within=False)
        return
    if broke_at is not None and cause == horizon.cause:
        stood = _standing(states, broke_at - IN_TIME, horizon.cause)
        if stood is not None:
            if stood.earliest is not None and broke_at >= stood.earliest - TOLERANCE:
                within = stood.latest is not None and broke_at <= stood.latest + TOLERANCE
                yield Grade(horizon.cause, Outcome.HIT, broke_at - said.since, width, within)
            else:
                yield Grade(horizon.cause, Outcome.MISSED, width=width, is_within=False)
        return
    if end > horizon.latest + 2 * TOLERANCE and horizon.latest - said.since >= IN_TIME:
        yield Grade(horizon.cause, Outcome.FALSE_ALARM, width=width, is_within=False)


def _standing(states: States, at: datetime, cause: str) -> Horizon | None:
    """The `expected` forecast of the cause that stood at that time."""
    then = None
    for when, judgement in states:
        if when > at:
            break
        then = judgement
    return next((h for h in _expected(then) if h.cause == cause), None)


def _expected(judgement: Judgement | None) -> Iterator[Horizon]:
    for horizon in judgement.horizons if judgement is not None else ():
        if horizon.condition is Condition.EXPECTED and horizon.earliest and horizon.latest:
            yield horizon
