"""Tokens of an application by its own credential."""

from __future__ import annotations

from typing import Any

from holdfast.adapters.cloud.credentials import Credential
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.adapters.cloud.sources import Grant, granted
from holdfast.core.errors import RefusedError, SettingsError


class ApplicationSource:
    """Signs in with a secret, a certificate or a federated token. Blocks: for threads."""

    def __init__(self, authority: str, credential: Credential, door: EntraDoor) -> None:
        self._authority = authority
        self._credential = credential
        self._door = door
        self._app: Any = None

    def acquire(self, scope: str) -> Grant:
        """A token for `scope`.

        Raises:
            CloudError: Entra gave none.
            SettingsError: the credential cannot be used.
        """
        try:
            if self._app is None:
                self._app = self._signed_in()
            return granted(self._app.acquire_token_for_client([scope]), scope)
        except RefusedError:
            self.renew()  # the next try reads the secret again
            raise

    def renew(self) -> None:
        """Start anew next time, with the secret read again: it may have been renewed."""
        self._app = None

    def _signed_in(self) -> Any:
        import msal

        try:
            return msal.ConfidentialClientApplication(
                self._credential.client_id,
                client_credential=self._credential.for_msal(),
                authority=self._authority,
                # The shipped and the custom hosts are known by our own list: asking a third party about them
                # would send custom ones to the public cloud.
                instance_discovery=False,
                http_client=self._door,
            )
        except (ValueError, TypeError):
            # msal's own text may quote the credential.
            raise SettingsError(
                f"The credential of the application {self._credential.client_id} or the tenant"
                f" {scrubbed(self._authority.rpartition('/')[2], 80)!r} cannot be used: check the tenant id, the private"
                " key and its passphrase."
            ) from None
