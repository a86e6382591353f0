"""Rotation, wired: what there is to know before it is planned, and the world that its steps reach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from holdfast.compose.gathering import bindings_of, object_id_of, operations_on
from holdfast.compose.times import CloudClock
from holdfast.core.errors import CloudError, MissingError, RefusedError
from holdfast.core.identity import Role, ServicePrincipal
from holdfast.core.inventory import SQL_CONNECTORS, Connection, ConnectionReference, EnvironmentId
from holdfast.core.judgement import Judgement
from holdfast.core.making import AppPolicy
from holdfast.core.plan import Accepted, Plan
from holdfast.keepalive.eligibility import target_of
from holdfast.ports import Applications, Directory, Operator
from holdfast.reading.sign_ins import SQL_APPLICATION
from holdfast.rotation.checks import Choices
from holdfast.rotation.due import SETS, Candidate, Consumer, Use, is_due, ours_of
from holdfast.rotation.plan import KIND, plan_rotation
from holdfast.rotation.record import Rotated, held, replaced, rotated, under_way
from holdfast.rotation.steps import Rotation, World, secret_name
from holdfast.scan.carried import carried
from holdfast.scan.standing import Picture

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Reach, Tenant

LOG_REACHES: Final = timedelta(days=30)
KIND_OF: Final = {"oauthSP": "secret", "certOauth": "certificate"}
LACKING: Final = frozenset({"secret_invalid", "secret_expired", "certificate_invalid"})
"""Causes that a new secret or certificate ends."""


@asynccontextmanager
async def bound_rotation(holdfast: Holdfast, tenant: Tenant, plan: Plan) -> AsyncIterator[Rotation]:
    """The verb with the app administrator, the operator and the reader at hand."""
    from holdfast.adapters.certificates import make_certificate

    async def other(application: str, kind: str, own: str) -> str:
        return under_way(await rotations(holdfast, tenant), application, kind, own)

    async with (
        tenant.reached(Role.APP_ADMIN) as admin,
        tenant.reached(Role.OPERATOR) as operating,
        tenant.reached(Role.READER) as reading,
    ):
        environments = {str(each.id): each async for each in reading.platform.environments()}
        principal = await operator_principal(tenant, operating, reading)
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
                other,
                make_certificate,
            )
        )


async def operator_principal(tenant: Tenant, operating: Reach, reading: Reach) -> str:
    """Object id of the operator's identity; empty for a person."""
    if operating.starter is not None:
        return ""
    client_id = tenant.client_id(Role.OPERATOR)
    return await object_id_of(reading.applications, client_id)


async def rotations(holdfast: Holdfast, tenant: Tenant) -> list[Rotated]:
    """Every rotation that was begun or planned, newest first."""
    found: list[Rotated] = []
    for record in await holdfast.journal.plans(tenant.id, KIND):
        found += rotated(record.plan, await holdfast.journal.deeds(tenant.id, record.plan.id))
    return found


async def planned(
    holdfast: Holdfast,
    tenant: Tenant,
    seen: Picture,
    id: str,
    apps: frozenset[str] = frozenset(),
    life: timedelta | None = None,
    accepted: tuple[Accepted, ...] = (),
) -> Plan:
    """A plan for what is due by the last scan. Only reads.

    Args:
        id: of the plan; fresh.
    """
    found, policy = await candidates(holdfast, tenant, seen, apps)
    choices = await choices_for(tenant, seen, id, policy)
    return plan_rotation(found, replace(choices, apps=apps, life=life, accepted=accepted))


async def choices_for(tenant: Tenant, seen: Picture, id: str, policy: AppPolicy | None) -> Choices:
    """Who holdfast is, and nothing chosen."""
    client_id = tenant.client_id(Role.APP_ADMIN)
    async with tenant.reached(Role.READER) as reach:
        app_admin = await object_id_of(reach.applications, client_id)
    return Choices(id, tenant.id, tenant.name, tenant.entra_id, seen.now, app_admin, policy)


