"""What `keepalive`, `migrate` and `rotate` have in common: plans to files, and applying, showing and undoing them."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, command_line, common_options
from holdfast.cli.planned import print_steps, show_declined
from holdfast.cli.render import Column, emit
from holdfast.cli.sagas import (
    OVER,
    READ_BY_PEOPLE,
    SAGA_COLUMNS,
    for_people,
    saga_row,
    show_sagas,
    status_rows,
    tenant_of,
)
from holdfast.cli.saying import busy, say
from holdfast.cli.times import Length, length
from holdfast.core.errors import SettingsError, StrandedError
from holdfast.core.plan import Accepted, Plan, PlannedStep, digest, plan_json, plan_text, read_plan

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.core.deed import Standing, Turn
    from holdfast.saga import Verb

STEP_COLUMNS = (
    Column("saga", "Saga", wraps=False),
    Column("does", "Does"),
    Column("by", "By"),
    Column("risk", "Risk"),
    Column("cost", "Cost"),
    Column("undo", "Undo"),
)


async def put(
    plan: Plan,
    out: Path | None,
    holdfast: Holdfast,
    invocation: Invocation,
    show: Callable[[Plan], None] | None = None,
) -> None:
    """Record the plan, write its file, and show it. Writes nothing to the cloud.

    Args:
        show: puts the steps on a terminal, where they are better not shown one by one.

    Raises:
        SettingsError: the file cannot be written.
    """
    await holdfast.journal.keep(plan)
    if out is not None:
        write(plan_text(plan), out)
    if invocation.output == "json":
        click.echo(plan_text(plan), nl=False)
        return
    if invocation.output != "table":
        emit(plan_json(plan)["steps"], STEP_COLUMNS, invocation.output, shape="holdfast.plan/1")
    else:
        (show if show is not None and plan.steps else print_steps)(plan)
        if plan.declined:
            click.echo()
            await show_declined(plan, holdfast)
        click.echo(f"\nPlan {plan.id}, SHA-256 {digest(plan)}")
        if plan.steps and out is None:
            click.echo("Nothing has been done. With --out FILE the plan goes into a file to read and apply.")
        elif plan.steps:
            do_it = command_line(f"{plan.kind} apply {shlex.quote(str(out))} --yes", invocation)
            click.echo(f"Nothing has been done. Do it: {do_it}")


def write(text: str, out: Path) -> None:
    """Write a plan, or what is taken from it, to a file.

    Raises:
        SettingsError: the file cannot be written.
    """
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"The plan cannot be written to {out}: {error.strerror or error}.") from None


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every `plan` takes: where to write it, and what somebody answers for."""
    out = click.option(
        "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the plan to this file."
    )
    accept = click.option(
        "--accept",
        "accepted",
        multiple=True,
        metavar="FACT=NAME:REASON",
        help="Answer for a fact that blocks, or that nobody could look at; repeatable.",
    )
    return out(accept(function))


def selectors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what narrows a plan to some connections."""
    for one, many in (("connection", "connections"), ("environment", "environments")):
        option = click.option(
            f"--{one}", many, multiple=True, metavar="ID", help=f"Only this {one}, by id or name; repeatable."
        )
        function = option(function)
    return function


def carrying_out(kind: str, *, with_status: bool = True) -> list[click.Command]:
    """The commands `apply`, `status` and `undo` of a verb; some have a `status` of their own."""
    file = click.argument("file", type=click.Path(path_type=Path))
    options = (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option(
            "--wait",
            type=Length(),
            default="2m",
            show_default=True,
            help="How long to look again for what a step waits for.",
        ),
        click.option(
            "--digest", "sha256", metavar="SHA256", help="The digest a reviewer passed on with the plan."
        ),
    )

    @click.command("apply")
    @file
    @common_options
    def apply_(file: Path, invocation: Invocation, **how: Any) -> int:
        """Carry out a plan as far as it goes. The same command again goes on from there."""
        return apply(file, kind, invocation, **how)

    @click.command("undo")
    @file
    @common_options
    def undo_(file: Path, invocation: Invocation, **how: Any) -> int:
        """Undo whatever a plan did, and remove what it made; nothing else."""
        return undo(file, kind, invocation, **how)

    @click.command("status")
    @click.argument("file", type=click.Path(path_type=Path), required=False)
    @common_options
    def status_(file: Path | None, invocation: Invocation) -> int:
        """How one plan, or every plan, stands. Asks the cloud nothing."""
        return status(file, kind, invocation)

    for option in options:
        apply_, undo_ = option(apply_), option(undo_)
    return [apply_, status_, undo_] if with_status else [apply_, undo_]


def plan_in(file: Path, kind: str) -> Plan:
    """The plan in a file.

    Raises:
        SettingsError: it cannot be read, was edited, or belongs to another command.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"The plan {file} cannot be read: {why}.") from None
    plan = read_plan(text, f"The plan {file}")
    if plan.kind != kind:
        raise SettingsError(f"{file} is a plan of `holdfast {plan.kind}`: apply it with that command.")
    return plan


