"""Where access tokens come from: one small class for each kind of credential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from holdfast.core.errors import UnfamiliarError
from holdfast.wire.ledger import TOKEN


class Grant(NamedTuple):
    """An access token and how many seconds it is good for."""

    token: str
    seconds: int

    def __repr__(self) -> str:
        return f"Grant(…, {self.seconds})"


class Source(Protocol):
    """Gets tokens. Blocks: for threads."""

    def acquire(self, scope: str) -> Grant:
        """A token for `scope`. Raises a CloudError or a SettingsError."""
        ...

    def renew(self) -> None:
        """Give no token next time that was given before: the cloud refused it."""
        ...


def granted(answer: Mapping[str, Any] | None, scope: str) -> Grant:
    """The token in an answer of msal.

    Raises:
        UnfamiliarError: there is none in it.
    """
    token, seconds = (answer or {}).get("access_token"), (answer or {}).get("expires_in")
    if not isinstance(token, str) or not isinstance(seconds, int):
        raise UnfamiliarError(
            f"Entra answered without a token when asked to {TOKEN.does} ({scope}).",
            service=TOKEN.host.value,
            operation=TOKEN.id,
        )
    return Grant(token, seconds)
