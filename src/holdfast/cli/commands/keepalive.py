"""`holdfast keepalive`: scheduled flows that use connections so that their sign-ins do not end unused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli import deeds, sagas
from holdfast.cli.naming import connection_names, connections_meant, environments_meant
from holdfast.cli.options import Invocation, Verbs, common_options, examples
from holdfast.cli.render import Column, clean, emit, of_tenants
from holdfast.cli.saying import busy, say
from holdfast.cli.times import iso, minute
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.compose.gathering import Chosen
    from holdfast.core.plan import Accepted, Plan
    from holdfast.keepalive.eligibility import Case
    from holdfast.keepalive.watch import Finding
    from holdfast.scan.standing import Picture

WATCH_COLUMNS = (
    Column("connection", "Connection"),
    Column("problem", "Problem", wraps=False),
    Column("says", "What was seen"),
    Column("proven_at", "Proven at", wraps=False),
    Column("next_at", "Next run", wraps=False),
)


@click.group(cls=Verbs)
def command() -> None:
    """Keep connections alive that end when nothing uses them for 90 days.

    One scheduled flow per owner and environment runs SELECT 1 on each of the owner's connections. It helps against
    idleness only, and `plan` says for which connections it does not help, and why.
    """


@command.command(
    "plan",
    epilog=examples(
        "keepalive plan --out keepalive.json",
        "keepalive plan --environment Finance --monthly --out keepalive.json",
        "keepalive plan --connection 'Quarter close' --target 'Quarter close=sql-1.example/erp' --out keepalive.json",
    ),
)
@deeds.plan_options
@deeds.selectors
@click.option(
    "--monthly", is_flag=True, help="Run every four weeks instead of weekly; the plan shows the risk."
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="ID=SERVER/DATABASE",
    help="Where to run the query on a connection whose flows do not say it.",
)
@click.option(
    "--serverless",
    multiple=True,
    metavar="SERVER/DATABASE",
    help="This database pauses when nothing uses it: each run would wake it, so leave it alone; repeatable.",
)
@common_options
def plan_(out: Path | None, invocation: Invocation, **chosen: Any) -> int:
    """Plan the flows. Writes nothing to the cloud."""
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_plan(holdfast, invocation, out, chosen))


async def _plan(holdfast: Holdfast, invocation: Invocation, out: Path | None, chosen: dict[str, Any]) -> int:
    from holdfast.cli.looking import picture_of

    tenant = holdfast.chosen(invocation.tenant)
    seen = await picture_of(holdfast, tenant, invocation)
    with busy("Looking what each connection needs"):
        plan = await _planned(holdfast, tenant, seen, chosen)
    await deeds.put(plan, out, holdfast, invocation, _show)
    return 0


PLAN_COLUMNS = (
    Column("saga", "Saga", wraps=False),
    Column("for", "For"),
    Column("environment", "Environment"),
    Column("connections", "Connections"),
    Column("first", "First run", wraps=False),
    Column("asks", "Asks"),
)


def _show(plan: Plan) -> None:
    """A line per flow; what all of them have in common is said once."""
    rows, flows = [], [step for step in plan.steps if step.name == "flow"]
    steps = plan.sagas()
    for flow in flows:
        shares = [step for step in steps[flow.saga] if step.name.startswith("shared:")]
        open_ = sum(not step.arguments.get("is_shared") for step in shares)
        who = shares[0].arguments["who"]
        rows.append(
            {
                "saga": flow.saga,
                "for": who,
                "environment": flow.arguments["place"],
                "connections": len(shares),
                "first": minute(datetime.fromisoformat(flow.arguments["start_at"])),
                "asks": f"{who} to share {open_}" if open_ else "nobody: all are shared",
            }
        )
    emit(rows, PLAN_COLUMNS, "table", shape="holdfast.plan/1")
    from holdfast.keepalive.plan import COST, Cadence

    chosen = Cadence(plan.choices["cadence"])
    other, instead = (
        (Cadence.MONTHLY, "With --monthly") if chosen is Cadence.WEEKLY else (Cadence.WEEKLY, "Weekly")
    )
    connections = sum(row["connections"] for row in rows)
    click.echo(f"\n{len(flows)} flows for {connections} connections, {chosen}.")
    say(f"Risk: {flows[0].risk}.")
    say(f"{instead} instead: {other.risk}.")
    say(f"Cost: {plan.choices['requests_per_year']:,} requests a year; {COST}.")


async def _planned(holdfast: Holdfast, tenant: Tenant, seen: Picture, chosen: dict[str, Any]) -> Plan:
    from holdfast.adapters.system import draw, new_id
    from holdfast.compose.gathering import as_operator_sees, cases, claimed, object_id_of
    from holdfast.compose.verbs import environments_of
    from holdfast.core.identity import Role
    from holdfast.keepalive.eligibility import ACCEPTABLE
    from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive

    accepted = deeds.accepted_facts(chosen["accepted"], ACCEPTABLE)
    wanted = await _chosen(holdfast, seen, chosen, accepted)
    client_id = tenant.client_id(Role.OPERATOR)
    async with tenant.reached(Role.READER) as reach:
        found = await cases(
            holdfast.history, seen, reach.directory, reach.platform, wanted, reach.recurrences
        )
        claims = await claimed(holdfast.history, holdfast.journal, tenant.id)
        found = [
            replace(case, planned=claims[case.connection.id].plan) if case.connection.id in claims else case
            for case in found
        ]
        if not (wanted.connections or wanted.environments):
            _known_databases(found, wanted)
        async with tenant.reached(Role.OPERATOR) as operating:
            found = await as_operator_sees(found, operating.operator, await environments_of(tenant))
        operator = await object_id_of(reach.applications, client_id)
    choices = Choices(
        plan=new_id()[:8],
        tenant=tenant.id,
        tenant_name=tenant.name,
        now=seen.now,
        cadence=Cadence.MONTHLY if chosen["monthly"] else Cadence.WEEKLY,
        draw=draw(),
        operator=operator,
        operator_name=await deeds.application_name(holdfast, tenant, client_id),
        accepted=accepted,
    )
    return plan_keepalive(found, choices)


async def _chosen(
    holdfast: Holdfast, seen: Picture, chosen: dict[str, Any], accepted: tuple[Accepted, ...]
) -> Chosen:
    from holdfast.compose.gathering import Chosen

    targets = {}
    for word, target in map(_target, chosen["targets"]):
        (id,) = await connections_meant(holdfast, seen, [word])
        targets[id] = target
    return Chosen(
        connections=await connections_meant(holdfast, seen, chosen["connections"]),
        environments=environments_meant(seen, chosen["environments"]),
        targets=targets,
        accepted=frozenset(fact.fact for fact in accepted),
        serverless=frozenset(map(_database, chosen["serverless"])),
    )


def _database(text: str) -> tuple[str, str]:
    server, slash, database = text.partition("/")
    if not (server and slash and database):
        raise click.UsageError(f"--serverless {text!r} is not SERVER/DATABASE.")
    return server.casefold(), database.casefold()


def _known_databases(found: Sequence[Case], wanted: Chosen) -> None:
    """A misspelt database would not be spared.

    Raises:
        click.UsageError: no connection is known to lead to one that was said to pause.
    """
    from holdfast.cli.naming import unclear
    from holdfast.compose.gathering import place_of

    known = {place_of(case.connection, case.target) for case in found}
    for server, database in wanted.serverless - known:
        names = dict.fromkeys(("/".join(place) for place in sorted(known) if all(place)), "")
        raise unclear(f"{server}/{database}", names, [], "database", " behind a scanned connection")


def _target(text: str) -> tuple[str, Any]:
    from holdfast.keepalive.eligibility import Target

    connection, equals, place = text.partition("=")
    server, slash, database = place.partition("/")
    if not (equals and slash and connection and server and database):
        raise click.UsageError(f"--target {text!r} is not ID=SERVER/DATABASE.")
    return connection, Target(server, database)


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="ZIP",
    required=True,
    help="Write the solution to this file.",
)
@click.option("--environment", metavar="ID", help="Which, where the plan makes flows in several.")
@common_options
def export_(file: Path, out: Path, environment: str | None, invocation: Invocation) -> int:
    """Write the flows of a plan as a solution zip, for people to import by hand. Asks the cloud nothing.

    Beside it lies the same name with .settings.json: which connection each reference is to be bound to, as `pac solution
    import --settings-file` reads it.
    """
    from holdfast.keepalive.solution import settings_text, solution_zip

    plan = deeds.plan_in(file, "keepalive")
    place = _place(plan, environment)
    settings = out.with_suffix(".settings.json")
    try:
        out.write_bytes(solution_zip(plan, place))
        settings.write_text(settings_text(plan, place), encoding="ascii")
    except OSError as error:
        raise SettingsError(f"The solution cannot be written to {out}: {error.strerror or error}.") from None
    flows = sum(step.name == "flow" and step.environment == place for step in plan.steps)
    rows = [{"zip": str(out), "settings": str(settings), "environment": place, "flows": flows}]
    columns = [Column(name, name.capitalize()) for name in rows[0]]
    emit(rows, columns, invocation.output, shape="holdfast.keepalive-export/1")
    return 0


def _place(plan: Plan, wanted: str | None) -> str:
    from holdfast.keepalive.solution import environments_of

    there = environments_of(plan)
    if not there:
        raise SettingsError(f"The plan {plan.id} makes no flow, so there is nothing to export.")
    if wanted is None and len(there) > 1:
        raise click.UsageError(
            f"The plan makes flows in {len(there)} environments: name one with --environment: {', '.join(there)}."
        )
    if wanted is not None and wanted not in there:
        raise click.UsageError(f"The plan makes no flow in {wanted}; it does in {', '.join(there)}.")
    return wanted or there[0]


@command.command("status")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--switch-on",
    "on",
    is_flag=True,
    help="Switch on again the flows that are off; where that is refused, hand them to their owners.",
)
@click.option(
    "--run",
    "start",
    is_flag=True,
    help="Start the flows now whose runs failed, did not come or proved nothing; only a person who owns them may.",
)
@common_options
def status_(file: Path | None, on: bool, start: bool, invocation: Invocation) -> int:
    """How the flows of one plan, or of every plan, do: are they on, did their runs refresh the sign-ins.

    The exit code is 1 while something about them needs a person.
    """
    from holdfast.cli.session import opened

    plan = None if file is None else deeds.plan_in(file, "keepalive")
    with opened(invocation) as holdfast:
        if on or start:
            asyncio.run(_mended(holdfast, plan, on, start, invocation))
        rows, watched = asyncio.run(_status(holdfast, plan, invocation))
    columns = of_tenants(WATCH_COLUMNS, any("tenant" in row for row in [*rows, *watched]))
    open_ = [row for row in rows if row["state"] not in (*sagas.OVER, "planned")]
    if invocation.output == "table":
        sagas.show_sagas(rows, "keepalive", invocation, every=plan is not None)
        if watched:
            click.echo()
            emit(watched, columns, "table", shape="holdfast.keepalive-status/1")
    else:
        meta = {"sagas": rows}
        emit(watched, columns, invocation.output, shape="holdfast.keepalive-status/1", meta=meta)
    return int(bool(open_ or any(row["problem"] for row in watched)))


async def _status(
    holdfast: Holdfast, plan: Plan | None, invocation: Invocation
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from holdfast.cli.looking import chosen, with_tenant
    from holdfast.compose.watching import keepalive_findings

    rows = await sagas.status_rows(holdfast, plan, "keepalive", invocation)
    tenants = [sagas.tenant_of(plan, holdfast, invocation)] if plan else chosen(holdfast, invocation)
    people = invocation.output in sagas.READ_BY_PEOPLE
    watched: list[dict[str, Any]] = []
    for tenant in tenants:
        found = await keepalive_findings(holdfast, tenant)
        found = [each for each in found if plan is None or each.plan == plan.id]
        names: dict[str, str] = {}
        if people:
            names = await connection_names(holdfast, tenant.id, [each.connection for each in found])
        watched += [with_tenant(_row(each, names, people), tenant.name, len(tenants) > 1) for each in found]
    return rows, watched


async def _mended(
    holdfast: Holdfast, plan: Plan | None, on: bool, start: bool, invocation: Invocation
) -> None:
    from holdfast.cli.looking import chosen
    from holdfast.compose.watching import keepalive_findings, start_runs, switch_on

    tenants = [sagas.tenant_of(plan, holdfast, invocation)] if plan else chosen(holdfast, invocation)
    for tenant in tenants:
        found = [
            each
            for each in await keepalive_findings(holdfast, tenant)
            if plan is None or each.plan == plan.id
        ]
        if on:
            for each in await switch_on(holdfast, tenant, found):
                click.echo(f"{each.saga}: {clean(each.says) or 'switched on.'}", err=True)
        if start:
            for flow in await start_runs(tenant, found):
                click.echo(f"Started {flow}: it counts once the next scan shows a refresh.", err=True)


def _row(found: Finding, names: dict[str, str], people: bool) -> dict[str, Any]:
    when = _minute if people else iso
    return found._asdict() | {
        "connection": names.get(found.connection, found.connection),
        "proven_at": when(found.proven_at),
        "next_at": when(found.next_at),
    }


def _minute(at: datetime | None) -> str | None:
    return f"{minute(at)} UTC" if at else None


for each in deeds.carrying_out("keepalive", with_status=False):
    command.add_command(each)
