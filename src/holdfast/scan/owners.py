"""What the logs tell of the owners of refused connections: asked only where nothing else tells which policy it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from holdfast.core.coverage import OWNER_SIGN_INS, Outcome, Sweep
from holdfast.core.directory import Change, SignInRecord
from holdfast.core.errors import CloudError
from holdfast.diagnosis.case import Case
from holdfast.diagnosis.judge import Conclusion
from holdfast.ports import Directory
from holdfast.scan.part import CloudTime, outcome_of
from holdfast.scan.shown import REACH

MOST_OWNERS: Final = 20
"""Asked in one scan: the log allows five questions in ten seconds. The rest wait for later scans."""

MOST_ROWS: Final = 200

MOST_CHANGES: Final = 20_000
"""Rows of the audit log read in one scan: twenty pages; older ones are left out."""


async def newest(changes: AsyncIterator[Change]) -> AsyncIterator[Change]:
    """The newest rows of the audit log, as many as are read."""
    read = 0
    async for change in changes:
        yield change
        read += 1
        if read == MOST_CHANGES:
            return


class OwnerLog:
    """Answers for owners that were asked about, each once; it stops asking when refused."""

    def __init__(self, directory: Directory, time: CloudTime) -> None:
        self._directory = directory
        self._time = time
        self._rows: dict[str, tuple[SignInRecord, ...]] = {}
        self._mfa: dict[str, bool | None] = {}
        self._started_at: datetime | None = None
        self._trouble: CloudError | None = None
        self._skipped = 0

    async def asked(self, case: Case, conclusion: Conclusion) -> Case:
        """The case with what its owner's logs tell of what is in doubt."""
        who = case.person_id
        if who is None:
            return case
        if "mfa" in conclusion.in_doubt and await self._may_ask(who, who in self._mfa):
            case = replace(case, mfa_demanded=await self._mfa_of(who))
        if "sign_ins" in conclusion.in_doubt and await self._may_ask(who, who in self._rows):
            case = replace(case, sign_ins=await self._sign_ins_of(who))
        return case

    async def rows_of(self, who: str) -> tuple[SignInRecord, ...] | None:
        """The newest sign-ins of an account by refresh token; None where they cannot be had or are for a later scan."""
        return await self._sign_ins_of(who) if await self._may_ask(who, who in self._rows) else None

    async def _may_ask(self, who: str, is_known: bool) -> bool:
        if is_known:
            return True
        if self._trouble is not None:
            return False
        known = self._rows.keys() | self._mfa.keys()
        if who not in known and len(known) >= MOST_OWNERS:
            self._skipped += 1
            return False
        self._started_at = self._started_at or self._time.now()
        return True

    async def _mfa_of(self, who: str) -> bool | None:
        if who not in self._mfa:
            try:
                self._mfa[who] = await self._directory.mfa_is_demanded(who)
            except CloudError as error:
                self._trouble = error
                return None
        return self._mfa[who]

    async def _sign_ins_of(self, who: str) -> tuple[SignInRecord, ...] | None:
        if who not in self._rows:
            rows: list[SignInRecord] = []
            try:
                async for row in self._directory.sign_ins_of_account(who, self._time.now() - REACH):
                    rows.append(row)
                    if len(rows) == MOST_ROWS:
                        break
            except CloudError as error:
                self._trouble = error
                return None
            self._rows[who] = tuple(rows)
        return self._rows[who]

    def sweep(self) -> Sweep | None:
        """What came of asking; None where nothing had to be asked."""
        if self._started_at is None:
            return None
        outcome, detail = Outcome.SCANNED, ""
        if self._trouble is not None:
            outcome, detail = outcome_of(self._trouble, saw_some=False), str(self._trouble)
        elif self._skipped:
            outcome = Outcome.PARTIAL
            detail = f"The logs were asked about {MOST_OWNERS} owners; the rest wait for later scans."
        counted = len(self._rows.keys() | self._mfa.keys())
        return Sweep("", OWNER_SIGN_INS, outcome, self._started_at, self._time.now(), counted, detail)
