"""What the verbs need from the world, as Protocols. Adapters implement them; `compose` hands them over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from holdfast.core.identity import ServicePrincipal
from holdfast.core.inventory import Connection, ConnectorId, Environment


class Clock(Protocol):
    """Our own time. The cloud's time is another: see `Platform.skew`."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return at or after `instant`; at once if it has passed."""
        ...


class Platform(Protocol):
    """Power Platform as one identity sees it. Every method raises a CloudError of `core.errors`."""

    def environments(self) -> AsyncIterator[Environment]:
        """Every environment the identity may list."""
        ...

    def connections(self, environment: Environment, connector: ConnectorId) -> AsyncIterator[Connection]:
        """The connections of one connector in one environment, whoever made them."""
        ...

    def cloud_now(self) -> datetime | None:
        """The cloud's time by the last `Date` header seen, None before the first answer."""
        ...


class Directory(Protocol):
    """Entra as one identity sees it through Graph."""

    def service_principals(self) -> AsyncIterator[ServicePrincipal]:
        """Every application registered in the tenant, with all its credentials."""
        ...
