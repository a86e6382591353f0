"""Secrets in one encrypted file: a Fernet token of JSON, its keys in the keyring or in a mounted file."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from holdfast.adapters.system import lock_file, make_private_file, make_private_folder
from holdfast.core.errors import SecretStoreError
from holdfast.core.secret import Secret
from holdfast.ports import SecretStore

Answer = TypeVar("Answer")


class Keys(Protocol):
    """Where the keys of the file lie, one a line, the newest first."""

    async def read(self) -> Secret | None:
        """None where there is no key yet."""
        ...

    async def write(self, keys: Secret) -> None:
        """Keep these instead."""
        ...


class KeysInStore:
    """Keys in another secret store: the keyring.

    Args:
        name: under which; each file has its own.
    """

    def __init__(self, store: SecretStore, name: str) -> None:
        self._store, self._name = store, name

    async def read(self) -> Secret | None:
        """None where there is no key yet."""
        return await self._store.read(self._name)

    async def write(self, keys: Secret) -> None:
        """Keep these instead."""
        await self._store.write(self._name, keys)

    def __str__(self) -> str:
        return f"the keyring (entry holdfast/{self._name})"


class KeysInFile:
    """Keys in a file that somebody mounted; holdfast makes one only when asked to."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def read(self) -> Secret | None:
        """Never None: a key file that was named and is not there is an error.

        Raises:
            SecretStoreError: the file is missing or may not be read.
        """
        try:
            return Secret(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SecretStoreError(
                f"There is no key file {self._file}: mount it, or make one with `holdfast secret new-key {self._file}`."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SecretStoreError(
                f"The key file {self._file} could not be read ({_why(error)}): check its rights."
            ) from None

    async def write(self, keys: Secret) -> None:
        """Replace the file whole.

        Raises:
            SecretStoreError: it may not be written, as mounted ones usually may not.
        """
        with _translated(self._file, "written"):
            _replace(self._file, keys.reveal().encode())

    def __str__(self) -> str:
        return f"the key file {self._file}"


class EncryptedFile:
    """One file for all secrets, read and written whole.

    Args:
        file: made when the first secret is kept, for this user alone.
        keys: made by themselves where they lie in the keyring and there is no file yet.
    """

    def __init__(self, file: Path, keys: Keys) -> None:
        self._file, self._keys = file, keys

    async def read(self, name: str) -> Secret | None:
        """None where there is no secret of that name."""
        text = (await self._all()).get(name)
        return None if text is None else Secret(text)

    async def write(self, name: str, secret: Secret) -> None:
        """Keep it; the file is replaced whole."""
        await self._change(lambda kept: kept.update({name: secret.reveal()}))

    async def delete(self, name: str) -> bool:
        """Whether there was one."""
        return await self._change(lambda kept: kept.pop(name, None)) is not None

    async def names(self) -> tuple[str, ...]:
        """What lies in the file, sorted."""
        return tuple(sorted(await self._all()))

    async def rotate_key(self) -> None:
        """A new key for the file; the old one works until the file is written anew, then it is gone."""
        old = await self._keys.read()
        new = Fernet.generate_key().decode()
        await self._keys.write(Secret(f"{new}\n{old.reveal() if old else ''}"))
        await self._change(lambda kept: None)
        await self._keys.write(Secret(f"{new}\n"))

    async def _all(self) -> dict[str, str]:
        if not await asyncio.to_thread(self._file.exists):
            return {}
        fernet = await self._fernet()
        return await asyncio.to_thread(self._decrypted, fernet)

    async def _change(self, change: Callable[[dict[str, str]], Answer]) -> Answer:
        fernet = await self._fernet()
        return await asyncio.to_thread(self._changed, fernet, change)

    def _changed(self, fernet: MultiFernet, change: Callable[[dict[str, str]], Answer]) -> Answer:
        with _translated(self._file, "written"), _locked(self._file):
            kept = self._decrypted(fernet) if self._file.exists() else {}
            answer = change(kept)
            _replace(self._file, fernet.encrypt(json.dumps(kept).encode()))
        return answer

    def _decrypted(self, fernet: MultiFernet) -> dict[str, str]:
        with _translated(self._file, "read"):
            content = self._file.read_bytes()
        try:
            kept: dict[str, str] = json.loads(fernet.decrypt(content))
        except InvalidToken:
            raise SecretStoreError(
                f"The secrets in {self._file} cannot be decrypted with the key in {self._keys}: put the key back that"
                " it was written with, or move the file away and store the secrets again."
            ) from None
        return kept

    async def _fernet(self) -> MultiFernet:
        keys = await self._keys.read()
        if keys is None:
            if self._file.exists():
                raise SecretStoreError(
                    f"The key of {self._file} is not in {self._keys}: put it back, or move the file away and store"
                    " the secrets again."
                )
            keys = Secret(Fernet.generate_key().decode())
            await self._keys.write(keys)
        try:
            return MultiFernet([Fernet(line) for line in keys.reveal().split()])
        except ValueError:
            raise SecretStoreError(
                f"What lies in {self._keys} is no Fernet key: `holdfast secret new-key FILE` makes one."
            ) from None


def new_key_file(file: Path) -> None:
    """Make a key file for this user alone.

    Raises:
        SecretStoreError: there is a file already, or it may not be written.
    """
    if file.exists():
        raise SecretStoreError(
            f"{file} exists: a new key in its place would lose the secrets of the old one."
        )
    with _translated(file, "written"):
        make_private_folder(file.parent)
        _replace(file, Fernet.generate_key() + b"\n")


def _replace(file: Path, content: bytes) -> None:
    """Write beside it, then rename: after a crash the old or the new file is there, whole."""
    beside = file.with_name(f"{file.name}.new")
    make_private_file(beside)
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    make_private_folder(file.parent)
    lock = file.with_name(f"{file.name}.lock")
    make_private_file(lock)
    with lock.open("r+b") as held:
        if not lock_file(held, wait=True):
            raise SecretStoreError(f"Another holdfast is writing {file}: run this again when it has ended.")
        yield


@contextmanager
def _translated(file: Path, deed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SecretStoreError(
            f"The file {file} could not be {deed} ({_why(error)}): check its folder and rights."
        ) from None


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
