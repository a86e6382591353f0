"""The recurring work there is, and the engine that carries it out. The engine takes half a second to import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.compose import Holdfast, Tenant, store_place
from holdfast.core.agenda import Job
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.engine.running import Engine
    from holdfast.engine.watching import Watched

ENGINE_NAME = "engine.db"


def jobs(holdfast: Holdfast) -> tuple[Job, ...]:
    """The recurring work of `watch`. A verb joins it by one line here."""
    from holdfast.compose.alerting import alerting
    from holdfast.compose.plans import going_on
    from holdfast.compose.renewing import renewing
    from holdfast.compose.watching import keeping_alive
    from holdfast.scan.due import scanning

    tenants = _Known({tenant.id: tenant for tenant in holdfast.tenants.values()})
    return (
        scanning(
            lambda id: tenants[id].reached(),
            holdfast.history,
            holdfast.clock,
            holdfast.read,
            holdfast.settings.watch.scan_every,
            holdfast.settings.keep,
        ),
        going_on(holdfast, tenants),
        keeping_alive(holdfast, tenants),
        renewing(holdfast, tenants),
        *((alerting(holdfast, tenants),) if holdfast.settings.alerts.channels else ()),
    )


class _Known(dict[str, Tenant]):
    """The tenants of these settings, by the id under which the store keeps them."""

    def __missing__(self, id: str) -> Tenant:
        # Handed out by a `watch` whose settings have it.
        raise SettingsError(f"The settings of this worker have no tenant {id!r}: give all workers the same.")


@asynccontextmanager
async def engine(holdfast: Holdfast, name: str, *, shared: bool = False) -> AsyncIterator[Engine]:
    """The engine of this process, working under `name`.

    Its tables lie beside the history: in a file of their own, or in a schema of their own in the same database.

    Args:
        shared: it has to be one that several machines share.

    Raises:
        SettingsError: it cannot be shared.
        StoreError: another process works under that name, or the store cannot be opened.
    """
    from holdfast.adapters.store.database import server_url
    from holdfast.adapters.system import draw, make_private_file, new_id
    from holdfast.engine.running import running

    settings = holdfast.settings
    where = await asyncio.to_thread(store_place, settings)
    place: Path | str
    if isinstance(where, str):
        place = server_url(where).render_as_string(hide_password=False)
    elif shared:
        raise SettingsError(
            "Further workers need a store that they share: set store_url to a PostgreSQL database, for `watch` too."
        )
    else:
        place = file = settings.state_dir / ENGINE_NAME
        make_private_file(file)
    async with (
        holdfast.workers.seated(name) as seat,
        running(
            place, seat, jobs(holdfast), holdfast.agenda, holdfast.workers, holdfast.clock, new_id, draw
        ) as started,
    ):
        yield started


def watched(tenants: list[Tenant]) -> dict[str, Watched]:
    """The tenants as the loop takes them."""
    from holdfast.engine.watching import Watched

    return {tenant.id: Watched(tenant.id, tenant.name, tenant.skew) for tenant in tenants}
