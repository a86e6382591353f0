"""`holdfast status`: every connection, what is wrong with it, and what to do next."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit
from holdfast.cli.shared import shared_row

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.compose import Holdfast
    from holdfast.core.horizon import Horizon
    from holdfast.core.judgement import Judgement
    from holdfast.diagnosis.status import ConnectionStatus
    from holdfast.diagnosis.together import Shared
    from holdfast.scan.standing import Picture

COMMON = 5
"""Common causes told under the table."""
MANY = 30
"""A longer table leaves out the connections that are fine."""
MOST = 500
"""Rows of a table, the worst first: nobody reads more, and laying out 100,000 takes minutes."""

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
@click.option(
    "--behind",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show only the connections behind the N-th cause that several breaks have in common.",
)
@common_options
def command(everything: bool, behind: int | None, invocation: Invocation) -> int:
    """Show how every connection stands; exit code 1 when one is broken or about to break."""
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_status(holdfast, invocation, everything, behind))


async def _status(holdfast: Holdfast, invocation: Invocation, everything: bool, behind: int | None) -> int:
    from holdfast.cli.flow_sources import sentences, sources_row
    from holdfast.cli.looking import coverage, ourselves, pictures, say_below, with_tenant
    from holdfast.cli.stacking import Worst, print_rows
    from holdfast.diagnosis.together import together
    from holdfast.scan.differences import sources_of
    from holdfast.scan.standing import standings

    seen = await pictures(holdfast, invocation)
    sources = [
        await sources_of(holdfast.history, each.tenant, each.record, each.environments) for each in seen
    ]
    table = invocation.output == "table"
    several = len(seen) > 1
    states: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    most = None if everything or behind is not None else MOST
    worst, fine = Worst(most), Worst(None if most is None else MANY)
    own: list[dict[str, Any]] = []
    own_trouble = 0
    common: list[tuple[Shared, str]] = []
    for each in seen:
        broken: list[Judgement] = []
        for standing in await ourselves(holdfast, each):
            own_trouble += standing.status.state.needs_attention
            row = table_row(standing.status, each) if table else contract_row(standing.status)
            own.append(with_tenant(row, each.name, several))
        async for standing in standings(holdfast.history, each):
            found = standing.status
            states[found.state.value] += 1
            if found.state == "broken" and standing.judgement is not None:
                broken.append(standing.judgement)
            row = table_row(found, each) if table else contract_row(found)
            row["key"] = (each.name, found.connection.environment, found.connection.id)
            row = with_tenant(row, each.name, several)
            if table:
                (fine if found.state == "ok" else worst).add(_rank(row), row)
            else:
                rows.append(row)
        common += [(shared, each.name) for shared in together(broken)]
    if table:
        rows = [dict(row) for row in (*worst.rows(), *fine.rows())]
    rows = _behind(rows, common, behind)
    if table:
        rows.sort(key=_rank)
        hidden = worst.count + fine.count > MANY and not everything and behind is None
        shown = [row for row in rows if row["state"] != "ok"] if hidden else rows
        wide = (TENANT, *WIDE) if several else WIDE
        narrow = ((TENANT,), *NARROW) if several else NARROW
        empty = "There is no SQL connection." if not rows else "Every connection is fine."
        # Our own identities come first only where they are the trouble.
        own.sort(key=lambda row: ORDER.index(row["state"]))
        needy = [row for row in own if row["state"] != "ok"]
        page = [*needy, *shown, *own[len(needy) :]]
        print_rows(page, wide, narrow, wide_enough=150, empty=empty)
        _say_common(common, several=several)
        if worst.left_out:
            click.echo(f"The worst {MOST} of {worst.count:,} are shown; --all or -o csv has every one.")
        click.echo(summary(states, hidden=hidden))
        for sentence in (words for one in sources if one is not None for words in sentences(one)):
            click.secho(sentence, dim=True)
    else:
        columns = (TENANT, *EXPORT) if several else EXPORT
        meta = {
            "scans": [
                coverage(each) | {"flow_sources": sources_row(one)}
                for each, one in zip(seen, sources, strict=True)
            ],
            "common_causes": [shared_row(*each) for each in common],
        }
        emit([*own, *rows], columns, invocation.output, shape="holdfast.status/1", meta=meta)
    say_below(seen, invocation.output)
    return 1 if states["broken"] + states["at_risk"] + own_trouble else 0


def _rank(row: dict[str, Any]) -> tuple[Any, ...]:
    return ORDER.index(row["state"]), row["at"], row["environment"], row["name"]


def _behind(
    rows: list[dict[str, Any]], common: list[tuple[Shared, str]], number: int | None
) -> list[dict[str, Any]]:
    """The rows without what only sorts and chooses them; those behind one common cause where one is asked for.

    Raises:
        click.UsageError: there are not so many.
    """
    if number is not None and number > len(common):
        raise click.UsageError(f"There are {len(common)} common causes, so --behind {number} names none.")
    keys = {row.pop("key"): row for row in rows}
    if number is None:
        return list(keys.values())
    shared, tenant = common[number - 1]
    return [keys[key] for where, id in shared.behind if (key := (tenant, where, id)) in keys]


def _say_common(common: list[tuple[Shared, str]], *, several: bool) -> None:
    """A line for each cause that several breaks have in common."""
    from holdfast.cli.render import clean

    for number, (shared, tenant) in enumerate(common[:COMMON], 1):
        where = f"{tenant}: " if several else ""
        click.echo(clean(f"{number}. {where}{shared.sentence}"))
    if len(common) > COMMON:
        click.echo(f"And {len(common) - COMMON} more; -o json has them all.")
    if common:
        click.secho("`holdfast status --behind 1` lists the connections behind the first.", dim=True)
        click.echo()


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
