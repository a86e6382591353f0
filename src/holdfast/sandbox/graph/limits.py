"""Graph's published limits for calls that are dear to it. They live by real time, so that a wait really helps."""

from __future__ import annotations

from collections import deque

from starlette.responses import Response

from holdfast.sandbox.frame import Call, CallRefusedError
from holdfast.sandbox.graph.frame import failure
from holdfast.sandbox.rules import Mark, Rule

LOGS_ARE_DEAR = Rule(
    "five_log_requests_in_ten_seconds",
    "Sign-in and audit logs take 5 requests in 10 seconds from one application, then answer 429 with Retry-After.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs throttling-limits @0135174",
)
POLICIES_ARE_DEAR = Rule(
    "one_policy_request_a_second",
    "Conditional Access takes one request a second from the whole tenant, then answers 429 without Retry-After.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs throttling-limits @0135174",
)
OTHER_LIMITS = Rule(
    "other_graph_limits",
    "Graph's resource units, write limits and the limit per application are not counted here.",
    Mark.ABSENT,
    "microsoft-graph-docs throttling-limits @0135174 gives them; no client of ours comes near",
)
ADVANCED_QUERIES = Rule(
    "advanced_queries_need_no_header",
    "Filters that Graph takes with ConsistencyLevel: eventual only (ne, not, endsWith, $count) are taken without it.",
    Mark.ABSENT,
    "microsoft-graph-docs aad-advanced-queries @01a9057",
)
OTHER_OPTIONS = Rule(
    "no_expand_and_no_search",
    "Graph's $expand, $search, $apply and delta queries are refused, with 400, rather than passed over.",
    Mark.ABSENT,
    "microsoft-graph-docs query-parameters: they would change the answer",
)
RULES = (LOGS_ARE_DEAR, POLICIES_ARE_DEAR, OTHER_LIMITS, ADVANCED_QUERIES, OTHER_OPTIONS)


def limited(call: Call, name: str, *, most: int, seconds: float, says_when: bool) -> None:
    """Count this call; beyond `most` in so many seconds it is refused.

    Raises:
        CallRefusedError: 429 TooManyRequests.
    """
    if not call.world.is_unkind:
        return
    now = call.tenant.clock.moving()
    seen = call.tenant.recent.setdefault(name, deque())
    while seen and seen[0] <= now - seconds:
        seen.popleft()
    if len(seen) < most:
        seen.append(now)
        return
    response: Response = failure(call, 429, "TooManyRequests", "Too many requests.")
    if says_when:
        response.headers["retry-after"] = str(max(1, round(seen[0] + seconds - now + 0.5)))
    raise CallRefusedError(response)
