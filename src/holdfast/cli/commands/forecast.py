"""`holdfast forecast`: what breaks when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from holdfast.cli.icalendar import Event, calendar
from holdfast.cli.options import Invocation, common_options, examples
from holdfast.cli.render import TENANT, Column, emit, of_tenants
from holdfast.cli.saying import complain
from holdfast.cli.times import Length, iso, length

if TYPE_CHECKING:
    from holdfast.cli.forecast_page import Foreseen
    from holdfast.cli.stacking import Worst
    from holdfast.compose import Holdfast
    from holdfast.core.horizon import Horizon
    from holdfast.core.inventory import Connection
    from holdfast.diagnosis.grading import Bucket, Sum
    from holdfast.scan.standing import Picture, Standing

CONDITIONS = {
    "expected": "as things stand",
    "if_unused": "if nothing uses it",
    "if_enforced": "once a policy is enforced",
}
MOST = 500
"""Dates of a table, the nearest first; the file formats have them all."""
FEW = 50
"""Reasons why something is not foreseeable, the commonest first."""
WHEN = Column("when", "Breaks", wraps=False)
NAME = Column("name", "Connection", "bold")
ENVIRONMENT = Column("environment_name", "Environment")
CAUSE = Column("cause", "Cause", wraps=False)
CONDITION = Column("condition_words", "Condition")
RUNS = Column("runs_lost_per_week", "Runs a week", wraps=False, right=True)
WIDE = (WHEN, NAME, ENVIRONMENT, CAUSE, CONDITION, RUNS)
NARROW = ((WHEN,), (NAME, ENVIRONMENT), (CAUSE, CONDITION, RUNS))
GRADES = (
    Column("cause", "Cause", wraps=False),
    Column("hits", "Hits", right=True),
    Column("missed", "Missed", right=True),
    Column("false_alarms", "False alarms", right=True),
    Column("withdrawn", "Withdrawn", right=True),
    Column("precision", "Precision", right=True),
    Column("recall", "Recall", right=True),
    Column("median_lead_days", "Lead, days", right=True),
    Column("median_width_days", "Width, days", right=True),
)
CALIBRATION = (
    Column("width_up_to_days", "Width up to, days", right=True),
    Column("said", "Fell due", right=True),
    Column("within", "Came within", right=True),
    Column("share", "Share", right=True),
)
UNKNOWN = (
    Column("cause", "Not foreseeable", wraps=False),
    Column("connections", "Connections", right=True),
    Column("because", "What would tell"),
)
EXPORT = tuple(
    Column(key, key)
    for key in (
        "connection",
        "environment",
        "cause",
        "condition",
        "earliest",
        "likely",
        "latest",
        "assumptions",
        "runs_lost_per_week",
    )
)


@click.command(
    epilog=examples(
        "forecast --within 30d --by runs",
        "forecast --fail-under 14d -o jsonl",
        "forecast --ics breaks.ics --html breaks.html",
    )
)
@click.option(
    "--within", type=Length(), metavar="90d", help="Only what can break before so much time has passed."
)
@click.option(
    "--fail-under",
    type=Length(),
    metavar="14d",
    help="Exit with 1 if a break is expected, as things stand, before so much time has passed.",
)
@click.option(
    "--ics", type=click.Path(path_type=Path), metavar="FILE", help="Write the dates as a calendar file, too."
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the dates as a chart to look at, too.",
)
@click.option(
    "--by",
    type=click.Choice(("date", "runs")),
    default="date",
    show_default=True,
    help="What comes first: what breaks next, or what costs most scheduled runs a week.",
)
@click.option("--grade", is_flag=True, help="Tell instead what became of the forecasts made so far.")
@common_options
def command(
    within: timedelta | None,
    fail_under: timedelta | None,
    ics: Path | None,
    html: Path | None,
    by: str,
    grade: bool,
    invocation: Invocation,
) -> int:
    """Show what breaks when, nearest first, with what each date stands on (-o json)."""
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        if grade:
            return asyncio.run(_grade(holdfast, invocation))
        return asyncio.run(_forecast(holdfast, invocation, Asked(within, fail_under, ics, html, by)))


class Asked(NamedTuple):
    """What the options say; see the command."""

    within: timedelta | None
    fail_under: timedelta | None
    ics: Path | None
    html: Path | None
    by: str


async def _forecast(holdfast: Holdfast, invocation: Invocation, asked: Asked) -> int:
    from holdfast.cli.looking import coverage, pictures, say_below

    seen = await pictures(holdfast, invocation)
    dates = Dates(asked, table=invocation.output == "table", several=seen.several)
    for each in seen:
        async for first, standing in _everything(holdfast, each):
            for horizon in standing.judgement.horizons if standing.judgement else ():
                dates.add(standing, horizon, each, first=first)
    if dates.table:
        _print(dates.rows, dates.unknown, dates.several)
    else:
        columns = of_tenants(EXPORT, dates.several)
        meta = {"scans": [coverage(each) for each in seen]}
        emit(dates.rows.rows(), columns, invocation.output, shape="holdfast.forecast/1", meta=meta)
    if asked.ics is not None:
        _write(asked.ics, calendar(dates.events, max(each.now - each.age for each in seen)))
        click.echo(f"{len(dates.events)} dates are in {asked.ics}.", err=True)
    if asked.html is not None:
        from holdfast.cli.forecast_page import page

        _write(asked.html, page(dates.foreseen, seen, asked.within))
        click.echo(f"The chart is in {asked.html}.", err=True)
    say_below(seen, invocation.output)
    if dates.failing and asked.fail_under is not None:
        many = f"{len(dates.failing)} breaks are" if len(dates.failing) > 1 else "1 break is"
        _, nearest = min(dates.failing)
        complain(f"{many} expected within {length(asked.fail_under)} (--fail-under), the first {nearest}.")
    return seen.exit_code(dates.failing)


class Dates:
    """Horizons of one tenant after the other, as far as the options ask for them.

    Attributes:
        table: whether the rows are for people.
        several: whether the rows name their tenant.
        rows: what is shown, in its order.
        unknown: what a table tells below, since it has no date.
        events: for a calendar, where one was asked for; `foreseen` for a chart.
        failing: when, and in words what, --fail-under finds.
    """

    def __init__(self, asked: Asked, *, table: bool, several: bool) -> None:
        from holdfast.cli.stacking import Worst

        self._asked = asked
        self.table, self.several = table, several
        self.rows, self.unknown = Worst(MOST if table else None), Unknown()
        self.events: list[Event] = []
        self.foreseen: list[Foreseen] = []
        self.failing: list[tuple[datetime, str]] = []

    def add(self, standing: Standing, horizon: Horizon, seen: Picture, *, first: bool) -> None:
        """Take up one; `first` for holdfast's own identities."""
        from holdfast.cli.looking import with_tenant
        from holdfast.diagnosis.usage import runs_per_week_of

        asked = self._asked
        if asked.fail_under is not None and is_expected_within(horizon, seen.now, asked.fail_under):
            self.failing.append(self._breaking(standing.status.connection, horizon, seen))
        if asked.within is not None and (
            horizon.earliest is None or horizon.earliest > seen.now + asked.within
        ):
            return
        connection, lost = standing.status.connection, runs_per_week_of(standing.status.flows)
        if asked.html is not None:
            from holdfast.cli.forecast_page import Foreseen

            self.foreseen.append(Foreseen(connection, horizon, seen, lost))
        if asked.ics is not None and horizon.earliest is not None:
            self.events.append(event(connection, horizon, horizon.earliest, seen))
        if self.table and horizon.earliest is None:
            self.unknown.add(horizon)
            return
        row = horizon_row(connection, horizon) | {"runs_lost_per_week": lost}
        if self.table:
            row |= words(row, horizon, connection, seen)
        rank = horizon.sort_key() if asked.by == "date" else (-(lost or 0), *horizon.sort_key())
        # Programs rely on our own identities being first; people read what comes next.
        self.rows.add((self.table or not first, *rank), with_tenant(row, seen.name, self.several))

    def _breaking(self, connection: Connection, horizon: Horizon, seen: Picture) -> tuple[datetime, str]:
        from holdfast.cli.times import day

        at = horizon.earliest or seen.now
        where = f"{seen.name}: " if self.several else ""
        return at, f"{where}{connection.display_name!r} on {day(at)} ({horizon.cause})"


