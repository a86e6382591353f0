"""From what was seen to what we conclude: each page of connections is judged as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.core.coverage import Sweep
from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Interval
from holdfast.core.identity import ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionId, Flow
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy
from holdfast.core.verdict import NOT_CONNECTION, Verdict
from holdfast.core.witness import Witness
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.ports import History
from holdfast.reading.accounts import Accounts, account_evidence
from holdfast.reading.credentials import candidates, dead_credential_evidence
from holdfast.reading.witnesses import idle_evidence, last_refresh, witnesses
from holdfast.scan.shown import SignInLog

Diagnose = Callable[[Connection, Sequence[Evidence]], Verdict | None]
"""The verdict on a connection from its recorded fault and further evidence; None where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class TenantDirectory:
    """What the directory says that bears on connections; None for what could not be read whole.

    Attributes:
        apps: by client id.
        policies: those that concern nobody yet among them.
        log: to be asked which key an application showed; None where it is not to be asked.
    """

    apps: Mapping[str, ServicePrincipal] | None = None
    accounts: Accounts | None = None
    policies: tuple[AccessPolicy, ...] | None = None
    log: SignInLog | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What every judgement of one part stands on.

    Attributes:
        directory: what is known of the whole tenant.
        before: the same part in the finished scan before this one, None if it was not read to its end.
        started_at: when this part was begun.
        flows: of the environment, by the connection that they hold.
        flows_read: whether all flows in its solutions were read.
    """

    diagnose: Diagnose
    directory: TenantDirectory
    before: Sweep | None
    started_at: datetime
    flows: Mapping[ConnectionId, tuple[Flow, ...]] = field(default_factory=dict)
    flows_read: bool = False


async def judge_page(
    history: History, tenant: str, bench: Bench, page: Sequence[Connection], seen_at: datetime
) -> list[Judgement]:
    """What we conclude about the connections of one page of one environment, where it is new."""
    earlier = await history.lookup(tenant, Judgement, page[0].environment, [_key(each) for each in page])
    judged = []
    for connection in page:
        before = earlier.get(_key(connection))
        looks = _looks(bench.before, seen_at)
        found = witnesses(connection, seen_at, before.witnesses if before else None, looks)
        shown = await _shown(connection, found, before, bench.directory)
        after = judge(connection, seen_at, found, bench, shown)
        if after != before:
            judged.append(after)
    return judged


def judge(
    connection: Connection,
    seen_at: datetime,
    found: tuple[Witness, ...],
    bench: Bench,
    shown: frozenset[str] = frozenset(),
) -> Judgement:
    """What we conclude about one connection from its witnesses and all that stands around it.

    Args:
        shown: ids of the keys that its application showed when it last got a token, where the log tells.
    """
    verdict = _verdict(connection, found, bench, shown)
    flows = bench.flows.get(connection.id, ())
    directory = bench.directory
    horizons = forecast(
        Known(
            connection,
            found,
            directory.apps,
            verdict,
            seen_at,
            flows,
            bench.flows_read,
            directory.policies or (),
            shown,
        )
    )
    return Judgement(
        connection.environment,
        connection.connector,
        connection.id,
        verdict,
        horizons,
        found,
        tuple(sorted(shown)),
    )


async def _shown(
    connection: Connection,
    found: tuple[Witness, ...],
    before: Judgement | None,
    directory: TenantDirectory,
) -> frozenset[str]:
    """What the sign-in log tells of the key, asked once per token and only where several can be the one."""
    if before is not None and before.shown and before.witnesses[:1] == found[:1]:
        return frozenset(before.shown)
    app = _app_of(connection, directory)
    refreshed = last_refresh(found)
    if app is None or refreshed is None or directory.log is None:
        return frozenset()
    if len({secret.expires_at for secret in candidates(connection, app, refreshed)}) < 2:
        return frozenset()
    return await directory.log.keys(app.client_id, refreshed)


def _app_of(connection: Connection, directory: TenantDirectory) -> ServicePrincipal | None:
    if directory.apps is None or connection.client_id is None:
        return None
    return directory.apps.get(connection.client_id)


def _key(connection: Connection) -> str:
    return f"{connection.connector}/{connection.id}"


def _verdict(
    connection: Connection, found: Sequence[Witness], bench: Bench, shown: frozenset[str]
) -> Verdict | None:
    further = list(_further_evidence(connection, found, bench, shown))
    if not further and connection.fault is None:
        return None
    verdict = bench.diagnose(connection, further)
    return None if verdict is None or verdict.cause == NOT_CONNECTION else verdict


def _further_evidence(
    connection: Connection, found: Sequence[Witness], bench: Bench, shown: frozenset[str]
) -> Iterator[Evidence]:
    """What speaks of a break besides the recorded fault."""
    refreshed = last_refresh(found)
    if connection.sign_in.has_refresh_token and (idle := idle_evidence(refreshed, bench.started_at)):
        yield idle
    accounts = bench.directory.accounts
    if accounts is not None and (ends := account_evidence(connection, accounts, refreshed, bench.started_at)):
        yield ends
    app = _app_of(connection, bench.directory)
    if app is not None:
        possible = candidates(connection, app, refreshed, shown)
        if dead := dead_credential_evidence(app, possible, bench.started_at):
            yield dead


def _looks(before: Sweep | None, seen_at: datetime) -> Interval | None:
    """Between which two looks something moved that had not moved at the first."""
    if before is None or not before.outcome.is_complete or before.started_at > seen_at:
        return None
    return Interval(before.started_at, seen_at)
