"""`holdfast migrate`: flows move from a person's sign-in to a service principal of their own, and back if need be."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli import deeds
from holdfast.cli.naming import connections_meant, environments_meant
from holdfast.cli.options import Invocation, Verbs, common_options, examples
from holdfast.cli.render import Column, emit
from holdfast.cli.saying import busy
from holdfast.cli.times import Length
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.core.plan import Accepted, Plan
    from holdfast.scan.standing import Picture


DRIFT_COLUMNS = (
    Column("plan", "Plan", wraps=False),
    Column("what", "What", wraps=False),
    Column("name", "Name"),
    Column("says", "What was seen"),
    Column("connection", "Old connection"),
)


UNUSED_COLUMNS = (
    Column("plan", "Plan", wraps=False),
    Column("grant", "Grant", "bold"),
    Column("action", "Named by"),
    Column("database", "Database"),
    Column("says", "Why no use of it is known"),
)


@click.group(cls=Verbs)
def command() -> None:
    """Move flows to service principals: planned, with the least rights, resumable, undoable.

    Each group of flows gets an application of its own with exactly the rights in the database that its actions need, and
    a connection beside the old one, which stays. Nothing is bound before the new connection was proven.
    """


@command.command(
    "plan",
    epilog=examples(
        "migrate plan --out migrate.json",
        "migrate plan --connection 'ERP orders' --certificate --out migrate.json",
        "migrate plan --environment Finance --for-dba",
    ),
)
@deeds.plan_options
@deeds.selectors
@click.option(
    "--principal-per-environment",
    "per_environment",
    is_flag=True,
    help="One application for all flows of an environment; it then holds the rights of all of them together.",
)
@click.option(
    "--grant-role",
    "roles",
    multiple=True,
    metavar="ROLE",
    help="Put the database user into this role too, wider than needed; the plan says by what. Repeatable.",
)
@click.option(
    "--rewrite-definitions",
    "rewrites",
    is_flag=True,
    help="Take connections whose flows have to be rewritten; the plan shows each change.",
)
@click.option(
    "--own-flows",
    "own_flows",
    is_flag=True,
    help="Hand the flows to holdfast's operator too, a service principal; their owners stay co-owners. Each then needs a Process"
    " licence.",
)
@click.option(
    "--no-start",
    "waits",
    is_flag=True,
    help="Where the operator is a person: do not start the flows that moved, but wait for their own time.",
)
@click.option(
    "--life",
    type=Length(),
    default="180d",
    show_default=True,
    help="How long the new secrets or certificates live at most.",
)
@click.option(
    "--certificate",
    is_flag=True,
    help="Let the applications sign in with certificates instead of secrets, where the connector offers that.",
)
@click.option(
    "--for-dba", "for_dba", is_flag=True, help="Only the T-SQL, to be read: printed, or written to --out."
)
@common_options
def plan_(out: Path | None, for_dba: bool, invocation: Invocation, **chosen: Any) -> int:
    """Plan the move of all that is ready. Writes nothing to the cloud."""
    from holdfast.cli.session import opened

    facts = deeds.accepted_facts(chosen.pop("accepted"))
    with opened(invocation) as holdfast:
        return asyncio.run(_plan(holdfast, invocation, out, for_dba, facts, chosen))


async def _plan(
    holdfast: Holdfast,
    invocation: Invocation,
    out: Path | None,
    for_dba: bool,
    accepted: tuple[Accepted, ...],
    chosen: dict[str, Any],
) -> int:
    from holdfast.cli.looking import picture_of

    tenant = holdfast.chosen(invocation.tenant)
    seen = await picture_of(holdfast, tenant, invocation)
    with busy("Looking what the flows of each connection do"):
        plan = await _planned(holdfast, tenant, seen, accepted, chosen)
    if for_dba:
        await holdfast.journal.keep(plan)
        scripts = _scripts(plan, {})
        if out is None:
            click.echo(scripts, nl=False)
        else:
            deeds.write(scripts, out)
        return 0
    await deeds.put(plan, out, holdfast, invocation)
    return 0


async def _planned(
    holdfast: Holdfast,
    tenant: Tenant,
    seen: Picture,
    accepted: tuple[Accepted, ...],
    chosen: dict[str, Any],
) -> Plan:
    from holdfast.adapters.system import new_id
    from holdfast.compose.gathering import object_id_of
    from holdfast.compose.migrating import Chosen, cases
    from holdfast.core.identity import Role
    from holdfast.migration.checks.policies import SHORTEST_LIFE
    from holdfast.migration.choices import Choices
    from holdfast.migration.plan import plan_migration

    if chosen["life"] < SHORTEST_LIFE:
        raise click.UsageError(
            f"--life is too short: what lives less than {SHORTEST_LIFE.days} days has to be renewed before the move is watched."
        )
    wanted = Chosen(
        connections=await connections_meant(holdfast, seen, chosen["connections"]),
        environments=environments_meant(seen, chosen["environments"]),
        accepted=frozenset(fact.fact for fact in accepted),
        rewrites=chosen["rewrites"],
        roles=tuple(chosen["roles"]),
        certificate=chosen["certificate"],
    )
    life: timedelta = chosen["life"]
    found = await cases(holdfast, tenant, seen, wanted)
    client_id = tenant.client_id(Role.OPERATOR)
    async with tenant.reached(Role.READER) as reach, tenant.reached(Role.OPERATOR) as operating:
        operator = await object_id_of(reach.applications, client_id)
        is_person = operating.starter is not None
    if is_person and chosen["own_flows"]:
        raise SettingsError(
            "--own-flows hands the flows to holdfast's operator, and that is a person here: give the operator an application of"
            " its own."
        )
    choices = Choices(
        plan=new_id()[:8],
        tenant=tenant.id,
        tenant_name=tenant.name,
        tenant_id=tenant.entra_id,
        now=seen.now,
        operator=operator,
        policy=next((case.app_policy for case in found), None),
        per_environment=chosen["per_environment"],
        roles=wanted.roles,
        life=life,
        certificate=wanted.certificate,
        has_sql_admin=tenant.has(Role.SQL_ADMIN),
        has_app_admin=tenant.has(Role.APP_ADMIN),
        accepted=accepted,
        app_admin=await _app_admin(holdfast, tenant),
        own_flows=chosen["own_flows"],
        starts=is_person and not chosen["waits"],
    )
    return plan_migration(found, choices)


async def _app_admin(holdfast: Holdfast, tenant: Tenant) -> str:
    """What people call holdfast's application administrator; empty where there is none."""
    from holdfast.core.identity import Role

    if not tenant.has(Role.APP_ADMIN):
        return ""
    return await deeds.application_name(holdfast, tenant, tenant.client_id(Role.APP_ADMIN))


