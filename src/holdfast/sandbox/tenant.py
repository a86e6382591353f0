"""A running sandbox tenant: the world, its clock, its keys and its addresses."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from holdfast.sandbox.ageing import Source, settle
from holdfast.sandbox.certificates import Keys
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.world import World


class Host(StrEnum):
    """The kinds of host that the cloud answers on; each has a port of its own here."""

    AUTHORITY = "authority"
    GRAPH = "graph"
    POWERAPPS = "powerapps"
    BAP = "bap"
    FLOW = "flow"
    POWERPLATFORM = "powerplatform"
    APIHUB = "apihub"
    DATAVERSE = "dataverse"
    LINKS = "links"
    KEYVAULT = "keyvault"
    CONTROL = "control"


@dataclass(slots=True)
class Tenant:
    """What every room is handed.

    Attributes:
        urls: scheme, host and port of each kind of host, without a slash at the end.
        agenda: what happens by itself, see `ageing`.
        recent: when calls that have a limit were made, by the name of the limit; real time moves it.
        requests: what clients asked last, secrets removed.
        sql_ports: where SQL servers listen, by name in lower case; "" is the port of all.
    """

    world: World
    clock: Clock
    keys: Keys
    urls: Mapping[Host, str]
    agenda: Sequence[Source] = ()
    recent: dict[str, deque[float]] = field(default_factory=dict)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=5000))
    sql_ports: dict[str, int] = field(default_factory=dict)

    def now(self) -> datetime:
        """The cloud's time, with everything done that is due by then."""
        now = self.clock.now()
        settle(self.world, now, self.agenda)
        return now

    def load(self, world: World, clock: Clock) -> None:
        """Begin again with another world, at the same addresses and with the same keys."""
        self.world, self.clock = world, clock
        self.requests.clear()
        self.recent.clear()

    def dataverse_url(self, org: str) -> str:
        """The address of one environment's Dataverse, without a slash at the end."""
        return f"{self.urls[Host.DATAVERSE]}/{org}"
