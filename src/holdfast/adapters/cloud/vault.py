"""Azure's own client for key vaults, given our way of connecting: our trust, our list of hosts, our identities."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx2
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import case_insensitive_dict
from azure.keyvault.secrets import SecretClient

from holdfast import __version__
from holdfast.adapters.cloud.addresses import host_of
from holdfast.adapters.cloud.asking import Asking
from holdfast.adapters.cloud.credentials import AnyCredential
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.hosts import HostTable, host_table
from holdfast.adapters.cloud.network import LIMITS, TIMEOUT, direct, trust
from holdfast.adapters.cloud.patience import Again
from holdfast.adapters.cloud.refusals import PASSING, refusal, retry_after
from holdfast.adapters.cloud.silence import unanswered
from holdfast.adapters.cloud.sources import Source
from holdfast.adapters.cloud.tokens import source_of
from holdfast.core.errors import SettingsError, UnfamiliarError
from holdfast.core.identity import Cloud
from holdfast.ports import Clock
from holdfast.wire.ledger import Audience, Call, HostKind
from holdfast.wire.vaulting import API_VERSION

KIND: Final = HostKind.KEYVAULT.value


def vault_client(
    url: str,
    tenant: str,
    credential: AnyCredential,
    clock: Clock,
    *,
    cloud: Cloud = Cloud.PUBLIC,
    hosts: Mapping[str, str] | None = None,
    allow_custom_hosts: bool = False,
    ca_file: Path | None = None,
    wire: httpx2.BaseTransport | None = None,
) -> SecretClient:
    """The client of one vault. Every call of it takes `call`, an entry of `wire.vaulting`; it asks nothing yet. Blocks.

    Args:
        url: base URL of the vault.
        tenant: id of the one that the vault trusts.
        hosts: base URLs that replace the cloud's own, by kind.
        wire: where requests go instead of the network, for tests.

    Raises:
        SettingsError: a host that is not allowed, or a certificate file that cannot be read.
    """
    table = host_table(cloud, {**(hosts or {}), KIND: url}, allow_custom_hosts=allow_custom_hosts)
    entra = EntraDoor(table, clock, ca_file, wire)
    authority = f"{table.bases[HostKind.AUTHORITY]}/{tenant}"
    tokens = VaultTokens(
        source_of(authority, tenant, credential, entra, clock, wire),
        table.scopes[Audience.VAULT],
        tenant,
        clock,
    )
    return SecretClient(
        url,
        tokens,
        api_version=API_VERSION,
        transport=VaultDoor(table, clock, ca_file, wire),
        # The client trusts a challenge whose resource is a domain above the vault's; a pretended vault lies elsewhere.
        # Whatever it says, our tokens are for vaults only, and the door knows the hosts.
        verify_challenge_resource=not table.is_custom,
        # Whoever asks is patient; no second layer, and no redirects.
        retry_total=0,
        permit_redirects=False,
        user_agent=f"holdfast/{__version__}",
    )


class VaultTokens:
    """What the client asks for tokens: it gets those for vaults of this tenant, whatever a challenge names."""

    def __init__(self, source: Source, scope: str, tenant: str, clock: Clock) -> None:
        self._source, self._scope, self._tenant, self._clock = source, scope, tenant.lower(), clock
        self._turn = threading.Lock()
        self._given = False

    def get_token(self, *scopes: str, tenant_id: str | None = None, **_: Any) -> AccessToken:
        """As the client calls it: when it has none, or the vault refused the last.

        Raises:
            CloudError: Entra gave none.
            SettingsError: the vault trusts another tenant, or the credential cannot be used.
            UnfamiliarError: the vault wants a token for something else.
        """
        if scopes != (self._scope,):
            raise UnfamiliarError(
                f"The key vault asks for a token for {', '.join(scopes)[:100]!r}, which holdfast gives to no vault.",
                service=KIND,
                operation="keyvault.challenge",
            )
        if tenant_id is not None and tenant_id.lower() != self._tenant:
            raise SettingsError(
                f"The key vault of the settings belongs to the tenant {tenant_id[:60]!r}, not to {self._tenant}: set"
                " secrets.vault.tenant to the name of its own."
            )
        with self._turn:
            if self._given:
                self._source.renew()
            grant = self._source.acquire(self._scope)
            self._given = True
        return AccessToken(grant.token, int(self._clock.now().timestamp()) + grant.seconds)


class VaultDoor(HttpTransport[HttpRequest, HttpResponse]):
    """The HTTP that the client is given. What may pass by itself is raised as `Again`."""

    def __init__(
        self, hosts: HostTable, clock: Clock, ca_file: Path | None, wire: httpx2.BaseTransport | None
    ) -> None:
        self._hosts, self._clock = hosts, clock
        self._client = httpx2.Client(
            verify=trust(ca_file),
            timeout=TIMEOUT,
            limits=LIMITS,
            follow_redirects=False,
            transport=wire,
            mounts=None if wire else dict.fromkeys(direct(hosts)),
        )

    def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """One request of the client, with the `call` that whoever asks it gave it.

        Raises:
            Again: a later identical request may do better.
            CloudError: it would not.
        """
        call: Call = kwargs["call"]
        asking = Asking(call, host_of(request.url), {})
        if not self._hosts.admits(Audience.VAULT, asking.host):
            raise UnfamiliarError(
                f"holdfast sends nothing to {asking.shown_host} to {asking.task}: it is not on the list of hosts.",
                **asking.about(),
            )
        try:
            response = self._client.request(
                request.method, request.url, headers=dict(request.headers), content=request.content
            )
        except httpx2.HTTPError as failure:
            raise unanswered(asking, failure) from None
        if response.status_code in PASSING:
            now = self._clock.now()
            error = refusal(asking, response.status_code, response.headers, response.content, now)
            wait = retry_after(response.headers, now)
            raise Again(error, wait, undone=response.status_code == 429)
        return _Answer(request, response)

    def open(self) -> None:
        """The connections are opened when they are needed."""

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def __enter__(self) -> VaultDoor:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


class _Answer(HttpResponse):
    """A whole answer as the client reads it."""

    def __init__(self, request: HttpRequest, response: httpx2.Response) -> None:
        self._request, self._response = request, response

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> MutableMapping[str, str]:
        return case_insensitive_dict(dict(self._response.headers))

    @property
    def reason(self) -> str:
        return self._response.reason_phrase

    @property
    def content_type(self) -> str | None:
        return self._response.headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str | None:
        return self._response.encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        with suppress(ValueError):
            self._response.encoding = value or "utf-8"

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._response.content

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding or self.encoding or "utf-8", "replace")

    def json(self) -> Any:
        return self._response.json()

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    def read(self) -> bytes:
        return self.content

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        """It was read whole."""

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""
