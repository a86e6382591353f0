"""`holdfast purge`: delete what holdfast keeps on this machine and in its database."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit

if TYPE_CHECKING:
    from holdfast.settings import Settings

COLUMNS = (Column("kind", "What"), Column("where", "Where"), Column("size", "Bytes", right=True))


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--show", is_flag=True, help="Only show what would go.")
@common_options
def command(yes: bool, show: bool, invocation: Invocation) -> int:
    """Delete the store, its copies, the secrets and the sandbox's state, after showing them.

    Where the store is on PostgreSQL, holdfast's tables are dropped and all else in the database stays. The settings file stays, and so does everything in the tenant: `holdfast made` lists that, and is of no help
    once the store is gone.
    """
    import os

    from holdfast.cli.confirming import agreed
    from holdfast.cli.local import kept
    from holdfast.settings import load

    settings = load(invocation.config, os.environ)
    rows = [each._asdict() for each in kept(settings)]
    emit(rows, COLUMNS, invocation.output, shape="holdfast.purge/1", empty="Nothing is kept here.")
    if show or not rows or not agreed("Delete all of this?", yes):
        return 0
    _refuse_while_scanning(settings)
    _drop_tables(settings)
    asyncio.run(_delete_secrets(settings))
    _delete_files(settings)
    click.echo(
        f"Deleted. The settings file {settings.source} stays." if settings.source else "Deleted.", err=True
    )
    return 0


def _refuse_while_scanning(settings: Settings) -> None:
    """A scan that lost its store would fail half-way, or make a new one without its past."""
    from holdfast.adapters.system import lock_file
    from holdfast.compose import STORE_NAME
    from holdfast.core.errors import StoreError

    for turn in settings.state_dir.glob(f"{STORE_NAME}.*.turn"):
        with turn.open("r+b") as file:
            if not lock_file(file):
                raise StoreError("A holdfast is scanning into this store: run this again when it has ended.")


def _drop_tables(settings: Settings) -> None:
    # Before the secrets, of which one may be the way to the database.
    from contextlib import closing

    from holdfast.compose import remains

    if (server := remains(settings)) is not None:
        with closing(server):
            server.drop()


async def _delete_secrets(settings: Settings) -> None:
    from holdfast.cli.local import keyring_names
    from holdfast.compose import secret_stores

    for name in await asyncio.to_thread(keyring_names, settings):
        await secret_stores(settings)["keyring"].delete(name)


def _delete_files(settings: Settings) -> None:
    from holdfast.cli.local import files
    from holdfast.core.errors import StoreError

    for _, path in list(files(settings)):
        try:
            _delete(path)
        except OSError as error:
            raise StoreError(
                f"{path} could not be deleted ({error.strerror}): check its rights, then run this again."
            ) from None


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
