"""What there is to know about connections before something is planned for them. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import (
    SQL_CONNECTORS,
    Connection,
    ConnectionId,
    ConnectionReference,
    Environment,
    Flow,
)
from holdfast.core.judgement import Judgement
from holdfast.core.operations import SqlOperation
from holdfast.core.policies import AccessPolicy, DataPolicy
from holdfast.diagnosis.known import NOTHING_COMES_ROUND, Recurrences
from holdfast.keepalive.deployed import Claim, claims
from holdfast.keepalive.eligibility import Case, Kind, Target, eligibility, target_of
from holdfast.ports import Applications, Directory, History, Journal, Operator, Platform
from holdfast.reading.accounts import Accounts
from holdfast.scan.carried import carried, flows_were_read
from holdfast.scan.standing import Picture


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the command line says about which connections, and how.

    Attributes:
        connections: ids; empty for all. `environments` likewise.
        targets: server and database by connection id, where no flow tells them.
        accepted: facts that somebody answers for.
        serverless: servers and databases, in lower case, that pause when nothing uses them.
    """

    connections: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    targets: Mapping[str, Target] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    serverless: frozenset[tuple[str, str]] = frozenset()


async def object_id_of(applications: Applications, client_id: str) -> str:
    """Object id of an application's identity in the tenant; the client id where it has none."""
    found = await applications.principal_of(client_id)
    return found.object_id if found else client_id


async def cases(
    history: History,
    seen: Picture,
    directory: Directory,
    platform: Platform,
    chosen: Chosen,
    recurrences: Recurrences = NOTHING_COMES_ROUND,
) -> list[Case]:
    """Every SQL connection of the last scan that was chosen, with all that bears on keeping it alive.

    What the reader may not read is left as not looked at.

    Args:
        recurrences: what comes round for its sign-ins, from the settings.
    """
    accounts = await accounts_of(directory)
    access = await access_policies_of(directory)
    data = await data_policies_of(platform)
    found = []
    for environment in seen.environments.values():
        if chosen.environments and environment.id not in chosen.environments:
            continue
        flows = await carried(history, seen.tenant, environment.id)
        invoked = await _invoked(history, seen.tenant, environment.id)
        references = bindings_of(
            [each async for each in history.current(seen.tenant, ConnectionReference, environment.id)]
        )
        page = [
            each
            async for each in history.current(seen.tenant, Connection, environment.id)
            if each.connector in SQL_CONNECTORS and (not chosen.connections or each.id in chosen.connections)
        ]
        keys = [f"{each.connector}/{each.id}" for each in page]
        judged = await history.lookup(seen.tenant, Judgement, environment.id, keys)
        for key, connection in zip(keys, page, strict=True):
            held = flows.get(connection.id, ())
            target = chosen.targets.get(connection.id) or target_of(
                connection, operations_on(connection.id, held, references)
            )
            found.append(
                Case(
                    connection,
                    environment,
                    seen.now,
                    judged.get(key),
                    held,
                    flows_were_read(seen.record, environment.id),
                    accounts.behind(connection) if accounts else None,
                    accounts is not None,
                    access,
                    data,
                    target,
                    chosen.accepted,
                    invoked=connection.id in invoked,
                    is_serverless=place_of(connection, target) in chosen.serverless,
                    recurrences=recurrences,
                )
            )
    return found


async def claimed(history: History, journal: Journal, tenant: str, but: str = "") -> dict[str, Claim]:
    """The connections for which keep-alive plans are at work, by id.

    Args:
        but: the plan that does not count.

    Raises:
        StoreError: the journal or history could not be read.
    """
    record = await history.last_scan(tenant)
    scanned_at = record.started_at if record else None
    found: dict[str, Claim] = {}
    for each in await journal.plans(tenant, "keepalive"):
        if each.plan.id != but:
            deeds = await journal.deeds(tenant, each.plan.id)
            for connection, claim in (await claims(history, scanned_at, each.plan, deeds)).items():
                if connection not in found or claim.has_flow:
                    found[connection] = claim
    return found


