"""A door to the cloud that leads to a function instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from holdfast.adapters.cloud.hosts import TABLES
from holdfast.adapters.cloud.transport import Traffic, Transport
from holdfast.core.identity import Cloud
from tests.fakes.clock import StillClock

TOKEN = "eyJ0eXAi.the-access-token.of-nobody"


class StillTokens:
    """Gives one token, and a new one when it is told that this was refused."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refused = 0

    async def token(self, scope: str) -> str:
        self.asked.append(scope)
        return f"{TOKEN}-{self.refused}"

    def forget(self, scope: str, token: str) -> None:
        self.refused += token == f"{TOKEN}-{self.refused}"


class Recorder:
    """Answers by a list or a function, and keeps what was asked."""

    def __init__(self, answer: list[httpx2.Response] | Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.asked: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if callable(self._answer):
            return self._answer(request)
        return self._answer[min(len(self.asked), len(self._answer)) - 1]


def a_transport(
    answer: list[httpx2.Response] | Callable[[httpx2.Request], httpx2.Response],
) -> tuple[Transport, Recorder]:
    """A transport of the public cloud whose requests get these answers, the last one again and again."""
    recorder = Recorder(answer)
    transport = Transport(
        TABLES[Cloud.PUBLIC], StillTokens(), StillClock(), Traffic(), wire=httpx2.MockTransport(recorder)
    )
    return transport, recorder


def said(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    """An answer; text and bytes as they are, anything else as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str | bytes):
        return httpx2.Response(status, content=body, headers=named)
    return httpx2.Response(status, json=body, headers=named)
