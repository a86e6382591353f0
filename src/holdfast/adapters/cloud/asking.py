"""One call as its errors name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.wire.ledger import Call, HostKind

SERVICES = {
    HostKind.AUTHORITY: "Entra",
    HostKind.GRAPH: "Microsoft Graph",
    HostKind.BAP: "The Power Platform admin API",
    HostKind.POWERAPPS: "Power Apps",
    HostKind.FLOW: "Power Automate",
    HostKind.POWERPLATFORM: "The Power Platform API",
    HostKind.APIHUB: "The connector",
    HostKind.DATAVERSE: "Dataverse",
    HostKind.LINKS: "Power Automate",
    HostKind.KEYVAULT: "The key vault",
}
_REQUEST_IDS = (
    "x-ms-correlation-request-id",
    "request-id",
    "x-ms-request-id",
    "x-ms-service-request-id",
)


@dataclass(frozen=True, slots=True)
class Asking:
    """A call of the ledger on its way.

    Attributes:
        host: where it goes, with the port where it is not 443; None for an address that nothing is sent to.
        things: what it is about: environment, connection.
        peeks: only the beginning of the answer is wanted.
        body_limit: bytes that the answer may have.
    """

    call: Call
    host: str | None
    things: Mapping[str, str]
    peeks: bool = False
    body_limit: int = 2 * 2**30

    @property
    def service(self) -> str:
        """The API as people call it."""
        return SERVICES[self.call.host]

    @property
    def task(self) -> str:
        """What is to be done, and on which things."""
        named = ", ".join(f"{name} {scrubbed(value, 100)}" for name, value in self.things.items())
        return f"{self.call.does} ({named})" if named else self.call.does

    @property
    def shown_host(self) -> str:
        """The host in a sentence."""
        return scrubbed(self.host or "no https address", 100)

    def about(self, **more: Any) -> dict[str, Any]:
        """The fields of a CloudError."""
        return {"service": self.call.host.value, "operation": self.call.id, **more}


def request_id(headers: Mapping[str, str]) -> str | None:
    """What support asks for, under the name that each service gives it."""
    return next((scrubbed(headers[name], 80) for name in _REQUEST_IDS if headers.get(name)), None)