def apply(
    file: Path, kind: str, invocation: Invocation, *, yes: bool, wait: timedelta, sha256: str | None
) -> int:
    """Carry out a plan's file as far as it goes; the exit code.

    Raises:
        SettingsError: the plan is not to be trusted, was undone, or nobody agreed.
        StrandedError: it stopped half-way, where somebody has to act.
    """
    from holdfast.cli.session import opened

    plan = plan_in(file, kind)
    _agree(f"Apply {len(plan.steps)} steps in tenant {plan.tenant_name!r}?", yes, "apply")
    with opened(invocation) as holdfast:
        return asyncio.run(_applied(plan, file, holdfast, invocation, wait, sha256))


def undo(
    file: Path, kind: str, invocation: Invocation, *, yes: bool, wait: timedelta, sha256: str | None
) -> int:
    """Undo whatever a plan's file began; the exit code. Errors as for `apply`."""
    from holdfast.cli.session import opened

    plan = plan_in(file, kind)
    _agree(f"Undo what plan {plan.id} did in tenant {plan.tenant_name!r}?", yes, "undo")
    with opened(invocation) as holdfast:
        return asyncio.run(_undone(plan, file, holdfast, invocation, wait, sha256))


def status(file: Path | None, kind: str, invocation: Invocation) -> int:
    """Show how the sagas of one plan, or of all plans of a kind, stand; 1 where one is not over."""
    from holdfast.cli.session import opened

    plan = None if file is None else plan_in(file, kind)
    with opened(invocation) as holdfast:
        rows = asyncio.run(status_rows(holdfast, plan, kind, invocation))
    show_sagas(rows, kind, invocation, every=plan is not None)
    return int(any(row["state"] not in (*OVER, "planned") for row in rows))


async def _applied(
    plan: Plan, file: Path, holdfast: Holdfast, invocation: Invocation, wait: timedelta, sha256: str | None
) -> int:
    from holdfast import saga

    deeds = await holdfast.journal.deeds(plan.tenant, plan.id)
    if any(deed.way == "undo" for deed in deeds):
        raise SettingsError(
            f"The plan {plan.id} was undone, or is being undone: plan again, or finish the undo."
        )

    async def deed(verb: Verb, turn: Turn) -> list[Standing]:
        return await saga.apply(plan, verb, holdfast.journal, turn, holdfast.clock, wait)

    with busy(f"Going on for up to {length(wait)}; after Ctrl+C the same command goes on from there"):
        found = await _carried(plan, holdfast, invocation, sha256, deed)
    return await _told(found, plan, file, holdfast, invocation)


async def _undone(
    plan: Plan, file: Path, holdfast: Holdfast, invocation: Invocation, wait: timedelta, sha256: str | None
) -> int:
    from holdfast import saga

    async def deed(verb: Verb, turn: Turn) -> list[Standing]:
        return await saga.undo(plan, verb, holdfast.journal, turn, holdfast.clock, wait)

    with busy(f"Undoing for up to {length(wait)}; after Ctrl+C the same command goes on from there"):
        found = await _carried(plan, holdfast, invocation, sha256, deed)
    return await _told(found, plan, file, holdfast, invocation)


