"""Secrets in memory: our port, and the keyring of an operating system."""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from holdfast.core.secret import Secret


class MemorySecrets:
    def __init__(self) -> None:
        self._kept: dict[str, Secret] = {}

    async def read(self, name: str) -> Secret | None:
        return self._kept.get(name)

    async def write(self, name: str, secret: Secret) -> None:
        self._kept[name] = secret

    async def delete(self, name: str) -> bool:
        return self._kept.pop(name, None) is not None

    async def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._kept))


class MemoryKeyring(KeyringBackend):
    """Refuses long passwords, as Windows does: 2,560 bytes of UTF-16."""

    priority = 0.1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError(1783, "The stub received bad data.")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError(service)
