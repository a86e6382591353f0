"""Tokens of a person who signed in with `holdfast login`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from holdfast.adapters.cloud.credentials import Person
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.adapters.cloud.sources import Grant, granted
from holdfast.core.errors import RefusedError, SettingsError
from holdfast.core.secret import Secret
from holdfast.wire.ledger import TOKEN

BLOCKED_BY_CONDITIONAL_ACCESS = "AADSTS53003"


class PersonSource:
    """Redeems the person's refresh token; each redemption brings a new one, which is kept. Blocks: for threads."""

    def __init__(self, authority: str, person: Person, door: EntraDoor) -> None:
        self._authority = authority
        self._person = person
        self._door = door
        self._refused = False

    def acquire(self, scope: str) -> Grant:
        """A token for `scope`.

        Raises:
            RefusedError: nobody is signed in, or Entra wants the person to sign in again.
        """
        app, cache = self._opened()
        accounts = app.get_accounts()
        if not accounts:
            raise self._not_signed_in()
        again, self._refused = self._refused, False
        answer = app.acquire_token_silent_with_error([scope], accounts[0], force_refresh=again)
        self._keep(cache)
        if answer is None:
            raise self._not_signed_in()
        return granted(answer, scope)

    def renew(self) -> None:
        """Redeem the refresh token next time, whatever access token is kept."""
        self._refused = True

    def sign_in_by_browser(self, scopes: Sequence[str], show: Callable[[str], None], seconds: int) -> str:
        """Authorization code with PKCE, by a browser on this machine and a free loopback port.

        Args:
            show: told the address, in case that no browser opens by itself.
            seconds: how long to wait for the person.

        Returns:
            Who signed in.

        Raises:
            CloudError: Entra refused.
        """
        from msal.oauth2cli.oauth2 import BrowserInteractionTimeoutError

        app, cache = self._opened(empty=True)
        try:
            answer = app.acquire_token_interactive(
                list(scopes), prompt="select_account", timeout=seconds, auth_uri_callback=show
            )
        except BrowserInteractionTimeoutError:
            answer = None
        except (RuntimeError, ValueError):
            # msal compares state, nonce and audience, and says what it got: not for our log.
            answer = {"error": "mismatch", "error_description": "the answer belongs to another sign-in"}
        return self._signed_in(answer, cache)

    def sign_in_by_code(
        self, scopes: Sequence[str], show: Callable[[str], None], seconds: int | None = None
    ) -> str:
        """Device code: the person types a code into a browser anywhere.

        Args:
            show: told what the person has to do.
            seconds: how long to wait for the person; None waits for as long as the code is good.

        Returns:
            Who signed in.

        Raises:
            CloudError: Entra refused.
        """
        app, cache = self._opened(empty=True)
        flow = app.initiate_device_flow(list(scopes))
        show(scrubbed(str(flow.get("message", "")), 400))
        if seconds is not None:
            # msal asks until then.
            flow["expires_at"] -= max(0, flow["expires_in"] - seconds)
        try:
            return self._signed_in(app.acquire_token_by_device_flow(flow), cache)
        except RefusedError as refused:
            if refused.code != BLOCKED_BY_CONDITIONAL_ACCESS:
                raise
            refused.message = (
                "Conditional Access blocks this sign-in; many tenants block device codes for everybody: run"
                " `holdfast login` without --device-code on a machine with a browser, or ask an administrator."
            )
            raise

    def _signed_in(self, answer: Any, cache: Any) -> str:
        if isinstance(answer, dict) and answer.get("error") == "authorization_pending":
            answer = None
        if not isinstance(answer, dict) or "access_token" not in answer:
            words = scrubbed(str((answer or {}).get("error_description") or "nobody signed in in time"))
            raise RefusedError(
                f"The sign-in did not succeed: {words.partition('Trace ID')[0].rstrip('. ')}.",
                service=TOKEN.host.value,
                operation=TOKEN.id,
                code=scrubbed(str((answer or {}).get("error", "")), 80) or None,
            )
        self._keep(cache)
        claims = answer.get("id_token_claims") or {}
        return str(claims.get("preferred_username") or claims.get("oid") or "")

    def _not_signed_in(self) -> RefusedError:
        return RefusedError(
            f"Nobody is signed in here: run `{self._person.command}`.",
            service=TOKEN.host.value,
            operation=TOKEN.id,
        )

    def _opened(self, *, empty: bool = False) -> tuple[Any, Any]:
        import msal

        cache = msal.SerializableTokenCache()
        kept = None if empty else self._person.read()
        try:
            if kept is not None:
                cache.deserialize(kept.reveal())
            app = msal.PublicClientApplication(
                self._person.client_id,
                authority=self._authority,
                instance_discovery=False,
                http_client=self._door,
                token_cache=cache,
            )
        except ValueError:
            raise SettingsError(
                f"The public client {self._person.client_id} or its kept sign-in cannot be used: check client_id and"
                " the tenant, then run `holdfast login` again."
            ) from None
        return app, cache

    def _keep(self, cache: Any) -> None:
        if cache.has_state_changed:
            self._person.keep(Secret(cache.serialize()))


def kept_at(tokens: Secret) -> datetime | None:
    """When the newest refresh token among a person's kept tokens came, by this machine's clock."""
    try:
        entries = json.loads(tokens.reveal()).get("RefreshToken", {}).values()
        stamps = [int(entry["last_modification_time"]) for entry in entries]
    except (ValueError, KeyError, AttributeError):
        return None
    return datetime.fromtimestamp(max(stamps), UTC) if stamps else None
