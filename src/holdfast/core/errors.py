"""The errors of holdfast: it could not do its own work.

A broken connection is not an error; it is a verdict.

HoldfastError
├── SettingsError
├── CloudError
│   ├── UnreachableError
│   ├── OutcomeUnknownError
│   ├── ThrottledError
│   ├── RefusedError
│   ├── MissingError
│   ├── ConflictError
│   ├── SqlServerError
│   └── UnfamiliarError
├── StoreError
├── SecretStoreError
├── BudgetSpentError
└── StrandedError
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.core.sql import SqlRefusal


class HoldfastError(Exception):
    """Anything that keeps holdfast from doing its own work.

    The message is one sentence: what failed, on which thing, and what to do.
    """

    exit_code = 70


class SettingsError(HoldfastError):
    """Settings or arguments are missing, contradictory or unreadable."""

    exit_code = 2


@dataclass(eq=False)
class CloudError(HoldfastError):
    """A call to the cloud did not give what was asked.

    Attributes:
        message: one sentence for a person.
        service: which API, by its host kind ("bap", "powerapps", "graph", "entra").
        operation: the ledger id of the call.
        status: HTTP status, None when no answer came.
        code: the error code in the answer, None when there was none.
        request_id: what support asks for, None when the answer named none.
    """

    message: str
    service: str
    operation: str
    status: int | None = None
    code: str | None = None
    request_id: str | None = None

    exit_code = 3

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        trail = ", ".join(
            part
            for part in (
                self.operation,
                f"HTTP {self.status}" if self.status else "",
                self.code or "",
                f"request {self.request_id}" if self.request_id else "",
            )
            if part
        )
        return f"{self.message} [{trail}]"


@dataclass(eq=False)
class UnreachableError(CloudError):
    """No answer came, and nothing can have changed: try again."""


@dataclass(eq=False)
class OutcomeUnknownError(CloudError):
    """A write was sent and no answer came: look what is there, then decide."""


@dataclass(eq=False)
class ThrottledError(CloudError):
    """Asked to slow down for longer than we were willing to wait."""

    retry_at: datetime | None = None


@dataclass(eq=False)
class RefusedError(CloudError):
    """The identity may not. Carries the permission it lacks, where the ledger knows it."""

    lacks: str | None = None


@dataclass(eq=False)
class MissingError(CloudError):
    """No such thing: read the inventory again."""


@dataclass(eq=False)
class ConflictError(CloudError):
    """Someone changed it first: plan again."""


@dataclass(eq=False)
class SqlServerError(CloudError):
    """SQL Server answered with an error; `code` is its number as a text."""

    refusal: SqlRefusal | None = None


@dataclass(eq=False)
class UnfamiliarError(CloudError):
    """An answer that we cannot read. Carries its beginning, secrets removed."""

    excerpt: str = field(default="", repr=False)


class StoreError(HoldfastError):
    """holdfast's own store could not be read or written."""

    exit_code = 5


class SecretStoreError(HoldfastError):
    """The secret store could not be read or written."""

    exit_code = 5


class BudgetSpentError(HoldfastError):
    """As many requests were made as there may be; what was done is kept, and the same command goes on from there."""

    exit_code = 1


class StrandedError(HoldfastError):
    """Stopped half-way and could not undo: what is left, where, and the command that finishes it."""

    exit_code = 4
