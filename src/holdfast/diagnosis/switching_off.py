"""Flows that the platform is about to switch off by itself. The connection stays whole; what it carries stops."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from holdfast.core.facts import FLOW_DORMANT_AFTER, FLOW_FAILING_FOR
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.diagnosis.known import Known, unknown
from holdfast.reading.schedules import longest_gap

CAUSE: Final = "flow_suspended"
NO_BREAK: Final = frozenset({CAUSE})
"""Causes whose horizons are no break of the connection, so that they are neither graded nor a reason to fail."""


def switching_off(known: Known) -> list[Horizon]:
    """One horizon at most: of the first flow that is switched off."""
    dated = _failing(known)
    if dated is not None:
        return [dated]
    said = tuple(_dormant(known))
    return [unknown(CAUSE, *said)] if said else []


def _failing(known: Known) -> Horizon | None:
    if known.verdict is None or not known.failing:
        return None
    first = min(known.failing, key=lambda each: each.since_at_latest)
    ends = Interval(first.since_at_latest, first.since_at_latest + FLOW_FAILING_FOR)
    because = (
        f"Flow {first.flow!r} has failed since {first.since_at_latest:%Y-%m-%d} at the latest; the platform switches"
        f" off what fails for {FLOW_FAILING_FOR.days} days (documented), and nobody switches it on again."
    )
    return Horizon(CAUSE, Condition.EXPECTED, ends.earliest, ends.middle, ends.latest, (because,))


def _dormant(known: Known) -> Iterator[str]:
    for flow in known.flows:
        if flow.is_on and flow.recurrence is not None and _is_rare(longest_gap(flow.recurrence)):
            yield (
                f"Flow {flow.display_name!r} runs so rarely that the platform switches it off as dormant after"
                f" {FLOW_DORMANT_AFTER.days} days unless its owner has a paid plan (documented), which no call tells."
            )


def _is_rare(gap: timedelta) -> bool:
    return gap > FLOW_DORMANT_AFTER + timedelta(days=3)  # a quarter is 92 or 93 days, and commonplace
