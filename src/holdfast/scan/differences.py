"""Flows that one source shows and the other does not: Dataverse for the reader, Power Automate's own list for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.core.coverage import FLOWS, LISTED_FLOWS, Outcome, ScanRecord
from holdfast.core.inventory import ConnectionId, Flow, ListedFlow
from holdfast.ports import History
from holdfast.scan.carried import carried


class Why(StrEnum):
    """Why only one of the two shows a flow."""

    OUTSIDE_SOLUTIONS = "outside_solutions"
    NOT_SHOWN_TO_READER = "not_shown_to_reader"
    NOT_LISTED = "not_listed"


SAYS: Final = {
    Why.OUTSIDE_SOLUTIONS: "It lies outside solutions, where Dataverse has no row of it that an application sees.",
    Why.NOT_SHOWN_TO_READER: "It has a row in Dataverse that the reader is not shown: its security role does not"
    " reach it, or it was made between the two lists.",
    Why.NOT_LISTED: "Power Automate does not list it: it was made or removed between the two lists, or it was never"
    " switched on since it was imported (assumed).",
}


class Difference(NamedTuple):
    """A flow that only one source shows.

    Attributes:
        holds: scanned connections that it holds, as far as its definition was read.
    """

    environment: str
    flow: Flow
    why: Why
    holds: tuple[ConnectionId, ...] = ()


class Sources(NamedTuple):
    """What each source gave, over the environments that both were asked for and answered whole.

    Attributes:
        compared: ids of those environments.
        uncompared: ids of those that the person's list was asked for and that cannot be compared.
        by_reader: how many flows the reader was shown; `by_person` likewise.
        differences: those that hold a connection first.
    """

    compared: tuple[str, ...]
    uncompared: tuple[str, ...]
    by_reader: int
    by_person: int
    differences: tuple[Difference, ...]


async def sources_of(
    history: History, tenant: str, record: ScanRecord, environments: Collection[str]
) -> Sources | None:
    """What the two sources gave; None where no person's list was asked for."""
    asked = [each for each in environments if record.sweep_of(each, LISTED_FLOWS) is not None]
    asked = [each for each in asked if not _is_over(record, each)]
    if not asked:
        return None
    compared = [each for each in asked if _is_comparable(record, each)]
    found: list[Difference] = []
    by_reader = by_person = 0
    for environment in compared:
        shown = {flow.id: flow async for flow in history.current(tenant, Flow, environment)}
        listed = {flow.id: flow async for flow in history.current(tenant, ListedFlow, environment)}
        by_reader, by_person = by_reader + len(shown), by_person + len(listed)
        holds: defaultdict[str, list[ConnectionId]] = defaultdict(list)
        for connection, flows in (await carried(history, tenant, environment)).items():
            for flow in flows:
                holds[flow.id].append(connection)
        for id in sorted(shown.keys() ^ listed.keys()):
            flow = shown.get(id) or listed[id]
            found.append(Difference(environment, flow, _why(flow), tuple(holds[id])))
    found.sort(key=lambda one: (not one.holds, one.why, one.environment, one.flow.display_name))
    rest = tuple(each for each in asked if each not in compared)
    return Sources(tuple(compared), rest, by_reader, by_person, tuple(found))


def _why(flow: Flow) -> Why:
    if not isinstance(flow, ListedFlow):
        return Why.NOT_LISTED
    return Why.NOT_SHOWN_TO_READER if flow.has_row else Why.OUTSIDE_SOLUTIONS


def _is_over(record: ScanRecord, environment: str) -> bool:
    """Whether the sweep only notes that there is no such source any more."""
    sweep = record.sweep_of(environment, LISTED_FLOWS)
    return sweep is not None and sweep.outcome is Outcome.MISSING and not sweep.detail


def _is_comparable(record: ScanRecord, environment: str) -> bool:
    listed, shown = record.sweep_of(environment, LISTED_FLOWS), record.sweep_of(environment, FLOWS)
    if listed is None or listed.outcome is not Outcome.SCANNED:
        return False
    return (
        shown is None or shown.outcome is Outcome.SCANNED
    )  # without Dataverse the reader has nothing to show
