"""`holdfast rotate`: renew the secrets that connections sign in with, without anybody noticing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli import deeds
from holdfast.cli.options import Invocation, Verbs, common_options, examples
from holdfast.cli.render import clean
from holdfast.cli.saying import busy
from holdfast.cli.times import Length

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.plan import Accepted
    from holdfast.scan.standing import Picture


@click.group(cls=Verbs)
def command() -> None:
    """Renew secrets and certificates by overlap: add beside, prove, switch each connection, prove each, wait, remove ours.

    One is due at two thirds of its life, or 14 days before it ends. What somebody else made is replaced beside and
    never removed.
    """


@command.command(
    "plan",
    epilog=examples(
        "rotate plan --out rotate.json",
        "rotate plan --app erp-nightly --life 90d --out rotate.json",
        "rotate plan --accept 'other_consumers=Ada Kent:the report server has the new one' --out rotate.json",
    ),
)
@deeds.plan_options
@click.option(
    "--app",
    "apps",
    multiple=True,
    metavar="ID",
    help="This application, due or not, by client id or name; repeatable.",
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
    from holdfast.cli.naming import application_names, one
    from holdfast.compose.rotating import planned

    tenant = holdfast.chosen(invocation.tenant)
    seen = await picture_of(holdfast, tenant, invocation)
    names = await application_names(holdfast, [seen.tenant]) if apps else {}
    chosen = frozenset(one(app, names, "application") for app in apps)
    with busy("Reading owners, policies and sign-in logs; the log may be asked five times in ten seconds"):
        plan = await planned(holdfast, tenant, seen, new_id()[:8], chosen, life, accepted)
    for app in sorted(chosen - await _in_use(holdfast, seen)):
        click.echo(
            clean(f"holdfast: No scanned connection is known to sign in as {names[app] or app}."), err=True
        )
    await deeds.put(plan, out, holdfast, invocation)
    return 0


async def _in_use(holdfast: Holdfast, seen: Picture) -> set[str]:
    """Client ids that connections are known to hold."""
    from holdfast.core.inventory import Connection

    current = holdfast.history.current(seen.tenant, Connection)
    return {each.client_id async for each in current if each.client_id}


for each in deeds.carrying_out("rotate"):
    command.add_command(each)
