"""A sandbox tenant without sockets: requests are handed to it as values, and its world can be copied."""

from __future__ import annotations

import pickle
from collections.abc import Coroutine, MutableMapping
from datetime import datetime
from typing import Any

import httpx2

from holdfast import ports
from holdfast.adapters.cloud.connect import Access, connect
from holdfast.adapters.cloud.credentials import AnyCredential, Credential
from holdfast.adapters.system import SystemClock
from holdfast.core.errors import HoldfastError
from holdfast.core.judgement import Judgement
from holdfast.core.secret import Secret
from holdfast.sandbox import control
from holdfast.sandbox.certificates import Keys
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.frame import Deed
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.ready import ready_mapping
from holdfast.sandbox.server import App
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World
from holdfast.scan.tenant import scan
from tests.fakes.history import MemoryHistory
from tests.fakes.holdfast import ToldHoldfast

PORTS = {host: 20_000 + number for number, host in enumerate(Host)}
URLS = {host: f"https://localhost:{port}" for host, port in PORTS.items()}
KINDS = ("authority", "graph", "bap", "powerapps", "flow", "powerplatform", "apihub")
EVENTS = {name: event for part in PARTS for name, event in part.events.items()}
AGENDA = tuple(source for part in PARTS for source in part.agenda)


class Wire(httpx2.AsyncBaseTransport, httpx2.BaseTransport):
    """Hands each request to the application and gives back its answer; nothing leaves the process."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._answered(request, await request.aread())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._answered(request, request.read())

    def _answered(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        url = request.url
        scope = {
            "type": "http",
            "method": request.method,
            "path": httpx2.URL(url).path,
            "raw_path": url.raw_path,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": ("localhost", url.port),
            "client": ("127.0.0.1", 1),
        }
        _to_its_end(self._app(scope, receive, send))
        head = sent[0]
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx2.Response(head["status"], headers=head["headers"], content=whole, request=request)


def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Nothing in it waits: it is read whole before, and written whole after."""
    try:
        while True:
            work.send(None)
    except StopIteration:
        return


class Looked:
    """What a scan of the tenant concluded, by connection."""

    def __init__(self, judgements: dict[str, Judgement], history: MemoryHistory) -> None:
        self.judgements = judgements
        self.history = history


class TenantInProcess:
    """A world, its clock standing still, and the ways in.

    Args:
        world: pickled, so that each tenant begins with its own.
    """

    def __init__(self, world: bytes, keys: Keys) -> None:
        self.world: World = pickle.loads(world)
        self.world.is_unkind = False
        self.clock = Clock(self.world.settled_at, frozen=True)
        self.tenant = Tenant(self.world, self.clock, keys, URLS, AGENDA)
        parts = (*PARTS, control.part(PARTS, lambda _name, _seed: {}))
        self.app = App(self.tenant, parts, {port: host for host, port in PORTS.items()})

    @property
    def now(self) -> datetime:
        return self.tenant.now()

    def event(self, name: str, target: str = "", **details: Any) -> Any:
        """Let it happen. Raises LookupError or ValueError where it cannot."""
        told = EVENTS[name](Deed(self.world, self.tenant.now(), target, details))
        self.world.changed()
        return told

    def advance(self, **length: float) -> None:
        from datetime import timedelta

        self.clock.advance(timedelta(**length))
        self.tenant.now()

    def truth(self) -> dict[str, Any]:
        return control.truth(self.world, self.tenant.now(), PARTS)

    def ready(self, ca_file: Any) -> dict[str, Any]:
        return dict(ready_mapping(self.tenant, ca_file))

    def way_in(
        self,
        ready: dict[str, Any],
        credential: AnyCredential | None = None,
        *,
        wires: Wire | None = None,
        clock: ports.Clock | None = None,
        **more: Any,
    ) -> Access:
        """As the reader, or as whoever the credential says; by another wire and clock where they are given."""
        if credential is None:
            app = next(one for one in ready["apps"] if one["name"] == ready["roles"]["reader"])
            credential = Credential(app["client_id"], secret=lambda: Secret(app["secret"]))
        return connect(
            ready["tenant_id"],
            credential,
            clock or SystemClock(),
            hosts={kind: ready[kind] for kind in KINDS},
            dataverse=list(ready["dataverse"].values()),
            allow_custom_hosts=True,
            wire=wires or Wire(self.app),
            sign_in_wire=wires or Wire(self.app),
            **more,
        )

    async def look(
        self, ready: dict[str, Any], history: MemoryHistory | None = None, access: Access | None = None
    ) -> Looked:
        """Scan it as an identity; the reader where none is given."""
        kept = history or MemoryHistory()
        way = access or self.way_in(ready)
        try:
            runs = way.flows if way.is_person else None
            await scan("t", way.platform, way.directory, kept, SystemClock(), ToldHoldfast.read, runs=runs)
        except HoldfastError as error:
            raise AssertionError(str(error)) from error
        finally:
            await way.close()
        found = {str(each.connection): each async for each in kept.current("t", Judgement)}
        return Looked(found, kept)
