"""`holdfast prove ID`: witnesses before and after the next run: refreshed or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, clean, emit, of_tenants
from holdfast.cli.times import iso, minute

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.witness import Witness
    from holdfast.scan.proving import Proven
    from holdfast.scan.standing import Picture, Standing

COLUMNS = (
    Column("name", "Connection", "bold"),
    Column("answer", "Answer", wraps=False),
    Column("says", "Says"),
    Column("next_hard_date", "Next hard date"),
)


@click.command()
@click.argument("id")
@click.option("--run", "start", is_flag=True, help="Start the run now; only a person who owns the flow may.")
@common_options
def command(id: str, start: bool, invocation: Invocation) -> int:
    """Show whether the next run refreshes a connection: ID, or the beginning of its id, or its name or part of it.

    The first time its witnesses are written down and the next scheduled run is named; asked again after that run, it
    answers: refreshed or not, and the next hard date. Exit code 0 once it is proven.
    """
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_prove(holdfast, invocation, id, start))


async def _prove(holdfast: Holdfast, invocation: Invocation, wanted: str, start: bool) -> int:
    from holdfast.cli.commands.show import find
    from holdfast.cli.looking import pictures, with_tenant
    from holdfast.core.proof import Answer
    from holdfast.scan.proving import prove

    def explain(text: str) -> str:
        from holdfast.diagnosis.diagnose import diagnose

        verdict = diagnose(holdfast.read(text, "connection"))[0]
        code = verdict.because[0].code if verdict.because else "an error that is not known here"
        return f"{code} ({verdict.cause.id})"

    seen = await pictures(holdfast, invocation)
    rows = []
    for standing, picture in await find(holdfast, seen, wanted):
        async with holdfast.tenants[picture.name].reached() as reach:
            proven = await prove(holdfast.history, reach.platform, picture, standing, explain)
        if start and not proven.told.answer.is_over:
            await _start(holdfast, picture, standing, proven)
        rows.append(with_tenant(row_of(proven, standing), picture.name, seen.several))
        if invocation.output == "table":
            if seen.several:
                click.echo(clean(f"In {picture.name}:"))
            _tell(proven, standing, started=start and not proven.told.answer.is_over)
    if invocation.output != "table":
        emit(rows, of_tenants(COLUMNS, seen.several), invocation.output, shape="holdfast.prove/1")
    return 0 if all(row["answer"] == Answer.REFRESHED.value for row in rows) else 1


async def _start(holdfast: Holdfast, picture: Picture, standing: Standing, proven: Proven) -> None:
    """Start the flow as the operator, where that is a person.

    Raises:
        SettingsError: no person may start it.
        CloudError: the platform refused.
    """
    from holdfast.core.errors import SettingsError
    from holdfast.core.identity import Role

    flow = proven.flow
    if flow is None:
        raise SettingsError(
            f"No run of {standing.status.connection.display_name!r} can be started: no flow that uses it is on and"
            " scheduled; turn one on, or use the connection by hand."
        )
    async with holdfast.tenants[picture.name].reached(Role.OPERATOR) as reach:
        if reach.starter is None:
            raise SettingsError(
                f"Flow {flow.display_name!r} cannot be started by an application: let the operator sign in as a"
                " person who owns it (sign_in = true), or press Run in the portal and ask again."
            )
        await reach.starter.start(standing.status.connection.environment, flow.id)


def row_of(proven: Proven, standing: Standing) -> dict[str, Any]:
    """For programs."""
    proof, told, connection = proven.proof, proven.told, standing.status.connection
    date = told.hard_date
    return {
        "connection": connection.id,
        "environment": connection.environment,
        "name": connection.display_name,
        "answer": told.answer.value,
        "says": told.says,
        "begun_at": iso(proof.begun_at),
        "flow": proof.flow,
        "due_earliest": iso(proof.due.earliest) if proof.due else None,
        "due_latest": iso(proof.due.latest) if proof.due else None,
        "before": [_witness(each) for each in proof.before],
        "after": [_witness(each) for each in told.after],
        "next_hard_date": iso(date.earliest) if date else None,
        "next_hard_cause": date.cause if date else None,
    }


def _witness(each: Witness) -> dict[str, Any]:
    return {
        "source": each.source.value,
        "earliest": iso(each.refreshed.earliest),
        "latest": iso(each.refreshed.latest),
    }


def _tell(proven: Proven, standing: Standing, *, started: bool) -> None:
    told = proven.told
    click.secho(clean(standing.status.connection.display_name), bold=True)
    click.echo(clean(told.says))
    if started:
        click.echo("A run was started; ask again in a few minutes.")
    for heading, found in (("Before", proven.proof.before), ("Now", told.after)):
        for each in found:
            click.echo(
                f"{heading}: refreshed {minute(each.refreshed.earliest)} to {minute(each.refreshed.latest)} UTC, by"
                f" {each.source.value.replace('_', ' ')}"
            )
    if told.hard_date is not None and told.hard_date.earliest is not None:
        click.echo(
            f"Next hard date: {minute(told.hard_date.earliest)} UTC, {told.hard_date.cause}"
            f" ({told.hard_date.condition.value.replace('_', ' ')})"
        )
