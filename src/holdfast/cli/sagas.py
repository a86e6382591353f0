"""How the sagas of plans stand, as people and programs read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast.cli.naming import connection_names
from holdfast.cli.options import Invocation
from holdfast.cli.render import Column, emit, of_tenants
from holdfast.cli.saying import say

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.core.deed import Standing
    from holdfast.core.plan import Plan, PlannedStep

SAGA_COLUMNS = (
    Column("plan", "Plan", wraps=False),
    Column("saga", "Saga", wraps=False),
    Column("state", "State", wraps=False),
    Column("step", "At"),
    Column("says", "Because"),
    Column("connections", "Connections"),
)
OVER = ("done", "undone")
READ_BY_PEOPLE = ("table", "md")


def show_sagas(rows: Sequence[dict[str, Any]], kind: str, invocation: Invocation, *, every: bool) -> None:
    """Print how sagas stand; on a terminal plans that nobody applied are only counted.

    Args:
        every: leave none out.
    """
    shown, idle = list(rows), []
    if invocation.output == "table" and not every:
        states: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            states[row["plan"]].add(row["state"])
        idle = [plan for plan, found in states.items() if found == {"planned"}]
        shown = [row for row in rows if row["plan"] not in idle]
    emit(
        shown,
        of_tenants(SAGA_COLUMNS, any("tenant" in row for row in rows)),
        invocation.output,
        shape=f"holdfast.{kind}-status/1",
        empty="No plan was applied yet." if idle else "No plan was made yet.",
    )
    if idle:
        say(f"Made and never applied: {', '.join(idle)}.")


def tenant_of(plan: Plan, holdfast: Holdfast, invocation: Invocation) -> Tenant:
    """The tenant of --tenant, else the one that the plan was made for.

    Raises:
        SettingsError: the settings have no such tenant.
    """
    if invocation.tenant is None:
        for tenant in holdfast.tenants.values():
            if tenant.id == plan.tenant:
                return tenant
    return holdfast.chosen(invocation.tenant)


async def status_rows(
    holdfast: Holdfast, plan: Plan | None, kind: str, invocation: Invocation
) -> list[dict[str, Any]]:
    """How the sagas of one plan, or of all plans of a kind, stand by the journal."""
    from holdfast.cli.looking import chosen, with_tenant
    from holdfast.saga import standing

    tenants = [tenant_of(plan, holdfast, invocation)] if plan else chosen(holdfast, invocation)
    rows = []
    for tenant in tenants:
        for each in await _plans(holdfast, tenant, plan, kind):
            deeds = await holdfast.journal.deeds(tenant.id, each.id)
            sagas = each.sagas()
            found = [saga_row(each.id, sagas[saga.saga], saga) for saga in standing(each, deeds)]
            found = await for_people(found, holdfast, tenant.id, invocation)
            rows += [with_tenant(row, tenant.name, len(tenants) > 1) for row in found]
    return rows


async def for_people(
    rows: list[dict[str, Any]], holdfast: Holdfast, tenant: str, invocation: Invocation
) -> list[dict[str, Any]]:
    """The rows with names for ids, where people read them."""
    if invocation.output not in READ_BY_PEOPLE:
        return rows
    names = await connection_names(holdfast, tenant, [id for row in rows for id in row["connections"]])
    return [
        row
        | {
            "connections": [names.get(id, id) for id in row["connections"]],
            # What follows the colon is the id of the connection, which is named beside it.
            "step": (row["step"] or "").partition(":")[0],
        }
        for row in rows
    ]


async def _plans(holdfast: Holdfast, tenant: Tenant, plan: Plan | None, kind: str) -> list[Plan]:
    if plan is not None:
        return [plan]
    return [record.plan for record in await holdfast.journal.plans(tenant.id, kind)]


def saga_row(plan: str, steps: Sequence[PlannedStep], standing: Standing) -> dict[str, Any]:
    """How one saga stands, as programs read it."""
    return {
        "plan": plan,
        "saga": standing.saga,
        "state": standing.state,
        "step": standing.step,
        "says": standing.says,
        "connections": sorted({step.connection for step in steps if step.connection}),
        "stands": list(standing.stands),
        "since": standing.since.isoformat() if standing.since else None,
    }
