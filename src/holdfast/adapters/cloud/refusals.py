"""What an answer that is no success means: status and code in, an error of `core.errors` out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import ValidationError

from holdfast.adapters.cloud.asking import Asking, request_id
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.core.errors import (
    CloudError,
    ConflictError,
    MissingError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    UnfamiliarError,
    UnreachableError,
)
from holdfast.wire.entra import TokenError
from holdfast.wire.ledger import HostKind
from holdfast.wire.problems import Problem

# A later identical request may succeed. 401 is handled by asking for a new token once.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

NETWORK_SIGN_IN = 511  # RFC 6585: said by whoever lets nobody through before signing in to the network

# Codes that say "not allowed" or "not there" under a status that says something else.
_REFUSALS = frozenset(
    {
        "Authorization_RequestDenied",
        "ConnectionAuthorizationFailed",
        "EnvironmentAccessDenied",
        "Forbidden",
        "InvalidAuthenticationToken",
    }
)

# What to do about a refusal of the token endpoint. Codes: entra-docs reference-error-codes @3164b3b,
# f-bader/EntraID-ErrorCodes @e262416.
_SIGN_IN_ADVICE = {
    7000215: "the client secret is wrong: store the secret's value, not its id; one made a minute ago may need another minute",
    7000222: "the client secret has expired: make a new one and store it",
    700027: "the certificate is not registered with the application or has expired: upload its public part",
    700030: "the certificate is not the one registered with the application",
    700024: "the clock of this machine is wrong: correct it",
    700016: "the application is not in this tenant: check the client id and the tenant",
    700011: "the application is not in this tenant: check the client id and the tenant",
    7000112: "the application is disabled: an administrator must enable it",
    7000218: "no client secret or certificate was sent: set one for this identity, or, where a person signs in, allow public"
    " client flows in the registration (Authentication)",
    90002: "there is no such tenant in this cloud: check the tenant id and the cloud",
    900023: "that is no tenant id: check it",
    90038: "the tenant lies in another national cloud: set `cloud`",
    53003: "Conditional Access blocks the application: an administrator must exclude it or allow this place",
    500011: "the service is not in this tenant, or the cloud is the wrong one",
    65001: "an administrator has not consented to the application's permissions",
    1002012: "the scope is wrong for this cloud: check `hosts`",
}


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by `Retry-After`, given as seconds or as an HTTP date; None without a readable one.

    Args:
        now: when the answer came by the clock that its date is measured against.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def refusal(
    asking: Asking, status: int, headers: Mapping[str, str], body: bytes, now: datetime
) -> CloudError:
    """The error that an answer other than success stands for.

    Args:
        body: its first few kilobytes.
        now: the cloud's time, for `Retry-After`.
    """
    denied = _token_error(body) if asking.call.host is HostKind.AUTHORITY else None
    if denied is not None and status not in PASSING:
        return sign_in_refused(asking, denied, status)
    code, words = _problem(body)
    about = asking.about(status=status, code=code, request_id=request_id(headers))
    said = f": {words}" if words else ""
    if code in _REFUSALS or (status in (401, 403) and not _is_page(body)):
        return _refused(asking, status, said, about)
    if status == 429:
        return _throttled(asking, headers, now, about)
    if status in PASSING or (status >= 500 and status != NETWORK_SIGN_IN):
        return _failed(asking, said, about)
    if 300 <= status < 400:
        to = scrubbed(headers.get("location", "nowhere"), 120).partition("?")[0]
        return UnfamiliarError(
            f"{asking.shown_host} wanted to send holdfast to {to} when asked to {asking.task}; it follows no redirect."
            " A proxy may be in the way.",
            **about,
        )
    if _is_page(body) or (code is None and not words and status != 404):
        return unreadable(asking, body, status=status, headers=headers)
    if status == 404:
        hint = (
            "" if body.strip() else " There is no such address on this host: check the cloud and its hosts."
        )
        return MissingError(
            f"{asking.service} found nothing when asked to {asking.task}{said}.{hint}", **about
        )
    if status in (409, 412):
        return ConflictError(
            f"{asking.service} would not {asking.task}, as something changed first{said}; plan again.",
            **about,
        )
    return UnfamiliarError(
        f"{asking.service} did not understand the request to {asking.task}{said}.",
        **about,
        excerpt=scrubbed(_text(body)),
    )


def _refused(asking: Asking, status: int, said: str, about: dict[str, Any]) -> RefusedError:
    if status == 401:
        return RefusedError(
            f"{asking.service} refused to {asking.task}{said}. Its token was not accepted.", **about
        )
    needs = asking.call.needs
    return RefusedError(
        f"{asking.service} refused to {asking.task}{said}. It needs {needs}.", **about, lacks=needs
    )


def _throttled(
    asking: Asking, headers: Mapping[str, str], now: datetime, about: dict[str, Any]
) -> ThrottledError:
    seconds = retry_after(headers, now)
    retry_at = None if seconds is None else now + timedelta(seconds=min(seconds, 86400 * 30))
    when = "later" if retry_at is None else f"after {retry_at:%Y-%m-%d %H:%M:%S} UTC"
    return ThrottledError(
        f"{asking.service} asked to slow down; try to {asking.task} again {when}.", **about, retry_at=retry_at
    )


def _failed(asking: Asking, said: str, about: dict[str, Any]) -> CloudError:
    if asking.call.writes:
        return OutcomeUnknownError(
            f"{asking.service} failed while it was to {asking.task}{said}; look what is there.", **about
        )
    return UnreachableError(
        f"{asking.service} is not able to {asking.task} just now{said}; try again later.", **about
    )


def unreadable(asking: Asking, body: bytes, *, status: int, headers: Mapping[str, str]) -> UnfamiliarError:
    """The error for an answer that is not the JSON asked for; a web page is most often a proxy's."""
    kind = "a web page" if _is_page(body) else "something that is not the JSON asked for"
    return UnfamiliarError(
        f"{asking.shown_host} answered with {kind} when asked to {asking.task}; a proxy or a sign-in page of the network"
        " may be in the way.",
        **asking.about(status=status, request_id=request_id(headers)),
        excerpt=scrubbed(_text(body)),
    )


def sign_in_refused(asking: Asking, denied: TokenError, status: int) -> RefusedError:
    """A refusal of the token service, with what to do by its code."""
    codes = denied.error_codes or ()
    advice = next((_SIGN_IN_ADVICE[code] for code in reversed(codes) if code in _SIGN_IN_ADVICE), None)
    words = (denied.error_description or denied.error).split("Trace ID:")[0].rstrip(". \r\n")
    return RefusedError(
        f"Entra refused to {asking.task}: {advice or scrubbed(words)}.",
        **asking.about(
            status=status,
            code=f"AADSTS{codes[-1]}" if codes else denied.error,
            request_id=denied.trace_id,
        ),
        lacks=asking.call.needs,
    )


def _token_error(body: bytes) -> TokenError | None:
    try:
        return TokenError.model_validate_json(body)
    except ValidationError:
        return None


def _problem(body: bytes) -> tuple[str | None, str]:
    """Code and words of an error envelope; the innermost code where one wraps another."""
    try:
        said = Problem.model_validate_json(body).error
    except ValidationError:
        return None, ""
    code, message = said.code, said.message
    for detail in said.details or ():
        if code == "BusinessAppPlatformRequestFailed" and detail.code:
            code, message = detail.code, detail.message or message
    words = scrubbed(message or "").rstrip(". ")
    return (scrubbed(code, 80) if code else None), words


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


def _text(body: bytes) -> str:
    return body[:4096].decode("utf-8", "replace")
