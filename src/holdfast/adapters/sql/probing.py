"""Which of the ledger's questions to SQL servers an identity may ask. Writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from holdfast.core.errors import CloudError, SqlServerError
from holdfast.core.identity import Role
from holdfast.core.probe import Answered, Probe
from holdfast.core.sql import Securable, SqlPlace, SqlRight
from holdfast.ports import SqlServer
from holdfast.wire.ledger import SQL_CALLS, SQL_EXECUTE, SQL_LOGIN, SQL_PROBE, SQL_RIGHTS, SQL_USER, Call

UNNAMED = "which database, nobody said: --ask-sql SERVER/DATABASE asks one, and wakes it where it is paused"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_NEEDED = tuple(SqlRight(name, Securable.DATABASE) for name in ("ALTER ANY USER", "ALTER ANY ROLE"))
_CONTROL = SqlRight("CONTROL", Securable.DATABASE)


def unasked(role: Role, why: str = UNNAMED) -> Iterator[Probe]:
    """Every question of the ledger to SQL servers, none asked."""
    for call in SQL_CALLS:
        if role in call.roles:
            yield _told(role, call, Answered.NOT_ASKED, why)


async def probe_databases(server: SqlServer, role: Role, places: Sequence[SqlPlace]) -> AsyncIterator[Probe]:
    """The same, asked of each of these databases; a paused one wakes."""
    for place in places:
        try:
            refusal = (await server.probe(place)).refusal
        except CloudError as error:
            yield _told(role, SQL_PROBE, Answered.NO_ANSWER, str(error))
            continue
        if refusal is not None:
            yield _told(role, SQL_PROBE, Answered.REFUSED, f"{place}: {refusal.message}", SQL_PROBE.needs)
            continue
        yield _told(role, SQL_PROBE, Answered.ALLOWED, str(place))
        async for found in _inside(server, role, place):
            yield found


async def _inside(server: SqlServer, role: Role, place: SqlPlace) -> AsyncIterator[Probe]:
    """What somebody may ask who is let in."""
    try:
        await server.user_of(place, _NOBODY)
        yield _told(role, SQL_USER, Answered.ALLOWED, str(place))
    except SqlServerError as error:
        yield _told(role, SQL_USER, Answered.REFUSED, str(error), SQL_USER.needs)
    except CloudError as error:
        yield _told(role, SQL_USER, Answered.NO_ANSWER, str(error))
    try:
        held = await server.rights(place, (*_NEEDED, _CONTROL))
    except CloudError as error:
        yield _told(role, SQL_RIGHTS, Answered.NO_ANSWER, str(error))
        return
    yield _told(role, SQL_RIGHTS, Answered.ALLOWED, str(place))
    yield _told(
        role, SQL_LOGIN, Answered.NOT_ASKED, "a login has to be named: show ID --ask-sql --login NAME"
    )
    lacking = [right.permission for right, is_held in zip(_NEEDED, held, strict=False) if not is_held]
    if lacking:
        missing = f"{' and '.join(lacking)} in the database"
        yield _told(role, SQL_EXECUTE, Answered.REFUSED, str(place), missing)
    elif not held[-1]:
        partly = f"{place}; without CONTROL of the whole database it grants only on what it controls"
        yield _told(role, SQL_EXECUTE, Answered.ALLOWED, partly)
    else:
        yield _told(role, SQL_EXECUTE, Answered.ALLOWED, str(place))


def _told(role: Role, call: Call, answered: Answered, detail: str, lacks: str | None = None) -> Probe:
    return Probe(role, call.id, call.unlocks, answered, lacks, detail)
