"""Serves the tenant: a TLS port for each kind of host and a plain control port, all on loopback, in one thread.

To add a room, see `frame`; to add a part, `parts`. Here stand only sockets and the way of a call through the
frame: read it whole, settle the world, find the route, answer, date it by the cloud's clock.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from holdfast.sandbox import faults
from holdfast.sandbox.asked import noted
from holdfast.sandbox.clock import pause
from holdfast.sandbox.frame import Call, CallRefusedError, Door, Part, answer
from holdfast.sandbox.sockets import listening
from holdfast.sandbox.tds.server import SqlListener
from holdfast.sandbox.tenant import Host, Tenant

LARGEST_BODY = 4 * 1024 * 1024
LOG = logging.getLogger("holdfast.sandbox")
# What strangers send is no news: without a handler of its own uvicorn would print it to the terminal of the command.
logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Sockets:
    """One bound socket per kind of host and one for SQL; port 0 takes a free one.

    Raises:
        OSError: a port that was asked for is taken.
    """

    def __init__(self, ports: Mapping[Host, int], sql_port: int = 0) -> None:
        self.by_host: dict[Host, socket.socket] = {}
        self.sql = listening(sql_port)
        try:
            for host in Host:
                self.by_host[host] = listening(ports.get(host, 0))
        except OSError:
            self.close()
            raise
        self.host_of_port = {sock.getsockname()[1]: host for host, sock in self.by_host.items()}

    def urls(self) -> dict[Host, str]:
        """The address of each kind of host, without a slash at the end."""
        urls = {host: f"https://localhost:{port}" for port, host in self.host_of_port.items()}
        urls[Host.CONTROL] = f"http://127.0.0.1:{self.by_host[Host.CONTROL].getsockname()[1]}"
        return urls

    def close(self) -> None:
        """Free the ports."""
        for sock in (self.sql, *self.by_host.values()):
            sock.close()


class App:
    """The ASGI application behind every port."""

    def __init__(self, tenant: Tenant, parts: Sequence[Part], host_of_port: Mapping[int, Host]) -> None:
        self._tenant = tenant
        self._host_of_port = host_of_port
        rooms = [room for part in parts for room in part.rooms]
        self._doors = {host: Door(room for room in rooms if room.host is host) for host in Host}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request of one client."""
        if scope["type"] != "http":
            return
        body = await _read(receive)
        response = Response(status_code=413) if body is None else await self._respond(scope, body)
        if response is None:
            LINES.cut((scope["client"], scope["server"]))
            return
        response.headers["date"] = format_datetime(self._tenant.clock.now(), usegmt=True)
        await response(scope, receive, send)

    async def _respond(self, scope: Message, body: bytes) -> Response | None:
        """The answer; None cuts the line."""
        host = self._host_of_port[scope["server"][1]]
        call = _call(self._tenant, host, scope, body)
        try:
            if host is Host.CONTROL:
                return self._control(call)
            met = faults.met_by(call)
            return self._answer(call) if met is None else await self._marred(call, met)
        except Exception:  # the border: one call; a fault of ours must not end the server
            LOG.exception("the sandbox itself failed on %s %s", call.method, call.path)
            return answer({"error": {"code": "SandboxBug", "message": "the sandbox itself failed"}}, 500)

    def _control(self, call: Call) -> Response:
        if _foreign(call):
            return answer({"error": "the control port answers its own address only"}, 403)
        return self._answer(call)

    async def _marred(self, call: Call, met: faults.Met) -> Response | None:
        """What a planned fault makes of the call."""
        if met.kind == "drop_before":
            return None
        said = faults.answer_of(met, call)
        if said is not None:
            self._tenant.requests.append(noted(call, said.status_code))
            return said
        if met.kind == "lag":
            await pause(met.seconds)
            call.now = self._tenant.now()
        response = self._answer(call)
        if met.kind == "drop_after":
            return None
        return faults.garbled(response) if met.kind == "garble" else response

    def _answer(self, call: Call) -> Response:
        route = self._doors[call.host].find(call)
        try:
            response = route.endpoint(call)
        except CallRefusedError as refusal:
            response = refusal.response
        if not route.reads and call.host is not Host.AUTHORITY:
            self._tenant.world.changed()
        if call.host is not Host.CONTROL:
            self._tenant.requests.append(noted(call, response.status_code))
            if not route.reads and call.host is not Host.AUTHORITY:
                self._tenant.world.count("writes")
        return response


async def _read(receive: Receive) -> bytes | None:
    """The whole body, None when it is larger than any call of the cloud needs."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= LARGEST_BODY:
            chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks) if size <= LARGEST_BODY else None


def _call(tenant: Tenant, host: Host, scope: Message, body: bytes) -> Call:
    return Call(
        tenant=tenant,
        host=host,
        method=scope["method"],
        path=scope["path"],
        query_string=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        now=tenant.now(),
        client=scope["client"][0] if scope.get("client") else "",
    )


def _foreign(call: Call) -> bool:
    """A page of another site, or a name that was rebound to loopback, must not steer the sandbox."""
    port = call.tenant.urls[Host.CONTROL].rpartition(":")[2]
    own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    origin = call.headers.get("origin")
    return call.headers.get("host") not in own or (
        origin is not None and origin.removeprefix("http://") not in own
    )


Ends = tuple[Any, Any]
"""Both addresses of a connection, the client's and ours."""


class Lines:
    """The open connections by their two ends, so that one can be cut without an answer."""

    def __init__(self) -> None:
        self._open: dict[Ends, asyncio.Transport] = {}

    def note(self, ends: Ends, transport: asyncio.Transport) -> None:
        """A connection was made."""
        self._open[ends] = transport

    def forget(self, ends: Ends) -> None:
        """It is gone."""
        self._open.pop(ends, None)

    def cut(self, ends: Ends) -> None:
        """End it now, with nothing more said."""
        if transport := self._open.get(ends):
            transport.abort()


LINES = Lines()


class _Protocol(H11Protocol):
    """HTTP/1.1 whose connection can be cut by its two ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        LINES.note((self.client, self.server), transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        LINES.forget((self.client, self.server))


class _Listener(uvicorn.Server):
    """Uvicorn that says when it accepts connections and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


def _config(app: App, server_certificate: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        ssl_certfile=server_certificate,
    )


@contextmanager
def served(app: App, sockets: Sockets, server_certificate: Path, sql: SqlListener) -> Iterator[None]:
    """Serve in a thread of its own until the block ends.

    Raises:
        RuntimeError: the server ended before it accepted connections.
    """
    tls = _Listener(_config(app, server_certificate))
    plain = _Listener(_config(app, None))
    secure = [sock for host, sock in sockets.by_host.items() if host is not Host.CONTROL]

    async def serve() -> None:
        async with sql.serving():
            await asyncio.gather(tls.serve(secure), plain.serve([sockets.by_host[Host.CONTROL]]))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="holdfast-sandbox", daemon=True)
    thread.start()
    try:
        for listener in (tls, plain):
            while not listener.accepting.wait(0.05):
                if not thread.is_alive():
                    raise RuntimeError("the sandbox server ended before it was ready")
        yield
    finally:
        tls.should_exit = plain.should_exit = True
        thread.join()
        sockets.close()