@command.command("for-dba")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--undo", "undoes", is_flag=True, help="The inverse, which drops the users.")
@common_options
def for_dba_(file: Path, undoes: bool, invocation: Invocation) -> int:
    """What a SQL administrator has to run for a plan, database by database, with the applications that it made."""
    from holdfast.cli.session import opened

    plan = deeds.plan_in(file, "migrate")
    with opened(invocation) as holdfast:
        clients = asyncio.run(_clients(holdfast, plan))
    click.echo(_scripts(plan, clients, undoes), nl=False)
    return 0


async def _clients(holdfast: Holdfast, plan: Plan) -> dict[str, str]:
    """The client id of each saga's application, as far as they are registered."""
    deeds_ = await holdfast.journal.deeds(plan.tenant, plan.id)
    return {
        deed.saga: deed.outcome.facts["client_id"]
        for deed in deeds_
        if (deed.step, deed.way) == ("app", "do") and deed.outcome.is_done
    }


def _scripts(plan: Plan, clients: dict[str, str], undoes: bool = False) -> str:
    from holdfast.migration.shown import NOBODY, script_for, undo_script_for

    made = undo_script_for if undoes else script_for
    return "\n".join(
        made(step.arguments, clients.get(step.saga, NOBODY))
        for step in plan.steps
        if step.name.startswith("sql:")
    )


