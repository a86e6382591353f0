"""Rotation, wired: what there is to know before it is planned, and the world that its steps reach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from holdfast.compose.gathering import bindings_of, operations_on
from holdfast.compose.times import CloudClock
from holdfast.core.errors import RefusedError
from holdfast.core.identity import Role, ServicePrincipal
from holdfast.core.inventory import SQL_CONNECTORS, Connection, ConnectionReference, SignIn
from holdfast.core.making import AppPolicy
from holdfast.core.plan import Plan
from holdfast.keepalive.eligibility import target_of
from holdfast.ports import Applications, Directory, Operator
from holdfast.rotation.plan import Candidate, Consumer
from holdfast.rotation.steps import Rotation, World, secret_name
from holdfast.scan.carried import carried
from holdfast.scan.standing import Picture

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant


@asynccontextmanager
async def bound_rotation(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AsyncIterator[Rotation]:
    """The verb with the app administrator, the operator and the reader at hand."""
    async with (
        tenant.reached(Role.APP_ADMIN) as admin,
        tenant.reached(Role.OPERATOR) as operating,
        tenant.reached(Role.READER) as reading,
    ):
        environments = {str(each.id): each async for each in reading.platform.environments()}
        operator_id = tenant.client_id(Role.OPERATOR)
        principal = await reading.applications.principal_of(operator_id) or operator_id
        yield Rotation(
            World(
                admin.registry,
                operating.operator,
                reading.directory,
                holdfast.secrets,
                tenant.signs_in,
                principal,
                CloudClock(holdfast.clock, reading.platform.cloud_now),
                environments,
            )
        )


async def candidates(
    holdfast: Holdfast, tenant: Tenant, seen: Picture
) -> tuple[list[Candidate], AppPolicy | None]:
    """Every application with its connections, as last scanned, with what only the cloud can tell now. Only reads."""
    apps = {app.client_id: app async for app in holdfast.history.current(tenant.id, ServicePrincipal)}
    own = tenant.own_client_ids()
    stored = set(await holdfast.secrets.names())
    async with tenant.reached(Role.READER) as reading, tenant.reached(Role.OPERATOR) as operating:
        consumers = await _consumers(holdfast, seen, operating.operator)
        log_read = await _log_is_read(reading.directory, seen)
        found = []
        for app in apps.values():
            used = tuple(consumers.get(app.client_id.casefold(), ()))
            owners = await _owners(reading.applications, app) if used else None
            kept = {s.key_id: secret_name(app.client_id, s.key_id) for s in app.secrets}
            found.append(
                Candidate(
                    app,
                    used,
                    owners,
                    {key: name for key, name in kept.items() if name in stored},
                    own.get(app.client_id, ""),
                    log_read,
                )
            )
        return found, await app_policy_of(reading.applications)


async def _consumers(holdfast: Holdfast, seen: Picture, operator: Operator) -> Mapping[str, list[Consumer]]:
    found: dict[str, list[Consumer]] = {}
    for environment in seen.environments.values():
        held = [
            each
            async for each in holdfast.history.current(seen.tenant, Connection, environment.id)
            if each.sign_in is SignIn.SERVICE_PRINCIPAL
            and each.client_id
            and each.connector in SQL_CONNECTORS
        ]
        if not held:
            continue
        visible = {each.id async for each in operator.own_connections(environment.id, SQL_CONNECTORS[0])}
        flows = await carried(holdfast.history, seen.tenant, environment.id)
        references = [
            each async for each in holdfast.history.current(seen.tenant, ConnectionReference, environment.id)
        ]
        for connection in held:
            operations = operations_on(connection.id, flows.get(connection.id, ()), bindings_of(references))
            target = target_of(connection, operations)
            consumer = Consumer(
                connection,
                environment,
                connection.id in visible,
                tuple(each for each in references if each.connection == connection.id),
                (target.server, target.database) if target else None,
            )
            found.setdefault(str(connection.client_id).casefold(), []).append(consumer)
    return found


async def _owners(applications: Applications, app: ServicePrincipal) -> frozenset[str] | None:
    try:
        return frozenset(await applications.owners_of(app.object_id))
    except RefusedError:
        return None


async def app_policy_of(applications: Applications) -> AppPolicy | None:
    """What the tenant forbids secrets; None where that may not be read."""
    try:
        return await applications.app_policy()
    except RefusedError:
        return None


async def _log_is_read(directory: Directory, seen: Picture) -> bool:
    """Whether the sign-ins of applications may be read; asked once, of an application that is none."""
    nobody = "00000000-0000-0000-0000-000000000000"
    try:
        async for _ in directory.sign_ins_of_application(nobody, seen.now):
            break
    except RefusedError:
        return False
    return True