async def _everything(holdfast: Holdfast, seen: Picture) -> AsyncIterator[tuple[bool, Standing]]:
    """holdfast itself, then every connection; whether it belongs first."""
    from holdfast.cli.looking import ourselves
    from holdfast.scan.standing import standings

    for standing in await ourselves(holdfast, seen):
        yield True, standing
    async for standing in standings(holdfast.history, seen):
        yield False, standing


def is_expected_within(horizon: Horizon, now: datetime, length: timedelta) -> bool:
    """Whether it counts for --fail-under: will happen as things stand, and so soon, or is overdue."""
    return (
        horizon.condition == "expected" and horizon.earliest is not None and horizon.earliest <= now + length
    )


def horizon_row(connection: Connection, horizon: Horizon) -> dict[str, Any]:
    """The line that programs rely on."""
    return {
        "connection": connection.id,
        "environment": connection.environment,
        "cause": horizon.cause,
        "condition": horizon.condition.value,
        "earliest": iso(horizon.earliest),
        "likely": iso(horizon.likely),
        "latest": iso(horizon.latest),
        "assumptions": list(horizon.assumptions),
    }


def event(connection: Connection, horizon: Horizon, at: datetime, seen: Picture) -> Event:
    """The same in a calendar."""
    place = f"{connection.display_name} in {seen.name_of(connection.environment) or seen.name}"
    told = [f"{horizon.cause}, {CONDITIONS[horizon.condition.value]}", *horizon.assumptions]
    key = "/".join((seen.tenant, connection.environment, connection.connector, connection.id))
    return Event(
        f"{key}/{horizon.cause}/{horizon.condition.value}",
        at,
        f"SQL connection breaks: {place}",
        "\n".join(told),
    )


