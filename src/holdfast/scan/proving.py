"""Prove one connection: its witnesses are written down, and looked at again after the next run. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from holdfast.core.errors import CloudError, MissingError
from holdfast.core.inventory import Connection, Flow, FlowRun
from holdfast.core.proof import Answer, Proof
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.diagnosis.proving import Told, answered, coming_run
from holdfast.ports import History, Platform
from holdfast.reading.witnesses import last_refresh, witnesses
from holdfast.scan.standing import Picture, Standing

Explain = Callable[[str], str]
"""What a recorded fault says, in a few words."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof as it stands now, and what is to be said of it."""

    proof: Proof
    told: Told
    flow: Flow | None


async def prove(
    history: History, platform: Platform, seen: Picture, standing: Standing, explain: Explain
) -> Proven:
    """Begin a proof, or tell what came of the one that was begun; both are written into history.

    Raises:
        CloudError: the connection cannot be read, or is not there any more.
    """
    connection = await _now(platform, seen, standing)
    now = platform.cloud_now() or seen.now
    key = f"{connection.connector}/{connection.id}"
    kept = (await history.lookup(seen.tenant, Proof, connection.environment, [key])).get(key)
    if kept is None or kept.answer.is_over:
        proven = _begun(connection, standing, now)
    else:
        proven = await _answered(platform, seen, standing, kept, connection, now, explain)
    await history.observe(seen.record.id, now, [proven.proof])
    return proven


async def _now(platform: Platform, seen: Picture, standing: Standing) -> Connection:
    wanted = standing.status.connection
    place = seen.environments[str(wanted.environment)]
    async for connection in platform.connections(place, wanted.connector):
        if connection.id == wanted.id:
            return connection
    raise MissingError(
        f"Connection {wanted.id} is not there any more: scan again.",
        service="powerapps",
        operation="prove",
    )


def _begun(connection: Connection, standing: Standing, now: datetime) -> Proven:
    before = standing.judgement.witnesses if standing.judgement else None
    found = witnesses(connection, now, before)
    refreshed = last_refresh(found)
    coming = coming_run(connection, standing.status.flows, refreshed, now)
    proof = Proof(
        connection.environment,
        connection.connector,
        connection.id,
        now,
        connection.status,
        found,
        connection.token_expires_at,
        coming[0].id if coming else None,
        coming[1] if coming else None,
    )
    if coming is None:
        says = "No flow that uses it is on and scheduled: use it once by hand, then ask again."
    else:
        flow, due = coming
        until = f" to {due.latest:%H:%M}" if due.width > timedelta(minutes=1) else ""
        says = (
            f"Its witnesses are written down. {flow.display_name!r} runs next {due.earliest:%Y-%m-%d %H:%M}{until}"
            " UTC; ask again after that."
        )
    return Proven(
        proof, _with_date(Answer.BEGUN, says, connection, standing, now), coming[0] if coming else None
    )


async def _answered(
    platform: Platform,
    seen: Picture,
    standing: Standing,
    kept: Proof,
    connection: Connection,
    now: datetime,
    explain: Explain,
) -> Proven:
    flow = next((each for each in standing.status.flows if each.id == kept.flow), None)
    runs = await _runs(platform, seen, standing, flow, kept.begun_at)
    fault = explain(f"{connection.fault.code}: {connection.fault.message}") if connection.fault else ""
    answer, says = answered(kept, connection, runs, now, fault)
    told = _with_date(answer, says, connection, standing, now, kept)
    return Proven(replace(kept, answer=answer), told, flow)


async def _runs(
    platform: Platform, seen: Picture, standing: Standing, flow: Flow | None, since: datetime
) -> list[FlowRun] | None:
    if flow is None:
        return None
    place = seen.environments[str(standing.status.connection.environment)]
    try:
        return [run async for run in platform.runs(place, flow.id, since)]
    except CloudError:
        return None


def _with_date(
    answer: Answer,
    says: str,
    connection: Connection,
    standing: Standing,
    now: datetime,
    kept: Proof | None = None,
) -> Told:
    """With the witnesses as they are now, and the next break that they let us foresee."""
    earlier = kept.before if kept else standing.judgement.witnesses if standing.judgement else None
    found = witnesses(connection, now, earlier)
    verdict = None if answer is Answer.REFRESHED else standing.status.verdict
    known = Known(connection, found, None, verdict, now, standing.status.flows, True)
    dated = [each for each in forecast(known) if each.is_known]
    old = [h for h in (standing.judgement.horizons if standing.judgement else ()) if h.is_known]
    others = [each for each in old if each.cause not in {one.cause for one in dated} | {"token_inactive"}]
    ranked = sorted((*dated, *others), key=lambda each: each.sort_key())
    return Told(answer, says, found, ranked[0] if ranked else None)
