"""Which flows failed last and have not succeeded since, and what their failed action met with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.coverage import RUNS, Outcome, Sweep
from holdfast.core.errors import CloudError, MissingError, RefusedError
from holdfast.core.evidence import Evidence
from holdfast.core.inventory import Environment, Flow, FlowId, FlowRun
from holdfast.diagnosis.case import Use
from holdfast.ports import Platform, Runs
from holdfast.reading.masking import masked
from holdfast.scan.part import CloudTime, outcome_of

REACH: Final = timedelta(days=28)
"""How long Dataverse keeps runs unless told otherwise (documented)."""

MOST_FAILURES: Final = 500
"""Failed runs read of one environment, newest first."""

MOST_FLOWS: Final = 50
"""Flows of one environment that are asked about one by one."""


Read = Callable[[str, str], tuple[Evidence, ...]]


class RunLog:
    """Asks for the runs of flows: a person for the own ones with their errors, an application only how they ended.

    Args:
        read: what a raw error text says.
    """

    def __init__(self, platform: Platform, people: Runs | None, time: CloudTime, read: Read) -> None:
        self._platform = platform
        self._people = people
        self._time = time
        self._read = read

    async def failing(
        self, environment: Environment, flows: Mapping[FlowId, Flow]
    ) -> tuple[Mapping[FlowId, Use] | None, Sweep]:
        """The failing flows among these; None where it could not be told."""
        started = self._time.now()
        outcome, detail = Outcome.SCANNED, ""
        found: dict[FlowId, Use] = {}
        try:
            if environment.dataverse_url is not None:
                found = await self._as_application(environment, flows, started)
            if self._people is not None:
                if environment.dataverse_url is None:
                    found = await self._as_person(self._people, environment, flows)
                found = {id: await self._told(self._people, environment, use) for id, use in found.items()}
        except CloudError as error:
            outcome, detail = outcome_of(error, saw_some=False), str(error)
        sweep = Sweep(environment.id, RUNS, outcome, started, self._time.now(), len(found), detail)
        return (found if outcome in (Outcome.SCANNED, Outcome.PARTIAL) else None), sweep

    async def _as_application(
        self, environment: Environment, flows: Mapping[FlowId, Flow], now: datetime
    ) -> dict[FlowId, Use]:
        failed: dict[FlowId, FlowRun] = {}
        read = 0
        async for run in self._platform.failed_runs(environment, now - REACH):
            if run.flow in flows and flows[run.flow].is_on:
                failed.setdefault(run.flow, run)
            read += 1
            if read == MOST_FAILURES or len(failed) == MOST_FLOWS:
                break
        found = {}
        for id, run in failed.items():
            since = run.started_at or now
            newest = await anext(aiter(self._platform.runs(environment, id, since)), run)
            if not newest.succeeded:
                found[id] = Use(flows[id], run)
        return found

    async def _as_person(
        self, people: Runs, environment: Environment, flows: Mapping[FlowId, Flow]
    ) -> dict[FlowId, Use]:
        found: dict[FlowId, Use] = {}
        for id, flow in list(flows.items())[:MOST_FLOWS]:
            newest = await anext(aiter(people.runs(environment.id, id)), None) if flow.is_on else None
            if newest is not None and newest.status == "Failed":
                found[id] = Use(flow, newest)
        return found

    async def _told(self, people: Runs, environment: Environment, use: Use) -> Use:
        """With what the failed action met with, where the person may read it."""
        try:
            failure = await people.failure(environment.id, use.flow.id, use.run.id)
        except (RefusedError, MissingError):
            return use
        text = masked(f"{failure.code} {failure.text}") if failure else ""
        return replace(use, said=self._read(text, "run"))
