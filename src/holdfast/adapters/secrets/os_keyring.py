"""Secrets in the keyring of the operating system: Keychain, Credential Manager, Secret Service, KWallet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from holdfast.core.errors import SecretStoreError
from holdfast.core.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

Answer = TypeVar("Answer")

USER = "holdfast"
PART = 600
"""Characters in one entry: Windows takes 2,560 bytes of UTF-16 (wincred.h, CRED_MAX_CREDENTIAL_BLOB_SIZE); a token cache has more."""

_INDEX = "names of secrets"
_HEAD = "holdfast-parts:"


class KeyringStore:
    """One entry a secret, so that people find it there; a long text lies in several entries.

    Args:
        backend: None takes the one that the operating system has.
    """

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        self._backend = backend

    async def read(self, name: str) -> Secret | None:
        """None where there is no secret of that name."""
        text = await self._asked(lambda keyring: _read(keyring, name))
        return None if text is None else Secret(text)

    async def write(self, name: str, secret: Secret) -> None:
        """Keep it; a long text's new parts are all there before the name points to them."""

        def keep(keyring: KeyringBackend) -> None:
            _list(keyring, name, kept=True)
            _write(keyring, name, secret.reveal())

        await self._asked(keep)

    async def delete(self, name: str) -> bool:
        """Whether there was one."""

        def forget(keyring: KeyringBackend) -> bool:
            was_there = _delete(keyring, name)
            _list(keyring, name, kept=False)
            return was_there

        return await self._asked(forget)

    async def names(self) -> tuple[str, ...]:
        """By our own index: keyrings cannot list."""
        return tuple(await self._asked(_index))

    async def _asked(self, question: Callable[[KeyringBackend], Answer]) -> Answer:
        return await asyncio.to_thread(self._ask, question)

    def _ask(self, question: Callable[[KeyringBackend], Answer]) -> Answer:
        backend = self._backend or usable_backend()
        try:
            return question(backend)
        except SecretStoreError:
            raise
        except Exception as error:  # noqa: BLE001 - backends are plug-ins and raise what they like
            raise SecretStoreError(
                f"The keyring {backend.name} could not be asked ({type(error).__name__}): unlock it, or choose the"
                ' encrypted file with `store = "file"` under [secrets].'
            ) from None


def usable_backend() -> KeyringBackend:
    """The operating system's own keyring.

    Raises:
        SecretStoreError: there is none, or only one that keeps clear text.
    """
    import keyring

    found = keyring.get_keyring()
    members = getattr(found, "backends", None) or [found]
    for member in members:
        module = type(member).__module__
        # keyrings.alt writes files in clear text, and is taken by itself where it is installed.
        if module.startswith(("keyrings.alt", "keyring.backends.fail", "keyring.backends.null")):
            clear = "only one that keeps clear text" if module.startswith("keyrings.alt") else "none"
            raise SecretStoreError(
                f"This machine has no keyring that holdfast may use ({clear}): choose the encrypted file with"
                ' `store = "file"` and a `key_file` under [secrets]; `holdfast secret new-key FILE` makes one.'
            )
    return found


def _service(name: str) -> str:
    """A service for each name: the Windows backend moves entries about when one service has several users."""
    return f"holdfast/{name}"


def _get(keyring: KeyringBackend, name: str) -> str | None:
    return keyring.get_password(_service(name), USER)


def _drop(keyring: KeyringBackend, name: str) -> None:
    if _get(keyring, name) is not None:
        keyring.delete_password(_service(name), USER)


def _parts(name: str, head: str | None) -> list[str]:
    """Names of the entries that a head points to; none for a text that lies under its own name."""
    if head is None or not head.startswith(_HEAD):
        return []
    turn, count = head.removeprefix(_HEAD).split("/")
    return [f"{name}#{turn}.{number}" for number in range(int(count))]


def _read(keyring: KeyringBackend, name: str) -> str | None:
    """The whole text. A part can go between two looks when another process writes: then look once more."""
    for _ in range(2):
        head = _get(keyring, name)
        parts = _parts(name, head)
        if not parts:
            return head
        texts = [_get(keyring, part) for part in parts]
        if None not in texts:
            return "".join(text or "" for text in texts)
    raise SecretStoreError(f"The secret {name} in the keyring {keyring.name} is incomplete: store it again.")


def _write(keyring: KeyringBackend, name: str, text: str) -> None:
    old = _parts(name, _get(keyring, name))
    if len(text) <= PART and not text.startswith(_HEAD):
        keyring.set_password(_service(name), USER, text)
    else:
        turn = "b" if old and "#a." in old[0] else "a"
        pieces = [text[at : at + PART] for at in range(0, len(text), PART)]
        for number, piece in enumerate(pieces):
            keyring.set_password(_service(f"{name}#{turn}.{number}"), USER, piece)
        keyring.set_password(_service(name), USER, f"{_HEAD}{turn}/{len(pieces)}")
    for part in old:
        _drop(keyring, part)


def _delete(keyring: KeyringBackend, name: str) -> bool:
    head = _get(keyring, name)
    for entry in (name, *_parts(name, head)):
        _drop(keyring, entry)
    return head is not None


def _index(keyring: KeyringBackend) -> list[str]:
    return sorted(json.loads(_read(keyring, _INDEX) or "[]"))


def _list(keyring: KeyringBackend, name: str, *, kept: bool) -> None:
    """Add a name to the index, or take it out."""
    names = set(_index(keyring))
    wanted = names | {name} if kept else names - {name}
    if wanted != names:
        _write(keyring, _INDEX, json.dumps(sorted(wanted)))
