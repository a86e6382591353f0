"""Arguments in, exit code out. Commands are imported by name when they are used."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from holdfast import __version__
from holdfast.cli.terminal import is_plain

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """A command's module and its one line in the help, kept here so that `--help` imports no command."""

    module: str
    help: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry("demo", "The whole story on an embedded sandbox tenant, in under a minute."),
    "explain": Entry("explain", "A raw error text in, its cause and remedy out. Offline."),
    "inspect": Entry("inspect", "A flow definition or solution in, its SQL operations out. Offline."),
    "causes": Entry("causes", "The knowledge base: every known way to break, page by page."),
    "init": Entry("init", "Write a commented settings file; print the commands that set the identities up."),
    "login": Entry("login", "Sign in as yourself."),
    "logout": Entry("logout", "Remove your tokens from the secret store."),
    "doctor": Entry("doctor", "What each identity may do and what is missing. Writes nothing."),
    "scan": Entry("scan", "Read the tenant's connections into the store. Writes nothing to the cloud."),
    "import": Entry(
        "import_tables", "Tables that no cloud tells: when passwords end, flows that an inventory kit knows."
    ),
    "status": Entry("status", "Every connection: state, cause, what to do next."),
    "show": Entry("show", "Everything known about one connection."),
    "forecast": Entry("forecast", "What breaks when."),
    "whatif": Entry("whatif", "Which connections a change would end, before anybody makes it."),
    "watch": Entry("watch", "Scan on schedule, look at what is due, go on with plans: one process."),
    "worker": Entry("worker", "One more process that carries out what `watch` hands out, on PostgreSQL."),
    "keepalive": Entry("keepalive", "Keep connections alive that end when nothing uses them."),
    "migrate": Entry("migrate", "Move flows from people's sign-ins to service principals, and back."),
    "rotate": Entry("rotate", "Renew the secrets that connections sign in with, without a gap."),
    "worklist": Entry("worklist", "Which gestures, by whom, restore most lost runs."),
    "prove": Entry("prove", "Witnesses before and after the next run: refreshed or not."),
    "metrics": Entry("metrics", "Numbers for Prometheus, from the last scan."),
    "alerts": Entry("alerts", "Tell people what is overdue, once per problem."),
    "ledger": Entry("ledger", "Every cloud call that holdfast can make."),
    "secret": Entry("secret", "Keep secrets in the keyring, an encrypted file or a key vault."),
    "config": Entry("config", "The settings in effect, secrets masked."),
    "made": Entry("made", "Everything that stands in the tenant because of holdfast, and how to remove it."),
    "purge": Entry("purge", "Delete what holdfast keeps on this machine."),
    "forget": Entry("forget", "Blank a person's names in the store."),
    "completion": Entry("completion", "A script that completes commands and options in your shell."),
    "sandbox": Entry("sandbox", "A pretend tenant with its own clock, for anybody's tests."),
}


class Commands(click.Group):
    """A group that imports a command's module on use only."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """As click does, but what commands style is printed without it where only text is wanted."""
        if is_plain():
            extra.setdefault("color", False)
        return super().make_context(info_name, args, parent, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"holdfast.cli.commands.{entry.module}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest known name in the error."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" The nearest is {near[0]!r}." if near else " `holdfast --help` lists the commands."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """From the table, without importing anything."""
        from click.shell_completion import CompletionItem

        names = [name for name in COMMANDS if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=COMMANDS[name].help) for name in names), *options]

    def invoke(self, ctx: click.Context) -> object:
        """As click does, but a reader that goes away (`| head`) ends a command quietly and well.

        click itself would leave with 1, which means here that something needs attention.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _nowhere()
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 nothing needs attention, 1 something does, 2 usage or settings, 3 the cloud could"
    " not be asked, 4 stranded half-way, 5 our own store failed, 70 a bug in holdfast, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", prog_name="holdfast", message="%(prog)s %(version)s")
def cli() -> None:
    """Knows before a Power Automate SQL connection breaks, proves what it did, and moves it off user tokens."""


_NO_ROOM = ("ENOSPC", "EDQUOT", "EFBIG", "EIO")
"""Where standard output leads cannot take more."""


def _nowhere() -> None:
    """Send further output nowhere: Python would try to flush what is left at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def with_scenario(arguments: list[str]) -> list[str]:
    """The arguments with a bare `--sandbox` spelled out, so that click does not swallow the next word."""
    return ["--sandbox=story" if word == "--sandbox" else word for word in arguments]


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    collect_seldom()
    sys.exit(run(with_scenario(sys.argv[1:] if arguments is None else arguments)))


def collect_seldom() -> None:
    """Have the garbage collector look after 50,000 new objects instead of 700.

    A page of connections is thousands of objects in no cycle that live until it is kept. To look for cycles among them
    again and again took a tenth of a scan's time.
    """
    gc.set_threshold(50_000, 10, 10)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; every error becomes one sentence on stderr.

    This is the border where a command's unexpected errors end (style: errors).
    """
    from holdfast.core.errors import HoldfastError

    try:
        outcome = cli.main(args=arguments, prog_name="holdfast", standalone_mode=False)
    except click.exceptions.Abort:
        complain("Interrupted.")
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = f" See `{context.command_path} --help`." if context is not None else ""
        said = error.format_message()
        complain(f"{said if said.endswith(('.', '?')) else said + '.'}{where}")
        return 2
    except HoldfastError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        complain("Interrupted.")
        return 130
    except OSError as error:
        if errno.errorcode.get(error.errno or 0) in _NO_ROOM and error.filename is None:
            _nowhere()
            complain(f"The output could not be written: {error.strerror}. It is not whole; run this again.")
            return 5
        return report_bug(error)
    except Exception as error:  # noqa: BLE001 - the border: one command in the CLI
        return report_bug(error)
    return outcome if isinstance(outcome, int) else 0


def complain(sentence: str) -> None:
    """As everywhere; imported once there is something to say."""
    from holdfast.cli import saying

    saying.complain(sentence)


def report_bug(error: Exception) -> int:
    """Say that holdfast itself failed, with the place but without the text, which could hold a secret."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    complain(
        f"A bug in holdfast: {type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
        f" in {frame.name}. Set HOLDFAST_DEBUG=1 to see the trace, and please report it."
    )
    if os.environ.get("HOLDFAST_DEBUG") == "1":
        traceback.print_exception(error)
    return 70
