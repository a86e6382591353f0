"""How the cloud's APIs say no.

Recorded: fixtures/power-platform/error_404_*.json, errors_flow_api.json (BAP, Power Apps, Flow), and
fixtures/entra/graph-batch-errors.json (Graph). Entra's token endpoint has its own form: `entra.TokenError`.
"""

from __future__ import annotations

from pydantic import Field

from holdfast.wire.shape import Shape


class InnerError(Shape):
    """What Graph adds for its support."""

    date: str | None = None
    request_id: str | None = Field(default=None, alias="request-id")
    client_request_id: str | None = Field(default=None, alias="client-request-id")


class ProblemDetail(Shape):
    """One nested error; `BusinessAppPlatformRequestFailed` hides the real code in one of these."""

    code: str | None = None
    message: str | None = None
    target: str | None = None


class ProblemBody(Shape):
    """Code and message, and what some services add."""

    code: str | None = None
    message: str | None = None
    target: str | None = None
    detail_url_type: str | None = None
    details: tuple[ProblemDetail, ...] | None = None
    inner_error: InnerError | None = None


class Problem(Shape):
    """The envelope: `{"error": {"code", "message"}}`."""

    error: ProblemBody


def problem(code: str, message: str) -> Problem:
    """The smallest envelope."""
    return Problem(error=ProblemBody(code=code, message=message))
