"""`holdfast demo`: the story of one tenant, told by the very commands that a person would type."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation
from holdfast.cli.render import clean
from holdfast.cli.times import minute
from holdfast.core.errors import HoldfastError, SettingsError
from holdfast.core.horizon import Interval

if TYPE_CHECKING:
    from holdfast.diagnosis.status import ConnectionStatus
    from holdfast.sandbox.steering import Steering

REPORT = "holdfast-report.html"
FIRST_JUMP = timedelta(days=13)
SECOND_JUMP = timedelta(days=10)

PASTED = (
    "Failed to refresh access token for service: aadcertificate. Correlation Id=g-1f0e, UTC TimeStamp=11/3/2026"
    ' 6:00:14 AM, Error: Failed to acquire token from AAD: {"error":"invalid_grant","error_description":'
    '"AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new'
    " location, you must use multi-factor authentication to access '022907d3-0f1b-48f7-badc-1ba6abab6d66'.\","
    '"error_codes":[50076],"suberror":"basic_action"}'
)


@click.command()
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(REPORT),
    show_default=True,
    help="Where to write the report.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Chance in the sandbox tenant.")
def command(report: Path, seed: int) -> int:
    """Tell the whole story on an embedded sandbox tenant: what is broken, what breaks next, what to do.

    Every table is the answer of the command above it, asked over HTTPS of a tenant on this machine. Nothing
    leaves the machine, and nothing of your own settings or store is read or changed.
    """
    if not report.parent.is_dir():
        raise SettingsError(f"The report cannot be written: there is no folder {report.parent}.")
    with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as scratch, _own_state(Path(scratch)):
        _tell(Path(scratch), report, seed)
    return 0


@contextmanager
def _own_state(folder: Path) -> Iterator[None]:
    """The demo keeps its store to itself."""
    before = os.environ.get("HOLDFAST_STATE_DIR")
    os.environ["HOLDFAST_STATE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOLDFAST_STATE_DIR"]
        else:
            os.environ["HOLDFAST_STATE_DIR"] = before


def _tell(folder: Path, report: Path, seed: int) -> None:
    from holdfast.sandbox import SandboxError, embedded
    from holdfast.sandbox.steering import Steering

    ready_file = folder / "ready.json"
    try:
        with embedded("story", seed=seed, ready_file=ready_file) as ready:
            _Story(Steering(ready["control"]), ready, ready_file, report).tell()
    except SandboxError as error:
        raise SettingsError(str(error)) from None


class _Story:
    """One telling: types commands, moves the tenant's clock, remembers what happened for the report."""

    def __init__(self, steering: Steering, ready: Mapping[str, Any], ready_file: Path, report: Path) -> None:
        self._steering = steering
        self._ready = ready
        self._ready_file = ready_file
        self._report = report
        self._happened: list[tuple[datetime, str]] = []

    def tell(self) -> None:
        """From the first scan to the report."""
        self._say(
            f"A tenant runs on this machine: sign-in at {self._ready['authority']}, Power Platform at"
            f" {self._ready['powerapps']}. It is a sandbox with a clock of its own; the commands are the real ones."
        )
        self._chapter("What is there, and what is broken?")
        self._type("scan")
        self._note("First scan.")
        self._type("status")
        self._chapter("What breaks next, and when?")
        self._type("forecast", "--within", "30d")
        self._chapter("Nobody does anything for 13 days")
        self._advance(FIRST_JUMP)
        self._type("scan")
        self._note("Second scan.")
        self._type("status")
        self._chapter("Ten days more")
        self._advance(SECOND_JUMP)
        self._type("scan")
        self._note("Third scan.")
        self._type("status")
        self._chapter("Why, exactly? All that is known about one of them")
        self._type("show", asyncio.run(self._worst()))
        self._chapter("And an error that somebody pasted into a chat, with no tenant at hand")
        self._type("explain", PASTED, needs_tenant=False)
        asyncio.run(self._write_report())
        self._farewell()

    def _chapter(self, title: str) -> None:
        click.echo()
        click.secho(f"── {title} ".ljust(78, "─"), fg="cyan", bold=True)

    def _say(self, words: str) -> None:
        click.echo(click.wrap_text(words, width=78))

    def _type(self, *words: str, needs_tenant: bool = True) -> None:
        """Run a command as if it had been typed."""
        from holdfast.cli.main import cli

        shown = shlex.join(word if len(word) < 60 else word[:57] + "…" for word in words)
        click.echo()
        click.secho(f"$ holdfast {shown}", bold=True)
        where = [f"--sandbox={self._ready_file}"] if needs_tenant else []
        cli.main(args=[words[0], *where, *words[1:]], prog_name="holdfast", standalone_mode=False)

    def _advance(self, by: timedelta) -> None:
        """Move the tenant's clock; say what broke meanwhile beside what had been foreseen."""
        before = self._broken()
        foreseen = asyncio.run(self._foreseen())
        now = self._steering.advance(by)
        self._note(f"The clock moved on by {by.days} days.")
        self._say(
            f"The tenant's clock jumps to {now:%A, %d %B %Y, %H:%M} UTC. The flows that were due have run."
        )
        for connection, since in self._broken().items():
            if connection not in before and since is not None:
                name, cause, horizon = foreseen[connection]
                self._happened.append((since, f"{name} broke: {cause.replace('_', ' ')}."))
                click.echo()
                click.secho(f"  {clean(name)}", bold=True)
                click.echo(f"    foreseen  {minute(horizon.earliest)} to {minute(horizon.latest)}, {cause}")
                click.echo(f"    happened  {minute(since)}")

    def _note(self, sentence: str) -> None:
        self._happened.append((self._steering.now(), sentence))

    def _broken(self) -> dict[str, datetime | None]:
        """Connections that would not work now, as the sandbox knows it, and since when."""
        return {
            each["id"]: datetime.fromisoformat(each["broke_at"]) if each["broke_at"] else None
            for each in self._steering.truth()["connections"]
            if not each["usable"]
        }

    async def _foreseen(self) -> dict[str, tuple[str, str, Interval]]:
        """By connection: its name, and the nearest dated horizon of the last scan."""
        found = {}
        for status in await self._statuses():
            nearest = status.nearest
            if nearest is not None and nearest.earliest is not None and nearest.latest is not None:
                interval = Interval(nearest.earliest, nearest.latest)
                found[str(status.connection.id)] = (status.connection.display_name, nearest.cause, interval)
        return found

    async def _statuses(self) -> list[ConnectionStatus]:
        from holdfast.cli.looking import pictures
        from holdfast.cli.session import opened
        from holdfast.scan.standing import standings

        invocation = Invocation(sandbox=str(self._ready_file))
        with opened(invocation) as holdfast:
            (seen,) = await pictures(holdfast, invocation)
            return [each.status async for each in standings(holdfast.history, seen)]

    async def _worst(self) -> str:
        """The connection to look at closely: the one with the surest verdict."""
        broken = [each for each in await self._statuses() if each.confidence is not None]
        if not broken:
            raise HoldfastError("The story went another way than it should: nothing is broken at its end.")
        return str(max(broken, key=lambda each: each.confidence or 0).connection.id)

    async def _write_report(self) -> None:
        from holdfast.cli.looking import pictures, said_of
        from holdfast.cli.report import write
        from holdfast.cli.reporting import report_of
        from holdfast.cli.session import opened

        invocation = Invocation(sandbox=str(self._ready_file))
        with opened(invocation) as holdfast:
            (seen,) = await pictures(holdfast, invocation)
            page = await report_of(
                holdfast.history,
                seen,
                tenant="the sandbox tenant",
                completeness=" ".join(said_of(seen)),
                story=tuple(sorted(self._happened)),
            )
        try:
            write(page, self._report)
        except OSError as error:
            raise SettingsError(
                f"The report {self._report} cannot be written: {error.strerror}; choose another with --report."
            ) from None

    def _farewell(self) -> None:
        self._chapter("Where to go from here")
        click.echo()
        for what, how in (
            ("The same as a page to keep", f"open {self._report}"),
            ("Step by step, by yourself", "holdfast scan --sandbox; holdfast status --sandbox"),
            ("Every known way to break", "holdfast causes"),
            ("On your own tenant", "holdfast init"),
        ):
            click.echo(f"  {what:<28} {click.style(how, bold=True)}")
