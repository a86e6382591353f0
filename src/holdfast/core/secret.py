"""A secret's text, and the name under which a store keeps one."""

from __future__ import annotations

from typing import NamedTuple

KINDS = ("keyring", "file", "keyvault", "env")


class Secret:
    """A text that shows itself to nobody who does not ask by name.

    Printing, formatting and comparing do not reveal it; pickling and JSON fail.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Hand it on at once; keep it nowhere."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled")


class SecretReference(NamedTuple):
    """Where a secret's text lies: `keyring:NAME`, `file:NAME` (the encrypted file), `keyvault:NAME` or `env:VARIABLE`."""

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str) -> SecretReference | None:
        """The reference, None where the text is none. Such a text may be a secret: do not print it."""
        kind, colon, name = text.partition(":")
        return cls(kind, name) if colon and kind in KINDS and name.strip() == name != "" else None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"
