"""From history to what the report shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from holdfast.cli.chart import Bar
from holdfast.cli.report import STATES, Case, Report
from holdfast.cli.times import away, day

if TYPE_CHECKING:
    from holdfast.core.horizon import Horizon
    from holdfast.diagnosis.status import ConnectionStatus
    from holdfast.ports import History
    from holdfast.scan.standing import Picture, Standing


async def report_of(
    history: History,
    seen: Picture,
    *,
    tenant: str,
    completeness: str = "",
    story: Sequence[tuple[datetime, str]] = (),
) -> Report:
    """The report of one tenant as last scanned, the worst first."""
    from holdfast.scan.standing import standings

    found = [standing async for standing in standings(history, seen)]
    found.sort(key=lambda each: (STATES.index(each.status.state.value), each.status.connection.display_name))
    return Report(
        tenant=tenant,
        as_of=seen.now,
        rows=[_row(each.status, seen) for each in found],
        cases=[_case(each, seen) for each in found if each.status.state.needs_attention],
        bars=sorted((bar for each in found for bar in _bars(each, seen)), key=lambda bar: bar.earliest),
        completeness=completeness,
        story=story,
    )


def _row(status: ConnectionStatus, seen: Picture) -> dict[str, str | None]:
    connection = status.connection
    owner = connection.owner
    return {
        "name": connection.display_name,
        "environment": seen.name_of(connection.environment),
        "sign_in": connection.sign_in.value,
        "owner": (owner.display_name or owner.user_principal_name) if owner else "",
        "state": status.state.value,
        "cause": status.cause,
        "next_action": status.next_action,
    }


def _case(standing: Standing, seen: Picture) -> Case:
    from holdfast.diagnosis.causes import BY_ID

    status = standing.status
    known = BY_ID.get(status.cause or "")
    verdict = status.verdict
    remedies = verdict.remedies if verdict else ()
    return Case(
        name=status.connection.display_name,
        environment=seen.name_of(status.connection.environment),
        state=status.state.value,
        headline=f"{known.CAUSE.title if known else 'The cause is not known'}.",
        because=_when(status.nearest, seen.now) if verdict is None else "",
        quotes=[piece.quote for piece in verdict.because if piece.quote][:3] if verdict else [],
        remedies=[(each.who.spoken, each.does, each.command or "") for each in remedies]
        or [("Next", status.next_action, "")],
    )


def _when(horizon: Horizon | None, now: datetime) -> str:
    if horizon is None or horizon.earliest is None:
        return ""
    condition = " if nothing uses it before" if horizon.condition == "if_unused" else ""
    return f"It breaks on {day(horizon.earliest)}, {away(horizon.earliest, now)}{condition}."


def _bars(standing: Standing, seen: Picture) -> Iterator[Bar]:
    if standing.judgement is None or standing.status.state == "broken":
        return
    for horizon in standing.judgement.horizons:
        if horizon.earliest and horizon.likely and horizon.latest:
            yield Bar(
                standing.status.connection.display_name,
                horizon.condition.value,
                horizon.earliest,
                horizon.likely,
                horizon.latest,
                f"{day(horizon.earliest)} {horizon.cause.replace('_', ' ')}",
            )