@command.command("after")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--form",
    type=click.Choice(("settings", "terraform")),
    default="settings",
    show_default=True,
    help="Deployment settings by environment, or Terraform resources.",
)
@common_options
def after_(file: Path, form: str, invocation: Invocation) -> int:
    """What pipelines and infrastructure code have to say now, so that the next deployment keeps the new connections."""
    from holdfast.cli.session import opened
    from holdfast.migration.after import deployment_settings, terraform

    plan = deeds.plan_in(file, "migrate")
    with opened(invocation) as holdfast:
        stands = asyncio.run(_stands(holdfast, plan))
        clients = asyncio.run(_clients(holdfast, plan))
    if form == "terraform":
        made = {
            saga for saga, steps in stands.items() if any(step.startswith("connection:") for step in steps)
        }
        click.echo(terraform(plan, {saga: id for saga, id in clients.items() if saga in made}), nl=False)
        return 0
    bound = [
        saga for saga, steps in stands.items() if any(step.startswith(("bind:", "define:")) for step in steps)
    ]
    click.echo(json.dumps(deployment_settings(plan, bound), indent=2))
    return 0


async def _stands(holdfast: Holdfast, plan: Plan) -> dict[str, tuple[str, ...]]:
    from holdfast.saga import standing

    found = standing(plan, await holdfast.journal.deeds(plan.tenant, plan.id))
    return {each.saga: each.stands for each in found}


@command.command("status")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--drift", is_flag=True, help="Look whether bindings and definitions are still as they were left."
)
@click.option(
    "--unused",
    is_flag=True,
    help="List the grants that no run since the move is known to have used, by action.",
)
@common_options
def status_(file: Path | None, drift: bool, unused: bool, invocation: Invocation) -> int:
    """How one plan, or every plan, stands. Asks the cloud nothing, but for --drift and --unused."""
    from holdfast.cli.session import opened

    if drift and unused:
        raise click.UsageError("--drift and --unused are two questions: ask one at a time.")
    if not (drift or unused):
        return deeds.status(file, "migrate", invocation)
    plan = None if file is None else deeds.plan_in(file, "migrate")
    if unused:
        with opened(invocation) as holdfast:
            rows = asyncio.run(_unused(holdfast, plan, invocation))
        emit(
            rows,
            UNUSED_COLUMNS,
            invocation.output,
            shape="holdfast.migrate-unused/1",
            empty="Every grant was used by a run since the move.",
        )
        return 0
    with opened(invocation) as holdfast:
        rows = asyncio.run(_drifted(holdfast, plan, invocation))
    emit(
        rows,
        DRIFT_COLUMNS,
        invocation.output,
        shape="holdfast.migrate-drift/1",
        empty="Everything is as it was left.",
    )
    return int(bool(rows))


async def _drifted(holdfast: Holdfast, plan: Plan | None, invocation: Invocation) -> list[dict[str, Any]]:
    from holdfast.compose.verbs import environments_of
    from holdfast.core.identity import Role
    from holdfast.migration.drift import drifted

    tenant = holdfast.chosen(invocation.tenant)
    plans = [plan] if plan else [each.plan for each in await holdfast.journal.plans(tenant.id, "migrate")]
    environments = await environments_of(tenant)
    found = []
    async with tenant.reached(Role.OPERATOR) as reach:
        for one in plans:
            found += await drifted(one, await _stands(holdfast, one), reach.operator, environments)
    return [each._asdict() for each in found]


async def _unused(holdfast: Holdfast, plan: Plan | None, invocation: Invocation) -> list[dict[str, Any]]:
    from holdfast.compose.verbs import environments_of
    from holdfast.core.identity import Role
    from holdfast.migration.unused import unused_grants

    tenant = holdfast.chosen(invocation.tenant)
    plans = [plan] if plan else [each.plan for each in await holdfast.journal.plans(tenant.id, "migrate")]
    environments = await environments_of(tenant)
    found = []
    async with tenant.reached(Role.OPERATOR) as operating, tenant.reached(Role.READER) as reading:
        for one in plans:
            stands, notes = await _stands(holdfast, one), await holdfast.journal.deeds(one.tenant, one.id)
            found += await unused_grants(
                one, stands, notes, operating.operator, reading.platform, environments
            )
    return [each._asdict() for each in found]


for each in deeds.carrying_out("migrate", with_status=False):
    command.add_command(each)
