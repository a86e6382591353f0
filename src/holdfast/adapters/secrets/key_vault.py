"""Secrets in an Azure key vault, by Azure's own client: one secret of the vault for each, under names of ours.

Only what begins with `holdfast-` is ours; a vault may hold other people's secrets beside. Deleting is the vault's soft
delete, so the text stays recoverable there for as long as the vault keeps what was deleted. It is disabled first: when
its name is wanted again the vault makes us recover it, and what comes back must not be read meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import SecretClient

from holdfast.adapters.cloud.patience import Again, patiently
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.core.errors import CloudError, ConflictError, SecretStoreError
from holdfast.core.secret import Secret
from holdfast.wire.ledger import Call
from holdfast.wire.vaulting import (
    CHANGE_SECRET,
    DELETE_SECRET,
    LIST_SECRETS,
    LIST_VERSIONS,
    READ_SECRET,
    RECOVER_SECRET,
    SET_SECRET,
)

Answer = TypeVar("Answer")

LONGEST_NAME: Final = 127
LONGEST_TEXT: Final = 25_000
"""Bytes in one entry: a vault takes 25 kB (azure-docs about-secrets @098e96c), and a kept flow definition has more."""

SETTLES: Final = 2.0
"""Seconds between two tries while the vault deletes or recovers: 4 to 5 seconds were recorded for each."""

PREFIX: Final = "holdfast-"
PART: Final = "holdfastpart-"
_HEAD: Final = "holdfast-parts:"
_REMOVED: Final = {"holdfast": "removed"}
_BUSY: Final = frozenset({"ObjectIsBeingDeleted", "ObjectIsBeingRecovered"})

_ADVICE: Final = {
    "ForbiddenByRbac": "its identity needs the role Key Vault Secrets Officer on the vault; a new assignment takes minutes",
    "ForbiddenByPolicy": "its identity needs get, set, list, delete and recover of secrets in the vault's access policies",
    "ForbiddenByFirewall": "the vault's firewall does not let this machine in",
    "ForbiddenByConnection": "the vault is reached through its private endpoint only",
}


class KeyVaultStore:
    """One vault. The client is opened with the first question.

    Args:
        host: of the vault, for sentences.
        open: gives the client of `cloud.vault`; may raise SettingsError. Called in a thread.
    """

    def __init__(self, host: str, open: Callable[[], SecretClient]) -> None:
        self._host, self._open = host, open
        self._client: SecretClient | None = None

    async def read(self, name: str) -> Secret | None:
        """None where there is no secret of that name."""
        text = await self._asked(READ_SECRET, lambda vault: self._text(vault, vault_name(name)))
        return None if text is None else Secret(text)

    async def write(self, name: str, secret: Secret) -> None:
        """Keep it; the parts of a long text are all there before the name points to them."""
        text, at = secret.reveal(), vault_name(name)
        await self._asked(SET_SECRET, lambda vault: _write(vault, name, at, text))

    async def delete(self, name: str) -> bool:
        """Whether there was one. It stays recoverable in the vault, disabled."""
        return await self._asked(DELETE_SECRET, lambda vault: _delete(vault, vault_name(name)))

    async def names(self) -> tuple[str, ...]:
        """What begins as ours do; other people's secrets are not looked at."""
        found = await self._asked(LIST_SECRETS, _names)
        return tuple(sorted(found))

    async def _asked(self, call: Call, deed: Callable[[SecretClient], Answer]) -> Answer:
        """The deed in a thread, as often as patience allows; whatever goes wrong is one sentence."""
        try:
            return await patiently(call, lambda: asyncio.to_thread(self._do, deed), lambda _: None)
        except CloudError as error:
            raise SecretStoreError(f"The key vault {self._host} could not be asked: {error}") from None
        except HttpResponseError as error:
            raise SecretStoreError(
                f"The key vault {self._host} would not {call.does}: {_why(error)}."
            ) from None
        except (AzureError, ValueError) as error:
            # A challenge that names another domain, an answer that is no JSON: its words may quote what was sent.
            kind = type(error).__name__
            raise SecretStoreError(
                f"The key vault {self._host} could not be understood when asked to {call.does} ({kind}): a proxy may be"
                " in the way."
            ) from None

    def _do(self, deed: Callable[[SecretClient], Answer]) -> Answer:
        if self._client is None:
            self._client = self._open()
        return deed(self._client)

    def _text(self, vault: SecretClient, at: str) -> str | None:
        try:
            head = vault.get_secret(at, call=READ_SECRET).value or ""
            pieces = [
                vault.get_secret(_part(at, number), version, call=READ_SECRET).value or ""
                for number, version in enumerate(_versions(head))
            ]
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            if _inner(error) != "SecretDisabled":
                raise
            if _was_removed(vault, at):
                return None
            raise SecretStoreError(
                f"Somebody disabled the secret {at} in the key vault {self._host}: enable it there."
            ) from None
        return "".join(pieces) if pieces else head


