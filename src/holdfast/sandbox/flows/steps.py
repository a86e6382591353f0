"""What actions need to know of the run they are in, and what each comes to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from holdfast.sandbox.flows.values import Json
from holdfast.sandbox.records.runs import SUCCEEDED


class Step(NamedTuple):
    """What one action came to.

    Attributes:
        ends_run: the status with which the whole run ends here; None lets it go on.
    """

    status: str = SUCCEEDED
    code: str = "OK"
    inputs: Json = None
    outputs: Json = None
    error: dict[str, Any] | None = None
    took: timedelta = timedelta(milliseconds=10)
    ends_run: str | None = None


class Running(Protocol):
    """A run in progress, as a single action sees it."""

    variables: dict[str, Json]
    items: list[tuple[str, Json]]
    response: Any

    def evaluated(self, template: Json) -> Json:
        """A part of the definition with its expressions replaced."""
