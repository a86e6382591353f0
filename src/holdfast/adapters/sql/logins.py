"""LOGINPROPERTY: the question, and what its answer says about a password."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from holdfast.core.sql import LoginState, Rows, quoted

NUMBERS: Final = ("DaysUntilExpiration", "IsLocked", "IsExpired", "IsMustChange")
NEVER: Final = -1
"""DaysUntilExpiration where the policy of Windows ends no password; NULL where the login's own settings do not."""
_DAY: Final = timedelta(days=1)


def question(login: str) -> str:
    """The batch. LOGINPROPERTY answers variants, which not every driver reads: so they are converted.

    Its times are the server's local ones, so that both of its clocks are asked, too.

    Raises:
        ValueError: no login can be called so.
    """
    name = quoted(login)
    numbers = [f"CONVERT(int, LOGINPROPERTY({name}, {quoted(each)}))" for each in NUMBERS]
    moments = [f"LOGINPROPERTY({name}, {quoted('PasswordLastSetTime')})", "GETDATE()", "GETUTCDATE()"]
    return "SELECT " + ", ".join([*numbers, *(f"CONVERT(nvarchar(30), {each}, 126)" for each in moments)])


def state(login: str, rows: Rows) -> LoginState | None:
    """The answer; None where the server knows no such SQL login, or shows it to others.

    It tells whole days, and not whether they are counted from midnight or from now (documented is only that the last
    one is 0): the interval holds for both.
    """
    days, locked, expired, must_change, last_set, local, universal = rows[0]
    if last_set is None:
        return None
    here, now = datetime.fromisoformat(local), datetime.fromisoformat(universal).replace(tzinfo=UTC)
    ahead = timedelta(minutes=round((here - now.replace(tzinfo=None)) / timedelta(minutes=1)))
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = days is not None and days != NEVER
    return LoginState(
        login,
        now,
        (datetime.fromisoformat(last_set) - ahead).replace(tzinfo=UTC),
        (midnight + days * _DAY - ahead).replace(tzinfo=UTC) if ends else None,
        now + (days + 1) * _DAY if ends else None,
        locked == 1,
        expired == 1,
        must_change == 1,
    )