def vault_name(name: str) -> str:
    """A name of ours as a vault takes it: letters, digits and dashes, in any case.

    Raises:
        SecretStoreError: it is too long.
    """
    made = PREFIX + "".join(_escaped(mark) for mark in name)
    if len(made) > LONGEST_NAME - len(PART):
        raise SecretStoreError(f"The name {name!r} is too long for a key vault: choose a shorter one.")
    return made


def name_of(made: str) -> str | None:
    """The name of ours that `vault_name` was given; None for a name that it never makes."""
    text = made.removeprefix(PREFIX)
    if text == made or not re.fullmatch(r"(?:[a-z0-9]|--|-[0-9a-f]{2})*", text):
        return None
    octets = re.sub(
        r"--|-([0-9a-f]{2})|(.)",
        lambda found: found[2] or (chr(int(found[1], 16)) if found[1] else "-"),
        text,
    )
    try:
        return octets.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def _escaped(mark: str) -> str:
    # Capitals too: vaults do not tell them from small letters.
    if mark == "-":
        return "--"
    if mark.isascii() and (mark.islower() or mark.isdecimal()):
        return mark
    return "".join(f"-{octet:02x}" for octet in mark.encode())


def _part(at: str, number: int) -> str:
    return f"{PART}{number}-{at.removeprefix(PREFIX)}"


def _versions(head: str) -> list[str]:
    """Versions of the parts that a head points to; none for a text that lies under its own name."""
    return list(json.loads(head.removeprefix(_HEAD))) if head.startswith(_HEAD) else []


def _pieces(text: str) -> list[str]:
    if len(text.encode()) <= LONGEST_TEXT and not text.startswith(_HEAD):
        return []
    size = LONGEST_TEXT if text.isascii() else LONGEST_TEXT // 4
    return [text[at : at + size] for at in range(0, len(text), size)]


def _write(vault: SecretClient, name: str, at: str, text: str) -> None:
    """New versions of the parts, then of the head: who reads in between finds the old text by its versions."""
    pieces = _pieces(text)
    versions = [_put(vault, name, _part(at, number), piece) for number, piece in enumerate(pieces)]
    _put(vault, name, at, _HEAD + json.dumps(versions) if pieces else text)


def _put(vault: SecretClient, name: str, at: str, text: str) -> str:
    try:
        kept = vault.set_secret(at, text, tags={"holdfast": name[:256]}, call=SET_SECRET)
    except ResourceExistsError as error:
        inner = _inner(error)
        if inner == "ObjectIsDeletedButRecoverable":
            vault.begin_recover_deleted_secret(at, call=RECOVER_SECRET)
        elif inner not in _BUSY:
            raise
        still = ConflictError(
            f"the vault still deletes or recovers an earlier {at}; run this again in a minute",
            SET_SECRET.host.value,
            SET_SECRET.id,
        )
        raise Again(still, SETTLES, undone=True) from None
    return kept.properties.version or ""


def _delete(vault: SecretClient, at: str) -> bool:
    try:
        vault.update_secret_properties(at, enabled=False, tags=_REMOVED, call=CHANGE_SECRET)
    except ResourceNotFoundError:
        return False
    # The parts before the name: after a crash the name is still there to be deleted again, though nobody reads it.
    number = 0
    with suppress(ResourceNotFoundError):
        while True:
            vault.begin_delete_secret(_part(at, number), call=DELETE_SECRET)
            number += 1
    with suppress(ResourceNotFoundError):
        vault.begin_delete_secret(at, call=DELETE_SECRET)
    return True


def _was_removed(vault: SecretClient, at: str) -> bool:
    """Whether the newest version is one that we disabled in order to delete it."""
    versions = list(vault.list_properties_of_secret_versions(at, call=LIST_VERSIONS))
    moments = [each.updated_on for each in versions if each.updated_on is not None]
    return any(
        each.updated_on == max(moments) and not each.enabled and each.tags == _REMOVED for each in versions
    )


def _names(vault: SecretClient) -> list[str]:
    found: list[str] = []
    pages = vault.list_properties_of_secrets(call=LIST_SECRETS).by_page()
    seen: set[str | None] = set()
    for page in pages:
        for each in page:
            name = name_of(each.name or "")
            if name is not None and (each.enabled or each.tags != _REMOVED):
                found.append(name)
        following = pages.continuation_token  # type: ignore[attr-defined] # of ItemPaged's pages, untyped there
        if following in seen:
            raise ValueError("the vault names a page that was already read")
        seen.add(following)
    return found


def _inner(error: HttpResponseError) -> str:
    inner = error.error.innererror if error.error else None
    return str((inner or {}).get("code") or "")


def _why(error: HttpResponseError) -> str:
    advice = _ADVICE.get(_inner(error))
    if advice:
        return advice
    words = (error.error.message if error.error else "") or error.reason or ""
    return scrubbed(f"{error.status_code} {words}").rstrip(". ")