def _write(file: Path, text: str) -> None:
    """Raises SettingsError where it cannot be written."""
    from holdfast.core.errors import SettingsError

    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise SettingsError(f"The file {file} cannot be written: {error.strerror or error}.") from None


def words(row: dict[str, Any], horizon: Horizon, connection: Connection, seen: Picture) -> dict[str, Any]:
    """What people read of it besides."""
    from holdfast.cli.times import away, day

    at = horizon.earliest
    return {
        "when": f"{day(at)}  {away(at, seen.now)}" if at else "",
        "name": connection.display_name,
        "environment_name": seen.name_of(connection.environment),
        "condition_words": CONDITIONS[row["condition"]],
    }


async def _grade(holdfast: Holdfast, invocation: Invocation) -> int:
    from holdfast.cli.looking import coverage, pictures, say_below
    from holdfast.diagnosis.grading import calibration, summed
    from holdfast.scan.knowing import graded

    seen = await pictures(holdfast, invocation)
    found = [g for p in seen for g in await graded(holdfast.history, p)]
    rows = [grade_row(each) for each in summed(found)]
    held = [bucket_row(each) for each in calibration(found)]
    table = invocation.output == "table"
    columns = GRADES if table else tuple(Column(key, key) for key in rows[0]) if rows else ()
    meta = {"scans": [coverage(each) for each in seen], "calibration": held}
    empty = "No forecast has fallen due yet, and nothing that was whole has broken."
    shown = (
        [row | {key: _share(row[key]) for key in ("precision", "recall")} for row in rows] if table else rows
    )
    emit(shown, columns, invocation.output, shape="holdfast.grades/1", empty=empty, meta=meta)
    if table and held:
        click.echo()
        shares = [row | {"share": _share(row["share"])} for row in held]
        emit(shares, CALIBRATION, "table", shape="holdfast.grades/1")
    say_below(seen, invocation.output)
    return seen.exit_code(0)


def grade_row(found: Sum) -> dict[str, Any]:
    """What became of the forecasts of one cause."""
    return {
        "cause": found.cause,
        "hits": found.hits,
        "missed": found.missed,
        "false_alarms": found.false_alarms,
        "withdrawn": found.withdrawn,
        "precision": found.precision,
        "recall": found.recall,
        "median_lead_days": _days(found.median_lead),
        "median_width_days": _days(found.median_width),
    }


def bucket_row(found: Bucket) -> dict[str, Any]:
    """How well intervals of one width held."""
    return {
        "width_up_to_days": _days(found.up_to),
        "said": found.said,
        "within": found.within,
        "share": found.share,
    }


def _days(length: timedelta | None) -> float | None:
    return None if length is None else round(length / timedelta(days=1), 2)


def _share(part: float | None) -> str:
    return "" if part is None else f"{part:.1%}"


class Unknown:
    """What is not foreseeable, counted by cause and by what would tell."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, horizon: Horizon) -> None:
        """Count one."""
        because = horizon.assumptions[0] if horizon.assumptions else ""
        row = {"cause": horizon.cause, "connections": 0, "because": because}
        self._rows.setdefault((horizon.cause, because), row)["connections"] += 1

    def rows(self, most: int) -> list[dict[str, Any]]:
        """The commonest."""
        return sorted(self._rows.values(), key=lambda row: -row["connections"])[:most]

    @property
    def kinds(self) -> int:
        """How many different rows there are."""
        return len(self._rows)


def _print(nearest: Worst, unknown: Unknown, several: bool) -> None:
    from holdfast.cli.stacking import print_rows

    wide = of_tenants(WIDE, several)
    narrow = ((TENANT,), *NARROW) if several else NARROW
    print_rows(nearest.rows(), wide, narrow, empty="Nothing is foreseen to break in that time.")
    if nearest.left_out:
        click.echo(f"The first {MOST} of {nearest.count:,} dates are shown; -o csv has every one.")
    if unknown.kinds:
        click.echo()
        emit(unknown.rows(FEW), UNKNOWN, "table", shape="holdfast.forecast/1")
    if unknown.kinds > FEW:
        click.echo(f"And {unknown.kinds - FEW} reasons more; -o csv has every line.")