async def candidates(
    holdfast: Holdfast, tenant: Tenant, seen: Picture, chosen: frozenset[str] = frozenset()
) -> tuple[list[Candidate], AppPolicy | None]:
    """Every application with its connections, as last scanned, with what only the cloud can tell now. Only reads.

    Args:
        chosen: client ids of the only ones that are looked at, due or not; empty for all.
    """
    own, stored = tenant.own_client_ids(), set(await holdfast.secrets.names())
    plans = [record.plan for record in await holdfast.journal.plans(tenant.id)]
    past = await rotations(holdfast, tenant)
    left_behind = replaced(past)
    # What was seen before a rotation says nothing of what that put in. The journal tells its times by our clock.
    scanned_at = holdfast.clock.now() - seen.age
    later = {each.application for each in past if _is_after(each, scanned_at)}
    known = [
        app
        async for app in holdfast.history.current(tenant.id, ServicePrincipal)
        if not chosen or app.client_id in chosen
    ]
    apps = await _as_they_are(tenant, known, later)
    async with tenant.reached(Role.READER) as reading, tenant.reached(Role.OPERATOR) as operating:
        consumers = await consumers_of(holdfast, seen, operating.operator)
        log_read = await _log_is_read(reading.directory, seen)
        found = []
        for app in apps:
            used = [
                each._replace(is_lacking=each.is_lacking and app.object_id not in later)
                for each in consumers.get(app.client_id.casefold(), ())
                # Kept by its owner, with nothing left on it.
                if each.references or each.connection.id not in left_behind
            ]
            owners = await _owners(reading.applications, app) if used else None
            kept = {s.key_id: secret_name(app.client_id, s.key_id) for s in app.secrets}
            for kind, members in _by_kind(app, used).items():
                candidate = Candidate(
                    app,
                    members,
                    owners,
                    {key: name for key, name in kept.items() if name in stored},
                    own.get(app.client_id, ""),
                    log_read,
                    kind,
                    ours_of(app, plans),
                    _held(app, kind, members, past, ()),
                    under_way=under_way(past, app.object_id, kind),
                )
                # The log may be asked but five times in ten seconds: only what may be renewed is worth it.
                wanted = members and (chosen or candidate.is_broken or is_due(candidate, seen.now))
                if wanted:
                    candidate = replace(
                        candidate,
                        policy=await app_policy_of(reading.applications, app.object_id),
                        may_sign_in=await _may_sign_in(reading.applications, app.client_id),
                    )
                if wanted and log_read and candidate.may_sign_in is not False:
                    uses = await _uses(reading.directory, app, seen.now)
                    shown = _held(app, kind, members, past, uses)
                    candidate = replace(candidate, uses=uses, held=shown)
                found.append(candidate)
        return found, await app_policy_of(reading.applications)


def _is_after(rotated: Rotated, scanned_at: datetime) -> bool:
    return rotated.standing.since is not None and rotated.standing.since > scanned_at


async def _as_they_are(
    tenant: Tenant, apps: list[ServicePrincipal], later: Collection[str]
) -> list[ServicePrincipal]:
    """The applications, with their credentials of now where one was rotated since the scan.

    Args:
        later: object ids of these.
    """
    if not later or not tenant.has(Role.APP_ADMIN):
        return apps
    found = []
    async with tenant.reached(Role.APP_ADMIN) as admin:
        for app in apps:
            with suppress(MissingError, RefusedError):
                if app.object_id in later:
                    app = replace(app, secrets=(await admin.registry.application(app.object_id)).secrets)
            found.append(app)
    return found


def _by_kind(app: ServicePrincipal, used: Sequence[Consumer]) -> dict[str, tuple[Consumer, ...]]:
    """The connections by what they hold; an application without any by what it has."""
    kinds: dict[str, tuple[Consumer, ...]] = {}
    for kind in KIND_OF.values():
        members = tuple(each for each in used if KIND_OF[SETS[each.connection.sign_in]] == kind)
        if members or (not used and any(each.kind == kind for each in app.secrets)):
            kinds[kind] = members
    return kinds


