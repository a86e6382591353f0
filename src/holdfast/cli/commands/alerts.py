"""`holdfast alerts`: who is told of what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, Verbs, common_options
from holdfast.cli.render import Column, clean, emit, of_tenants
from holdfast.cli.times import iso
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast

TESTED = (
    Column("channel", "Channel"),
    Column("kind", "Kind"),
    Column("arrived", "Arrived"),
    Column("trouble", "Trouble"),
)
THREADS = (
    Column("state", "State", wraps=False),
    Column("topic", "About", wraps=False),
    Column("title", "Problem"),
    Column("tells", "Tells"),
    Column("opened_at", "Since", wraps=False),
    Column("told", "Told", right=True),
)


@click.group(cls=Verbs)
def command() -> None:
    """Tell people what is overdue, once per problem; `holdfast watch` does it by itself."""


@command.command("test")
@click.option("--channel", metavar="NAME", help="Only this channel.")
@common_options
def test_(channel: str | None, invocation: Invocation) -> int:
    """Send a test message through each channel of the settings, and say what arrived."""
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        rows = asyncio.run(_test(holdfast, channel))
    if not rows:
        raise SettingsError(
            "There is no channel to test: name one under [alerts.channels.NAME] in the settings file."
        )
    emit(rows, TESTED, invocation.output, shape="holdfast.alerts-test/1")
    return int(any(not row["arrived"] for row in rows))


async def _test(holdfast: Holdfast, channel: str | None) -> list[dict[str, Any]]:
    from holdfast.alerts.deliver import sent
    from holdfast.compose.alerting import a_test, notifiers

    kinds = {name: each.kind for name, each in holdfast.settings.alerts.channels.items()}
    async with notifiers(holdfast, channel) as ready:
        message = a_test("test", holdfast.clock.now())
        # Side by side: one that hangs keeps nobody waiting for the others.
        troubles = await asyncio.gather(*(sent(notifier, message) for notifier in ready.values()))
    return [
        {"channel": name, "kind": kinds[name], "arrived": trouble is None, "trouble": trouble or ""}
        for name, trouble in zip(ready, troubles, strict=True)
    ]


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is over.")
@common_options
def list_(everything: bool, invocation: Invocation) -> int:
    """What was told and is not over; 1 where there is any."""
    from holdfast.cli.looking import chosen
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        several = len(chosen(holdfast, invocation)) > 1
        rows = asyncio.run(_list(holdfast, invocation, everything))
    emit(
        rows,
        of_tenants(THREADS, several),
        invocation.output,
        shape="holdfast.alerts/1",
        empty="Nothing was told that is not over.",
    )
    return int(any(row["state"] == "open" for row in rows))


async def _list(holdfast: Holdfast, invocation: Invocation, everything: bool) -> list[dict[str, Any]]:
    from holdfast.cli.looking import chosen, with_tenant

    tenants = chosen(holdfast, invocation)
    return [
        with_tenant(
            {
                "state": "over" if thread.recovered_at else "open",
                "topic": thread.topic.value,
                "title": thread.title,
                "tells": thread.to or thread.audience.value,
                "opened_at": iso(thread.opened_at),
                "told_at": iso(thread.told_at),
                "recovered_at": iso(thread.recovered_at),
                "told": thread.told,
                "thread": thread.id,
                "connections": list(thread.subjects),
            },
            tenant.name,
            len(tenants) > 1,
        )
        for tenant in tenants
        for thread in (await holdfast.outbox.threads(tenant.id)).values()
        if everything or thread.recovered_at is None
    ]


@command.command("send")
@common_options
def send(invocation: Invocation) -> int:
    """Look what there is to tell and send it now; for schedulers that run no `watch`."""
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        told, arrived, lost, failing = asyncio.run(_send(holdfast, invocation))
        unheard = (
            "" if holdfast.settings.alerts.channels else " The settings name no channel, so nobody is told."
        )
    click.echo(f"{told} new, {arrived} delivered, {lost} not.{unheard}")
    for channel, trouble in sorted(failing.items()):
        click.echo(f"Waiting for {clean(channel)}: {clean(trouble)}", err=True)
    return int(lost > 0)


async def _send(holdfast: Holdfast, invocation: Invocation) -> tuple[int, int, int, dict[str, str]]:
    from holdfast.cli.looking import chosen
    from holdfast.compose.alerting import hand_on, look

    told = sum([await look(holdfast, tenant) for tenant in chosen(holdfast, invocation)])
    arrived, lost = await hand_on(holdfast)
    failing = {channel: trouble for channel, (_, trouble) in (await holdfast.outbox.failing()).items()}
    return told, arrived, lost, failing
