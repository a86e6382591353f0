"""The one door to the cloud: what leaves, to whom, how often, and what comes back."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import IO, Final, Protocol, TypeVar

import httpx2
from aiolimiter import AsyncLimiter
from pydantic import BaseModel, TypeAdapter, ValidationError

from holdfast import __version__
from holdfast.adapters.cloud.addresses import address, host_of
from holdfast.adapters.cloud.asking import Asking
from holdfast.adapters.cloud.hosts import AUDIENCES, HostTable
from holdfast.adapters.cloud.lists import ListReader, NotAListError
from holdfast.adapters.cloud.network import LIMITS, TIMEOUT, direct, trust
from holdfast.adapters.cloud.patience import Again, patiently
from holdfast.adapters.cloud.refusals import PASSING, refusal, retry_after, unreadable
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.adapters.cloud.silence import unanswered
from holdfast.core.errors import (
    BudgetSpentError,
    CloudError,
    RefusedError,
    StoreError,
    UnfamiliarError,
)
from holdfast.core.spent import Spent
from holdfast.ports import Clock
from holdfast.wire.ledger import Audience, Call, is_declared
from holdfast.wire.shape import PlainShape, Shape

ShapeT = TypeVar("ShapeT", bound=BaseModel)

log = logging.getLogger("holdfast.cloud")

# No rate is published for the Power Platform; this only keeps a defect of ours from becoming a flood.
UNDOCUMENTED_PACE: Final = (6000, 10.0)
PAGE_LIMIT: Final = 10_000
EMPTY_PAGES: Final = 100  # in a row; a filter may leave single pages empty, but an end has to come
IN_MEMORY: Final = 4 * 2**20  # a larger answer waits on disk, in a file without a name, until it is read
CONTENT_LIMIT: Final = 2**20
_CHUNK: Final = 256 * 1024


class Tokens(Protocol):
    """Where access tokens come from."""

    async def token(self, scope: str) -> str:
        """An access token for `scope`, cached while it is good."""
        ...

    def forget(self, scope: str, token: str) -> None:
        """Ask anew next time, as the cloud refused `token`; nothing to do when it is no longer the one held."""
        ...


@dataclass(slots=True)
class Traffic:
    """What went through the door.

    Attributes:
        retries: requests that repeat an earlier one.
        throttled: answers that asked to slow down.
        waited: seconds between a failed try and its repetition, or until the pace allowed a request.
        by_api: requests by the kind of host; tokens apart.
        budget: how many requests to one API there may be; None sets no limit.
        strangers: fields of answers that no shape names, by their path.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    received: int = 0
    waited: float = 0.0
    by_api: Counter[str] = field(default_factory=Counter)
    budget: int | None = None
    strangers: Counter[str] = field(default_factory=Counter)

    def spend(self, api: str) -> None:
        """Note one request.

        Raises:
            BudgetSpentError: it would be one too many; it must not be sent.
        """
        if self.budget is not None and self.by_api[api] >= self.budget:
            raise BudgetSpentError(
                f"The budget of {self.budget:,} requests to {api} is spent; run the same command again to go on from here."
            )
        self.by_api[api] += 1
        self.requests += 1

    def told(self) -> Spent:
        """As it stands."""
        return Spent(
            self.requests,
            self.retries,
            self.throttled,
            timedelta(seconds=round(self.waited, 3)),
            dict(self.by_api),
        )


@dataclass(slots=True)
class Answer:
    """A successful answer. Its body is read once, then gone."""

    status: int
    headers: Mapping[str, str]
    body: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """The body, some at a time."""
        self.body.seek(0)
        with self.body:
            while piece := self.body.read(_CHUNK):
                yield piece


