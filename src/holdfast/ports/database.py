"""SQL Server, as one identity reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from holdfast.core.sql import LoginState, Rows, SqlPlace, SqlProbe, SqlRight


class SqlServer(Protocol):
    """SQL servers as one identity sees them, by its access token. Every call logs in anew and keeps nothing open.

    Every method raises UnreachableError where no server answered, RefusedError for a host that tokens may not go to, and
    the CloudError of Entra where there was no token.
    """

    async def probe(self, place: SqlPlace, patience: timedelta = timedelta()) -> SqlProbe:
        """Log in and SELECT 1. What the server refuses is in the answer, not raised.

        A login wakes a paused serverless database, which costs money: ask before.

        Args:
            patience: how long to wait for a database that wakes (40613).
        """
        ...

    async def execute(self, place: SqlPlace, *batches: str) -> list[Rows]:
        """Run batches one after the other, each on its own; the rows of each one's last result.

        Raises:
            SqlServerError: the server refused the login or a batch; those before it were done.
            OutcomeUnknownError: the line broke while a batch ran.
        """
        ...

    async def user_of(self, place: SqlPlace, entra_id: str) -> str | None:
        """The name of the database user with that identity's SID; None where there is none that we may see.

        Args:
            entra_id: client id of an application, object id of a person or group.

        Raises:
            SqlServerError: as for `execute`.
        """
        ...

    async def login_state(self, place: SqlPlace, login: str) -> LoginState | None:
        """How a SQL login and its password stand; None where there is none of that name that we may see.

        Raises:
            SqlServerError: as for `execute`.
            ValueError: no login can be called so.
        """
        ...

    async def rights(self, place: SqlPlace, wanted: Sequence[SqlRight]) -> tuple[bool, ...]:
        """Which of the rights the identity has. False also for objects that it cannot see.

        Raises:
            SqlServerError: as for `execute`.
        """
        ...
