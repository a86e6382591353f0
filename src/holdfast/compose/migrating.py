"""Migration, wired: what there is to know before it is planned, and the world that its steps reach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.compose.gathering import (
    access_policies_of,
    accounts_of,
    bindings_of,
    data_policies_of,
)
from holdfast.compose.rotating import app_policy_of, operator_principal
from holdfast.compose.times import CloudClock
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.identity import Role
from holdfast.core.inventory import (
    SQL_CONNECTORS,
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    SignIn,
)
from holdfast.core.judgement import Judgement
from holdfast.core.plan import Plan
from holdfast.migration.case import Case, Moving
from holdfast.migration.definitions import rewritten
from holdfast.migration.names import logical_name
from holdfast.migration.steps import Migration
from holdfast.migration.world import World
from holdfast.ports import Operator, Platform
from holdfast.scan.carried import carried, flows_were_read
from holdfast.scan.standing import Picture

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant

MOVABLE = (SignIn.USER, SignIn.SQL_LOGIN)


@asynccontextmanager
async def bound_migration(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AsyncIterator[Migration]:
    """The verb with the operator and the reader at hand, and with the administrators that there are."""
    from holdfast.adapters.certificates import make_certificate

    async with AsyncExitStack() as stack:
        operating = await stack.enter_async_context(tenant.reached(Role.OPERATOR))
        reading = await stack.enter_async_context(tenant.reached(Role.READER))
        admin = None
        if tenant.has(Role.APP_ADMIN):
            admin = await stack.enter_async_context(tenant.reached(Role.APP_ADMIN))
        environments = {str(each.id): each async for each in reading.platform.environments()}
        principal = await operator_principal(tenant, operating, reading)
        yield Migration(
            World(
                operating.operator,
                reading.platform,
                reading.directory,
                reading.applications,
                holdfast.secrets,
                tenant.signs_in,
                tenant.sql_as,
                principal,
                CloudClock(holdfast.clock, reading.platform.cloud_now),
                environments,
                make_certificate,
                admin.registry if admin else None,
                tenant.sql if tenant.has(Role.SQL_ADMIN) else None,
                operating.starter,
                operating.runs,
            )
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the command line says about which connections, and how.

    Attributes:
        connections: ids; empty for all. `environments` likewise.
        rewrites: whether definitions may be rewritten.
        certificate: whether the applications sign in with certificates instead of secrets.
    """

    connections: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    rewrites: bool = False
    roles: tuple[str, ...] = ()
    certificate: bool = False


async def cases(holdfast: Holdfast, tenant: Tenant, seen: Picture, chosen: Chosen) -> list[Case]:
    """Every chosen SQL connection of the last scan with all that bears on moving it. Only reads."""
    async with tenant.reached(Role.READER) as reading, tenant.reached(Role.OPERATOR) as operating:
        accounts = await accounts_of(reading.directory)
        access = await access_policies_of(reading.directory)
        data = await data_policies_of(reading.platform)
        policy = await app_policy_of(reading.applications)
        # Where they are now: history may know an address that has changed.
        environments = [each async for each in reading.platform.environments()]
        found = []
        for environment in environments:
            if chosen.environments and environment.id not in chosen.environments:
                continue
            here = await _here(holdfast, seen, environment, chosen)
            sign_ins, apps = await _looked(operating.operator, reading.platform, environment, here)
            for case in here:
                flows, outside = await _with_rows(operating.operator, case, chosen)
                found.append(
                    replace(
                        case,
                        sign_ins=sign_ins,
                        canvas_apps=apps,
                        flows=flows,
                        outside=outside,
                        owner=accounts.behind(case.connection) if accounts else None,
                        accounts_read=accounts is not None,
                        access_policies=access,
                        data_policies=data,
                        app_policy=policy,
                        accepted=chosen.accepted,
                        rewrites=chosen.rewrites,
                        roles=chosen.roles,
                        certificate=chosen.certificate,
                    )
                )
        return found


async def _here(holdfast: Holdfast, seen: Picture, environment: Environment, chosen: Chosen) -> list[Case]:
    """What history knows of the connections of one environment."""
    history, tenant = holdfast.history, seen.tenant
    flows = await carried(history, tenant, environment.id)
    references = [each async for each in history.current(tenant, ConnectionReference, environment.id)]
    page = [
        each
        async for each in history.current(tenant, Connection, environment.id)
        if each.connector in SQL_CONNECTORS and (not chosen.connections or each.id in chosen.connections)
    ]
    keys = [f"{each.connector}/{each.id}" for each in page]
    judged = await history.lookup(tenant, Judgement, environment.id, keys)
    return [
        Case(
            connection,
            environment,
            seen.now,
            judged.get(key),
            tuple(_moving(connection, flow, references) for flow in flows.get(connection.id, ())),
            flows_were_read(seen.record, environment.id),
            references=_named(connection, flows.get(connection.id, ()), references),
        )
        for key, connection in zip(keys, page, strict=True)
    ]


def _moving(connection: Connection, flow: Flow, references: Sequence[ConnectionReference]) -> Moving:
    bound = bindings_of(references)
    keys = frozenset(
        binding.key
        for binding in flow.bindings
        if not binding.is_invoker
        and connection.id == (bound.get(binding.reference) if binding.reference else binding.connection)
    )
    operations = tuple(each for each in flow.operations if each.connection_key in keys)
    return Moving(flow, keys, operations)


def _named(
    connection: Connection, flows: Sequence[Flow], references: Sequence[ConnectionReference]
) -> tuple[ConnectionReference, ...]:
    """The references to the connection that its flows name."""
    names = {name for flow in flows for name in flow.references}
    return tuple(
        each for each in references if each.connection == connection.id and each.logical_name in names
    )


async def _looked(
    operator: Operator, platform: Platform, environment: Environment, here: Sequence[Case]
) -> tuple[frozenset[str] | None, tuple[CanvasApp, ...] | None]:
    """What is asked once per environment, where anything in it could move."""
    movable = [case for case in here if case.connection.sign_in in MOVABLE and case.flows]
    if not movable:
        return None, None
    sign_ins: frozenset[str] | None = None
    apps: tuple[CanvasApp, ...] | None = None
    with suppress(RefusedError, MissingError):
        sign_ins = frozenset(await operator.sign_ins(environment.id, movable[0].connection.connector))
    with suppress(RefusedError, MissingError):
        apps = tuple([app async for app in platform.canvas_apps(environment)])
    return sign_ins, apps


async def _with_rows(
    operator: Operator, case: Case, chosen: Chosen
) -> tuple[tuple[Moving, ...], tuple[str, ...]]:
    """The flows with their definitions as the operator reads them, which nobody keeps; and names of those without a row."""
    if case.connection.sign_in not in MOVABLE or case.environment.dataverse_url is None:
        return case.flows, ()
    rows, outside = [], []
    for moving in case.flows:
        try:
            rows.append(await _with_row(operator, case, moving, chosen))
        except MissingError:
            outside.append(moving.flow.display_name)
    return tuple(rows), tuple(outside)


async def _with_row(operator: Operator, case: Case, moving: Moving, chosen: Chosen) -> Moving:
    try:
        row = await operator.flow(case.environment, moving.flow.id)
    except RefusedError:
        return moving
    if not (chosen.rewrites and case.needs_rewriting):
        return replace(moving, row=row)
    trouble = None
    try:
        name = logical_name("saga", case.connection.id)
        rewritten(row.clientdata, moving.keys, name, case.place.server, case.place.database)
    except ValueError as error:
        trouble = str(error)
    return replace(moving, row=row, trouble=trouble)
