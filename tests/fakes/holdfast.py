"""A composed holdfast over a told cloud and history in memory, as the commands get it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from holdfast.adapters.tables import load_codebook
from holdfast.core.errors import SettingsError
from holdfast.core.spent import Spent
from holdfast.diagnosis.diagnose import diagnose
from holdfast.diagnosis.known import NOTHING_COMES_ROUND
from holdfast.reading.texts import read_fault, read_text
from holdfast.scan.ourselves import OwnIdentity
from tests.fakes.clock import StillClock
from tests.fakes.cloud import ToldCloud
from tests.fakes.history import MemoryHistory
from tests.fakes.journal import MemoryJournal


class ToldTenant:
    """One tenant of the settings; what it reaches is the told cloud."""

    def __init__(self, name: str, cloud: ToldCloud) -> None:
        self.name = name
        self.id = f"id-of-{name}"
        self.cloud = self.platform = self.directory = self.applications = cloud
        self.sees_own_only = False
        self.own: dict[str, str] = {}
        self.identities: list[OwnIdentity] = []
        self.runs = None
        self.flow_list = None
        self.recurrences = NOTHING_COMES_ROUND

    async def own_identities(self) -> list[OwnIdentity]:
        return self.identities

    def own_client_ids(self) -> dict[str, str]:
        return self.own

    @asynccontextmanager
    async def reached(self, *, budget: int | None = None) -> AsyncIterator[ToldTenant]:
        yield self

    @staticmethod
    def spent() -> Spent:
        return Spent(12, 2, 1, timedelta(seconds=3.5), {"bap": 1, "powerapps": 11})


class ToldHoldfast:
    """See `holdfast.compose.Holdfast`."""

    def __init__(self, *names: str) -> None:
        self.settings = SimpleNamespace(tenant=None, keep=None)
        self.clock = StillClock()
        self.history = MemoryHistory()
        self.journal = MemoryJournal()
        self.tenants = {name: ToldTenant(name, ToldCloud(self.clock)) for name in names}

    def chosen(self, name: str | None) -> ToldTenant:
        if name not in self.tenants:
            raise SettingsError(f"The settings name no tenant {name!r}.")
        return self.tenants[name]

    @staticmethod
    def read(text: str, origin: str) -> Any:
        return read_text(text, load_codebook(), origin)

    @staticmethod
    def diagnose(connection: Any, further: Any) -> Any:
        read = read_fault(connection.fault, load_codebook()) if connection.fault else ()
        return diagnose((*read, *further))[0]

    @contextmanager
    def opened(self, _invocation: Any) -> Iterator[ToldHoldfast]:
        yield self