async def _carried(
    plan: Plan,
    holdfast: Holdfast,
    invocation: Invocation,
    sha256: str | None,
    deed: Callable[[Verb, Turn], Awaitable[list[Standing]]],
) -> list[Standing]:
    from holdfast.compose.verbs import bound

    tenant = tenant_of(plan, holdfast, invocation)
    await _trusted(plan, holdfast, sha256)
    async with bound(holdfast, tenant, plan) as verb:
        for step in plan.steps:
            if verb.shows(step) != step.shows:
                raise SettingsError(
                    f"Step {step.name!r} of plan {plan.id} does not read as it would be done now: plan again."
                )
        async with holdfast.journal.turn(plan.tenant) as turn:
            return await deed(verb, turn)


async def _trusted(plan: Plan, holdfast: Holdfast, sha256: str | None) -> None:
    """Only a plan that was made here, or that a reviewer vouches for by its digest, is carried out."""
    known = await holdfast.journal.find(plan.tenant, plan.id)
    if sha256 is not None and sha256.lower() != digest(plan):
        raise SettingsError(
            f"The plan {plan.id} is not the one with digest {sha256}: ask for the right file."
        )
    if known is None and sha256 is None:
        raise SettingsError(
            f"The plan {plan.id} was not made with this store: pass the digest that `plan` printed, --digest SHA256."
        )
    if known is not None and known.digest != digest(plan):
        raise SettingsError(f"The plan {plan.id} is not the one that was made here: plan again.")
    if known is None:
        await holdfast.journal.keep(plan)


async def _told(
    found: Sequence[Standing], plan: Plan, file: Path, holdfast: Holdfast, invocation: Invocation
) -> int:
    sagas = plan.sagas()
    rows = [saga_row(plan.id, sagas[each.saga], each) for each in found]
    emit(
        await for_people(rows, holdfast, plan.tenant, invocation),
        SAGA_COLUMNS,
        invocation.output,
        shape=f"holdfast.{plan.kind}-status/1",
        empty="The plan has no steps.",
    )
    stranded = [each for each in found if each.state == "refused" and _makes(sagas[each.saga], each)]
    stranded += [each for each in found if each.state == "undoing"]
    if stranded:
        first = stranded[0]
        raise StrandedError(
            f"{len(stranded)} of {len(found)} sagas stopped half-way; {first.saga} stands at {first.step!r}:"
            f" {first.says.rstrip('.')}. Then run the same again, or `holdfast {plan.kind} undo {file} --yes`."
        )
    waiting = sum(each.state == "waiting" for each in found)
    if waiting and invocation.output in READ_BY_PEOPLE:
        many = "is" if waiting == 1 else "are"
        say(
            f"{waiting} of {len(found)} {many} waiting. The same command again goes on from there, and so does"
            " `holdfast watch`."
        )
    return int(any(each.state not in OVER for each in found))


def _makes(steps: Sequence[PlannedStep], standing: Standing) -> bool:
    """Whether something stands that undoing would remove."""
    return any(step.undo for step in steps if step.name in standing.stands)


def accepted_facts(texts: Sequence[str], known: Collection[str] = ()) -> tuple[Accepted, ...]:
    """Facts that somebody answers for, from `FACT=NAME:REASON`.

    Args:
        known: all that anybody can answer for, where that is known.

    Raises:
        click.UsageError: one has another form, or is none that anybody can answer for.
    """
    found = []
    for text in texts:
        fact, equals, rest = text.partition("=")
        name, colon, why = rest.partition(":")
        if not (equals and colon and fact.strip() and name.strip() and why.strip()):
            raise click.UsageError(f"--accept {text!r} is not FACT=NAME:REASON.")
        if known and fact.strip() not in known:
            raise click.UsageError(
                f"--accept {text!r}: nobody can answer for {fact.strip()!r}; it is one of {', '.join(sorted(known))}."
            )
        found.append(Accepted(fact.strip(), name.strip(), why.strip()))
    return tuple(found)


async def application_name(holdfast: Holdfast, tenant: Tenant, client_id: str) -> str:
    """What people call an application, as last scanned; its client id where it was not seen."""
    from holdfast.core.identity import ServicePrincipal

    async for app in holdfast.history.current(tenant.id, ServicePrincipal):
        if app.client_id == client_id:
            return app.display_name
    return client_id


def _agree(question: str, yes: bool, what: str) -> None:
    from holdfast.cli.confirming import agreed

    if not agreed(question, yes):
        raise SettingsError(f"Nothing was done: `{what}` goes on with --yes.")
