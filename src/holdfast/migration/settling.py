"""Until when a new secret spreads, and which flows may run before that (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from holdfast.core.deed import Outcome
from holdfast.core.identity import SETTLES
from holdfast.reading.schedules import may_run, recurrence_of


def settled_at(past: Mapping[str, Outcome]) -> datetime:
    """When every replica of the directory knows the application's secret or certificate."""
    made = past["certificate" if "certificate" in past else "secret"].facts
    # Journals of earlier versions tell only when the application was registered.
    return datetime.fromisoformat(made.get("at") or past["app"].facts["at"]) + SETTLES


def may_start(clientdata: str, after: datetime, until: datetime) -> bool:
    """Whether a flow that is on may start between two instants; what does not start by the clock may at any time.

    Args:
        clientdata: its definition, as Dataverse keeps it.
    """
    if until <= after:
        return False
    try:
        definition = json.loads(clientdata)["properties"]["definition"]
        is_one = len(definition["triggers"]) == 1
    except (ValueError, KeyError, TypeError):
        return True
    recurrence = recurrence_of(definition) if is_one else None
    return recurrence is None or may_run(recurrence, after, until)
