"""What asking the cloud took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests of one identity since it was opened, sign-ins among them.

    Attributes:
        retries: those that repeated an earlier one.
        throttled: answers that asked to slow down.
        waited: for a repetition or for the pace to allow the next request, summed over all that were under way at once.
        by_api: requests by the kind of host: "bap", "powerapps", "dataverse", "graph".
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waited: timedelta = timedelta(0)
    by_api: Mapping[str, int] = field(default_factory=dict)
