"""`holdfast import FILE…`: what no cloud tells, handed in as tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, clean, emit

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.reading.tables import Tables

LARGEST = 64 * 1024 * 1024
COLUMNS = (
    Column("passwords", "Passwords", right=True),
    Column("flows", "Flows", right=True),
    Column("strangers", "Not scanned or without a password"),
    Column("without", "Passwords that are not in the table", right=True),
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@common_options
def command(files: Sequence[Path], invocation: Invocation) -> int:
    """Take in tables (CSV) by which the next scan judges: passwords, and exports of the CoE Starter Kit.

    Passwords: `connection,login,kind,expires_at` or `connection,login,kind,max_age_days`; kind is sql or windows. Of
    a SQL login the name is enough: `holdfast show ID --ask-sql` then asks SQL Server. Of
    the kit: its flows (admin_flow), which names those outside solutions, and its connection references. A table
    replaces the one of its kind from before. Nothing is taken in if any row cannot be read.
    """
    tables = [_read(file) for file in files]
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_import(holdfast, invocation, tables))


def _read(file: Path) -> Tables:
    """Raises SettingsError with the number of the row."""
    from holdfast.core.errors import SettingsError
    from holdfast.reading.tables import TableError, read_table

    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"The table {file} cannot be read: {error.strerror or error}.") from None
    if len(raw) > LARGEST:
        raise SettingsError(f"The table {file} is larger than {LARGEST // 1024**2} MiB: split it.")
    try:
        # Excel writes UTF-16 for "Unicode text".
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
        return read_table(text)
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise SettingsError(f"The table {file} is not UTF-8 in row {row}: save it as CSV UTF-8.") from None
    except TableError as error:
        raise SettingsError(f"The table {file} was not taken in: {error}.") from None


async def _import(holdfast: Holdfast, invocation: Invocation, tables: Sequence[Tables]) -> int:
    from holdfast.cli.looking import pictures
    from holdfast.core.errors import SettingsError
    from holdfast.scan.importing import take_in, together

    seen = await pictures(holdfast, invocation)
    if seen.several:
        names = ", ".join([*(each.name for each in seen), *seen.unscanned])
        raise SettingsError(f"A table belongs to one tenant ({names}): name it with --tenant.")
    (picture,) = seen
    joined = together(tables)
    if not joined.passwords and not joined.flows:
        raise SettingsError(
            "There is no row in these tables; connection references need the flows beside them."
        )
    found = await take_in(holdfast.history, picture.tenant, picture.record, joined, picture.now)
    row: dict[str, Any] = {
        "passwords": found.passwords,
        "flows": found.flows,
        "strangers": list(found.strangers),
        "without": found.without,
    }
    if invocation.output != "table":
        emit([row], COLUMNS, invocation.output, shape="holdfast.import/1")
        return 0
    click.echo(f"Taken in: {found.passwords} passwords, {found.flows} flows. The next scan judges by them.")
    for name in found.strangers[:10]:
        click.echo(clean(f"  {name} is no scanned connection with a password."))
    if len(found.strangers) > 10:
        click.echo(f"  … and {len(found.strangers) - 10} more.")
    if found.passwords and found.without:
        click.echo(f"  {found.without} scanned connections with a password are not in the table.")
    return 0
