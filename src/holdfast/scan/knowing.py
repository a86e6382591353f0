"""What history knows of every connection of a tenant, as a forecast and a what-if take it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from holdfast.core.coverage import SERVICE_PRINCIPALS, Outcome
from holdfast.core.identity import ServicePrincipal
from holdfast.diagnosis.forecast import Known
from holdfast.ports import History
from holdfast.scan.carried import flows_were_read
from holdfast.scan.standing import Picture, Standing, standings


async def known(history: History, seen: Picture) -> AsyncIterator[tuple[Standing, Known]]:
    """Every connection that is there, with all that was concluded and seen around it."""
    directory = seen.record.sweep_of("", SERVICE_PRINCIPALS)
    apps = None
    if directory is not None and directory.outcome is Outcome.SCANNED:
        apps = {app.client_id: app async for app in history.current(seen.tenant, ServicePrincipal)}
    async for standing in standings(history, seen):
        judgement, connection = standing.judgement, standing.status.connection
        yield (
            standing,
            Known(
                connection,
                judgement.witnesses if judgement else (),
                apps,
                standing.status.verdict,
                seen.now,
                standing.status.flows,
                flows_were_read(seen.record, connection.environment),
            ),
        )
