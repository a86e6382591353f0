"""A running sandbox and the means to steer it, for tests by other people's clients."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from holdfast.sandbox import embedded


class Reply(NamedTuple):
    """An HTTP answer as bytes on the wire gave it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Sandbox:
    """The ready mapping, and plain HTTP by the standard library."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.tls = ssl.create_default_context(cafile=ready["ca_file"])

    def ask(
        self,
        url: str,
        *,
        method: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(
                request, context=self.tls if url.startswith("https") else None, timeout=20
            ) as answer:
                return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())

    def control(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """Ask the control port; the answer must be 200."""
        reply = self.ask(
            self.ready["control"] + path,
            method=method,
            body=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        assert reply.status == 200, reply
        return reply.json

    def advance(self, **length: float) -> None:
        self.control("/clock/advance", length)

    def event(self, event: str, target: str = "", **details: Any) -> Any:
        return self.control("/events", {"event": event, "target": target, **details})


@pytest.fixture(autouse=True)
def _no_bundle_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """requests lets these override ``verify=``, see entra-graph.md section 11."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes that end with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda *args, **kwargs: Sandbox(stack.enter_context(embedded(*args, **kwargs)))


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    """One server for all tests; each begins with a world of its own."""
    with embedded("story", frozen=True) as ready:
        yield Sandbox(ready)


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """The story anew, its clock standing still, the cloud at its kindest."""
    fresh = Sandbox(served.control("/reset", {"scenario": "story", "seed": 1}))
    fresh.control("/faults", method="DELETE")
    return fresh


@pytest.fixture
def unkind(sandbox: Sandbox) -> Sandbox:
    """The same with its usual unkindness, but for what is throttled by chance."""
    sandbox.control("/faults", {"unkind": True})
    sandbox.control("/rules", {"id": "two_in_a_hundred_are_throttled", "holds": False})
    return sandbox
