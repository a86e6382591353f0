"""`holdfast rotate`: renew the secrets that connections sign in with, without anybody noticing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli import deeds
from holdfast.cli.options import Invocation, Verbs, common_options
from holdfast.cli.times import Length

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.plan import Accepted


@click.group(cls=Verbs)
def command() -> None:
    """Renew secrets and certificates by overlap: add beside, prove, switch each connection, prove each, wait, remove ours.

    One is due at two thirds of its life, or 14 days before it ends. What somebody else made is replaced beside and
    never removed.
    """


@command.command("plan")
@deeds.plan_options
@click.option(
    "--app", "apps", multiple=True, metavar="CLIENT_ID", help="This application, due or not; repeatable."
)
@click.option(
    "--life", type=Length(), metavar="LENGTH", help="How long the new secrets live; else as long as the old."
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
    from holdfast.adapters.system import new_id
    from holdfast.cli.looking import picture_of
    from holdfast.compose.rotating import planned

    tenant = holdfast.chosen(invocation.tenant)
    seen = await picture_of(holdfast, tenant, invocation)
    plan = await planned(holdfast, tenant, seen, new_id()[:8], apps, life, accepted)
    await deeds.put(plan, out, holdfast, invocation)
    return 0


for each in deeds.carrying_out("rotate"):
    command.add_command(each)
