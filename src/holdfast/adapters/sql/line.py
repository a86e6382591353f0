"""What a driver has to do for us, and what it tells when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.adapters.sql.addresses import Address
from holdfast.core.secret import Secret
from holdfast.core.sql import Rows, SqlRefusal


class RefusalError(Exception):
    """SQL Server answered with an error."""

    def __init__(self, refusal: SqlRefusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class SilenceError(Exception):
    """No answer of SQL Server: the text says why, in a few words without secrets."""


@dataclass(frozen=True, slots=True)
class Knock:
    """A login to be.

    Attributes:
        admits: whether the token may be shown to a host, also one that the server names.
        ca_file: PEM certificates to believe.
        seconds: how long a login and a batch may take.
    """

    address: Address
    database: str
    token: Secret = field(repr=False)
    admits: Callable[[str], bool]
    ca_file: str
    seconds: int = 30


class Line(Protocol):
    """An open session. Blocks: for threads."""

    def ask(self, batch: str) -> Rows:
        """The rows of the batch's last result. Raises RefusalError or SilenceError."""
        ...

    def close(self) -> None:
        """Say goodbye. Raises nothing."""
        ...


Driver = Callable[[Knock], Line]
"""Logs in. Blocks: for threads. Raises RefusalError or SilenceError; the connection is verified by then."""
