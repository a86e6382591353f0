"""What happened when the connection was last used: runs that failed though the platform may call it connected."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.core.finding import Act, End, Finding
from holdfast.core.verdict import NOT_CONNECTION, UNKNOWN
from holdfast.diagnosis.case import Case, Use
from holdfast.diagnosis.diagnose import diagnose
from holdfast.diagnosis.ends import SIGN_IN_CAUSES, end_of


def failed_in_use(case: Case) -> Iterator[Finding]:
    """The failed action of a flow's last run tells what the connection met with."""
    seen: set[str] = set()
    for use in case.uses or ():
        found = _finding(case, use)
        if found is not None and found.cause not in seen:
            seen.add(found.cause)
            yield found


def _finding(case: Case, use: Use) -> Finding | None:
    if not use.said:
        return None
    verdict = diagnose(use.said)[0]
    cause, at = verdict.cause.id, use.run.started_at
    if verdict.cause in (UNKNOWN, NOT_CONNECTION):
        return None
    if cause in SIGN_IN_CAUSES and case.let_through(at):
        return None  # it got a token since
    end = end_of(cause, case.seen_at - at if at else None)
    return Finding(
        "failed_in_use",
        verdict.because[0].code,
        f"Flow {use.flow.display_name!r} failed at {f'{at:%Y-%m-%d %H:%M} UTC' if at else 'its last run'}:"
        f" {verdict.because[0].quote}",
        cause,
        end,
        end is not End.PASSING,
        at,
        verdict.because,
        _act(case, cause),
        verdict.confidence,
    )


def _act(case: Case, cause: str) -> Act | None:
    """What several connections then have in common: their server, or their gateway."""
    connection = case.connection
    if cause == "gateway_offline" and connection.gateway:
        return Act(connection.gateway, "lost", f"gateway {connection.gateway}")
    servers = {o.server for f in case.flows for o in f.operations if o.server and o.server != "default"}
    server = connection.server or (servers.pop() if len(servers) == 1 else None)
    if cause in ("sql_firewall", "sql_database_unavailable", "network_or_tls") and server:
        return Act(f"{cause}/{server}", "closed", f"server {server}")
    return None


def unexplained(case: Case) -> Iterator[str]:
    """Where the platform's word and the runs contradict each other and nobody was allowed to ask why."""
    for use in case.uses or ():
        if use.said is None and case.connection.status == "Connected":
            at = f" at {use.run.started_at:%Y-%m-%d %H:%M} UTC" if use.run.started_at else ""
            token = (
                ", though it got a token then"
                if case.refreshed and use.run.started_at and case.refreshed.latest >= use.run.started_at
                else ""
            )
            yield (
                f"The platform says Connected, but flow {use.flow.display_name!r} failed{at}{token} and has not"
                " succeeded since; what its action met with, only a person who owns the flow may read."
            )
