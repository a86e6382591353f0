"""`holdfast status`: every connection, what is wrong with it, and what to do next."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.compose import Holdfast
    from holdfast.core.horizon import Horizon
    from holdfast.diagnosis.status import ConnectionStatus
    from holdfast.scan.standing import Picture

MANY = 30
"""A longer table leaves out the connections that are fine."""

STATE = Column("state", "State", wraps=False)
NAME = Column("name", "Connection", "bold")
ENVIRONMENT = Column("environment", "Environment")
CAUSE = Column("cause", "Cause", wraps=False)
BREAKS = Column("breaks", "Breaks", wraps=False)
NEXT = Column("next_action", "Do next")
TENANT = Column("tenant", "Tenant")
WIDE = (STATE, NAME, ENVIRONMENT, CAUSE, BREAKS, NEXT)
NARROW = ((STATE, CAUSE, BREAKS), (NAME, ENVIRONMENT), (NEXT,))
EXPORT = tuple(
    Column(key, key)
    for key in (
        "connection",
        "environment",
        "name",
        "connector",
        "sign_in",
        "state",
        "cause",
        "confidence",
        "next_action",
    )
)
ORDER = ("broken", "at_risk", "unknown", "ok")
WORDS = {"broken": "broken", "at_risk": "at risk", "unknown": "unknown", "ok": "fine"}


@click.command()
@click.option("--all", "everything", is_flag=True, help="Show the fine ones too, however many there are.")
@common_options
def command(everything: bool, invocation: Invocation) -> int:
    """Show how every connection stands; exit code 1 when one is broken or about to break."""
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_status(holdfast, invocation, everything))


async def _status(holdfast: Holdfast, invocation: Invocation, everything: bool) -> int:
    from holdfast.cli.looking import coverage, ourselves, pictures, say_below, with_tenant
    from holdfast.cli.stacking import print_rows
    from holdfast.scan.standing import standings

    seen = await pictures(holdfast, invocation)
    table = invocation.output == "table"
    several = len(seen) > 1
    states: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    own_trouble = 0
    for each in seen:
        for standing in await ourselves(holdfast, each):
            own_trouble += standing.status.state.needs_attention
            row = table_row(standing.status, each) if table else contract_row(standing.status)
            own.append(with_tenant(row, each.name, several))
        async for standing in standings(holdfast.history, each):
            found = standing.status
            states[found.state.value] += 1
            row = table_row(found, each) if table else contract_row(found)
            rows.append(with_tenant(row, each.name, several))
    if table:
        rows.sort(key=lambda row: (ORDER.index(row["state"]), row["at"], row["environment"], row["name"]))
        hidden = len(rows) > MANY and not everything
        shown = [row for row in rows if row["state"] != "ok"] if hidden else rows
        wide = (TENANT, *WIDE) if several else WIDE
        narrow = ((TENANT,), *NARROW) if several else NARROW
        empty = "There is no SQL connection." if not rows else "Every connection is fine."
        print_rows([*own, *shown], wide, narrow, wide_enough=150, empty=empty)
        click.echo(summary(states, hidden=hidden))
    else:
        columns = (TENANT, *EXPORT) if several else EXPORT
        meta = {"scans": [coverage(each) for each in seen]}
        emit([*own, *rows], columns, invocation.output, shape="holdfast.status/1", meta=meta)
    say_below(seen, invocation.output)
    return 1 if states["broken"] + states["at_risk"] + own_trouble else 0


def contract_row(found: ConnectionStatus) -> dict[str, Any]:
    """The line that programs rely on."""
    connection = found.connection
    return {
        "connection": connection.id,
        "environment": connection.environment,
        "name": connection.display_name,
        "connector": connection.connector,
        "sign_in": connection.sign_in.value,
        "state": found.state.value,
        "cause": found.cause,
        "confidence": found.confidence,
        "flows": [flow.id for flow in found.flows],
        "flows_complete": found.flows_complete,
        "next_action": found.next_action or None,
    }


def table_row(found: ConnectionStatus, seen: Picture) -> dict[str, Any]:
    """The line that people read; `at` sorts it."""
    nearest = found.nearest.earliest if found.nearest else None
    return {
        "state": found.state.value,
        "name": found.connection.display_name,
        "environment": seen.name_of(found.connection.environment),
        "cause": found.cause or "",
        "breaks": "" if found.state == "broken" else _breaks(found.nearest, seen.now),
        "next_action": found.next_action,
        "at": nearest.timestamp() if nearest else float("inf"),
    }


def _breaks(horizon: Horizon | None, now: datetime) -> str:
    from holdfast.cli.times import away

    if horizon is None or horizon.earliest is None:
        return ""
    when = away(horizon.earliest, now)
    return f"{when} if unused" if horizon.condition == "if_unused" else when


def summary(states: Counter[str], *, hidden: bool = False) -> str:
    """How many stand how: "2 broken, 1 at risk, 14 fine." """
    parts = [f"{states[state]} {WORDS[state]}" for state in ORDER if states[state]]
    tail = " The fine ones are left out; --all shows them." if hidden and states["ok"] else ""
    return f"{', '.join(parts) or 'No connection'}.{tail}"