async def as_operator_sees(
    found: Sequence[Case], operator: Operator, environments: Mapping[str, Environment]
) -> list[Case]:
    """The same cases with what the operator sees: whether it may use the connection, and whether its owner is a user.

    Only what would be planned otherwise is asked for. What it may not read is left as not looked at.

    Args:
        environments: by id, as they are now.
    """
    wanted = [case for case in found if eligibility(replace(case, owner_is_user=True)).kind is Kind.YES]
    shared: dict[str, frozenset[str] | None] = {}
    users: dict[tuple[str, str], bool | None] = {}
    for case in wanted:
        place, owner = case.environment.id, case.connection.owner
        environment = environments.get(place, case.environment)
        if place not in shared:
            shared[place] = await _shared(environment, operator)
        if owner is not None and (place, owner.id) not in users:
            users[place, owner.id] = await _is_user(environment, owner.id, operator)
    return [_seen(case, shared, users) if case.environment.id in shared else case for case in found]


def _seen(
    case: Case, shared: Mapping[str, frozenset[str] | None], users: Mapping[tuple[str, str], bool | None]
) -> Case:
    known, owner = shared[case.environment.id], case.connection.owner
    return replace(
        case,
        is_shared=None if known is None else case.connection.id in known,
        owner_is_user=users.get((case.environment.id, owner.id)) if owner else None,
    )


async def _shared(environment: Environment, operator: Operator) -> frozenset[str] | None:
    try:
        return frozenset(
            [str(each.id) async for each in operator.own_connections(environment.id, SQL_CONNECTORS[0])]
        )
    except (RefusedError, MissingError):
        return None


async def _is_user(environment: Environment, owner: str, operator: Operator) -> bool | None:
    try:
        return await operator.user(environment, owner) is not None
    except (RefusedError, MissingError):
        return None


async def _invoked(history: History, tenant: str, environment: str) -> frozenset[str]:
    """Connections that flows name and do not use: they take the connection of whoever runs them."""
    bound = {
        reference.logical_name: reference.connection
        async for reference in history.current(tenant, ConnectionReference, environment)
    }
    return frozenset(
        [
            str(connection)
            async for flow in history.current(tenant, Flow, environment)
            for each in flow.bindings
            if each.is_invoker and (connection := each.connection or bound.get(each.reference or ""))
        ]
    )


def place_of(connection: Connection, target: Target | None) -> tuple[str, str]:
    """Server and database of a target, in lower case; empty where they are not known."""
    server, database = (target.server, target.database) if target else ("", "")
    if server == "default":
        server = connection.server or ""
    if database == "default":
        database = connection.database or ""
    return server.casefold(), database.casefold()


def bindings_of(references: Sequence[ConnectionReference]) -> Mapping[str, ConnectionId | None]:
    """The connection of each reference, by its logical name."""
    return {each.logical_name: each.connection for each in references}


def operations_on(
    connection: ConnectionId, flows: Sequence[Flow], references: Mapping[str, ConnectionId | None]
) -> list[SqlOperation]:
    """What the flows do through this very connection.

    Args:
        references: the connection of each reference, by its logical name.
    """
    found = []
    for flow in flows:
        keys = {
            bound.key
            for bound in flow.bindings
            if connection in (bound.connection, references.get(bound.reference or ""))
        }
        found += [operation for operation in flow.operations if operation.connection_key in keys]
    return found


async def accounts_of(directory: Directory) -> Accounts | None:
    """The directory's accounts; None where they may not be read."""
    try:
        return Accounts.of([account async for account in directory.accounts()])
    except RefusedError:
        return None


async def access_policies_of(directory: Directory) -> tuple[AccessPolicy, ...] | None:
    """Every Conditional Access policy; None where they may not be read."""
    try:
        return tuple([policy async for policy in directory.access_policies()])
    except RefusedError:
        return None


async def data_policies_of(platform: Platform) -> tuple[DataPolicy, ...] | None:
    """Every data policy; None where they may not be read."""
    try:
        return tuple([policy async for policy in platform.data_policies()])
    except RefusedError:
        return None
