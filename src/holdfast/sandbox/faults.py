"""Planned misbehaviour of the cloud: throttle, lag, drop, garble, fail; seeded, so that a run can be repeated.

A fault meets requests by host, method and path, in a share of them or for the first few. The default unkindness is
one more plan: a small share of throttled answers, like Pebble's refused nonces, so that clients learn to wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from starlette.responses import Response, StreamingResponse

from holdfast.sandbox.frame import Call, answer
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import PlannedFault, World

KINDS = ("throttle", "lag", "drop_before", "drop_after", "garble", "error")
DEFAULT_SHARE = 0.02
DEFAULT_HOSTS = (Host.GRAPH, Host.POWERAPPS, Host.BAP, Host.FLOW, Host.POWERPLATFORM, Host.DATAVERSE)
LONGEST_LAG = 60.0

THROTTLED = Rule(
    "two_in_a_hundred_are_throttled",
    "Unless kindness is asked for, 2 % of the calls to Graph and the Power Platform are answered 429 with Retry-After.",
    Mark.ASSUMED,
    "the cloud throttles by load; published figures exist for Graph and Dataverse only",
    flipped="Nothing is throttled by chance.",
)
BODIES_OF_429 = Rule(
    "bodies_of_429",
    "Power Platform hosts say TooManyRequests in their usual envelope when they throttle.",
    Mark.ASSUMED,
    "no 429 of BAP, Power Apps or Flow was found recorded",
    flipped="They say nothing but 429 and Retry-After.",
)
TOKEN_429 = Rule(
    "token_endpoint_429",
    "A throttled token endpoint answers 429 with Retry-After and the plain text 'Too Many Requests'.",
    Mark.RECORDED,
    "microsoft-authentication-library-for-dotnet#2855",
)
RULES = (THROTTLED, BODIES_OF_429, TOKEN_429)


class Met(NamedTuple):
    """A fault that meets this request."""

    kind: str
    status: int = 503
    retry_after: int = 1
    seconds: float = 0.0


def plan_from(world: World, body: Mapping[str, Any]) -> PlannedFault:
    """A plan out of what the control port was told. Raises ValueError."""
    known = ("kind", "host", "method", "path", "share", "times", "status", "retry_after", "seconds")
    if unknown := sorted(set(body) - set(known)):
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if body.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    host, method, path = body.get("host"), body.get("method"), body.get("path", "")
    if host is not None and not (isinstance(host, str) and host in set(Host) - {Host.CONTROL}):
        raise ValueError("host must be one of the kinds of host in the ready file")
    if method is not None and not (isinstance(method, str) and method.isascii() and method.isalpha()):
        raise ValueError("method must be a word such as GET")
    if not isinstance(path, str):
        raise ValueError("path must be a regular expression, as text")
    _compiled(path)
    return PlannedFault(
        id=world.fresh("fault"),
        kind=body["kind"],
        host=host,
        method=method.upper() if method else None,
        path=path,
        share=_number(body, "share", 1.0, 0.0, 1.0),
        times=int(_number(body, "times", 0, 0, 1_000_000)) or None,
        status=int(_number(body, "status", 503, 400, 599)),
        retry_after=int(_number(body, "retry_after", 1, 0, 3600)),
        seconds=_number(body, "seconds", 1.0, 0.0, LONGEST_LAG),
    )


def _compiled(path: str) -> re.Pattern[str]:
    try:
        return re.compile(path, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"path is no regular expression: {error}") from None


def _number(body: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = body.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}")
    return float(value)


def met_by(call: Call) -> Met | None:
    """The first fault that meets this request; it is counted as met."""
    for plan in _standing(call.world):
        if not _concerns(plan, call):
            continue
        plan.seen += 1
        if call.world.draw("fault", plan.id, plan.seen) < plan.share:
            plan.met += 1
            return Met(plan.kind, plan.status, plan.retry_after, plan.seconds)
    return _unkindness(call)


def _standing(world: World) -> Iterator[PlannedFault]:
    return (plan for plan in world.faults if plan.times is None or plan.met < plan.times)


def _concerns(plan: PlannedFault, call: Call) -> bool:
    return (
        plan.host in (None, call.host.value)
        and plan.method in (None, call.method)
        and _compiled(plan.path).search(call.path) is not None
    )


def _unkindness(call: Call) -> Met | None:
    world = call.world
    if not world.is_unkind or not world.holds(THROTTLED) or call.host not in DEFAULT_HOSTS:
        return None
    world.count("calls")
    chance = world.draw("unkindness", world.counts["calls"])
    return Met("throttle", retry_after=1) if chance < DEFAULT_SHARE else None


def answer_of(met: Met, call: Call) -> Response | None:
    """What is said instead of the call's own answer; None where the call is carried out."""
    if met.kind == "throttle":
        return _throttled(met, call)
    if met.kind == "error":
        error = {"code": "ServiceUnavailable", "message": "The service is temporarily unavailable."}
        return answer({"error": error}, met.status)
    return None


def _throttled(met: Met, call: Call) -> Response:
    after = {"retry-after": str(met.retry_after)}
    if call.host is Host.AUTHORITY:
        return Response("Too Many Requests", 429, after, "text/html")
    if call.host is Host.DATAVERSE:
        message = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
        return answer({"error": {"code": "0x80072322", "message": message}}, 429, after)
    if call.host is not Host.GRAPH and not call.world.holds(BODIES_OF_429):
        return Response(b"", 429, after)
    message = f"Rate limit is exceeded. Try again in {met.retry_after} seconds."
    return answer({"error": {"code": "TooManyRequests", "message": message}}, 429, after)


def garbled(response: Response) -> Response:
    """The answer as a bad line leaves it: cut in the middle, its length told as if that were all."""
    if isinstance(response, StreamingResponse):
        return Response(b'{"value":[{"id":"', response.status_code, media_type="application/json")
    content = bytes(response.body)
    return Response(content[: len(content) // 2], response.status_code, media_type="application/json")
