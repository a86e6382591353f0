"""Which flows each connection carries, as far as the flows were seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from holdfast.core.coverage import FLOWS, LISTED_FLOWS, REFERENCES, Outcome, ScanRecord
from holdfast.core.imported import KitFlow
from holdfast.core.inventory import ConnectionId, ConnectionReference, Environment, Flow, ListedFlow
from holdfast.ports import History


async def carried(history: History, tenant: str, environment: str) -> Mapping[ConnectionId, tuple[Flow, ...]]:
    """The flows of an environment by the connection that they hold, through a reference or directly.

    A flow that takes the connection of whoever runs it holds none. One that the reader could not read is taken as a
    person was shown it.
    """
    bound = {
        reference.logical_name: reference.connection
        async for reference in history.current(tenant, ConnectionReference, environment)
        if reference.connection is not None
    }
    flows: defaultdict[ConnectionId, list[Flow]] = defaultdict(list)
    shown = [flow async for flow in history.current(tenant, Flow, environment)]
    read = {flow.id for flow in shown if flow.is_readable}
    listed = [flow async for flow in history.current(tenant, ListedFlow, environment) if flow.id not in read]
    for flow in (*shown, *listed):
        held = [bound[name] for name in flow.references if name in bound]
        for connection in dict.fromkeys([*held, *flow.connections]):
            flows[connection].append(flow)
    return {connection: tuple(each) for connection, each in flows.items()}


def unseen_in(
    kit: tuple[KitFlow, ...] | None, environment: Environment, flows: Mapping[ConnectionId, tuple[Flow, ...]]
) -> tuple[str, ...] | None:
    """Names of switched-on flows there with SQL that only an imported table knows; None without such a table."""
    if kit is None:
        return None
    seen = {flow.id.casefold() for each in flows.values() for flow in each}
    here = {environment.id.casefold(), environment.display_name.casefold()}
    return tuple(
        flow.display_name
        for flow in kit
        if flow.environment in here and flow.is_on is not False and flow.has_sql and flow.id not in seen
    )


def flows_were_read(record: ScanRecord, environment: str) -> bool:
    """Whether the flows in solutions of the environment were read to their end."""
    sweeps = [record.sweep_of(environment, part) for part in (FLOWS, REFERENCES)]
    by_reader = all(sweep is not None and sweep.outcome is Outcome.SCANNED for sweep in sweeps)
    return by_reader or flows_are_complete(record, environment)


def flows_are_complete(record: ScanRecord, environment: str) -> bool:
    """Whether every flow of the environment was seen, also those outside solutions: only a person's list tells."""
    listed = record.sweep_of(environment, LISTED_FLOWS)
    return listed is not None and listed.outcome is Outcome.SCANNED
