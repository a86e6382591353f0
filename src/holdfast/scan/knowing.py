"""What history knows of every connection of a tenant, as a what-if takes it; and what became of old forecasts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from holdfast.core.coverage import SERVICE_PRINCIPALS, Outcome
from holdfast.core.identity import ServicePrincipal
from holdfast.core.imported import PasswordTerm
from holdfast.core.inventory import Connection
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy
from holdfast.diagnosis.forecast import Known
from holdfast.diagnosis.grading import Grade, grades
from holdfast.diagnosis.known import NOTHING_COMES_ROUND, Recurrences
from holdfast.ports import History
from holdfast.scan.carried import flows_are_complete, flows_were_read
from holdfast.scan.standing import Picture, Standing, standings


async def graded(history: History, seen: Picture) -> list[Grade]:
    """The grades of every connection that is there."""
    until = seen.record.finished_at or seen.record.started_at
    found: list[Grade] = []
    async for connection in history.current(seen.tenant, Connection):
        key = f"{connection.connector}/{connection.id}"
        past = history.past(seen.tenant, Judgement, connection.environment, key)
        found += grades([state async for state in past], until)
    return found


async def known(
    history: History, seen: Picture, recurrences: Recurrences = NOTHING_COMES_ROUND
) -> AsyncIterator[tuple[Standing, Known]]:
    """Every connection that is there, with all that was concluded and seen around it.

    Args:
        recurrences: of demands that no call of the cloud tells, from the settings.
    """
    directory = seen.record.sweep_of("", SERVICE_PRINCIPALS)
    apps = None
    if directory is not None and directory.outcome is Outcome.SCANNED:
        apps = {app.client_id: app async for app in history.current(seen.tenant, ServicePrincipal)}
    policies = tuple([policy async for policy in history.current(seen.tenant, AccessPolicy)])
    passwords = {term.connection: term async for term in history.current(seen.tenant, PasswordTerm)}
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
                policies,
                frozenset(judgement.shown) if judgement else frozenset(),
                passwords.get(connection.id),
                judgement.password_changed_at if judgement else None,
                recurrences=recurrences,
                flows_complete=flows_are_complete(seen.record, connection.environment),
            ),
        )
