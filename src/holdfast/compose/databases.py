"""The SQL servers of a tenant, as whoever is signed in sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from holdfast.core.errors import SettingsError
from holdfast.core.identity import Role
from holdfast.core.probe import Answered, Probe
from holdfast.core.sql import SqlPlace
from holdfast.ports import Clock, SqlServer
from holdfast.settings import Settings, Tenant

if TYPE_CHECKING:
    from holdfast.adapters.cloud.connect import Access


@asynccontextmanager
async def sql_servers(
    tenant: Tenant, settings: Settings, access: Access, clock: Clock
) -> AsyncIterator[SqlServer]:
    """SQL servers by the tokens of `access`. Asks nothing yet.

    Raises:
        SettingsError: an address that is not allowed, or the driver of the settings cannot be used.
    """
    from holdfast.adapters.sql.addresses import Address, SqlAddresses
    from holdfast.adapters.sql.choosing import driver_for, trusted_file
    from holdfast.adapters.sql.server import DriverSqlServer
    from holdfast.wire.ledger import Audience

    foreign, scope = foreign_sql_hosts(tenant), access.hosts.scopes[Audience.DATABASE]
    if foreign and not tenant.allow_custom_hosts:
        raise SettingsError(
            f"hosts.sql is {foreign[0]}, which is no host of the {tenant.cloud} cloud; set allow_custom_hosts = true if"
            " holdfast may send tokens there."
        )
    reached_at = {name: Address(*place) for name, place in tenant.hosts.sql_addresses().items()}
    server = DriverSqlServer(
        driver_for(settings.sql_driver, tenant.ca_file),
        lambda: access.tokens.token(scope),
        SqlAddresses(access.hosts, reached_at, tenant.allow_custom_hosts),
        clock,
        trusted_file(tenant.ca_file),
    )
    try:
        yield server
    finally:
        await server.close()


def foreign_sql_hosts(tenant: Tenant) -> tuple[str, ...]:
    """Addresses of the settings that lie outside the cloud's own, as HOST:PORT."""
    from holdfast.adapters.cloud.hosts import TABLES
    from holdfast.wire.ledger import Audience

    table = TABLES[tenant.cloud]
    places = tenant.hosts.sql_addresses().values()
    foreign = (f"{host}:{port}" for host, port in places if not table.admits(Audience.DATABASE, host))
    return tuple(dict.fromkeys(foreign))


async def examined_in(
    servers: AbstractAsyncContextManager[SqlServer], probes: Sequence[Probe], databases: Sequence[SqlPlace]
) -> list[Probe]:
    """What our SQL administrator may ask of databases, given what was found about its sign-in."""
    from holdfast.adapters.sql.probing import probe_databases, unasked

    if any(probe.answered is not Answered.ALLOWED for probe in probes):
        return list(unasked(Role.SQL_ADMIN, "the identity cannot sign in"))
    if not databases:
        return list(unasked(Role.SQL_ADMIN))
    async with servers as server:
        return [probe async for probe in probe_databases(server, Role.SQL_ADMIN, databases)]
