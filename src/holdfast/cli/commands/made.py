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

# The commands that remove are of Microsoft.PowerApps.Administration.PowerShell and of the Azure CLI.
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
    from holdfast.core.inventory import Connection, ConnectionReference, Flow

    # What uses a thing comes before it: nothing that is in use can be removed.
    async for flow in holdfast.history.current(tenant.id, Flow):
        if flow.display_name.startswith(LABEL):
            command = f"Remove-AdminFlow -EnvironmentName {flow.environment} -FlowName {flow.id}"
            yield _row("flow", flow.id, flow.display_name, flow.environment, command)
    async for reference in holdfast.history.current(tenant.id, ConnectionReference):
        if reference.display_name.startswith(LABEL):
            command = f"make.powerapps.com → Solutions → Default Solution → {reference.logical_name} → Delete"
            yield _row("reference", reference.id, reference.display_name, reference.environment, command)
    async for connection in holdfast.history.current(tenant.id, Connection):
        if connection.display_name.startswith(LABEL):
            command = (
                f"Remove-AdminPowerAppConnection -EnvironmentName {connection.environment}"
                f" -ConnectorName {connection.connector} -ConnectionName {connection.id}"
            )
            yield _row("connection", connection.id, connection.display_name, connection.environment, command)
    own = tenant.own_client_ids()
    async for app in holdfast.history.current(tenant.id, ServicePrincipal):
        command = f"az ad app delete --id {app.client_id}"
        if app.display_name.startswith(LABEL):
            yield _row("application", app.client_id, app.display_name, "", command)
        elif app.client_id in own:
            by = f"you, as {own[app.client_id]}"
            yield _row("application", app.client_id, app.display_name, "", command) | {"made_by": by}


def _row(kind: str, id: str, name: str, environment: str, remove: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": id,
        "name": name,
        "environment": environment,
        "made_by": saga_of(name),
        "remove": remove,
    }


def saga_of(display_name: str) -> str:
    """The id in a label."""
    return display_name.removeprefix(LABEL).split(" ", 1)[0]
