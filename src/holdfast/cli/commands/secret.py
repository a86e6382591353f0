"""`holdfast secret`: put secrets where the settings can refer to them."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, Verbs, common_options
from holdfast.cli.render import Column, emit

if TYPE_CHECKING:
    from holdfast.ports import SecretStore
    from holdfast.settings import Settings

_GUID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

in_store = click.option(
    "--in",
    "kind",
    type=click.Choice(("keyring", "file", "keyvault")),
    help="Which store; default is [secrets] store.",
)

LONGEST = 25_000
"""Characters: what a key vault takes (azure-docs about-secrets @098e96c); nobody's secret is longer."""


@click.group(cls=Verbs)
def command() -> None:
    """Keep secrets in the keyring, the encrypted file or the key vault."""


@command.command(name="set")
@click.argument("name")
@in_store
@common_options
def set_(name: str, kind: str | None, invocation: Invocation) -> None:
    """Store a secret under NAME.

    Asks for its text on a terminal, else reads it from standard input; never from an argument, which other
    users of the machine could see. The settings then say `secret = "keyring:NAME"`, `"file:NAME"` or `"keyvault:NAME"`.
    """
    from holdfast.core.secret import Secret

    store, kind = _store(_settings(invocation), kind)
    text = _asked(name)
    if not text:
        raise click.UsageError("No text came: give the secret on standard input.")
    if _GUID.fullmatch(text):
        raise click.UsageError(
            "That is the secret's id, not its value: Entra shows the value once, when the secret is made."
        )
    if len(text) > LONGEST or not text.isprintable():
        raise click.UsageError(
            f"That is no secret's text, which is one line of at most {LONGEST:,} printable characters."
        )
    asyncio.run(store.write(name, Secret(text)))
    click.echo(f'Stored. The settings can say "{kind}:{name}".')


@command.command(name="list")
@common_options
def list_(invocation: Invocation) -> None:
    """List the names of what holdfast keeps; never a text."""
    settings = _settings(invocation)
    emit(
        asyncio.run(_names(settings)),
        (Column("reference", "Reference"), Column("store", "Store")),
        invocation.output,
        shape="holdfast.secrets/1",
        empty="No secrets.",
    )


@command.command()
@click.argument("name")
@in_store
@common_options
def remove(name: str, kind: str | None, invocation: Invocation) -> None:
    """Remove the secret NAME from its store. The cloud keeps accepting it.

    A key vault keeps what is removed, disabled, until its own time of recovery ends.
    """
    store, kind = _store(_settings(invocation), kind)
    if not asyncio.run(store.delete(name)):
        raise click.UsageError(f"There is no secret {kind}:{name}.")
    click.echo(f"Removed {kind}:{name}.")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new_key(file: Path) -> None:
    """Make a key FILE for the encrypted file, readable by you alone."""
    from holdfast.adapters.secrets.encrypted import new_key_file

    new_key_file(file)
    click.echo(f'Made {file}. The settings say key_file = "{file}" under [secrets]; keep a copy elsewhere.')


@command.command()
@common_options
def rotate_key(invocation: Invocation) -> None:
    """Encrypt the file with a new key, and drop the old one."""
    from holdfast.compose import encrypted_file

    store = encrypted_file(_settings(invocation))
    asyncio.run(store.rotate_key())
    click.echo("The encrypted file has a new key.")


def _settings(invocation: Invocation) -> Settings:
    import os

    from holdfast.settings import load

    return load(invocation.config, os.environ)


def _store(settings: Settings, kind: str | None) -> tuple[SecretStore, str]:
    from holdfast.compose import secret_stores

    kind = kind or settings.secrets.store
    stores = secret_stores(settings)
    if kind not in stores:
        raise click.UsageError("The settings have no key vault: add [secrets.vault] with url and identity.")
    return stores[kind], kind


def _asked(name: str) -> str:
    if sys.stdin.isatty():
        text: str = click.prompt(f"Text of {name}", hide_input=True, default="", show_default=False)
        return text.strip()
    return sys.stdin.read().strip()


async def _names(settings: Settings) -> list[dict[str, Any]]:
    """Of all stores; one that is not set up has none."""
    from holdfast.compose.secrets import KEY_NAME, secret_stores
    from holdfast.core.errors import SecretStoreError

    rows = []
    for kind, store in secret_stores(settings).items():
        try:
            names = await store.names()
        except SecretStoreError:
            if kind == settings.secrets.store:
                raise
            continue
        rows += [{"reference": f"{kind}:{name}", "store": kind} for name in names if name != KEY_NAME]
    return rows
