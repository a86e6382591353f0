"""From what was seen to what we conclude: each connection that a scan saw is judged, in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.coverage import CONNECTIONS, SERVICE_PRINCIPALS, Outcome, ScanRecord, Sweep
from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Interval
from holdfast.core.identity import ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionId, Flow
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import NOT_CONNECTION, Verdict
from holdfast.core.witness import Witness
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.ports import History
from holdfast.reading.credentials import candidates, dead_credential_evidence
from holdfast.reading.witnesses import idle_evidence, last_refresh, witnesses
from holdfast.scan.carried import carried, flows_were_read
from holdfast.scan.part import CloudTime

BATCH = 500

Diagnose = Callable[[Connection, Sequence[Evidence]], Verdict | None]
"""The verdict on a connection from its recorded fault and further evidence; None where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every judgement of one scan stands on.

    Attributes:
        apps: by client id; None where the directory could not be read whole.
        before: the finished scan before this one, None if this is the first.
    """

    diagnose: Diagnose
    apps: Mapping[str, ServicePrincipal] | None
    now: ScanRecord
    before: ScanRecord | None


async def judge_all(
    tenant: str,
    history: History,
    diagnose: Diagnose,
    now: ScanRecord,
    before: ScanRecord | None,
    time: CloudTime,
) -> int:
    """Judge every connection of the parts that this scan read; how many judgements were new."""
    directory = now.sweep_of("", SERVICE_PRINCIPALS)
    apps = None
    if directory is not None and directory.outcome is Outcome.SCANNED:
        apps = {app.client_id: app async for app in history.current(tenant, ServicePrincipal)}
    bench = Bench(diagnose, apps, now, before)
    read = [sweep.environment for sweep in now.sweeps if _has_connections(sweep)]
    new = 0
    for environment in dict.fromkeys(read):
        flows = await carried(history, tenant, environment)
        batch: list[Connection] = []
        async for connection in history.current(tenant, Connection, environment):
            batch.append(connection)
            if len(batch) == BATCH:
                new += await _judge(tenant, history, bench, batch, flows, time)
                batch = []
        new += await _judge(tenant, history, bench, batch, flows, time)
    return new


def judge(
    connection: Connection,
    sweep: Sweep,
    earlier: Judgement | None,
    bench: Bench,
    flows: tuple[Flow, ...] = (),
) -> Judgement:
    """What we conclude about one connection.

    Args:
        sweep: the part of this scan in which it was seen.
        earlier: the judgement of the look before.
        flows: those that hold it.
    """
    seen_at = sweep.ended_at
    found = witnesses(
        connection, seen_at, earlier.witnesses if earlier else None, _looks(sweep, bench.before)
    )
    verdict = _verdict(connection, found, sweep, bench)
    flows_read = flows_were_read(bench.now, connection.environment)
    horizons = forecast(Known(connection, found, bench.apps, verdict, seen_at, flows, flows_read))
    return Judgement(connection.environment, connection.connector, connection.id, verdict, horizons, found)


async def _judge(
    tenant: str,
    history: History,
    bench: Bench,
    batch: Sequence[Connection],
    flows: Mapping[ConnectionId, tuple[Flow, ...]],
    time: CloudTime,
) -> int:
    if not batch:
        return 0
    keys = [f"{connection.connector}/{connection.id}" for connection in batch]
    earlier = await history.lookup(tenant, Judgement, batch[0].environment, keys)
    judged = []
    for key, connection in zip(keys, batch, strict=True):
        sweep = bench.now.sweep_of(connection.environment, f"{CONNECTIONS}:{connection.connector}")
        if sweep is not None and _has_connections(sweep):
            held = flows.get(connection.id, ())
            judged.append(judge(connection, sweep, earlier.get(key), bench, held))
    return await history.observe(bench.now.id, time.now(), judged)


def _verdict(connection: Connection, found: Sequence[Witness], sweep: Sweep, bench: Bench) -> Verdict | None:
    further: list[Evidence | None] = []
    if connection.sign_in.has_refresh_token:
        further.append(idle_evidence(last_refresh(found), sweep.started_at))
    app = bench.apps.get(connection.client_id or "") if bench.apps is not None else None
    if app is not None:
        possible = candidates(connection, app, last_refresh(found))
        further.append(dead_credential_evidence(app, possible, sweep.started_at))
    evidence = [piece for piece in further if piece is not None]
    if not evidence and connection.fault is None:
        return None
    verdict = bench.diagnose(connection, evidence)
    return None if verdict is None or verdict.cause == NOT_CONNECTION else verdict


def _looks(sweep: Sweep, before: ScanRecord | None) -> Interval | None:
    then = before.sweep_of(sweep.environment, sweep.part) if before else None
    if then is None or not then.outcome.is_complete or then.started_at > sweep.ended_at:
        return None
    return Interval(then.started_at, sweep.ended_at)


def _has_connections(sweep: Sweep) -> bool:
    return sweep.part.startswith(f"{CONNECTIONS}:") and sweep.outcome in (Outcome.SCANNED, Outcome.PARTIAL)
