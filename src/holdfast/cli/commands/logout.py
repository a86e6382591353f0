"""`holdfast logout`: forget a person's tokens."""

from __future__ import annotations

import asyncio

import click

from holdfast.cli.options import Invocation, common_options


@click.command()
@common_options
def command(invocation: Invocation) -> None:
    """Remove your tokens from the secret store, for every role of the tenant.

    Entra is not told: to end the sign-in everywhere, revoke your sessions on myaccount.microsoft.com.
    """
    from holdfast.cli.session import settings_of
    from holdfast.compose import tenants_of

    with settings_of(invocation) as settings:
        tenant = tenants_of(settings)[settings.chosen(invocation.tenant).name]
        roles = asyncio.run(tenant.sign_out())
    words = (
        f"Signed out of {tenant.name} ({', '.join(roles)})."
        if roles
        else f"Nobody was signed in to {tenant.name}."
    )
    click.echo(words)