def _held(
    app: ServicePrincipal,
    kind: str,
    members: Sequence[Consumer],
    past: Sequence[Rotated],
    uses: Sequence[Use],
) -> frozenset[str]:
    present = {each.key_id for each in app.secrets}
    by_us = held(past, app.object_id, kind, [each.connection.id for each in members], present)
    if by_us or len(members) != 1:
        return by_us
    # A single connection: what it showed last is what it holds, unless it was given another since.
    shown = [use for use in uses if use.by_connection and use.key_id in present]
    newest = max(shown, key=lambda use: use.last_at, default=None)
    if newest is None:
        return frozenset()
    later = {s.key_id for s in app.secrets if s.kind == kind and s.starts_at and s.starts_at > newest.last_at}
    return frozenset({newest.key_id, *later})


async def consumers_of(
    holdfast: Holdfast, seen: Picture, operator: Operator
) -> Mapping[str, tuple[Consumer, ...]]:
    """The connections that hold a credential of each application, by its client id in lower case."""
    found: dict[str, tuple[Consumer, ...]] = {}
    for environment in seen.environments.values():
        holding = [
            each
            async for each in holdfast.history.current(seen.tenant, Connection, environment.id)
            if each.sign_in in SETS and each.client_id and each.connector in SQL_CONNECTORS
        ]
        if not holding:
            continue
        visible = {each.id async for each in operator.own_connections(environment.id, SQL_CONNECTORS[0])}
        offered = await _offered(operator, environment.id)
        flows = await carried(holdfast.history, seen.tenant, environment.id)
        keys = [f"{each.connector}/{each.id}" for each in holding]
        judged = await holdfast.history.lookup(seen.tenant, Judgement, environment.id, keys)
        references = [
            each async for each in holdfast.history.current(seen.tenant, ConnectionReference, environment.id)
        ]
        for key, connection in zip(keys, holding, strict=True):
            verdict = judged[key].verdict if key in judged else None
            operations = operations_on(connection.id, flows.get(connection.id, ()), bindings_of(references))
            target = target_of(connection, operations)
            consumer = Consumer(
                connection,
                environment,
                connection.id in visible,
                tuple(each for each in references if each.connection == connection.id),
                (target.server, target.database) if target else None,
                offered is None or SETS[connection.sign_in] in offered,
                verdict is not None and verdict.cause.id in LACKING,
            )
            app = str(connection.client_id).casefold()
            found[app] = (*found.get(app, ()), consumer)
    return found


async def _offered(operator: Operator, environment: EnvironmentId) -> frozenset[str] | None:
    """The names of the connector's ways to sign in; None where it does not tell, and then the PUT will."""
    try:
        return frozenset(await operator.sign_ins(environment, SQL_CONNECTORS[0])) or None
    except CloudError:
        return None


async def _uses(directory: Directory, app: ServicePrincipal, now: datetime) -> tuple[Use, ...]:
    """Which credential was used from where and for what, the newest of each."""
    found: dict[tuple[str, str, str], Use] = {}
    async for row in directory.sign_ins_of_application(app.client_id, now - LOG_REACHES):
        if row.code != 0 or row.key_id is None:
            continue
        key = (row.key_id, row.resource_id, row.ip_address)
        known = found.get(key)
        if known is None or known.last_at < row.at:
            by_connection = row.resource_id == SQL_APPLICATION
            found[key] = Use(
                row.key_id, row.resource or row.resource_id, row.ip_address, row.at, by_connection
            )
    return tuple(sorted(found.values(), key=lambda use: (use.by_connection, use.last_at), reverse=False))


async def _may_sign_in(applications: Applications, client_id: str) -> bool | None:
    """Whether its identity in the tenant is there and enabled; None where that may not be read, or is not told.

    Not knowing blocks nothing: the new credential has to sign in before any connection gets it.
    """
    try:
        found = await applications.principal_of(client_id)
    except RefusedError:
        return None
    return False if found is None else found.is_enabled


async def _owners(applications: Applications, app: ServicePrincipal) -> dict[str, str] | None:
    try:
        return await applications.owners_of(app.object_id)
    except RefusedError:
        return None


async def app_policy_of(applications: Applications, application: str | None = None) -> AppPolicy | None:
    """What is forbidden to a new application, or to that one; None where it may not be read."""
    try:
        return await applications.app_policy(application)
    except (RefusedError, MissingError):
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
