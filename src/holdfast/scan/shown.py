"""Which secret an application showed when a connection got its token: asked of the sign-in log where nothing else tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.coverage import SIGN_INS, Outcome, Sweep
from holdfast.core.directory import SignInRecord
from holdfast.core.errors import CloudError
from holdfast.core.horizon import Interval
from holdfast.ports import Directory
from holdfast.scan.part import CloudTime, outcome_of

MOST_APPLICATIONS: Final = 100
"""Asked in one scan: the log is slow, and allows few questions."""

REACH: Final = timedelta(days=30)
"""How far the log reaches at most (documented); a free tenant's reaches a week."""

NEAR: Final = timedelta(minutes=10)
"""A sign-in so near to a refresh is that refresh: clocks and logs are not to the second."""

MOST_ROWS: Final = 500


class SignInLog:
    """The rows of applications that were asked for, each application once; it stops asking when refused."""

    def __init__(self, directory: Directory, time: CloudTime) -> None:
        self._directory = directory
        self._time = time
        self._rows: dict[str, tuple[SignInRecord, ...]] = {}
        self._started_at: datetime | None = None
        self._trouble: CloudError | None = None
        self._skipped = 0

    async def keys(self, client_id: str, refreshed: Interval) -> frozenset[str]:
        """The key ids that it showed about then; empty where the log does not tell."""
        if client_id not in self._rows:
            if self._trouble is not None:
                return frozenset()
            if len(self._rows) >= MOST_APPLICATIONS:
                self._skipped += 1
                return frozenset()
            self._rows[client_id] = await self._read(client_id)
        return keys_shown(self._rows[client_id], refreshed)

    def sweep(self) -> Sweep | None:
        """What came of asking; None where nothing had to be asked."""
        if self._started_at is None:
            return None
        outcome, detail = Outcome.SCANNED, ""
        if self._trouble is not None:
            outcome, detail = outcome_of(self._trouble, saw_some=False), str(self._trouble)
        elif self._skipped:
            outcome = Outcome.PARTIAL
            detail = f"The log was asked for {MOST_APPLICATIONS} applications; {self._skipped} more wait for later scans."
        return Sweep("", SIGN_INS, outcome, self._started_at, self._time.now(), len(self._rows), detail)

    async def _read(self, client_id: str) -> tuple[SignInRecord, ...]:
        now = self._time.now()
        self._started_at = self._started_at or now
        rows: list[SignInRecord] = []
        try:
            async for row in self._directory.sign_ins_of_application(client_id, now - REACH):
                rows.append(row)
                if len(rows) == MOST_ROWS:
                    break
        except CloudError as error:
            self._trouble = error
            return ()
        return tuple(rows)


def keys_shown(rows: Iterable[SignInRecord], refreshed: Interval) -> frozenset[str]:
    """The keys of the successful sign-ins that can be the refresh."""
    return frozenset(
        row.key_id
        for row in rows
        if row.key_id is not None
        and row.code == 0
        and refreshed.earliest - NEAR <= row.at <= refreshed.latest + NEAR
    )
