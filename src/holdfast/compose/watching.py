"""What is to be watched after plans were applied, by verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.identity import Role

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.keepalive.watch import Finding


async def keepalive_findings(holdfast: Holdfast, tenant: Tenant) -> list[Finding]:
    """How every keep-alive flow of a tenant does; reads the flows and their runs now, the witnesses as last scanned.

    Raises:
        SettingsError: there is no operator or reader identity.
        CloudError: the tenant could not be asked.
    """
    from holdfast.keepalive.watch import look
    from holdfast.scan.standing import picture

    records = await holdfast.journal.plans(tenant.id, "keepalive")
    seen = await picture(holdfast.history, tenant.id, tenant.name, holdfast.clock.now())
    if not records or seen is None:
        return []
    scanned_at = seen.record.started_at
    found: list[Finding] = []
    async with tenant.reached(Role.READER) as reading, tenant.reached(Role.OPERATOR) as operating:
        environments = {str(each.id): each async for each in reading.platform.environments()}
        for record in records:
            deeds = await holdfast.journal.deeds(tenant.id, record.plan.id)
            found += await look(
                record.plan,
                deeds,
                holdfast.history,
                operating.operator,
                reading.surroundings,
                seen.now,
                scanned_at,
                environments,
            )
    return found
