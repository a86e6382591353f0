"""`holdfast made`: everything that stands in the tenant because of holdfast, and how to remove it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, emit, of_tenants
from holdfast.core.plan import LABEL, saga_of

if TYPE_CHECKING:
    from holdfast.cli.looking import Pictures
    from holdfast.compose import Holdfast, Tenant

# The commands that remove are of Microsoft.PowerApps.Administration.PowerShell and of the Azure CLI.
COLUMNS = (
    Column("kind", "What", wraps=False),
    Column("name", "Name"),
    Column("environment", "Environment"),
    Column("made_by", "Made by"),
    Column("remove", "Remove with"),
)


@click.command()
@common_options
def command(invocation: Invocation) -> int:
    """List what stands in the tenant because of holdfast, with the command that removes each.

    Looks in the last scan for holdfast's label and for the identities of the settings. Removes nothing.
    """
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        rows, seen = asyncio.run(_rows(holdfast, invocation))
    emit(
        rows,
        of_tenants(COLUMNS, seen.several),
        invocation.output,
        shape="holdfast.made/1",
        empty="The last scan shows nothing of holdfast's in the tenant.",
    )
    return seen.exit_code(0)


async def _rows(holdfast: Holdfast, invocation: Invocation) -> tuple[list[dict[str, Any]], Pictures]:
    from holdfast.cli.looking import pictures, with_tenant

    seen = await pictures(holdfast, invocation)
    rows = [
        with_tenant(row, each.name, seen.several)
        for each in seen
        async for row in _of_tenant(holdfast, holdfast.tenants[each.name])
    ]
    return rows, seen


async def _of_tenant(holdfast: Holdfast, tenant: Tenant) -> AsyncIterator[dict[str, Any]]:
    from holdfast.core.identity import ServicePrincipal
    from holdfast.core.inventory import Connection, ConnectionReference, Flow

    async for row in _of_plans(holdfast, tenant):
        yield row
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
        for secret in app.secrets:
            if secret.display_name.startswith(LABEL):
                drop = f"az ad app credential delete --id {app.client_id} --key-id {secret.key_id}"
                if secret.kind == "certificate":
                    drop += " --cert"
                name = f"{app.display_name}: {secret.display_name}"
                row = _row(secret.kind, secret.key_id, name, "", drop)
                yield row | {"made_by": saga_of(secret.display_name)}
        command = f"az ad app delete --id {app.client_id}"
        if app.display_name.startswith(LABEL):
            yield _row("application", app.client_id, app.display_name, "", command)
        elif app.client_id in own:
            by = f"you, as {own[app.client_id]}"
            yield _row("application", app.client_id, app.display_name, "", command) | {"made_by": by}


async def _of_plans(holdfast: Holdfast, tenant: Tenant) -> AsyncIterator[dict[str, Any]]:
    """What plans did and nobody undid: the one way that also removes users of databases and shares."""
    from holdfast.saga import standing

    for record in await holdfast.journal.plans(tenant.id):
        plan = record.plan
        found = standing(plan, await holdfast.journal.deeds(tenant.id, plan.id))
        left = [each.saga for each in found if each.stands or each.state == "interrupted"]
        if left:
            sagas = f"{len(left)} of {len(found)} sagas"
            command = f"holdfast {plan.kind} undo FILE --yes, with the file of plan {plan.id}"
            yield _row("plan", plan.id, f"{plan.kind} of {plan.made_at:%Y-%m-%d}, {sagas}", "", command) | {
                "made_by": plan.id
            }


def _row(kind: str, id: str, name: str, environment: str, remove: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": id,
        "name": name,
        "environment": environment,
        "made_by": saga_of(name) or "",
        "remove": remove,
    }
