"""What SQL Server answered us → evidence about a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.sql import LoginState, SqlPlace, SqlProbe, SqlRefusal

Read = Callable[[str, str], tuple[Evidence, ...]]
"""What a raw error text says, and where it was seen."""

ORIGIN: Final = "SQL Server"
FOR_EVERYBODY: Final = frozenset({911, 942, 40197, 40501, 40544, 40613, 42108, 42109, 49918})
"""Numbers that do not depend on who asks: the database is away. A firewall looks at the address, which is ours."""


def as_text(refusal: SqlRefusal) -> str:
    """An error the way SQL Server's own tools write it."""
    named = (("Msg", refusal.number), ("Level", refusal.severity), ("State", refusal.state))
    head = ", ".join(f"{word} {value}" for word, value in named if value is not None)
    return f"{head}: {refusal.message}" if head else f"SQL Server: {refusal.message}"


def own_evidence(probe: SqlProbe, read: Read) -> tuple[Evidence, ...]:
    """What a login as the connection's own identity tells of it; nothing where it went well."""
    if probe.refusal is None:
        return ()
    return tuple(replace(fact, at=probe.at) for fact in read(as_text(probe.refusal), ORIGIN))


def administrators_evidence(probe: SqlProbe, read: Read) -> tuple[Evidence, ...]:
    """What somebody else's login tells of it: only what would meet everybody."""
    if probe.refusal is None or probe.refusal.number not in FOR_EVERYBODY:
        return ()
    return own_evidence(probe, read)


def no_user(place: SqlPlace, client_id: str, probe: SqlProbe) -> Evidence:
    """An administrator looked, and the application has no user."""
    return Evidence(
        EvidenceKind.SQL,
        "no user",
        f"sys.database_principals of {place} has no user with the SID of {client_id}",
        ORIGIN,
        probe.at,
        ("sql_user_missing",),
        0.95,
    )


def login_evidence(place: SqlPlace, state: LoginState) -> Iterator[Evidence]:
    """What keeps a SQL login out, as an administrator sees it."""
    for holds, name, cause in (
        (state.is_locked, "IsLocked", "account_locked"),
        (state.is_expired, "IsExpired", "password_expired"),
        (state.must_change, "IsMustChange", "password_expired"),
    ):
        if holds:
            quote = f"LOGINPROPERTY of {state.login} at {place.server}: {name} = 1"
            yield Evidence(EvidenceKind.SQL, name, quote, ORIGIN, state.at, (cause,), 0.95)
