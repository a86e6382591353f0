"""How a room is built: wire in, world, wire out.

A room is a module that answers for one kind of host. Its endpoints are plain functions: they take a `Call` and give
a Starlette response; the frame has read the body, settled the world and fixed `now` before. They do not await, so
each call sees and leaves the world whole. A room module ends with::

    PART = Part(
        "powerplatform",
        rooms=(Room(Host.POWERAPPS, (at("GET", "/providers/Microsoft.PowerApps/environments", list_environments),)),),
        rules=(STATUS_MOVES_ON_USE,),
        events={"delete_connection": delete_connection},
    )

and has a line in `parts.PARTS`. Refuse a call by raising `CallRefusedError` with the response.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.responses import Response, StreamingResponse
from starlette.routing import compile_path

from holdfast.sandbox.ageing import Source
from holdfast.sandbox.clock import pause
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.rules import Rule
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World

PIECES = 200
"""Items of a long answer that are worked out at once, in some 10 ms."""


class CallRefusedError(Exception):
    """Ends a call with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass(slots=True)
class Call:
    """One request, read whole.

    Attributes:
        path: decoded, without the query.
        params: what the route's ``{names}`` matched.
        query: the last value of each name.
        headers: names in lower case.
        now: the one instant at which this call happens.
        client: address of the caller's socket.
    """

    tenant: Tenant
    host: Host
    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    client: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """The tenant's world."""
        return self.tenant.world

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def url(self) -> str:
        """The address that was asked, without the query."""
        return f"{self.tenant.urls[self.host]}{self.path}"

    def form(self) -> dict[str, str]:
        """The body as ``application/x-www-form-urlencoded``; what is not decodable is replaced."""
        return dict(
            parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
        )

    def json(self) -> Any:
        """The body as JSON; None when it is empty.

        Raises:
            CallRefusedError: 400, it is not JSON, or nested too deep to read.
        """
        if not self.body.strip():
            return None
        try:
            told = json.loads(self.body)
            if _HALF.search(self.body):
                # Half of a pair alone is no text, and no answer that repeats it could be written.
                json.dumps(told, ensure_ascii=False).encode()
            return told
        except (ValueError, RecursionError):
            error = {"code": "BadRequest", "message": "The request body is not valid JSON."}
            raise CallRefusedError(answer({"error": error}, 400)) from None


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""A surrogate, as JSON escapes it."""

Endpoint = Callable[[Call], Response]


class Route(NamedTuple):
    """One method on one path. `reads` says that a POST only reads, so that it does not count as a write."""

    method: str
    path: str
    endpoint: Endpoint
    reads: bool = False

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters in `path`; None where it is another path."""
        found = _pattern(self.path).match(path)
        return None if found is None else found.groupdict()


@cache  # at the first call, not at import: some two hundred patterns would hold up every start
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(compile_path(path)[0].pattern, re.IGNORECASE)


def at(method: str, path: str, endpoint: Endpoint, *, reads: bool = False) -> Route:
    """A route; `path` is in Starlette's form and matches in any case, as the cloud's do."""
    return Route(method, path, endpoint, reads or method == "GET")


def answer(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, headers, "application/json; charset=utf-8")


def streamed(document: Mapping[str, Any]) -> Response:
    """A JSON response that is written as it is worked out: iterators in the document become lists, item by item."""
    return StreamingResponse(_in_turn(_pieces(document)), media_type="application/json; charset=utf-8")


def _pieces(document: Mapping[str, Any]) -> Iterator[str]:
    before = "{"
    for name, value in document.items():
        yield f"{before}{json.dumps(name)}:"
        before = ","
        if not isinstance(value, Iterator):
            yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            continue
        comma = "["
        for item in value:
            yield comma + json.dumps(item, ensure_ascii=False, separators=(",", ":"))
            comma = ","
        yield "]" if comma == "," else "[]"
    yield "}" if before == "," else "{}"


async def _in_turn(pieces: Iterator[str]) -> AsyncIterator[bytes]:
    """The pieces, some hundred at a time; other calls are answered in between."""
    while some := list(islice(pieces, PIECES)):
        yield "".join(some).encode()
        await pause(0)


def no_such_route(call: Call) -> Response:
    """The cloud's gateway when no route matches: an empty 404 (recorded for Power Platform hosts)."""
    return Response(status_code=404, headers={"x-servicefabric": "ResourceNotFound"})


class Room(NamedTuple):
    """What answers on one kind of host.

    Attributes:
        missing: answers where no route matches.
        wrong_method: answers where the path matches and the method does not; None lets `missing` answer.
    """

    host: Host
    routes: tuple[Route, ...]
    missing: Endpoint = no_such_route
    wrong_method: Endpoint | None = None


class Deed(NamedTuple):
    """What the control port was asked to do to the world."""

    world: World
    now: datetime
    target: str
    details: Mapping[str, Any]


Event = Callable[[Deed], Mapping[str, Any] | None]
"""Changes the world; what it returns goes back to the asker. Raises LookupError for an unknown target and
ValueError for details it cannot use."""

Truth = Callable[[World, datetime], Mapping[str, Any]]


class Standing(NamedTuple):
    """A reason for which a connection would not work if it were used now, and since when; None if unknowable."""

    cause: str
    since: datetime | None


Causes = Callable[[World, Connection, datetime], Iterable[Standing]]


class Part(NamedTuple):
    """What a module brings to the sandbox.

    Attributes:
        events: by the names of the control port; each name belongs to one part.
        agenda: what happens by itself.
        causes: why a connection would not work, in the order in which the cloud would answer.
        truth: sections of `/truth`; for tests, never for the product.
    """

    name: str
    rooms: tuple[Room, ...] = ()
    rules: tuple[Rule, ...] = ()
    events: Mapping[str, Event] = {}
    agenda: tuple[Source, ...] = ()
    causes: Causes | None = None
    truth: Truth | None = None


class Door:
    """Finds the endpoint of a call on one kind of host."""

    def __init__(self, rooms: Iterable[Room]) -> None:
        self._rooms = tuple(rooms)
        self._routes = tuple(route for room in self._rooms for route in room.routes)

    def find(self, call: Call) -> Route:
        """The first route that matches, its parameters noted in the call; else one that says there is none."""
        path_matched = False
        for route in self._routes:
            params = route.match(call.path)
            if params is None:
                continue
            if route.method == call.method:
                call.params = params
                return route
            path_matched = True
        return Route(call.method, call.path, self._fallback(path_matched), reads=True)

    def _fallback(self, path_matched: bool) -> Endpoint:
        for room in self._rooms:
            if path_matched and room.wrong_method:
                return room.wrong_method
        return self._rooms[0].missing if self._rooms else no_such_route
