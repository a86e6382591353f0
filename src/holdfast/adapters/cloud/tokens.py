"""Access tokens of one application, by msal, in threads."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2

from holdfast.adapters.cloud.hosts import HostTable
from holdfast.adapters.cloud.patience import Again, patiently
from holdfast.adapters.cloud.refusals import PASSING, refusal, retry_after, scrubbed, unreadable
from holdfast.adapters.cloud.transport import LIMITS, TIMEOUT, Traffic, direct, host_of, trust, unanswered
from holdfast.core.errors import RefusedError, SettingsError, UnfamiliarError
from holdfast.core.secret import Secret
from holdfast.ports import Clock
from holdfast.wire.ledger import OPENID_CONFIGURATION, TOKEN, Audience, Call, HostKind

# A token is renewed this long before it ends, so that none ends under way.
MARGIN: Final = timedelta(minutes=5)
_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Credential:
    """How an application proves itself. Secrets are fetched when needed and are in no repr.

    Attributes:
        secret: gives the client secret.
        certificate: gives PEM text with the private key and its certificate.
        passphrase: gives the passphrase of the private key.
    """

    client_id: str
    secret: Callable[[], Secret] | None = field(default=None, repr=False)
    certificate: Callable[[], Secret] | None = field(default=None, repr=False)
    passphrase: Callable[[], Secret] | None = field(default=None, repr=False)

    def for_msal(self) -> str | dict[str, str]:
        """In the form that msal takes.

        Raises:
            SettingsError: neither a secret nor a certificate, or PEM text that lacks a part.
        """
        if self.certificate is not None:
            return self._key_pair(self.certificate().reveal())
        if self.secret is not None:
            return self.secret().reveal()
        raise SettingsError(
            f"The application {self.client_id} has neither a client secret nor a certificate; set one."
        )

    def _key_pair(self, pem: str) -> dict[str, str]:
        blocks = [(found.group(1), found.group(0)) for found in _PEM.finditer(pem)]
        keys = [block for label, block in blocks if label.endswith("PRIVATE KEY")]
        certificates = [block for label, block in blocks if label == "CERTIFICATE"]
        if not keys or not certificates:
            missing = "a private key" if not keys else "the certificate"
            raise SettingsError(
                f"The certificate file of the application {self.client_id} lacks {missing} (PEM)."
            )
        pair = {"private_key": keys[0], "public_certificate": "\n".join(certificates)}
        if self.passphrase is not None:
            pair["passphrase"] = self.passphrase().reveal()
        return pair


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    good_until: datetime


class MsalTokens:
    """Tokens of one application in one tenant."""

    def __init__(
        self,
        hosts: HostTable,
        tenant: str,
        credential: Credential,
        clock: Clock,
        traffic: Traffic,
        *,
        ca_file: Path | None = None,
        wire: httpx2.BaseTransport | None = None,
    ) -> None:
        """Signs in on the first call of `token`.

        Args:
            tenant: id or domain.
            wire: where requests go instead of the network, for tests.
        """
        self._hosts = hosts
        self._tenant = tenant
        self._credential = credential
        self._clock = clock
        self._traffic = traffic
        self._door = _EntraDoor(hosts, clock, ca_file, wire)
        self._app: Any = None
        self._held: dict[str, _Held] = {}
        self._turn = asyncio.Lock()

    async def token(self, scope: str) -> str:
        """An access token for `scope`.

        Raises:
            CloudError: Entra gave none.
            SettingsError: the credential cannot be used.
        """
        async with self._turn:  # one at a time: those who wait find the token there
            held = self._held.get(scope)
            if held is None or held.good_until <= self._clock.now():
                held = self._held[scope] = await self._renewed(scope)
            return held.token

    async def _renewed(self, scope: str) -> _Held:
        try:
            return await patiently(TOKEN, lambda: asyncio.to_thread(self._acquire, scope), self._repeating)
        finally:
            self._traffic.requests += self._door.sent
            self._door.sent = 0

    def forget(self, scope: str, token: str) -> None:
        """Ask anew next time, also for the secret: it may have been renewed."""
        held = self._held.get(scope)
        if held is not None and held.token == token:
            del self._held[scope]
            self._app = None

    def close(self) -> None:
        """Close every connection."""
        self._door.close()

    def _repeating(self) -> None:
        self._traffic.retries += 1

    def _acquire(self, scope: str) -> _Held:
        try:
            if self._app is None:
                self._app = self._sign_in()
            answer: Mapping[str, Any] = self._app.acquire_token_for_client([scope])
        except RefusedError:
            self._app = None  # the next try reads the secret again
            raise
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise UnfamiliarError(
                f"Entra answered without a token when asked to {TOKEN.does} ({scope}).",
                service=TOKEN.host.value,
                operation=TOKEN.id,
            )
        return _Held(token, self._clock.now() + max(timedelta(seconds=seconds) - MARGIN, timedelta()))

    def _sign_in(self) -> Any:
        import msal

        authority = f"{self._hosts.bases[HostKind.AUTHORITY]}/{self._tenant}"
        try:
            return msal.ConfidentialClientApplication(
                self._credential.client_id,
                client_credential=self._credential.for_msal(),
                authority=authority,
                # The shipped and the custom hosts are known by our own list: asking a third party about them
                # would send custom ones to the public cloud.
                instance_discovery=False,
                http_client=self._door,
            )
        except (ValueError, TypeError):
            # msal's own text may quote the credential.
            raise SettingsError(
                f"The credential of the application {self._credential.client_id} or the tenant"
                f" {scrubbed(self._tenant, 80)!r} cannot be used: check the tenant id, the private key and its passphrase."
            ) from None


class _EntraDoor:
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
        return self._send(TOKEN, url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _send(self, call: Call, url: str, **given: Any) -> httpx2.Response:
        host = host_of(url)
        if not self._hosts.admits(Audience.NONE, host):
            raise UnfamiliarError(
                f"The sign-in metadata names {scrubbed(host or 'no https address', 100)}, which is no sign-in host of"
                " this cloud; holdfast sends no credential there.",
                service=call.host.value,
                operation=call.id,
            )
        self.sent += 1
        try:
            response = self._client.request(call.method, url, **given)
        except httpx2.HTTPError as failure:
            raise unanswered(call, "", str(host), failure) from None
        if response.status_code == 200 and _is_object(response.content):
            return response
        raise self._refused(call, str(host), response)

    def _refused(self, call: Call, host: str, response: httpx2.Response) -> Exception:
        if response.status_code == 200:
            return unreadable(call, "", host, response.content, status=200, headers=response.headers)
        now = self._clock.now()
        error = refusal(call, "", host, response.status_code, response.headers, response.content, now)
        if response.status_code in PASSING:
            return Again(error, retry_after(response.headers, now))
        return error


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
