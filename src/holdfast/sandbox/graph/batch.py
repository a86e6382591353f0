"""Graph: ``$batch``, up to twenty calls in one, each answered and throttled alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from holdfast.sandbox import faults
from holdfast.sandbox.frame import Call, CallRefusedError, Route, answer
from holdfast.sandbox.graph.frame import bad_request, failure

MOST = 20
KNOWN = {"id", "method", "url", "headers", "body", "dependsOn"}
Find = Callable[[Call], Route]


def batch(call: Call, find: Find) -> Response:
    """POST /$batch. The calls are carried out in the order of the list."""
    body = call.json()
    listed = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise bad_request(call, "The request body must hold a list 'requests'.")
    if len(listed) > MOST:
        raise bad_request(call, f"The number of batch request steps exceeds the maximum of {MOST}.")
    answers: dict[str, dict[str, Any]] = {}
    for asked in listed:
        if not _is_sound(asked) or asked["id"] in answers:
            raise bad_request(call, "Every request of a batch needs an id of its own, a method and a url.")
        answers[asked["id"]] = _one(call, asked, answers, find)
    return answer({"responses": list(answers.values())})


def _is_sound(asked: Any) -> bool:
    return (
        isinstance(asked, dict)
        and set(asked) <= KNOWN
        and all(isinstance(asked.get(name), str) for name in ("id", "method", "url"))
        and isinstance(asked.get("headers", {}), dict)
        and isinstance(asked.get("dependsOn", []), list)
    )


def _one(
    call: Call, asked: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]], find: Find
) -> dict[str, Any]:
    inner = _inner(call, asked)
    before = [answers.get(str(name), {"status": 424}) for name in asked.get("dependsOn", [])]
    if any(one["status"] >= 400 for one in before):
        return _told(
            asked, failure(inner, 424, "FailedDependency", "A request that this one depends on failed.")
        )
    met = faults.met_by(inner)
    said = faults.answer_of(met, inner) if met is not None else None
    return _told(asked, said or _answer(inner, find))


def _inner(call: Call, asked: Mapping[str, Any]) -> Call:
    path, _, query = asked["url"].partition("?")
    version = call.path.split("/")[1]
    content = b"" if asked.get("body") is None else json.dumps(asked["body"]).encode()
    named = {str(name).lower(): str(value) for name, value in asked.get("headers", {}).items()}
    return replace(
        call,
        method=asked["method"].upper(),
        path=f"/{version}/{path.lstrip('/')}",
        query_string=query,
        headers={**call.headers, **named, "authorization": call.headers.get("authorization", "")},
        body=content,
        params={},
    )


def _answer(inner: Call, find: Find) -> Response:
    route = find(inner)
    if not route.reads:
        inner.world.count("writes")
        inner.world.changed()
    try:
        return route.endpoint(inner)
    except CallRefusedError as refused:
        return refused.response


def _told(asked: Mapping[str, Any], response: Response) -> dict[str, Any]:
    headers = {"Cache-Control": "no-cache", "x-ms-resource-unit": "1"}
    told: dict[str, Any] = {"id": asked["id"], "status": response.status_code, "headers": headers}
    if "retry-after" in response.headers:
        headers["Retry-After"] = response.headers["retry-after"]
    if response.body:
        headers["Content-Type"] = "application/json"
        told["body"] = json.loads(bytes(response.body))
    return told
