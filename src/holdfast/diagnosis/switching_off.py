"""Flows that the platform is about to switch off by itself. The connection stays whole; what it carries stops."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from holdfast.core.facts import FLOW_DORMANT_AFTER, FLOW_FAILING_FOR
from holdfast.core.horizon import Horizon
from holdfast.diagnosis.known import Known, unknown
from holdfast.reading.schedules import longest_gap

CAUSE: Final = "flow_suspended"


def switching_off(known: Known) -> list[Horizon]:
    """One line at most, without a date of its own: what ends is not the connection."""
    said = (*_failing(known), *_dormant(known))
    return [unknown(CAUSE, *said)] if said else []


def _failing(known: Known) -> Iterator[str]:
    for failing in known.failing if known.verdict is not None else ():
        until = failing.since_at_latest + FLOW_FAILING_FOR
        yield (
            f"Flow {failing.flow!r} has failed since {failing.since_at_latest:%Y-%m-%d} at the latest; the platform"
            f" switches off what fails for {FLOW_FAILING_FOR.days} days (documented), here by {until:%Y-%m-%d}, and"
            " nobody switches it on again."
        )


def _dormant(known: Known) -> Iterator[str]:
    for flow in known.flows:
        if flow.is_on and flow.recurrence is not None and _is_rare(longest_gap(flow.recurrence)):
            yield (
                f"Flow {flow.display_name!r} runs so rarely that the platform switches it off as dormant after"
                f" {FLOW_DORMANT_AFTER.days} days unless its owner has a paid plan (documented), which no call tells."
            )


def _is_rare(gap: timedelta) -> bool:
    return gap > FLOW_DORMANT_AFTER + timedelta(days=3)  # a quarter is 92 or 93 days, and commonplace
