"""Tokens of the machine's managed identity."""

from __future__ import annotations

from typing import Any, Final

import httpx2

from holdfast.adapters.cloud.credentials import MachineIdentity
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.adapters.cloud.sources import Grant, granted
from holdfast.core.errors import RefusedError, UnreachableError
from holdfast.wire.ledger import TOKEN

# The endpoint is on the machine or on its link: it answers at once or is not there.
TIMEOUT: Final = 10.0


class MachineSource:
    """Asks the endpoint that the machine has: App Service, Arc, or a virtual machine's. Blocks: for threads."""

    def __init__(self, credential: MachineIdentity, wire: httpx2.BaseTransport | None = None) -> None:
        # Never through a proxy: the address means this machine.
        self._client = httpx2.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False, transport=wire)
        self._credential = credential
        self._app: Any = None

    def acquire(self, scope: str) -> Grant:
        """A token for `scope`.

        Raises:
            RefusedError: the machine has no such identity, or it gets no token for this scope.
            UnreachableError: the machine has no endpoint.
        """
        import msal

        if self._app is None:
            chosen = self._credential.client_id
            identity = (
                msal.UserAssignedManagedIdentity(client_id=chosen)
                if chosen
                else msal.SystemAssignedManagedIdentity()
            )
            self._app = msal.ManagedIdentityClient(identity, http_client=self._client)
        try:
            answer = self._app.acquire_token_for_client(resource=scope.removesuffix("/.default"))
        except (httpx2.HTTPError, ValueError) as failure:
            raise UnreachableError(
                f"No managed identity answers on this machine ({type(failure).__name__}): it has one only where Azure"
                " gave it one; else choose another credential.",
                service=TOKEN.host.value,
                operation=TOKEN.id,
            ) from None
        if "error" in answer:
            words = scrubbed(str(answer.get("error_description") or answer["error"])).rstrip(". ")
            raise RefusedError(
                f"The managed identity of this machine got no token for {scope}: {words}.",
                service=TOKEN.host.value,
                operation=TOKEN.id,
                code=scrubbed(str(answer["error"]), 80),
            )
        return granted(answer, scope)

    def renew(self) -> None:
        """Ask the machine again, which may still give the same token."""
        self._app = None

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
