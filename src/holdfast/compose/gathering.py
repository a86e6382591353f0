"""What there is to know about connections before something is planned for them. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.core.errors import RefusedError
from holdfast.core.inventory import SQL_CONNECTORS, Connection, ConnectionId, ConnectionReference, Flow
from holdfast.core.judgement import Judgement
from holdfast.core.operations import SqlOperation
from holdfast.core.policies import AccessPolicy, DataPolicy
from holdfast.keepalive.eligibility import Case, Target, target_of
from holdfast.ports import Directory, History, Surroundings
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
    """

    connections: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    targets: Mapping[str, Target] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()


async def cases(
    history: History, seen: Picture, directory: Directory, surroundings: Surroundings, chosen: Chosen
) -> list[Case]:
    """Every SQL connection of the last scan that was chosen, with all that bears on keeping it alive.

    What the reader may not read is left as not looked at.
    """
    accounts = await accounts_of(directory)
    access = await access_policies_of(directory)
    data = await data_policies_of(surroundings)
    found = []
    for environment in seen.environments.values():
        if chosen.environments and environment.id not in chosen.environments:
            continue
        flows = await carried(history, seen.tenant, environment.id)
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
                    chosen.targets.get(connection.id)
                    or target_of(connection, operations_on(connection.id, held, references)),
                    chosen.accepted,
                )
            )
    return found


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


async def data_policies_of(surroundings: Surroundings) -> tuple[DataPolicy, ...] | None:
    """Every data policy; None where they may not be read."""
    try:
        return tuple([policy async for policy in surroundings.data_policies()])
    except RefusedError:
        return None
