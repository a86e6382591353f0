"""Policies of the tenant: Conditional Access, consent, and data policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from holdfast.core.directory import Change, SignInRecord
from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.finding import Act, Doer, End, Finding
from holdfast.core.identity import Principal
from holdfast.core.policies import AccessPolicy, DataPolicy, PolicyState
from holdfast.diagnosis.case import Case
from holdfast.diagnosis.checks.account import row_fact
from holdfast.diagnosis.policies import Hit, hits_of
from holdfast.reading.changes import (
    CONSENT_GIVEN,
    CONSENT_TAKEN,
    POLICY_SET,
    TERMS_ACCEPTED,
    Changes,
    act_of,
)
from holdfast.reading.sign_ins import CONNECTIONS_CLIENT

POLICY_REACH = "The policies as they are now; what was before, the audit log tells for 30 days."
LOG_REACH = "Sign-ins of the last 30 days at most, of all connections of the person together."
ORDER = (
    "signin_frequency",
    "conditional_access_blocked",
    "mfa_required",
    "device_not_compliant",
    "terms_of_use",
)
"""In which order unmet demands are believed to be answered (assumed: no recorded answer shows two)."""


def policies_refuse(case: Case) -> Iterator[Finding]:
    """Policies that stand since its last token demand what a connection cannot give."""
    found = [each for policy in case.policies or () for each in _refuses(case, policy)]
    if not found:
        return
    rank = {cause: number for number, cause in enumerate(ORDER)}
    yield from sorted(found, key=lambda each: rank.get(each.cause, len(ORDER)))


def _refuses(case: Case, policy: AccessPolicy) -> Iterator[Finding]:
    since = policy.modified_at or policy.created_at
    if policy.state is not PolicyState.ENFORCED or case.let_through(since):
        return
    principal = (case.principals or {}).get(case.connection.client_id or "")
    for hit in hits_of(policy, case.connection, principal.object_id if principal else ""):
        if hit.cause != "terms_of_use" or not _accepted(case, since):
            yield _refusal(case, policy, hit, since)


def _refusal(case: Case, policy: AccessPolicy, hit: Hit, since: datetime | None) -> Finding:
    refused = blocked_row(case, policy)
    facts = [_policy_fact(hit.because, hit.cause, since)]
    if refused is not None:
        facts.append(_row_fact(refused, policy, hit.cause))
    row = case.changes.latest(policy.id, POLICY_SET) if case.changes else None
    if row is not None:
        facts.append(row_fact(row, hit.cause))
    thing = f"policy {policy.display_name!r}"
    act = act_of(row, policy.id, thing) if row else Act(policy.id, "set", thing, since)
    is_revoked = hit.cause == "signin_frequency"
    tail = (
        "a new sign-in starts a new term"
        if is_revoked
        else "without the policy the old sign-in works again, unless it expired meanwhile"
    )
    return Finding(
        "policies_refuse",
        "PolicyRefuses",
        f"{hit.because.rstrip('.')}; {tail}.",
        hit.cause,
        End.EXPIRED if is_revoked else End.REFUSED,
        hit.is_certain or refused is not None,
        since,
        tuple(facts),
        act,
    )


def _accepted(case: Case, since: datetime | None) -> bool:
    rows = case.changes.to(case.person_id, TERMS_ACCEPTED) if case.changes else ()
    return any(since is None or row.at >= since for row in rows)


def blocked_row(case: Case, policy: AccessPolicy) -> SignInRecord | None:
    """The newest sign-in since the last token that this policy refused."""
    after = case.refreshed.latest if case.refreshed else None
    for row in case.sign_ins or ():
        if policy.id in row.blocked_by and row.code and (after is None or row.at > after):
            return row
    return None


def consent_taken(case: Case) -> Iterator[Finding]:
    """What was consented for the client that refreshes it was taken back."""
    if not case.is_person or case.changes is None:
        return
    told = {fact.details["application"].casefold() for fact in case.said if "application" in fact.details}
    everyone = case.principals or {}
    # Where no text names a client there is one to look at, among thousands, for each of 200,000 connections.
    for id in everyone if told else everyone.keys() & {CONNECTIONS_CLIENT}:
        client = everyone[id]
        is_named = id.casefold() in told
        row = _taken_from(client, case.changes) if is_named or id == CONNECTIONS_CLIENT else None
        if row is None or case.let_through(row.at):
            continue
        yield Finding(
            "consent_taken",
            "ConsentRemoved",
            f"Consent for {client.display_name} was taken back; consented again, the old sign-in works.",
            "consent_missing",
            End.REFUSED,
            is_named,
            row.at,
            (row_fact(row, "consent_missing"),),
            act_of(row, client.object_id, client.display_name),
        )


def _taken_from(client: Principal, changes: Changes) -> Change | None:
    """When consent for this client was taken back, unless it was given again; rows name clients in two ways."""
    taken, given = (
        [row for row in changes.of_kind(kind) if _concerns(row, client)]
        for kind in (CONSENT_TAKEN, CONSENT_GIVEN)
    )
    newest = max(taken, key=lambda row: row.at, default=None)
    return None if newest is None or any(row.at > newest.at for row in given) else newest


def _concerns(row: Change, client: Principal) -> bool:
    id = client.object_id.casefold()
    return client.display_name in row.target_names or any(each.casefold() == id for each in row.targets)


def data_policy_blocks(case: Case) -> Iterator[Finding]:
    """A data policy forbids the connector, its server or an operation of a flow in this environment."""
    for policy in case.data_policies or ():
        because = _forbids(case, policy)
        if because is None:
            continue
        fact = Evidence(
            EvidenceKind.DLP,
            "data_policy",
            f"data policy {policy.display_name!r} {because}",
            origin="data policies",
            at=policy.modified_at,
            causes=("dlp_blocked",),
            weight=0.95,
            reach="The data policies as they are now.",
        )
        by = Doer(user_principal_name=policy.modified_by) if policy.modified_by else None
        yield Finding(
            "data_policy_blocks",
            "DataPolicyBlocks",
            f"Data policy {policy.display_name!r} {because}; its flows are suspended, and stay so until somebody"
            " turns them on after the policy was changed.",
            "dlp_blocked",
            End.BLOCKED,
            since=policy.modified_at,
            evidence=(fact,),
            act=Act(policy.id, "set", f"data policy {policy.display_name!r}", policy.modified_at, by),
        )


def _forbids(case: Case, policy: DataPolicy) -> str | None:
    connection = case.connection
    if not policy.concerns(connection.environment):
        return None
    if policy.group_of(connection.connector) == "Blocked":
        return f"blocks the connector {connection.connector} here"
    if connection.server and not policy.allows_server(connection.connector, connection.server):
        return f"denies the server {connection.server}"
    return None


def _policy_fact(because: str, cause: str, since: datetime | None) -> Evidence:
    return Evidence(
        EvidenceKind.STATUS,
        "policy",
        because,
        origin="policies",
        at=since,
        causes=(cause,),
        weight=0.8,
        reach=POLICY_REACH,
    )


def _row_fact(row: SignInRecord, policy: AccessPolicy, cause: str) -> Evidence:
    return Evidence(
        EvidenceKind.AADSTS,
        f"AADSTS{row.code}",
        f"{row.at:%Y-%m-%d %H:%M} UTC: refused by {policy.display_name!r}: {row.reason}"[:200],
        origin="sign-in log",
        at=row.at,
        causes=(cause,),
        weight=0.95,
        reach=LOG_REACH,
        details={"correlation_id": row.correlation_id} if row.correlation_id else {},
    )