class Transport:
    """Makes the calls of the ledger as one identity, and no others."""

    def __init__(
        self,
        hosts: HostTable,
        tokens: Tokens,
        clock: Clock,
        traffic: Traffic,
        *,
        ca_file: Path | None = None,
        wire: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Opens no connection yet.

        Args:
            wire: where requests go instead of the network, for tests.
        """
        self.traffic = traffic
        self._hosts = hosts
        self._tokens = tokens
        self._clock = clock
        self._skew: timedelta | None = None
        self._limiters: dict[str, AsyncLimiter] = {}
        self._client = httpx2.AsyncClient(
            verify=trust(ca_file),
            timeout=TIMEOUT,
            limits=LIMITS,
            follow_redirects=False,
            transport=wire,
            mounts=None if wire else direct(hosts),
            headers={"User-Agent": f"holdfast/{__version__}", "Accept": "application/json"},
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def cloud_now(self) -> datetime | None:
        """The cloud's time by the newest `Date` header, None before the first answer."""
        return None if self._skew is None else self._clock.now() + self._skew

    def now(self) -> datetime:
        """The cloud's time, by our own clock before the first answer."""
        return self.cloud_now() or self._clock.now()

    async def read(
        self,
        call: Call,
        shape: type[ShapeT],
        *,
        at: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        base: str | None = None,
        body: Shape | PlainShape | None = None,
    ) -> ShapeT:
        """One thing, in its shape.

        Args:
            base: where to ask instead of the one address for the whole tenant: an organisation's Dataverse.
            at: values for the names in the call's path and query.
            query: further query parameters.
            body: sent as JSON.

        Raises:
            CloudError: no such answer came.
        """
        url = self._url(call, base, at, query)
        asking = Asking(call, host_of(url), at or {})
        answer = await self._ask(asking, url, body)
        text = b"".join(answer.chunks())
        try:
            return shape.model_validate_json(text)
        except ValidationError as error:
            raise self._misread(asking, answer, text[:4096], error) from None

    async def items(
        self,
        call: Call,
        shape: type[ShapeT],
        *,
        at: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        base: str | None = None,
    ) -> AsyncIterator[ShapeT]:
        """Every item of a list, page after page, each once.

        A page is received whole before its first item is given, so a retry repeats none.

        Raises:
            CloudError: also after some items, when a later page cannot be had.
        """
        url = self._url(call, base, at, query)
        asking = Asking(call, host_of(url), at or {})
        seen = {url}
        beginnings: set[str] = set()
        empty = 0
        for _ in range(PAGE_LIMIT):
            answer = await self._ask(asking, url, None)
            page = ListReader(answer.chunks(), shape.model_validate, _array_of(shape).validate_json)
            empty += 1
            try:
                for index, item in enumerate(page.items()):
                    if index == 0:
                        empty = 0
                        self._refuse_repeated(asking, repr(item), beginnings)
                    yield item
            except (NotAListError, ValidationError) as error:
                raise self._misread(asking, answer, page.head, error) from None
            following = page.rest.get("nextLink") or page.rest.get("@odata.nextLink")
            if not following:
                return
            if empty >= EMPTY_PAGES:
                raise self._endless(asking, "a next page though they are empty")
            url = self._next(asking, following, seen)
        raise self._endless(asking, f"more than {PAGE_LIMIT:,} pages")

    async def ask(
        self,
        call: Call,
        *,
        at: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        base: str | None = None,
    ) -> None:
        """Make the call and drop what it answers, most of it unread.

        Raises:
            CloudError: it is not answered with success, or with something that is not JSON.
        """
        url = self._url(call, base, at, query)
        asking = Asking(call, host_of(url), at or {}, peeks=True)
        answer = await self._ask(asking, url, None)
        head = next(answer.chunks(), b"")
        if head.lstrip()[:1] not in (b"{", b"["):
            raise unreadable(asking, head, status=answer.status, headers=answer.headers)

    async def do(
        self,
        call: Call,
        *,
        at: Mapping[str, str],
        base: str | None = None,
        body: Shape | PlainShape | None = None,
    ) -> None:
        """Make the call; whatever it answers with success is success.

        Raises:
            CloudError: it is not answered with success.
        """
        url = self._url(call, base, at, None)
        asking = Asking(call, host_of(url), at)
        (await self._ask(asking, url, body)).body.close()

    async def content(self, call: Call, link: str, shape: type[ShapeT]) -> ShapeT:
        """What lies behind a signed link that an answer named: asked without a token, at most 1 MiB.

        Raises:
            CloudError: the link leads elsewhere, is outlived, or gives no such answer.
        """
        asking = Asking(call, host_of(link), {}, body_limit=CONTENT_LIMIT)
        answer = await self._ask(asking, link, None)
        text = b"".join(answer.chunks())
        try:
            return shape.model_validate_json(text)
        except ValidationError as error:
            raise self._misread(asking, answer, text[:4096], error) from None

    async def sign_in(self, audience: Audience) -> None:
        """Get a token for `audience`, unless one is held.

        Raises:
            CloudError: Entra gave none.
        """
        kind = next(kind for kind, named in AUDIENCES.items() if named is audience)
        await self._tokens.token(self._hosts.scope(audience, str(host_of(self._hosts.bases[kind]))))

    def _url(
        self, call: Call, base: str | None, at: Mapping[str, str] | None, query: Mapping[str, str] | None
    ) -> str:
        return address(call, base or self._hosts.bases[call.host], at or {}, query or {})

    def _next(self, asking: Asking, following: object, seen: set[str]) -> str:
        """The address of the next page, once it is known to be a new one on a host that may have the token."""
        to = Asking(asking.call, host_of(following), asking.things)
        if not isinstance(following, str) or not self._hosts.admits(to.call.audience, to.host):
            raise UnfamiliarError(
                f"{asking.shown_host} named a next page on {to.shown_host} when asked to {asking.task}; holdfast sends no"
                " token there.",
                **asking.about(),
            )
        if following in seen:
            raise self._endless(asking, "a page that was already read")
        seen.add(following)
        return following

    def _refuse_repeated(self, asking: Asking, beginning: str, seen: set[str]) -> None:
        """The same page under ever new links is noticed by its first item; no two pages of a list share it."""
        if beginning in seen:
            raise self._endless(asking, "a page that was already read, under a new link,")
        seen.add(beginning)

    def _endless(self, asking: Asking, what: str) -> UnfamiliarError:
        return UnfamiliarError(
            f"{asking.shown_host} keeps naming {what} when asked to {asking.task}; the list is not complete.",
            **asking.about(),
        )

    def _misread(self, asking: Asking, answer: Answer, head: bytes, error: Exception) -> UnfamiliarError:
        if head.lstrip()[:1] != b"{":
            return unreadable(asking, head, status=answer.status, headers=answer.headers)
        return UnfamiliarError(
            f"{asking.shown_host} answered in an unknown form when asked to {asking.task}: {_what(error)}.",
            **asking.about(status=answer.status),
            excerpt=scrubbed(head.decode("utf-8", "replace")),
        )

    async def _ask(self, asking: Asking, url: str, body: Shape | PlainShape | None) -> Answer:
        """The answer of success, after as many tries as the ledger allows."""
        if not is_declared(asking.call):
            raise ValueError(f"{asking.call.id} is no entry of the ledger")
        content = None if body is None else body.model_dump_json(by_alias=True, exclude_unset=True).encode()

        async def once() -> Answer:
            request, token = await self._signed(asking.call, asking.things, url, content)
            try:
                return await self._send(asking, request)
            except RefusedError as refused:
                if refused.status != 401 or token is None:
                    raise
            # The token was revoked or outlived: nothing was done, so even a write may be sent again.
            self._tokens.forget(self._hosts.scope(asking.call.audience, str(host_of(url))), token)
            request, _ = await self._signed(asking.call, asking.things, url, content)
            return await self._send(asking, request)

        return await patiently(asking.call, once, self._repeating)

    def _repeating(self, waited: float) -> None:
        self.traffic.retries += 1
        self.traffic.waited += waited

    async def _signed(
        self, call: Call, things: Mapping[str, str], url: str, content: bytes | None
    ) -> tuple[httpx2.Request, str | None]:
        """The request with the token that its host may see; no token where the call takes none."""
        headers = {**call.headers, **({} if content is None else {"Content-Type": "application/json"})}
        request = self._client.build_request(call.method, url, headers=headers, content=content)
        # Judged by the address that the client itself will use, whatever `url` looks like.
        asking = Asking(call, host_of(request.url), things)
        if not self._hosts.admits(call.audience, asking.host):
            raise UnfamiliarError(
                f"holdfast sends nothing to {asking.shown_host} to {asking.task}: it is not on the list of hosts.",
                **asking.about(),
            )
        if call.audience in (Audience.NONE, Audience.SIGNED):
            return request, None
        token = await self._tokens.token(self._hosts.scope(call.audience, str(asking.host)))
        request.headers["Authorization"] = f"Bearer {token}"
        return request, token

    async def _send(self, asking: Asking, request: httpx2.Request) -> Answer:
        """One request and its answer.

        Raises:
            Again: a later identical request may do better.
            CloudError: it would not.
            StoreError: there is no room for the answer.
        """
        time = asyncio.get_running_loop().time
        came = time()
        async with self._limiter(asking):
            started = time()
            self.traffic.waited += started - came
            self.traffic.spend(asking.call.host.value)
            body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by its reader
            try:
                response = await self._client.send(request, stream=True)
                try:
                    self._note_time(response.headers)
                    await self._receive(asking, response, body)
                finally:
                    await response.aclose()
            except httpx2.HTTPError as failure:
                body.close()
                raise unanswered(asking, failure) from None
        took = time() - started
        log.debug("%s %s %s %.3f", asking.call.id, asking.host, response.status_code, took)
        if 200 <= response.status_code < 300:
            return Answer(response.status_code, response.headers, body)
        raise self._refused(asking, response, body)

    async def _receive(self, asking: Asking, response: httpx2.Response, body: IO[bytes]) -> None:
        async for piece in response.aiter_bytes():
            try:
                body.write(piece)
            except OSError as error:
                raise StoreError(
                    f"An answer of {asking.shown_host} cannot be kept in {tempfile.gettempdir()}: {error.strerror}; make"
                    " room there, or set TMPDIR to another folder."
                ) from None
            if asking.peeks and piece and response.is_success:
                break
            if body.tell() > asking.body_limit:
                raise UnfamiliarError(
                    f"{asking.shown_host} answers with more than {asking.body_limit >> 20} MiB when asked to {asking.task}.",
                    **asking.about(status=response.status_code),
                )
        self.traffic.received += body.tell()

    def _refused(self, asking: Asking, response: httpx2.Response, body: IO[bytes]) -> Again | CloudError:
        body.seek(0)
        with body:
            head = body.read(64 * 1024)
        error = refusal(asking, response.status_code, response.headers, head, self.now())
        self.traffic.throttled += response.status_code == 429
        if response.status_code in PASSING:
            # Who is asked to slow down was not served (RFC 6585, section 4).
            throttled = response.status_code == 429
            return Again(error, retry_after(response.headers, self.now()), undone=throttled)
        return error

    def _limiter(self, asking: Asking) -> AsyncLimiter:
        # A documented pace is counted for itself; all other calls to a host share one limit.
        call = asking.call
        key = call.id if call.pace else str(asking.host)
        if key not in self._limiters:
            self._limiters[key] = AsyncLimiter(*(call.pace or UNDOCUMENTED_PACE))
        return self._limiters[key]

    def _note_time(self, headers: Mapping[str, str]) -> None:
        try:
            told = parsedate_to_datetime(headers["date"])
        except (KeyError, ValueError):
            return
        if told.tzinfo is not None:
            self._skew = told - self._clock.now()


@cache
def _array_of(shape: type[ShapeT]) -> TypeAdapter[list[ShapeT]]:
    return TypeAdapter(list[shape])  # type: ignore[valid-type]


def _what(error: Exception) -> str:
    """Where an answer differs from its shape, without its values."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
