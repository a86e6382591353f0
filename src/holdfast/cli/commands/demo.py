"""`holdfast demo`: the story of one tenant, told by the very commands that a person would type."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
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
    from holdfast.core.inventory import Connection
    from holdfast.diagnosis.status import ConnectionStatus
    from holdfast.sandbox.steering import Steering

REPORT = "holdfast-report.html"
FIRST_JUMP = timedelta(days=13)
SECOND_JUMP = timedelta(days=10)
MOVED = "ERP orders"
"""In the name of the story's connection whose flows run every night."""

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
    with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as scratch:
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

    lost: dict[str, str] = {}
    try:
        for act in ("fate", "cures"):
            place = folder / act
            place.mkdir()
            ready_file = place / "ready.json"
            with _own_state(place), embedded("story", seed=seed, ready_file=ready_file) as ready:
                story = _Story(Steering(ready["control"]), ready, ready_file, report)
                if act == "fate":
                    story.tell()
                    lost = story.lost()
                else:
                    story.cure(lost)
        _farewell(report)
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
        self._began = steering.now()
        self._nightly: set[str] = set()

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

    def lost(self) -> dict[str, str]:
        """What is broken now that worked at the start, by connection: its cause."""
        return {
            each["id"]: each["cause"]
            for each in self._steering.truth()["connections"]
            if not each["usable"] and datetime.fromisoformat(each["broke_at"]) > self._began
        }

    def cure(self, lost: Mapping[str, str]) -> None:
        """The same weeks again, with what can be done about them.

        Args:
            lost: what broke without, as `lost` tells it.
        """
        self._chapter("The same weeks once more, with the cures")
        self._say("The tenant starts anew, and this time somebody acts on what was foreseen.")
        self._quietly("scan")
        self._keep_alive()
        self._renew()
        moved = self._move()
        self._chapter("The same 23 days pass, and a password is reset on the way")
        self._say(
            f"The sign-in that {clean(moved.display_name)!r} stood on ends with it, as that of Sam Ortiz did. The"
            " nightly flows no longer stand on it."
        )
        self._steering.happen("reset_password", moved.owner.id if moved.owner else "")
        self._steering.advance(FIRST_JUMP + SECOND_JUMP)
        self._quietly("scan")
        self._type("keepalive", "status")
        self._compare(lost, moved)

    def _move(self) -> Connection:
        """The nightly flows, off a person's sign-in; the connection that they were bound to."""
        self._chapter("The nightly flows, off a person's sign-in and onto a service principal")
        moved = next(each for each in asyncio.run(self._statuses()) if MOVED in each.connection.display_name)
        self._nightly = {
            flow["id"]
            for flow in self._steering.truth()["flows"]
            if str(moved.connection.id) in flow["connections"]
        }
        file = self._ready_file.with_name("migrate.json")
        self._type("migrate", "plan", "--connection", str(moved.connection.id), "--out", str(file))
        self._say(
            "\nThe new secret spreads, and each flow is watched until a run is green; the clock jumps over that."
        )
        for length in (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=26)):
            self._quietly("migrate", "apply", str(file), "--yes", "--wait", "3s")
            self._steering.advance(length)
        self._type("migrate", "apply", str(file), "--yes", "--wait", "3s")
        return moved.connection

    def _keep_alive(self) -> None:
        self._chapter("A flow that uses the idle one, so that it does not end unused")
        file = self._ready_file.with_name("keepalive.json")
        self._type("keepalive", "plan", "--out", str(file))
        plan = json.loads(file.read_text(encoding="utf-8"))
        self._say("\nIts owner shares it with holdfast: the one gesture that only the owner can make.")
        for connection in dict.fromkeys(step["connection"] for step in plan["steps"] if step["by"]):
            self._steering.happen("share_connection", connection, **{"with": plan["choices"]["operator"]})
        self._type("keepalive", "apply", str(file), "--yes", "--wait", "30s")

    def _renew(self) -> None:
        self._chapter("A new secret beside the one that ends, before it ends")
        file = self._ready_file.with_name("rotate.json")
        self._type("rotate", "plan", "--out", str(file))
        self._say(
            "\nA new secret spreads through Entra for minutes, and the old one is watched for a day before anything"
            " is removed. The clock jumps over that."
        )
        for length in (timedelta(minutes=15), timedelta(hours=26), timedelta(hours=26)):
            self._quietly("rotate", "apply", str(file), "--yes", "--wait", "3s")
            self._steering.advance(length)
        self._type("rotate", "apply", str(file), "--yes", "--wait", "5s")

    def _compare(self, lost: Mapping[str, str], moved: Connection) -> None:
        truth = self._steering.truth()
        usable = {each["id"]: each["usable"] for each in truth["connections"]}
        self._chapter("What the cures changed")
        click.echo()
        names = {
            str(each.connection.id): each.connection.display_name for each in asyncio.run(self._statuses())
        }
        for id, cause in lost.items():
            now = "works" if usable.get(id) or not self._is_used(truth, id) else "broken"
            click.echo(
                f"  {clean(names.get(id, id)):<30} without: {cause:<18} with: {click.style(now, bold=True)}"
            )
        runs = [flow["last_run_ok"] for flow in truth["flows"] if flow["id"] in self._nightly]
        green = "their flows run" if all(runs) else "their flows fail"
        click.echo(
            f"  {clean(moved.display_name):<30} without: {'password_changed':<18} with: {click.style(green, bold=True)}"
        )
        click.echo("  The one whose owner's password was reset stays broken: only a new sign-in heals it.")

    @staticmethod
    def _is_used(truth: Mapping[str, Any], connection: str) -> bool:
        """Whether a flow that is on is still bound to it: where a cure bound them to another, it is of no use."""
        return any(flow["on"] and connection in flow["connections"] for flow in truth["flows"])

    def _quietly(self, *words: str) -> None:
        """Run a command whose answer is of no interest here."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._run(*words)

    def _run(self, *words: str) -> None:
        from holdfast.cli.main import cli

        where = f"--sandbox={self._ready_file}"
        cli.main(args=[*words, where], prog_name="holdfast", standalone_mode=False)

    def _chapter(self, title: str) -> None:
        click.echo()
        click.secho(f"── {title} ".ljust(78, "─"), fg="cyan", bold=True)

    def _say(self, words: str) -> None:
        click.echo(click.wrap_text(words, width=78))

    def _type(self, *words: str, needs_tenant: bool = True) -> None:
        """Run a command as if it had been typed."""
        shown = shlex.join(self._shown(word) for word in words)
        click.echo()
        click.secho(f"$ holdfast {shown}", bold=True)
        if needs_tenant:
            self._run(*words)
        else:
            from holdfast.cli.main import cli

            cli.main(args=list(words), prog_name="holdfast", standalone_mode=False)

    def _shown(self, word: str) -> str:
        if word.startswith(str(self._ready_file.parent)):
            return Path(word).name
        return word if len(word) < 60 else word[:57] + "…"

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


def _farewell(report: Path) -> None:
    click.echo()
    click.secho("── Where to go from here ".ljust(78, "─"), fg="cyan", bold=True)
    click.echo()
    for what, how in (
        ("The same as a page to keep", f"open {report}"),
        ("Step by step, by yourself", "holdfast scan --sandbox; holdfast status --sandbox"),
        ("Every known way to break", "holdfast causes"),
        ("On your own tenant", "holdfast init"),
    ):
        click.echo(f"  {what:<28} {click.style(how, bold=True)}")
