"""`holdfast made`: everything that stands in the tenant because of holdfast, and how to remove it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant

LABEL = "holdfast/"
"""How the display name of everything begins that holdfast creates; the saga's id follows."""

COLUMNS = (
    Column("kind", "What", wraps=False),
    Column("name", "Name"),
    Column("environment", "Environment"),
    Column("made_by", "Made by"),
    Column("remove", "Remove with"),
)


@click.command()
@common_options
def command(invocation: Invocation) -> None:
    """List what stands in the tenant because of holdfast, with the command that removes each.

    Looks in the last scan for holdfast's label and for the identities of the settings. Removes nothing.
    """
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        rows = asyncio.run(_rows(holdfast, invocation))
    emit(
        rows,
        COLUMNS,
        invocation.output,
        shape="holdfast.made/1",
        empty="The last scan shows nothing of holdfast's in the tenant.",
    )


async def _rows(holdfast: Holdfast, invocation: Invocation) -> list[dict[str, Any]]:
    from holdfast.cli.looking import chosen, pictures, with_tenant

    tenants = chosen(holdfast, invocation)
    await pictures(holdfast, invocation)  # says which tenant was never scanned
    return [
        with_tenant(row, tenant.name, len(tenants) > 1)
        for tenant in tenants
        async for row in _of_tenant(holdfast, tenant)
    ]


async def _of_tenant(holdfast: Holdfast, tenant: Tenant) -> AsyncIterator[dict[str, Any]]:
    from holdfast.core.identity import ServicePrincipal
    from holdfast.core.inventory import Connection

    async for connection in holdfast.history.current(tenant.id, Connection):
        if connection.display_name.startswith(LABEL):
            yield {
                "kind": "connection",
                "id": connection.id,
                "name": connection.display_name,
                "environment": connection.environment,
                "made_by": saga_of(connection.display_name),
                "remove": f"Remove-AdminPowerAppConnection -EnvironmentName {connection.environment}"
                f" -ConnectorName {connection.connector} -ConnectionName {connection.id}",
            }
    own = tenant.own_client_ids()
    async for app in holdfast.history.current(tenant.id, ServicePrincipal):
        labelled = app.display_name.startswith(LABEL)
        if labelled or app.client_id in own:
            yield {
                "kind": "application",
                "id": app.client_id,
                "name": app.display_name,
                "environment": "",
                "made_by": saga_of(app.display_name) if labelled else f"you, as {own[app.client_id]}",
                "remove": f"az ad app delete --id {app.client_id}",
            }


def saga_of(display_name: str) -> str:
    """The id in a label."""
    return display_name.removeprefix(LABEL).split(" ", 1)[0]
