"""From what was seen to what we conclude: each page of connections is judged as it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from holdfast.core.coverage import Sweep
from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Interval
from holdfast.core.identity import Principal, ServicePrincipal
from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import SQL_CONNECTORS, Connection, ConnectionId, Flow, FlowId
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy, DataPolicy
from holdfast.core.witness import Witness
from holdfast.diagnosis.case import Case, Use
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.diagnosis.judge import Conclusion, concluded
from holdfast.diagnosis.known import NOTHING_COMES_ROUND, Failing, Recurrences
from holdfast.ports import History
from holdfast.reading.accounts import Accounts
from holdfast.reading.changes import Changes
from holdfast.reading.credentials import candidates
from holdfast.reading.witnesses import last_refresh, witnesses
from holdfast.scan.owners import OwnerLog
from holdfast.scan.shown import SignInLog

WELL_DATED: Final = timedelta(days=2)
"""A last use that is known so well needs no look into the owner's log; a long access token blurs it by 28 hours."""

MOST_UNDATED: Final = 500
"""Held for the end of the scan; the rest wait for later ones."""

GONE: Final = "app_disabled_or_missing"

Read = Callable[[str, str], tuple[Evidence, ...]]
"""What a raw error text says, and where it was seen."""


@dataclass(frozen=True, slots=True)
class TenantDirectory:
    """What the directory says that bears on connections; None for what could not be read whole.

    Attributes:
        apps: by client id.
        policies: those that concern nobody yet among them.
        log: to be asked which key an application showed; None where it is not to be asked.
        owners: to be asked about owners of connections that were refused; likewise.
        passwords: by connection, from an imported table.
        kit: flows of the tenant from an imported table; None without one.
        former: applications that the look before saw in this tenant and this one does not, by client id.
    """

    apps: Mapping[str, ServicePrincipal] | None = None
    accounts: Accounts | None = None
    policies: tuple[AccessPolicy, ...] | None = None
    log: SignInLog | None = None
    principals: Mapping[str, Principal] | None = None
    changes: Changes | None = None
    data_policies: tuple[DataPolicy, ...] | None = None
    owners: OwnerLog | None = None
    passwords: Mapping[str, PasswordTerm] = field(default_factory=dict)
    kit: tuple[KitFlow, ...] | None = None
    recurrences: Recurrences = NOTHING_COMES_ROUND
    former: Mapping[str, ServicePrincipal] = field(default_factory=dict)


class Undated(NamedTuple):
    """A sign-in that works, and of which nothing tells well when it was last used."""

    case: Case
    bench: Bench
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Bench:
    """What every judgement of one part stands on.

    Attributes:
        directory: what is known of the whole tenant.
        before: the same part in the finished scan before this one, None if it was not read to its end.
        started_at: when this part was begun.
        flows: of the environment, by the connection that they hold.
        flows_read: whether all flows in its solutions were read.
        uses: runs that failed and did not succeed since, by flow; None where that was not looked at.
        unseen: flows of the environment with SQL that only an imported table knows; None without one.
        canvas: names of its canvas apps that name the connector; None where they were not read.
        undated: where connections are noted of which nothing tells when they were last used.
        flows_complete: whether all its flows were seen, also those outside solutions.
    """

    read: Read
    directory: TenantDirectory
    before: Sweep | None
    started_at: datetime
    flows: Mapping[ConnectionId, tuple[Flow, ...]] = field(default_factory=dict)
    flows_read: bool = False
    uses: Mapping[FlowId, Use] | None = None
    unseen: tuple[str, ...] | None = None
    canvas: tuple[str, ...] | None = None
    undated: list[Undated] = field(default_factory=list)
    flows_complete: bool = False


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
        case = case_of(connection, found, bench, shown, before)
        conclusion = concluded(case)
        if bench.directory.owners is not None and conclusion.in_doubt:
            case = await bench.directory.owners.asked(case, conclusion)
            conclusion = concluded(case)
        if conclusion.verdict is None and is_open(case) and len(bench.undated) < MOST_UNDATED:
            bench.undated.append(Undated(case, bench, seen_at))
        after = judge(case, seen_at, found, conclusion, bench)
        if after != before:
            judged.append(after)
    return judged


def is_open(case: Case) -> bool:
    """Whether nothing tells, or only roughly, when the sign-in of a person was last used."""
    if not case.is_person or case.connection.connector not in SQL_CONNECTORS:
        return False
    return case.refreshed is None or case.refreshed.width > WELL_DATED


