"""The sockets of SQL: every connection a protocol of asyncio, in the thread of the other ports."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from holdfast.sandbox.databases import reachable
from holdfast.sandbox.sockets import listening
from holdfast.sandbox.tds.conversation import Conversation
from holdfast.sandbox.tds.session import TdsSession
from holdfast.sandbox.tds.signing_in import sign_in
from holdfast.sandbox.tenant import Tenant

LOGIN_SECONDS = 30.0
"""Whoever has not logged in by then is cut off, so that half-open connections do not gather."""
MOST_CONNECTIONS = 1000
MOST_PORTS = 32
"""Servers with a port of their own; further ones are reached on the port of all."""
LOG = logging.getLogger("holdfast.sandbox")


class SqlListener:
    """Takes connections for the SQL servers of a tenant: on one port for all of them, and on one for each.

    Args:
        sock: the port of all.
    """

    def __init__(self, tenant: Tenant, server_certificate: Path, sock: socket.socket) -> None:
        self._tenant = tenant
        self._context = tls_context(server_certificate)
        self._spids = count(51)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taking: set[asyncio.Task[asyncio.Server]] = set()
        self.lines: set[Line] = set()
        """The open connections."""
        self._socks = {"": sock}
        tenant.sql_ports[""] = sock.getsockname()[1]
        self.follow()

    def follow(self) -> None:
        """Give every server of the world a port; those that had one keep it. In the thread of the loop once that runs."""
        for server in reachable(self._tenant.world)[:MOST_PORTS]:
            name = server.name.casefold()
            if name not in self._socks:
                self._socks[name] = listening(0)
                self._tenant.sql_ports[name] = self._socks[name].getsockname()[1]
                if self._loop is not None:
                    self._take(self._loop, name)

    def _take(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        made = loop.create_server(lambda: Line(self, name or None), sock=self._socks[name])
        self._taking.add(loop.create_task(made))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve until the block ends; then every connection is closed."""
        self._loop = asyncio.get_running_loop()
        for name in self._socks:
            self._take(self._loop, name)
        try:
            yield
        finally:
            for server in await asyncio.gather(*self._taking):
                server.close()
            self.cut()

    def cut(self) -> None:
        """End every connection. In the thread of the loop."""
        for line in tuple(self.lines):
            line.cut()

    def conversation(self, address: str, server: str | None) -> Conversation:
        """A new one with a client at that address; `server` is None on the port of all."""
        spid = next(self._spids) & 0x7FFF
        return Conversation(
            TdsSession(self._context, spid),
            lambda request: sign_in(self._tenant, request, address, server, spid),
        )


def tls_context(server_certificate: Path) -> ssl.SSLContext:
    """TLS 1.2 and no other: msodbcsql18 hangs inside PRELOGIN when it is offered 1.3 (sql-tds.md 3.2)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(server_certificate)
    return context


class Line(asyncio.Protocol):
    """One connection. What a client does not read is not written further, and it is not heard until it has."""

    def __init__(self, listener: SqlListener, server: str | None) -> None:
        self._listener, self._server = listener, server
        self._transport: asyncio.Transport | None = None
        self._conversation: Conversation | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        if not isinstance(transport, asyncio.Transport) or len(self._listener.lines) >= MOST_CONNECTIONS:
            transport.close()
            return
        self._transport = transport
        self._listener.lines.add(self)
        self._conversation = self._listener.conversation(
            transport.get_extra_info("peername")[0], self._server
        )
        self._deadline = asyncio.get_running_loop().call_later(LOGIN_SECONDS, self._late)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._conversation is None or self._transport is None:
            return
        try:
            self._transport.write(self._conversation.receive(data))
        except Exception:  # the border: one connection; a fault of ours must not end the server
            LOG.exception("the sandbox itself failed on a SQL connection")
            self._transport.abort()
            return
        if not self._conversation.is_open:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, however it went."""
        self._listener.lines.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._conversation is not None:
            self._conversation.end()

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def cut(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def _late(self) -> None:
        if self._conversation is not None and not self._conversation.is_in:
            self.cut()
