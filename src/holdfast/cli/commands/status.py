"""`holdfast status`: every connection, what is wrong with it, and what to do next."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, command_line, common_options
from holdfast.cli.render import TENANT, Column, emit, of_tenants
from holdfast.cli.saying import say
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
    from holdfast.cli.looking import coverage, pictures, say_below
    from holdfast.scan.differences import sources_of

    seen = await pictures(holdfast, invocation)
    sources = [
        await sources_of(holdfast.history, each.tenant, each.record, each.environments) for each in seen
    ]
    table = invocation.output == "table"
    tally = Tally(table=table, several=seen.several, most=None if everything or behind is not None else MOST)
    for each in seen:
        await tally.add(holdfast, each)
    rows = _behind(tally.rows(), tally.common, behind)
    if table:
        _print(tally, rows, invocation, leaves_out=not everything and behind is None)
        for sentence in (words for one in sources if one is not None for words in sentences(one)):
            say(sentence, dim=True)
    else:
        columns = of_tenants(EXPORT, tally.several)
        meta = {
            "scans": [
                coverage(each) | {"flow_sources": sources_row(one)}
                for each, one in zip(seen, sources, strict=True)
            ],
            "common_causes": [shared_row(*each) for each in tally.common],
        }
        emit([*tally.own, *rows], columns, invocation.output, shape="holdfast.status/1", meta=meta)
    say_below(seen, invocation.output)
    return seen.exit_code(tally.needs_attention)


class Tally:
    """How the connections of one tenant after the other stand.

    Attributes:
        table: whether the rows are for people.
        several: whether the rows name their tenant.
        states: how many connections stand how.
        own: rows of holdfast's own identities.
        common: causes that several breaks have in common, each with its tenant.
        worst: rows of a table that need somebody; `fine` those that do not.
    """

    def __init__(self, *, table: bool, several: bool, most: int | None) -> None:
        """With at most so many rows of a table; None for all."""
        from holdfast.cli.stacking import Worst

        self.table, self.several = table, several
        self.states: Counter[str] = Counter()
        self.own: list[dict[str, Any]] = []
        self.common: list[tuple[Shared, str]] = []
        self.worst, self.fine = Worst(most), Worst(None if most is None else MANY)
        self._exported: list[dict[str, Any]] = []
        self._own_trouble = 0

    async def add(self, holdfast: Holdfast, seen: Picture) -> None:
        """Look at one tenant."""
        from holdfast.cli.looking import ourselves
        from holdfast.diagnosis.together import together
        from holdfast.scan.standing import standings

        for standing in await ourselves(holdfast, seen):
            self._own_trouble += standing.status.state.needs_attention
            self.own.append(self._row(standing.status, seen))
        broken: list[Judgement] = []
        async for standing in standings(holdfast.history, seen):
            found = standing.status
            self.states[found.state.value] += 1
            if found.state == "broken" and standing.judgement is not None:
                broken.append(standing.judgement)
            row = self._row(found, seen)
            row["key"] = (seen.name, found.connection.environment, found.connection.id)
            if self.table:
                (self.fine if found.state == "ok" else self.worst).add(_rank(row), row)
            else:
                self._exported.append(row)
        self.common += [(shared, seen.name) for shared in together(broken)]

    def rows(self) -> list[dict[str, Any]]:
        """One for each connection, as far as they are shown; `key` tells which."""
        if not self.table:
            return self._exported
        return [dict(row) for row in (*self.worst.rows(), *self.fine.rows())]

    @property
    def needs_attention(self) -> bool:
        """Whether one is broken or about to break, holdfast's own identities among them."""
        return bool(self.states["broken"] + self.states["at_risk"] + self._own_trouble)

    def _row(self, found: ConnectionStatus, seen: Picture) -> dict[str, Any]:
        from holdfast.cli.looking import with_tenant

        row = table_row(found, seen) if self.table else contract_row(found)
        return with_tenant(row, seen.name, self.several)


def _print(tally: Tally, rows: list[dict[str, Any]], invocation: Invocation, *, leaves_out: bool) -> None:
    """The table, what several breaks have in common, and the sum."""
    from holdfast.cli.stacking import print_rows

    rows = sorted(rows, key=_rank)
    hidden = leaves_out and tally.worst.count + tally.fine.count > MANY
    shown = [row for row in rows if row["state"] != "ok"] if hidden else rows
    wide = of_tenants(WIDE, tally.several)
    narrow = ((TENANT,), *NARROW) if tally.several else NARROW
    empty = "There is no SQL connection." if not rows else "Every connection is fine."
    # Our own identities come first only where they are the trouble.
    own = sorted(tally.own, key=lambda row: ORDER.index(row["state"]))
    needy = [row for row in own if row["state"] != "ok"]
    print_rows([*needy, *shown, *own[len(needy) :]], wide, narrow, wide_enough=150, empty=empty)
    _say_common(tally.common, invocation, several=tally.several)
    if tally.worst.left_out:
        click.echo(f"The worst {MOST} of {tally.worst.count:,} are shown; --all or -o csv has every one.")
    say(summary(tally.states, hidden=hidden))


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


def _say_common(common: list[tuple[Shared, str]], invocation: Invocation, *, several: bool) -> None:
    """A line for each cause that several breaks have in common."""
    if common:
        click.echo()
    for number, (shared, tenant) in enumerate(common[:COMMON], 1):
        where = f"{tenant}: " if several else ""
        say(f"{number}. {where}{shared.sentence}")
    if len(common) > COMMON:
        click.echo(f"And {len(common) - COMMON} more; -o json has them all.")
    if common:
        behind = command_line("status --behind 1", invocation)
        say(f"`{behind}` lists the connections behind the first.", dim=True)
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
