"""`holdfast init`: the settings file, and the commands that set the identities up."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from holdfast.cli.options import Invocation, common_options

if TYPE_CHECKING:
    from holdfast.cli.setup import Target

CLOUDS = ("public", "gcc", "gcc_high", "dod", "china")
ROLES = ("reader", "operator", "app_admin", "sql_admin")
NO_ID = "00000000-0000-0000-0000-000000000000"


class Wanted(NamedTuple):
    """What the new tenant's table says."""

    name: str
    tenant_id: str
    cloud: str
    client_id: str
    credential: str
    scope: str


@click.command()
@click.option("--name", default="contoso", show_default=True, help="What you call the tenant here.")
@click.option("--tenant-id", metavar="ID", help="Its id, from the Overview page of Entra.")
@click.option("--cloud", type=click.Choice(CLOUDS), default="public", show_default=True)
@click.option("--client-id", metavar="ID", help="The reader's application id.")
@click.option(
    "--credential",
    type=click.Choice(("secret", "az", "sign_in")),
    default="secret",
    show_default=True,
    help="How the reader proves itself.",
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
                f"{option} {value!r} must be an id like {NO_ID}, not a name; the Overview page of Entra shows it."
            )
    wanted = Wanted(name, tenant_id or NO_ID, cloud, client_id or NO_ID, credential, scope)
    if print_setup:
        from holdfast.cli.setup import needs_of, page
        from holdfast.compose import ledger
        from holdfast.core.identity import Role

        rows = list(ledger())
        needs = [needs_of(Role(role), rows, as_maker=scope == "own") for role in roles or ("reader",)]
        click.echo(page(_target(wanted, invocation), needs, person=credential == "sign_in"))
        return
    _write(wanted, invocation)


def _target(wanted: Wanted, invocation: Invocation) -> Target:
    """The tenant of the settings where there is one and the options name none."""
    from holdfast.cli.setup import Target
    from holdfast.core.identity import Cloud
    from holdfast.settings import load

    settings = load(
        invocation.config if invocation.config and invocation.config.exists() else None, os.environ
    )
    if wanted.tenant_id == NO_ID and settings.tenants:
        tenant = settings.chosen(invocation.tenant)
        return Target(tenant.name, tenant.tenant_id, tenant.cloud)
    tenant_id = "TENANT_ID" if wanted.tenant_id == NO_ID else wanted.tenant_id
    return Target(wanted.name, tenant_id, Cloud(wanted.cloud))


def _write(wanted: Wanted, invocation: Invocation) -> None:
    from holdfast.core.errors import SettingsError
    from holdfast.settings import config_file, load

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", wanted.name):
        raise click.UsageError(f"--name {wanted.name!r} must be a word of small letters, digits, - and _.")
    path = config_file(invocation.config, os.environ)
    is_new = not path.exists()
    store = "keyring"
    if not is_new:
        settings = load(path, {})
        store = settings.secrets.store
        if wanted.name in settings.tenants:
            raise SettingsError(
                f"{path} has a tenant {wanted.name} already: name another with --name, or edit the file."
            )
    text = ("" if is_new else path.read_text(encoding="utf-8-sig")) or _filled("holdfast.toml", wanted, store)
    _replace(path, text.rstrip("\n") + "\n" + _filled("tenant.toml", wanted, store))
    click.echo(f"{'Wrote' if is_new else f'Added {wanted.name} to'} {path}.")
    click.echo("\n".join(f"  {step}" for step in _next_steps(wanted, path)))


def _filled(template: str, wanted: Wanted, store: str) -> str:
    from importlib.resources import files

    text = (files("holdfast.cli") / "templates" / template).read_text(encoding="utf-8")
    values = {
        "NAME_UPPER": wanted.name.upper().replace("-", "_"),
        "NAME": wanted.name,
        "TENANT_ID": wanted.tenant_id,
        "CLOUD": wanted.cloud,
        "CLIENT_ID": wanted.client_id,
        "STORE": store,
        "SCOPE": "" if wanted.scope == "own" else "# ",
        **{mark.upper(): "" if mark == wanted.credential else "# " for mark in ("secret", "az", "sign_in")},
    }
    for mark, value in values.items():
        text = text.replace(f"{{{mark}}}", value)
    return text.replace('\nclient_id = "', '\n# client_id = "') if wanted.credential == "az" else text


def _replace(path: Path, text: str) -> None:
    from holdfast.core.errors import SettingsError
    from holdfast.settings import load

    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        try:
            load(beside, {})
        except SettingsError:
            beside.unlink()
            raise
        beside.replace(path)
    except OSError as error:
        raise SettingsError(
            f"{path} could not be written ({error.strerror}): name another with --config."
        ) from None


def _next_steps(wanted: Wanted, path: Path) -> list[str]:
    steps = []
    if NO_ID in (wanted.tenant_id, wanted.client_id) and wanted.credential != "az":
        steps.append(f"Put your ids in the place of {NO_ID} there.")
    steps.append("holdfast init --print-setup     prints how to register the reader; it runs nothing")
    if wanted.credential == "secret":
        steps.append(f"holdfast secret set {wanted.name}-reader    stores its secret")
    if wanted.credential == "sign_in":
        steps.append("holdfast login                  signs you in")
    return [*steps, "holdfast doctor                 tells what is allowed and what is missing"]
