"""Measure: one number about a tenant, as monitoring systems collect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Measure(NamedTuple):
    """One sample of a gauge. Instants are Unix seconds.

    Attributes:
        name: in the field's manner: "…_timestamp_seconds", "…_status".
        help: what it says, in one sentence.
    """

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = {}
