"""`holdfast keepalive`: scheduled flows that use connections so that their sign-ins do not end unused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli import deeds
from holdfast.cli.naming import connection_names, connections_meant, environments_meant
from holdfast.cli.options import Invocation, Verbs, common_options
from holdfast.cli.render import Column, emit
from holdfast.cli.times import iso, minute
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.compose import Holdfast, Tenant
    from holdfast.compose.gathering import Chosen
    from holdfast.core.plan import Accepted, Plan
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


@command.command("plan")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the plan to this file.")
@click.option(
    "--connection",
    "connections",
    multiple=True,
    metavar="ID",
    help="Only this connection, by id or name; repeatable.",
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="ID",
    help="Only this environment, by id or name; repeatable.",
)
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
    "--accept",
    "accepted",
    multiple=True,
    metavar="FACT=NAME:REASON",
    help="Answer for a fact that nobody could look at.",
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
    await deeds.put(await _planned(holdfast, tenant, seen, chosen), out, holdfast, invocation)
    return 0


async def _planned(holdfast: Holdfast, tenant: Tenant, seen: Picture, chosen: dict[str, Any]) -> Plan:
    from holdfast.adapters.system import draw, new_id
    from holdfast.compose.gathering import cases
    from holdfast.core.identity import Role
    from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive

    accepted = deeds.accepted_facts(chosen["accepted"])
    wanted = await _chosen(holdfast, seen, chosen, accepted)
    client_id = tenant.client_id(Role.OPERATOR)
    async with tenant.reached(Role.READER) as reach:
        found = await cases(holdfast.history, seen, reach.directory, reach.surroundings, wanted)
        operator = await reach.applications.principal_of(client_id) or client_id
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
    )


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
@common_options
def status_(file: Path | None, invocation: Invocation) -> int:
    """How the flows of one plan, or of every plan, do: are they on, did their runs refresh the sign-ins."""
    from holdfast.cli.session import opened

    plan = None if file is None else deeds.plan_in(file, "keepalive")
    with opened(invocation) as holdfast:
        rows, watched = asyncio.run(_status(holdfast, plan, invocation))
    open_ = [row for row in rows if row["state"] not in (*deeds.OVER, "planned")]
    if invocation.output == "table":
        emit(
            rows,
            deeds.SAGA_COLUMNS,
            "table",
            shape="holdfast.keepalive-status/1",
            empty="No plan was made yet.",
        )
        if watched:
            click.echo()
            emit(watched, WATCH_COLUMNS, "table", shape="holdfast.keepalive-status/1")
    else:
        meta = {"sagas": rows}
        emit(watched, WATCH_COLUMNS, invocation.output, shape="holdfast.keepalive-status/1", meta=meta)
    return int(bool(open_ or any(row["problem"] for row in watched)))


async def _status(
    holdfast: Holdfast, plan: Plan | None, invocation: Invocation
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from holdfast.cli.looking import chosen
    from holdfast.compose.watching import keepalive_findings

    rows = await deeds.status_rows(holdfast, plan, "keepalive", invocation)
    tenants = [holdfast.chosen(invocation.tenant)] if plan else chosen(holdfast, invocation)
    people = invocation.output in deeds.READ_BY_PEOPLE
    watched: list[dict[str, Any]] = []
    for tenant in tenants:
        found = await keepalive_findings(holdfast, tenant)
        found = [each for each in found if plan is None or each.plan == plan.id]
        names: dict[str, str] = {}
        if people:
            names = await connection_names(holdfast, tenant.id, [each.connection for each in found])
        watched += [_row(each, names, people) for each in found]
    return rows, watched


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
