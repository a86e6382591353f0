"""The HTTP client that msal is given: our trust, our proxies, our list of sign-in hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import httpx2

from holdfast.adapters.cloud.addresses import host_of
from holdfast.adapters.cloud.asking import Asking
from holdfast.adapters.cloud.hosts import HostTable
from holdfast.adapters.cloud.network import LIMITS, TIMEOUT, direct, trust
from holdfast.adapters.cloud.patience import Again
from holdfast.adapters.cloud.refusals import PASSING, refusal, retry_after, unreadable
from holdfast.adapters.cloud.silence import unanswered
from holdfast.core.errors import UnfamiliarError
from holdfast.ports import Clock
from holdfast.wire.ledger import OPENID_CONFIGURATION, TOKEN, Audience, Call

# While a person is still typing the code into a browser: not a refusal (v2-oauth2-device-code).
_PENDING: Final = frozenset({"authorization_pending", "slow_down"})


class EntraDoor:
    """The HTTP client that msal is given: same trust and proxies as the other door, sign-in hosts only.

    With its own client msal would let REQUESTS_CA_BUNDLE override `ca_file`, believe certifi rather than the
    operating system, and keep refusals for a minute.
    """

    def __init__(
        self,
        hosts: HostTable,
        clock: Clock,
        ca_file: Path | None,
        wire: httpx2.BaseTransport | None,
    ) -> None:
        self._hosts = hosts
        self._clock = clock
        self.sent = 0  # requests; msal uses this from one thread at a time
        self._client = httpx2.Client(
            verify=trust(ca_file),
            timeout=TIMEOUT,
            limits=LIMITS,
            follow_redirects=False,
            transport=wire,
            mounts=None if wire else dict.fromkeys(direct(hosts)),
        )

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx2.Response:
        """As msal calls it, for OpenID metadata."""
        return self._send(OPENID_CONFIGURATION, url, params=params, headers=headers)

    def post(
        self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any
    ) -> httpx2.Response:
        """As msal calls it, for tokens."""
        return self._send(TOKEN, url, params=params, data=_as_text(data), headers=headers)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _send(self, call: Call, url: str, **given: Any) -> httpx2.Response:
        asking = Asking(call, host_of(url), {})
        if not self._hosts.admits(Audience.NONE, asking.host):
            raise UnfamiliarError(
                f"The sign-in metadata names {asking.shown_host}, which is no sign-in host of this cloud; holdfast sends"
                " no credential there.",
                **asking.about(),
            )
        self.sent += 1
        try:
            response = self._client.request(call.method, url, **given)
        except httpx2.HTTPError as failure:
            raise unanswered(asking, failure) from None
        told = _object(response.content)
        if response.status_code == 200 and told is not None:
            return response
        if response.status_code == 400 and told is not None and told.get("error") in _PENDING:
            return response
        raise self._refused(asking, response)

    def _refused(self, asking: Asking, response: httpx2.Response) -> Exception:
        if response.status_code == 200:
            return unreadable(asking, response.content, status=200, headers=response.headers)
        now = self._clock.now()
        error = refusal(asking, response.status_code, response.headers, response.content, now)
        if response.status_code in PASSING:
            return Again(error, retry_after(response.headers, now))
        return error


def _as_text(form: Any) -> Any:
    """msal signs assertions as bytes, which httpx2 would write into a form as their repr."""
    if not isinstance(form, dict):
        return form
    return {key: value.decode() if isinstance(value, bytes) else value for key, value in form.items()}


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
