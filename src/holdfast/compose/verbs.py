"""Which verbs there are, and how each is bound to a tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from holdfast.compose.times import CloudClock
from holdfast.core.errors import SettingsError
from holdfast.core.identity import Role
from holdfast.core.inventory import Connection, Environment
from holdfast.core.plan import Plan
from holdfast.saga import Hook, Hooked, Verb

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.keepalive.deployed import Claim

Binding = Callable[["Holdfast", "Tenant", Plan], AbstractAsyncContextManager[Verb]]
"""Opens what the verb needs of the tenant, and reads where its environments are; closed at the end."""


async def environments_of(tenant: Tenant) -> dict[str, Environment]:
    """The tenant's environments as they are now, by id."""
    async with tenant.reached(Role.READER) as reach:
        return {str(each.id): each async for each in reach.platform.environments()}


@asynccontextmanager
async def _keepalive(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AsyncIterator[Verb]:
    from holdfast.compose.gathering import claimed
    from holdfast.core.judgement import Judgement
    from holdfast.keepalive.eligibility import PASSING
    from holdfast.keepalive.steps import Keepalive

    claims: asyncio.Task[dict[str, Claim]] | None = None

    async def moved(environment: str, connector: str, connection: str) -> str:
        """By what other plans did, and by the last scan, where it came after the plan."""
        nonlocal claims
        # Read once, and not before a saga asks: by then nobody else carries out plans in the tenant.
        if claims is None:
            reading = claimed(holdfast.history, holdfast.journal, tenant.id, plan.id)
            claims = asyncio.create_task(reading)
        claim = (await claims).get(connection)
        if claim is not None and claim.has_flow:
            return f"The plan {claim.plan} made a flow for it meanwhile: one is enough."
        record = await holdfast.history.last_scan(tenant.id)
        if record is None or record.started_at <= plan.made_at:
            return ""
        key = f"{connector}/{connection}"
        if not await holdfast.history.lookup(tenant.id, Connection, environment, [key]):
            return "The connection was gone at the last scan: plan again."
        judged = (await holdfast.history.lookup(tenant.id, Judgement, environment, [key])).get(key)
        if judged is None or judged.verdict is None or judged.verdict.cause.id in PASSING:
            return ""
        return f"It is broken since it was planned for ({judged.verdict.cause.title}): mend that, then go on."

    async with tenant.reached(Role.OPERATOR) as reach:
        clock = CloudClock(holdfast.clock, reach.platform.cloud_now)
        yield Keepalive(reach.operator, await environments_of(tenant), clock, moved)


@asynccontextmanager
async def _rotate(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AsyncIterator[Verb]:
    from holdfast.compose.rotating import bound_rotation

    async with bound_rotation(holdfast, tenant, plan) as rotation:
        yield rotation


@asynccontextmanager
async def _migrate(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AsyncIterator[Verb]:
    from holdfast.compose.migrating import bound_migration

    async with bound_migration(holdfast, tenant, plan) as migration:
        yield migration


VERBS: dict[str, Binding] = {"keepalive": _keepalive, "migrate": _migrate, "rotate": _rotate}
"""By the kind that plans have."""


def bound(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AbstractAsyncContextManager[Verb]:
    """The plan's verb, bound to its tenant.

    Raises:
        SettingsError: there is no such verb, or the plan is of another tenant.
    """
    if plan.kind not in VERBS:
        raise SettingsError(
            f"The plan {plan.id} is of a kind that this holdfast does not know: {plan.kind!r}."
        )
    if plan.tenant != tenant.id:
        raise SettingsError(
            f"The plan {plan.id} was made for the tenant {plan.tenant_name!r}, not for {tenant.name!r}:"
            " choose it with --tenant."
        )
    return _hooked(VERBS[plan.kind](holdfast, tenant, plan), holdfast, plan)


@asynccontextmanager
async def _hooked(
    binding: AbstractAsyncContextManager[Verb], holdfast: Holdfast, plan: Plan
) -> AsyncIterator[Verb]:
    hooks = holdfast.settings.hooks
    async with binding as verb:
        if not (hooks.before or hooks.after):
            yield verb
            return
        seconds = hooks.timeout.total_seconds()
        yield Hooked(verb, plan, _hook(hooks.before, seconds), _hook(hooks.after, seconds))


def _hook(command: tuple[str, ...], seconds: float) -> Hook | None:
    from holdfast.adapters.hooks import run_hook

    if not command:
        return None

    async def hook(about: Mapping[str, Any]) -> str:
        return await run_hook(command, about, seconds)

    return hook
