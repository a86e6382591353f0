"""`holdfast init`: the settings file, and the commands that set the identities up."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.cli.options import Invocation, common_options

if TYPE_CHECKING:
    from holdfast.cli.settings_file import Wanted
    from holdfast.cli.setup import Target

CLOUDS = ("public", "gcc", "gcc_high", "dod", "china")
ROLES = ("reader", "operator", "app_admin", "sql_admin", "flow_reader", "vault")


@click.command()
@click.option("--name", default="contoso", show_default=True, help="What you call the tenant here.")
@click.option("--tenant-id", metavar="ID", help="Its id, from the Overview page of Entra.")
@click.option("--cloud", type=click.Choice(CLOUDS), default="public", show_default=True)
@click.option("--client-id", metavar="ID", help="The reader's application id.")
@click.option(
    "--credential",
    type=click.Choice(("secret", "certificate", "federated_token_file", "managed_identity", "az", "sign_in")),
    default="secret",
    show_default=True,
    help="How the reader proves itself; with --print-setup, every role that is asked for.",
)
@click.option(
    "--store",
    type=click.Choice(("keyring", "file", "keyvault")),
    default="keyring",
    show_default=True,
    help="Where a new file keeps secrets: the operating system's keyring, an encrypted file with a key beside, or an"
    " Azure key vault.",
)
@click.option("--vault-url", metavar="URL", default="", help="The key vault: https://NAME.vault.azure.net.")
@click.option(
    "--ready",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Rehearse: take tenant, reader and hosts from the ready file of a running sandbox.",
)
@click.option(
    "--scope",
    type=click.Choice(("tenant", "own")),
    default="tenant",
    show_default=True,
    help="What the reader sees: everything, as an administrator, or your own connections, as a maker.",
)
@click.option(
    "--print-setup", is_flag=True, help="Print the commands that register the identities; write nothing."
)
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(ROLES), help="For --print-setup; repeatable."
)
@common_options
def command(
    name: str,
    tenant_id: str | None,
    cloud: str,
    client_id: str | None,
    credential: str,
    store: str,
    vault_url: str,
    ready: Path | None,
    scope: str,
    print_setup: bool,
    roles: tuple[str, ...],
    invocation: Invocation,
) -> None:
    """Write a commented settings file, or add a tenant to the one that is there.

    With --print-setup nothing is written and nothing is run: the exact commands come out that register the
    applications and give them what the roles' ledger entries need.
    """
    for option, value in (("--tenant-id", tenant_id), ("--client-id", client_id)):
        if value is not None and not re.fullmatch(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
            raise click.UsageError(
                f"{option} {value!r} must be an id like 11111111-2222-3333-4444-555555555555, not a name; the Overview page of Entra shows it."
            )
    from holdfast.cli.settings_file import Wanted, rehearsed, write
    from holdfast.settings import config_file
    from holdfast.settings.shape import NO_ID

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise click.UsageError(f"--name {name!r} must be a word of small letters, digits, - and _.")
    wanted = Wanted(name, tenant_id or NO_ID, cloud, client_id or NO_ID, credential, scope, store)
    wanted = wanted._replace(vault_url=vault_url)
    if ready is not None:
        wanted = rehearsed(wanted, ready)
    if print_setup:
        from holdfast.cli.setup import needs_of, page
        from holdfast.compose import ledger
        from holdfast.core.identity import Role

        rows = list(ledger())
        asked = [role for role in roles or ("reader",) if role != "vault"]
        needs = [needs_of(Role(role), rows, as_maker=scope == "own") for role in asked]
        target = _target(wanted, invocation)
        click.echo(page(target, needs, credential=credential, with_vault="vault" in roles))
        return
    if store == "keyvault" and not wanted.vault_url:
        raise click.UsageError("--store keyvault needs --vault-url https://NAME.vault.azure.net.")
    for line in write(wanted, config_file(invocation.config, os.environ)):
        click.echo(line)


def _target(wanted: Wanted, invocation: Invocation) -> Target:
    """The tenant of the settings where there is one and the options name none."""
    from holdfast.cli.setup import Target
    from holdfast.settings import config_file, load
    from holdfast.settings.shape import NO_ID

    file = config_file(invocation.config, os.environ)
    if not file.exists():
        # It may be what comes next: somebody reads the commands first and writes the file afterwards.
        return _of_options(wanted)
    settings = load(file, os.environ)
    if wanted.tenant_id == NO_ID and settings.tenants:
        tenant = settings.chosen(invocation.tenant)
        vault_url = settings.secrets.vault.url if settings.secrets.vault else wanted.vault_url
        return Target(tenant.name, tenant.tenant_id, tenant.cloud, settings.secrets.store, vault_url)
    return _of_options(wanted)


def _of_options(wanted: Wanted) -> Target:
    from holdfast.cli.setup import Target
    from holdfast.core.identity import Cloud
    from holdfast.settings.shape import NO_ID

    tenant_id = "TENANT_ID" if wanted.tenant_id == NO_ID else wanted.tenant_id
    return Target(wanted.name, tenant_id, Cloud(wanted.cloud), wanted.store, wanted.vault_url)
