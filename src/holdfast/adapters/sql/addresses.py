"""Which SQL servers a token may be shown to, and where they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.adapters.cloud.hosts import HostTable
from holdfast.core.errors import RefusedError
from holdfast.core.sql import SqlPlace
from holdfast.wire.ledger import Audience, Call

PORT = 1433


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SqlAddresses:
    """The servers of one cloud.

    Attributes:
        reached_at: where servers are reached instead of at their names, "" for all others: a pretended tenant.
        allow_custom_hosts: take servers outside the shipped lists.
    """

    hosts: HostTable
    reached_at: Mapping[str, Address] = field(default_factory=dict)
    allow_custom_hosts: bool = False

    def of(self, place: SqlPlace, call: Call) -> Address:
        """Where the server of a connection listens.

        Raises:
            RefusedError: it is no SQL server of this cloud.
        """
        host, port = _parts(place.server)
        if replaced := self.reached_at.get(host) or self.reached_at.get(""):
            return replaced
        if host and port and self.admits(host):
            return Address(host, port)
        raise RefusedError(
            f"{place.server!r} is no SQL server of this cloud, and holdfast shows it no token; set allow_custom_hosts = true"
            " if it may.",
            service=call.host.value,
            operation=call.id,
        )

    def admits(self, host: str) -> bool:
        """Whether a token may be shown to this host; asked again where a server sends its client elsewhere."""
        if self.reached_at:
            return host in {address.host for address in self.reached_at.values()}
        return self.allow_custom_hosts or self.hosts.admits(Audience.DATABASE, host.lower())


def _parts(server: str) -> tuple[str, int]:
    """Host and port of a name as connections give it: ``tcp:host,1433``; the port is 0 where it is none."""
    bare, comma, port = server.strip().lower().removeprefix("tcp:").partition(",")
    bare = bare.strip()
    is_name = bare.isascii() and all(mark.isalnum() or mark in ".-" for mark in bare)
    if not is_name or (comma and not port.strip().isdecimal()):
        return "", 0
    return bare, int(port) if comma else PORT
