"""`holdfast show ID`: everything known about one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.asking_sql import Asked
from holdfast.cli.commands.forecast import CONDITIONS, horizon_row
from holdfast.cli.commands.status import contract_row
from holdfast.cli.flow_sources import source_of
from holdfast.cli.naming import connection_names, one
from holdfast.cli.options import Invocation, common_options
from holdfast.cli.owners import Owned, owner_name, owner_row, owner_said
from holdfast.cli.render import Column, clean, emit
from holdfast.cli.shared import check_line, check_row, checks_of, finding_row
from holdfast.cli.times import iso
from holdfast.core.inventory import ListedFlow

if TYPE_CHECKING:
    from holdfast.cli.looking import Pictures
    from holdfast.compose import Holdfast
    from holdfast.core.evidence import Evidence
    from holdfast.core.horizon import Horizon
    from holdfast.core.inventory import CanvasApp, Flow
    from holdfast.core.schedule import Recurrence
    from holdfast.scan.standing import Picture, Standing

Line = tuple[str, str]
"""A heading and what is said under it; "" continues the one above."""


@click.command()
@click.argument("id")
@click.option(
    "--ask-sql",
    is_flag=True,
    help="Also log in to its databases now, with its own secret if we keep it, else as our SQL administrator. Wakes a paused"
    " serverless database, which costs money.",
)
@click.option(
    "--login",
    metavar="NAME",
    help="With --ask-sql: the SQL login that it holds, where no imported table says it. SQL Server then tells when the"
    " password ends.",
)
@common_options
def command(id: str, ask_sql: bool, login: str | None, invocation: Invocation) -> int:
    """Show everything known about one connection: ID, or the beginning of its id, or its name or part of it."""
    from holdfast.cli.session import opened
    from holdfast.core.sql import is_nameable

    if login is not None and not (ask_sql and is_nameable(login)):
        why = f"{login!r} is no name of a login" if ask_sql else "it goes with --ask-sql"
        raise click.UsageError(clean(f"--login: {why}."))
    with opened(invocation) as holdfast:
        return asyncio.run(_show(holdfast, invocation, id, login, ask_sql=ask_sql))


async def _show(
    holdfast: Holdfast, invocation: Invocation, wanted: str, login: str | None, *, ask_sql: bool
) -> int:
    from holdfast.cli.looking import pictures, say_below

    seen = await pictures(holdfast, invocation)
    found = await find(holdfast, seen, wanted)
    asked = [await Asked.of(holdfast, s, p, login) for s, p in found] if ask_sql else [None] * len(found)
    apps = [await apps_beside(holdfast, s, p) for s, p in found]
    owned = [await Owned.of(holdfast, s, p) for s, p in found]
    pages = [
        [
            *([("Tenant", p.name)] if seen.several else []),
            *told(s, p, around, ours),
            *_under("SQL Server", a.told() if a else ()),
        ]
        for (s, p), a, around, ours in zip(found, asked, apps, owned, strict=True)
    ]
    if invocation.output in ("json", "jsonl"):
        rows = [
            whole(s, p, around, ours) | ({"sql_server": a.row()} if a else {})
            for (s, p), a, around, ours in zip(found, asked, apps, owned, strict=True)
        ]
        emit(rows, (), invocation.output, shape="holdfast.show/1")
    elif invocation.output == "table":
        for page in pages:
            _page(page)
    else:
        rows = [{"about": a, "says": b} for page in pages for a, b in page]
        columns = (Column("about", "About"), Column("says", "Says"))
        emit(rows, columns, invocation.output, shape="holdfast.show/1")
    shown = [p for p in seen if any(p is where for _, where in found)]
    say_below(shown, invocation.output)
    needy = any(standing.status.state.needs_attention for standing, _ in found)
    return seen.exit_code(needy or any(each.verdict for each in asked if each))


async def find(holdfast: Holdfast, seen: Pictures, wanted: str) -> list[tuple[Standing, Picture]]:
    """The connections of that id, in every environment; else the only one that the word can mean.

    Raises:
        click.UsageError: there is none, or there are several.
    """
    from holdfast.scan.standing import standings

    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for each in seen:
        there = await connection_names(holdfast, each.tenant)
        names |= there
        places |= dict.fromkeys(there, each.name if seen.several else "")
    id = one(wanted, names, "connection", places=places)
    return [
        (standing, picture)
        for picture in seen
        async for standing in standings(holdfast.history, picture)
        if standing.status.connection.id == id
    ]


async def apps_beside(holdfast: Holdfast, standing: Standing, seen: Picture) -> list[CanvasApp] | None:
    """The canvas apps of its environment that name its connector; None where they were not read whole."""
    from holdfast.core.coverage import CANVAS_APPS
    from holdfast.core.inventory import CanvasApp

    connection = standing.status.connection
    sweep = seen.record.sweep_of(connection.environment, CANVAS_APPS)
    if sweep is None or not sweep.outcome.is_complete:
        return None
    there = holdfast.history.current(seen.tenant, CanvasApp, connection.environment)
    return [app async for app in there if connection.connector in app.connectors]


def whole(
    standing: Standing, seen: Picture, apps: Sequence[CanvasApp] | None = None, owned: Owned | None = None
) -> dict[str, Any]:
    """Everything, for programs."""
    found, connection = standing.status, standing.status.connection
    return {
        **contract_row(found),
        "tenant": seen.name,
        "environment_name": seen.name_of(connection.environment),
        "status": connection.status,
        "owner": owner_row(connection.owner),
        "account": connection.account_name,
        "client_id": connection.client_id,
        "server": connection.server,
        "database": connection.database,
        "gateway": connection.gateway,
        "created_at": iso(connection.created_at),
        "modified_at": iso(connection.modified_at),
        "token_expires_at": iso(connection.token_expires_at),
        "flows_held": [_held(flow) for flow in found.flows],
        **(owned or Owned()).rows(),
        "canvas_apps_nearby": None
        if apps is None
        else [{"id": app.id, "name": app.display_name} for app in apps],
        **_judged(standing, seen),
    }


def _held(flow: Flow) -> dict[str, Any]:
    return {
        "id": flow.id,
        "name": flow.display_name,
        "on": flow.is_on,
        "suspended": flow.is_suspended,
        "every": _rhythm(flow.recurrence) if flow.recurrence else None,
        **source_of(flow),
        "owner": owner_row(flow.owned_by),
    }


def _judged(standing: Standing, seen: Picture) -> dict[str, Any]:
    """What is concluded about it, and from what."""
    connection, judgement, verdict = standing.status.connection, standing.judgement, standing.status.verdict
    return {
        "witnesses": [
            {
                "source": w.source.value,
                "earliest": iso(w.refreshed.earliest),
                "latest": iso(w.refreshed.latest),
                "reach": w.reach,
                "assumptions": list(w.assumptions),
            }
            for w in (judgement.witnesses if judgement else ())
        ],
        "horizons": [horizon_row(connection, h) for h in (judgement.horizons if judgement else ())],
        "evidence": [
            {"kind": e.kind.value, "code": e.code, "quote": e.quote, "origin": e.origin, "at": iso(e.at)}
            for e in (verdict.because if verdict else ())
        ],
        "alternatives": list(verdict.alternatives) if verdict else [],
        "findings": [finding_row(each) for each in (judgement.findings if judgement else ())],
        "checks": [check_row(*each) for each in checks_of(standing, seen)],
        "conflicts": list(judgement.conflicts) if judgement else [],
        "lifted": judgement.is_lifted if judgement else False,
        "remedies": [
            {
                "id": r.id,
                "who": r.who.value,
                "does": r.does,
                "can_holdfast": r.can_holdfast,
                "command": r.command,
            }
            for r in (verdict.remedies if verdict else ())
        ],
    }


def told(
    standing: Standing, seen: Picture, apps: Sequence[CanvasApp] | None = None, owned: Owned | None = None
) -> Iterator[Line]:
    """Everything, for people: headings and what is said under them."""
    found, judgement = standing.status, standing.judgement
    yield "Connection", found.connection.display_name
    yield "", f"{found.connection.connector}/{found.connection.id}"
    yield "Environment", f"{seen.name_of(found.connection.environment)} ({found.connection.environment})"
    yield "State", found.state.value
    if found.next_action:
        yield "Do next", found.next_action
    yield from _identity(standing)
    if found.verdict:
        verdict = found.verdict
        yield "Cause", f"{verdict.cause.id}: {verdict.cause.title} ({verdict.confidence:.0%} sure)"
        if verdict.alternatives:
            yield "", f"or {', '.join(verdict.alternatives)}"
        yield from _under("Evidence", map(_quoted, verdict.because))
        yield from _under(
            "Remedies",
            (
                f"{remedy.who.value.replace('_', ' ')}: {remedy.does}"
                + (f" ({remedy.command})" if remedy.command else "")
                for remedy in verdict.remedies
            ),
        )
    yield from _under("Contradictions", judgement.conflicts if judgement else ())
    told = [each for each in (judgement.findings if judgement else ()) if each.check == "platform_says"]
    yield from _under("Checks", (*(each.message for each in told), *_checks(standing, seen)))
    if judgement:
        yield from _under(
            "Refreshed",
            (
                f"{w.refreshed.earliest:%Y-%m-%d %H:%M} to {w.refreshed.latest:%Y-%m-%d %H:%M} UTC by"
                f" {w.source.value.replace('_', ' ')}. {w.reach}"
                for w in judgement.witnesses
            ),
        )
        yield from _under(
            "Horizons", (sentence for h in judgement.horizons for sentence in _horizon(h, seen))
        )
    yield from _under("Flows", _flows(found.flows, seen, is_whole=found.flows_complete))
    yield from _once((owned or Owned()).told())
    yield from _under("Canvas apps", _apps(apps))


def _checks(standing: Standing, seen: Picture) -> Iterator[str]:
    return (check_line(*each) for each in checks_of(standing, seen))


def _flows(flows: Sequence[Flow], seen: Picture, *, is_whole: bool) -> Iterator[str]:
    for flow in flows:
        state = "suspended" if flow.is_suspended else "on" if flow.is_on else "off"
        rhythm = _rhythm(flow.recurrence) if flow.recurrence else "not on a schedule"
        touched = {each for o in flow.operations for each in (*o.reads, *o.writes, *o.executes)}
        yield (
            f"{flow.display_name} ({flow.id}): {state}, {rhythm}; {owner_said(flow.owned_by)}"
            + (f"; touches {', '.join(sorted(touched))}" if touched else "")
            + (f"; {_listed(flow)}" if isinstance(flow, ListedFlow) else "")
        )
    if not flows and is_whole:
        yield "none; all of its environment were seen, also those outside solutions"
    elif not flows:
        yield "none that was seen; those outside solutions are not" if seen.flows_seen else "not scanned"


def _listed(flow: ListedFlow) -> str:
    where = "its row in Dataverse is not shown to the reader" if flow.has_row else "it lies outside solutions"
    return f"only a person's list shows it: {where}"


def _apps(apps: Sequence[CanvasApp] | None) -> Iterator[str]:
    """Through which connector an app goes is told, through which connection is not."""
    if apps is None:
        yield "not read"
        return
    for app in apps[:5]:
        owner = f" of {app.owner.display_name}" if app.owner and app.owner.display_name else ""
        yield f"{app.display_name}{owner} ({app.id}) names this connector and may use this connection"
    if len(apps) > 5:
        yield f"and {len(apps) - 5} more"
    if not apps:
        yield "none here names this connector"


def _rhythm(recurrence: Recurrence) -> str:
    if recurrence.interval == 1:
        return f"every {recurrence.frequency}"
    return f"every {recurrence.interval} {recurrence.frequency}s"


def _identity(standing: Standing) -> Iterator[Line]:
    connection = standing.status.connection
    yield "Sign-in", connection.sign_in.value.replace("_", " ")
    if connection.owner:
        owner = connection.owner
        yield (
            "Owner" if connection.sign_in.has_refresh_token else "Made by",
            f"{owner_name(owner)} {owner.id}",
        )
    if connection.account_name:
        yield "Account", connection.account_name
    if connection.client_id:
        yield "Client id", connection.client_id
    place = " / ".join(filter(None, (connection.server, connection.database)))
    if place:
        yield "Server", place
    if connection.gateway:
        yield "Gateway", connection.gateway
    says = connection.status + (
        f" since {connection.modified_at:%Y-%m-%d %H:%M} UTC or before"
        if connection.fault and connection.modified_at
        else ""
    )
    yield "Platform says", says
    if connection.created_at:
        yield "Created", f"{connection.created_at:%Y-%m-%d %H:%M} UTC"


def _once(lines: Iterable[Line]) -> Iterator[Line]:
    """With each heading said once."""
    before = ""
    for heading, says in lines:
        yield "" if heading == before else heading, says
        before = heading


def _under(heading: str, sentences: Iterable[str]) -> Iterator[Line]:
    for number, sentence in enumerate(sentences):
        yield heading if number == 0 else "", sentence


def _quoted(evidence: Evidence) -> str:
    return f"{evidence.code}: “{evidence.quote}”" if evidence.quote else evidence.code


def _horizon(horizon: Horizon, seen: Picture) -> Iterator[str]:
    from holdfast.cli.times import away, minute

    if horizon.earliest is None:
        yield f"{horizon.cause}: unknown"
    else:
        until = (
            f" to {minute(horizon.latest)}" if horizon.latest and horizon.latest != horizon.earliest else ""
        )
        yield (
            f"{horizon.cause}: {minute(horizon.earliest)}{until} UTC, {away(horizon.earliest, seen.now)},"
            f" {CONDITIONS[horizon.condition.value]}"
        )
    yield from (f"  {sentence}" for sentence in horizon.assumptions)


def _page(lines: Sequence[Line]) -> None:
    from rich.table import Table
    from rich.text import Text

    from holdfast.cli.render import STATE_STYLES, put

    page = Table.grid(padding=(0, 2))
    page.add_column(style="dim", no_wrap=True)
    page.add_column(overflow="fold")
    for heading, says in lines:
        style = STATE_STYLES.get(says, "bold" if heading == "Connection" else "")
        page.add_row(Text(heading), Text(clean(says), style=style))
    put(page)