def case_of(
    connection: Connection,
    found: Sequence[Witness],
    bench: Bench,
    shown: frozenset[str],
    before: Judgement | None = None,
) -> Case:
    """All that is known about one connection, and what an earlier look knew of an application that is not there now.

    Args:
        shown: ids of the keys that its application showed when it last got a token, where the log tells.
        before: what was concluded at the look before.
    """
    directory, fault = bench.directory, connection.fault
    former = directory.former.get(connection.client_id or "")
    # A later look finds neither the application nor that it was there; what was concluded then stands.
    was_found_gone = before is not None and before.verdict is not None and before.verdict.cause.id == GONE
    flows = bench.flows.get(connection.id, ())
    return Case(
        connection,
        bench.started_at,
        last_refresh(found),
        bench.read(f"{fault.code}: {fault.message}", "connection") if fault else (),
        directory.accounts,
        directory.apps,
        directory.principals,
        directory.policies,
        directory.changes,
        directory.data_policies,
        shown,
        flows=flows,
        uses=None
        if bench.uses is None
        else tuple(bench.uses[flow.id] for flow in flows if flow.id in bench.uses),
        was_registered=former is not None or was_found_gone,
        former_app=former,
    )


def judge(
    case: Case, seen_at: datetime, found: tuple[Witness, ...], conclusion: Conclusion, bench: Bench
) -> Judgement:
    """What we conclude about one connection, with what it is to be expected of it."""
    connection = case.connection
    password = bench.directory.passwords.get(connection.id)
    changed_at = _password_changed_at(case, password)
    horizons = forecast(
        Known(
            connection,
            found,
            bench.directory.apps,
            conclusion.verdict,
            seen_at,
            case.flows,
            bench.flows_read,
            bench.directory.policies or (),
            case.shown,
            password,
            changed_at,
            tuple(
                Failing(u.flow.display_name, u.run.started_at) for u in case.uses or () if u.run.started_at
            ),
            bench.unseen,
            bench.directory.recurrences,
            bench.canvas,
            bench.flows_complete,
        )
    )
    return Judgement(
        connection.environment,
        connection.connector,
        connection.id,
        conclusion.verdict,
        horizons,
        found,
        tuple(sorted(case.shown)),
        conclusion.findings,
        conclusion.conflicts,
        conclusion.is_lifted,
        changed_at,
    )


def _password_changed_at(case: Case, password: PasswordTerm | None) -> datetime | None:
    """When the password behind it was changed: of the synced account of a login, of a person only since the last use."""
    if password is not None:
        account = case.accounts.of_login(password.login) if case.accounts and password.login else None
        return account.password_changed_at if account else None
    account = case.account if case.is_person else None
    changed_at = account.password_changed_at if account else None
    is_newer = changed_at is not None and case.refreshed is not None and changed_at > case.refreshed.latest
    return changed_at if is_newer else None


async def _shown(
    connection: Connection,
    found: tuple[Witness, ...],
    before: Judgement | None,
    directory: TenantDirectory,
) -> frozenset[str]:
    """What the sign-in log tells of the key: asked once, and again only where something was put in since.

    It is asked only where several can be the one.
    """
    app = _app_of(connection, directory)
    refreshed = last_refresh(found)
    if app is None or refreshed is None:
        return frozenset()
    if before is not None and before.shown and _is_unchanged(connection, before.witnesses):
        remembered = frozenset(before.shown)
        if candidates(connection, app, refreshed, remembered):
            return remembered
    if directory.log is None:
        return frozenset()
    if len({secret.expires_at for secret in candidates(connection, app, refreshed)}) < 2:
        return frozenset()
    return await directory.log.keys(app.client_id, refreshed)


def _is_unchanged(connection: Connection, before: Sequence[Witness]) -> bool:
    """Whether nothing was put into the connection since it last got a token at the look before."""
    then = last_refresh(before)
    return then is not None and connection.modified_at is not None and connection.modified_at <= then.latest


def _app_of(connection: Connection, directory: TenantDirectory) -> ServicePrincipal | None:
    if directory.apps is None or connection.client_id is None:
        return None
    return directory.apps.get(connection.client_id)


def _key(connection: Connection) -> str:
    return f"{connection.connector}/{connection.id}"


def _looks(before: Sweep | None, seen_at: datetime) -> Interval | None:
    """Between which two looks something moved that had not moved at the first."""
    if before is None or not before.outcome.is_complete or before.started_at > seen_at:
        return None
    return Interval(before.started_at, seen_at)
