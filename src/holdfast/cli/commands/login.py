"""`holdfast login`: a person signs in, for a role that proves itself by a person."""

from __future__ import annotations

import click

from holdfast.cli.options import Invocation, common_options

ROLES = ("reader", "operator", "app_admin", "sql_admin", "flow_reader")


@click.command()
@click.option("--role", type=click.Choice(ROLES), default="reader", show_default=True, help="For which role.")
@click.option("--device-code", is_flag=True, help="Type a code into a browser on any machine.")
@click.option("--az", is_flag=True, help="Use whoever is signed in to the Azure CLI; try whether that works.")
@click.option(
    "--wait",
    "seconds",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="How long to wait for you: 300 for the browser, as long as a device code is good.",
)
@common_options
def command(role: str, device_code: bool, az: bool, seconds: int | None, invocation: Invocation) -> None:
    """Sign in as yourself: a maker for the own connections, or an admin who has no application yet.

    Opens a browser on this machine (authorization code with PKCE, answered on a loopback port). The tokens go
    into the secret store and nowhere else. The public client is your tenant's own: `client_id` beside
    `sign_in = true` in the settings.
    """
    from holdfast.cli.session import settings_of
    from holdfast.compose import tenants_of
    from holdfast.core.identity import Role

    if az and device_code:
        raise click.UsageError("--az and --device-code are two ways to sign in: choose one.")
    with settings_of(invocation) as settings:
        tenant = tenants_of(settings)[settings.chosen(invocation.tenant).name]
        if az:
            tenant.try_azure_cli()
            click.echo(
                "The Azure CLI gives a token for this tenant. To use it, the settings say: "
                f"[tenants.{tenant.name}.{role}] with az = true and no other credential."
            )
            return
        who = tenant.sign_in(Role(role), _show, by_code=device_code, seconds=seconds)
    click.echo(f"Signed in to {tenant.name} as {who}. `holdfast doctor` tells what that allows.")


def _show(what: str) -> None:
    from holdfast.cli.render import clean

    instruction = f"If no browser opens, open {what}" if what.startswith("http") else what
    click.echo(clean(instruction), err=True)
