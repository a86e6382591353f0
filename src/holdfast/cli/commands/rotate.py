"""`holdfast rotate`: renew the secrets that connections sign in with, without anybody noticing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli import deeds
from holdfast.cli.options import Invocation, common_options
from holdfast.cli.times import Length

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.core.plan import Accepted, Plan
    from holdfast.scan.standing import Picture


@click.group()
def command() -> None:
    """Renew secrets by overlap: add beside, prove, switch each connection, prove each, wait, remove what is ours.

    A secret is due at two thirds of its life, or 14 days before it ends. Secrets that somebody else made are replaced
    beside and never removed.
    """


@command.command("plan")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the plan to this file.")
@click.option(
    "--app", "apps", multiple=True, metavar="CLIENT_ID", help="This application, due or not; repeatable."
)
@click.option(
    "--life", type=Length(), metavar="LENGTH", help="How long the new secrets live; else as long as the old."
)
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="FACT=NAME:REASON",
    help="Answer for a fact that nobody could look at.",
)
@common_options
def plan_(
    out: Path | None,
    apps: tuple[str, ...],
    life: timedelta | None,
    accepted: tuple[str, ...],
    invocation: Invocation,
) -> int:
    """Plan what is due. Writes nothing to the cloud."""
    from holdfast.cli.session import opened

    facts = deeds.accepted_facts(accepted)
    with opened(invocation) as holdfast:
        return asyncio.run(_plan(holdfast, invocation, out, frozenset(apps), life, facts))


async def _plan(
    holdfast: Holdfast,
    invocation: Invocation,
    out: Path | None,
    apps: frozenset[str],
    life: timedelta | None,
    accepted: tuple[Accepted, ...],
) -> int:
    from holdfast.cli.looking import picture_of

    tenant = holdfast.chosen(invocation.tenant)
    seen = await picture_of(holdfast, tenant, invocation)
    await deeds.put(await _planned(holdfast, tenant, seen, apps, life, accepted), out, holdfast, invocation)
    return 0


async def _planned(
    holdfast: Holdfast,
    tenant: Tenant,
    seen: Picture,
    apps: frozenset[str],
    life: timedelta | None,
    accepted: tuple[Accepted, ...],
) -> Plan:
    from holdfast.adapters.system import new_id
    from holdfast.compose.rotating import candidates
    from holdfast.core.identity import Role
    from holdfast.rotation.plan import Choices, plan_rotation

    found, policy = await candidates(holdfast, tenant, seen)
    client_id = tenant.client_id(Role.APP_ADMIN)
    async with tenant.reached(Role.READER) as reach:
        app_admin = await reach.applications.principal_of(client_id) or client_id
    choices = Choices(
        plan=new_id()[:8],
        tenant=tenant.id,
        tenant_name=tenant.name,
        tenant_id=tenant.entra_id,
        now=seen.now,
        app_admin=app_admin,
        app_admin_id=client_id,
        policy=policy,
        apps=apps,
        life=life,
        accepted=accepted,
    )
    return plan_rotation(found, choices)


for each in deeds.carrying_out("rotate"):
    command.add_command(each)
