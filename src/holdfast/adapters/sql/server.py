"""The port SqlServer: tokens, threads and one try, whichever driver there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

from holdfast.adapters.sql import logins
from holdfast.adapters.sql.addresses import SqlAddresses
from holdfast.adapters.sql.line import Driver, Knock, Line, RefusalError, SilenceError
from holdfast.core.errors import OutcomeUnknownError, SqlServerError, UnreachableError
from holdfast.core.secret import Secret
from holdfast.core.sql import (
    LoginState,
    Rows,
    Securable,
    SqlPlace,
    SqlProbe,
    SqlRefusal,
    SqlRight,
    bracketed,
    quoted,
    sid_of,
)
from holdfast.ports import Clock
from holdfast.wire.ledger import SQL_EXECUTE, SQL_LOGIN, SQL_PROBE, SQL_RIGHTS, SQL_USER, Call

THREADS: Final = 32
WAKING: Final = 40613
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(seconds=60)
"""Between looks at a database that wakes: azure-sql troubleshoot-common-errors-issues."""

T = TypeVar("T")


class DriverSqlServer:
    """SQL servers as one identity sees them. Belongs to the event loop that uses it."""

    def __init__(
        self,
        driver: Driver,
        token: Callable[[], Awaitable[str]],
        addresses: SqlAddresses,
        clock: Clock,
        ca_file: str,
    ) -> None:
        """Asks nothing yet.

        Args:
            token: gives an access token for databases.
            ca_file: PEM certificates to believe.
        """
        self._driver, self._token, self._addresses, self._clock = driver, token, addresses, clock
        self._ca_file = ca_file
        self._threads = ThreadPoolExecutor(THREADS, "holdfast-sql")

    async def probe(self, place: SqlPlace, patience: timedelta = timedelta()) -> SqlProbe:
        """As the port says."""
        until, wait = self._clock.now() + patience, FIRST_WAIT
        while True:
            refusal = await self._tried(place)
            now = self._clock.now()
            if refusal is None or refusal.number != WAKING or now + wait > until:
                return SqlProbe(place, now, refusal)
            await self._clock.sleep_until(now + wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _tried(self, place: SqlPlace) -> SqlRefusal | None:
        try:
            await self._ask(place, SQL_PROBE, lambda line: line.ask("SELECT 1"))
        except SqlServerError as error:
            return error.refusal
        return None

    async def execute(self, place: SqlPlace, *batches: str) -> list[Rows]:
        """As the port says."""
        return await self._ask(place, SQL_EXECUTE, lambda line: [line.ask(batch) for batch in batches])

    async def user_of(self, place: SqlPlace, entra_id: str) -> str | None:
        """As the port says."""
        batch = f"SELECT name FROM sys.database_principals WHERE sid = {sid_of(entra_id)}"  # noqa: S608 - hex digits
        rows = await self._ask(place, SQL_USER, lambda line: line.ask(batch))
        return str(rows[0][0]) if rows else None

    async def login_state(self, place: SqlPlace, login: str) -> LoginState | None:
        """As the port says."""
        batch = logins.question(login)
        return logins.state(login, await self._ask(place, SQL_LOGIN, lambda line: line.ask(batch)))

    async def rights(self, place: SqlPlace, wanted: Sequence[SqlRight]) -> tuple[bool, ...]:
        """As the port says."""
        if not wanted:
            return ()
        batch = "SELECT " + ", ".join(map(_question, wanted))
        rows = await self._ask(place, SQL_RIGHTS, lambda line: line.ask(batch))
        return tuple(value == 1 for value in rows[0])

    async def close(self) -> None:
        """Let the threads go; what still runs in one ends by its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, place: SqlPlace, call: Call, deed: Callable[[Line], T]) -> T:
        address = self._addresses.of(place, call)
        token = Secret(await self._token())
        knock = Knock(address, place.database, token, self._addresses.admits, self._ca_file)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._session, knock, place, call, deed)

    def _session(self, knock: Knock, place: SqlPlace, call: Call, deed: Callable[[Line], T]) -> T:
        """One login, in a thread."""
        line: Line | None = None
        try:
            line = self._driver(knock)
            return deed(line)
        except RefusalError as error:
            raise _refused(error.refusal, place, call) from None
        except SilenceError as error:
            raise _silent(str(error), place, call, was_in=line is not None) from None
        finally:
            if line is not None:
                line.close()


def _question(right: SqlRight) -> str:
    if right.securable is Securable.DATABASE:
        return f"HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', {quoted(right.permission)})"
    parts = (right.schema, right.name) if right.securable is Securable.OBJECT else (right.schema,)
    name = quoted(".".join(map(bracketed, parts)))
    return f"HAS_PERMS_BY_NAME({name}, {quoted(right.securable.value)}, {quoted(right.permission)})"


def _refused(refusal: SqlRefusal, place: SqlPlace, call: Call) -> SqlServerError:
    return SqlServerError(
        f"SQL Server refused to {call.does} ({place}): {refusal.message}",
        service=call.host.value,
        operation=call.id,
        code=None if refusal.number is None else str(refusal.number),
        refusal=refusal,
    )


def _silent(why: str, place: SqlPlace, call: Call, *, was_in: bool) -> UnreachableError | OutcomeUnknownError:
    if was_in and call.writes:
        return OutcomeUnknownError(
            f"The line to {place} broke while it was asked to {call.does} ({why}): look what is there before trying again.",
            service=call.host.value,
            operation=call.id,
        )
    return UnreachableError(
        f"{place} did not answer when asked to {call.does}: {why}.",
        service=call.host.value,
        operation=call.id,
    )
