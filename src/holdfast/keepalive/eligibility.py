"""Whom a keep-alive flow helps, whom not, and why: small checks in order, the first that answers decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.core.directory import Account
from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.inventory import Connection, Environment, Flow, SignIn
from holdfast.core.judgement import Judgement
from holdfast.core.operations import SqlOperation
from holdfast.core.plan import LABEL
from holdfast.core.policies import AccessPolicy, DataPolicy, PolicyState
from holdfast.diagnosis.known import NOTHING_COMES_ROUND, Recurrences
from holdfast.diagnosis.policies import hits_of
from holdfast.diagnosis.usage import GRACE, is_kept_alive
from holdfast.reading.schedules import longest_gap
from holdfast.reading.witnesses import last_refresh

QUERY: Final = "ExecutePassThroughNativeQuery_V2"
ROWS: Final = "GetItems_V2"
SQL: Final = "shared_sql"
PASSING: Final = frozenset({"throttled", "service_transient", "sql_transient", "sql_database_unavailable"})
"""Causes that go away by themselves; the sign-in behind the connection is whole."""


class Kind(StrEnum):
    """What keeping alive would be for a connection."""

    YES = "yes"
    NOT_NEEDED = "not_needed"
    CANNOT_HELP = "cannot_help"
    WOULD_COST = "would_cost"
    NOT_LOOKED_AT = "not_looked_at"


class Answer(NamedTuple):
    """Whether a keep-alive flow helps.

    Attributes:
        reason: a stable word in snake_case.
        says: one sentence for people.
    """

    kind: Kind
    reason: str
    says: str


class Target(NamedTuple):
    """What the keep-alive query is asked of.

    Attributes:
        server: "default" where the connection itself holds it; `database` likewise.
        table: for connections through a gateway, which run no query: a table to read one row of.
    """

    server: str
    database: str
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One connection with all that was looked at; None for what could not be.

    Attributes:
        flows: those that hold it; `flows_read` whether all in solutions of its environment were seen.
        account: of its owner; None where the directory has none.
        accounts_read: whether the directory's accounts were read at all.
        target: where to run the query; None where no flow and no choice tells.
        accepted: facts that somebody answers for though nobody could look, and costs that somebody takes.
        invoked: whether flows name it and take the connection of whoever runs them instead.
        is_serverless: whether its database pauses when nothing uses it, as somebody said.
        is_shared: whether the operator may use it; None where nobody looked.
        owner_is_user: whether its owner is a user of the environment's Dataverse; None where nobody looked.
        recurrences: what comes round for everybody who signed in, by the settings.
        planned: the plan that is at work for it already; empty for none.
    """

    connection: Connection
    environment: Environment
    seen_at: datetime
    judgement: Judgement | None = None
    flows: tuple[Flow, ...] = ()
    flows_read: bool = False
    account: Account | None = None
    accounts_read: bool = False
    access_policies: tuple[AccessPolicy, ...] | None = None
    data_policies: tuple[DataPolicy, ...] | None = None
    target: Target | None = None
    accepted: frozenset[str] = frozenset()
    invoked: bool = False
    is_serverless: bool = False
    is_shared: bool | None = None
    owner_is_user: bool | None = None
    recurrences: Recurrences = NOTHING_COMES_ROUND
    planned: str = ""

    @property
    def operation(self) -> str:
        """The connector's operation that the keep-alive flow would use."""
        return ROWS if self.target is not None and self.target.table is not None else QUERY


Check = Callable[[Case], Answer | None]


ACCEPTABLE: Final = frozenset(
    {
        "access_policies",
        "connector",
        "data_policies",
        "dataverse_user",
        "flows",
        "invoker_only",
        "owner",
        "serverless",
        "sign_in_unknown",
    }
)
"""What somebody can answer for: facts that nobody could look at, and costs. What was seen to be impossible nobody can,
and where to run the query has to be said."""


def eligibility(case: Case) -> Answer:
    """Whether a keep-alive flow helps this connection."""
    for check in CHECKS:
        answer = check(case)
        if answer is not None and answer.reason not in ACCEPTABLE & case.accepted:
            return answer
    return Answer(Kind.YES, "idle_if_unused", "Its sign-in ends 90 days after its last use.")


def _has_a_refresh_token(case: Case) -> Answer | None:
    sign_in = case.connection.sign_in
    if sign_in.has_refresh_token:
        return None
    if sign_in is SignIn.UNKNOWN:
        return Answer(Kind.NOT_LOOKED_AT, "sign_in_unknown", "How it signs in is not told.")
    words = {
        SignIn.SERVICE_PRINCIPAL: "a service principal",
        SignIn.CERTIFICATE: "a certificate",
        SignIn.SQL_LOGIN: "a SQL login",
        SignIn.WINDOWS: "a Windows account",
    }[sign_in]
    return Answer(
        Kind.CANNOT_HELP, "no_refresh_token", f"It signs in as {words}: nothing of it ends by being unused."
    )


def _is_of_a_connector_with_a_query(case: Case) -> Answer | None:
    if case.connection.connector == SQL:
        return None
    says = f"The operations of {case.connection.connector} are told by one source only."
    return Answer(Kind.NOT_LOOKED_AT, "connector", says)


def _works(case: Case) -> Answer | None:
    verdict = case.judgement.verdict if case.judgement else None
    if verdict is None or verdict.cause.id in PASSING:
        return None
    says = (
        f"It is broken ({verdict.cause.title}): that comes first, see `holdfast show {case.connection.id}`."
    )
    return Answer(Kind.CANNOT_HELP, "broken", says)


def _has_an_owner(case: Case) -> Answer | None:
    if not case.accounts_read:
        return Answer(Kind.NOT_LOOKED_AT, "owner", "Whether its owner's account is there could not be read.")
    if case.account is None:
        return Answer(Kind.CANNOT_HELP, "owner_gone", "Its owner is no longer in the directory.")
    if case.account.is_enabled is False:
        return Answer(Kind.CANNOT_HELP, "owner_disabled", "Its owner's account is disabled.")
    return None


def _has_none_of_ours(case: Case) -> Answer | None:
    """One flow of ours is enough, and one that is off is to be switched on, not doubled."""
    for flow in case.flows:
        if flow.display_name.startswith(LABEL):
            state = "uses it already" if flow.is_on else "is off: switch it on"
            return Answer(Kind.NOT_NEEDED, "deployed", f"The keep-alive flow {flow.display_name!r} {state}.")
    if case.planned:
        says = (
            f"The plan {case.planned} is at it: apply that one again, or undo it first; `holdfast keepalive status` tells"
            " where it stands."
        )
        return Answer(Kind.NOT_NEEDED, "planned", says)
    return None


def _has_dataverse(case: Case) -> Answer | None:
    if case.environment.dataverse_url is not None:
        return None
    says = "Its environment has no Dataverse, so no flow can be made there by program."
    return Answer(Kind.CANNOT_HELP, "no_dataverse", says)


def _meets_no_hard_limit(case: Case) -> Answer | None:
    if case.access_policies is None:
        says = "Whether a policy limits how old its sign-in may be could not be read."
        return Answer(Kind.NOT_LOOKED_AT, "access_policies", says)
    for policy in case.access_policies:
        for hit in hits_of(policy, case.connection) if policy.state is PolicyState.ENFORCED else ():
            limit, says = _limit(hit.cause, policy, case.recurrences)
            # What comes after the 90 days is no reason to let it go idle before.
            if limit is None or limit >= REFRESH_TOKEN_IDLE_LIMIT or _outlived(case, policy, limit):
                continue
            return Answer(Kind.CANNOT_HELP, hit.cause, f"Use cannot extend it: {hit.because}{says}")
    return None


def _limit(cause: str, policy: AccessPolicy, recurrences: Recurrences) -> tuple[timedelta | None, str]:
    """How long a sign-in lasts that meets the policy's demand, None where for good; and where that is told."""
    if cause == "signin_frequency":
        return policy.sign_in_frequency, ""
    by_setting = {
        "mfa_required": (recurrences.remember_mfa, "remember_mfa"),
        "terms_of_use": (recurrences.terms, "terms_of_use"),
    }
    limit, setting = by_setting.get(cause, (None, ""))
    return limit, f" It comes round every {limit.days} days ({setting} in the settings)." if limit else ""


def _outlived(case: Case, policy: AccessPolicy, limit: timedelta) -> bool:
    """Whether a witness shows a refresh when the sign-in was too old by the policy, which stood by then."""
    refreshed = last_refresh(case.judgement.witnesses) if case.judgement else None
    made, changed = case.connection.created_at, case.connection.modified_at
    since = policy.modified_at or policy.created_at
    if refreshed is None or made is None or changed is None or since is None:
        return False
    return refreshed.earliest > max(made, changed) + limit and refreshed.earliest > since


def _is_used_too_seldom(case: Case) -> Answer | None:
    """Its own flows keep it, and a witness shows that they do."""
    refreshed = last_refresh(case.judgement.witnesses) if case.judgement else None
    if refreshed is None:
        return None
    for flow in case.flows:
        if not is_kept_alive([flow]) or flow.recurrence is None:
            continue
        if case.seen_at - refreshed.latest <= 2 * longest_gap(flow.recurrence) + GRACE:
            says = f"Flow {flow.display_name!r} uses it often enough; last refreshed {refreshed.latest:%Y-%m-%d}."
            return Answer(Kind.NOT_NEEDED, "kept_alive", says)
    return None


def _is_held_by_a_flow(case: Case) -> Answer | None:
    """A flow with a connection of its invoker's uses none of its own."""
    if not case.invoked or case.flows:
        return None
    says = (
        "The flows that name it use the connection of whoever runs them, and no flow that was seen uses this one;"
        " flows outside solutions and apps were not seen."
    )
    return Answer(Kind.NOT_LOOKED_AT, "invoker_only", says)


def _has_an_owner_in_dataverse(case: Case) -> Answer | None:
    """Where we may not switch the flow on its owner has to, and can only own it as a user there."""
    if case.owner_is_user is False:
        says = (
            "Its owner is no user of the environment's Dataverse, so nobody can be handed the flow: give the person a"
            " security role there."
        )
        return Answer(Kind.CANNOT_HELP, "no_dataverse_user", says)
    if case.owner_is_user is None:
        says = "Whether its owner is a user of the environment's Dataverse could not be read."
        return Answer(Kind.NOT_LOOKED_AT, "dataverse_user", says)
    return None


def _does_not_wake_a_database(case: Case) -> Answer | None:
    if not case.is_serverless:
        return None
    says = "Its database pauses when nothing uses it; each run would wake it, for which Azure bills an hour or more."
    return Answer(Kind.WOULD_COST, "serverless", says)


def _its_flows_were_seen(case: Case) -> Answer | None:
    """Else one of ours may be there already."""
    if case.flows_read:
        return None
    says = (
        "The flows in its environment's solutions could not be read: one of them may keep it alive already."
    )
    return Answer(Kind.NOT_LOOKED_AT, "flows", says)


def _has_a_target(case: Case) -> Answer | None:
    if case.target is None:
        says = (
            "No flow tells a server and database in plain words: name them with"
            f" --target {case.connection.id}=SERVER/DATABASE."
        )
        return Answer(Kind.NOT_LOOKED_AT, "target", says)
    if case.connection.gateway is not None and case.target.table is None:
        says = "It goes through a gateway, which runs no query, and no flow tells a table to read a row of."
        return Answer(Kind.CANNOT_HELP, "gateway", says)
    return None


def _is_allowed_by_data_policies(case: Case) -> Answer | None:
    if case.data_policies is None:
        return Answer(Kind.NOT_LOOKED_AT, "data_policies", "The data policies could not be read.")
    for policy in case.data_policies:
        if not policy.concerns(case.environment.id):
            continue
        forbidden = _forbids(policy, case)
        if forbidden:
            says = f"The data policy {policy.display_name!r} forbids {forbidden} there."
            return Answer(Kind.CANNOT_HELP, "data_policy", says)
    return None


def _forbids(policy: DataPolicy, case: Case) -> str:
    connector = case.connection.connector
    if policy.group_of(connector) == "Blocked":
        return "the SQL connector"
    if not policy.allows_operation(connector, case.operation):
        return f"the operation {case.operation}"
    server = case.target.server if case.target else "default"
    if server == "default":
        server = case.connection.server or ""
    if server and not policy.allows_server(connector, server):
        return f"the server {server}"
    return ""


CHECKS: Final[tuple[Check, ...]] = (
    _has_a_refresh_token,
    _is_of_a_connector_with_a_query,
    _works,
    _has_an_owner,
    _meets_no_hard_limit,
    _has_none_of_ours,
    _is_used_too_seldom,
    _is_held_by_a_flow,
    _has_dataverse,
    _its_flows_were_seen,
    _has_a_target,
    _is_allowed_by_data_policies,
    _does_not_wake_a_database,
    _has_an_owner_in_dataverse,
)


def target_of(connection: Connection, operations: Sequence[SqlOperation]) -> Target | None:
    """Where its flows ask, if they say so in plain words; the place that most of them name."""
    if connection.server is not None or connection.sign_in in (SignIn.SQL_LOGIN, SignIn.WINDOWS):
        table = next((op.object for op in operations if op.object and op.operation == ROWS), None)
        return Target("default", "default", table if connection.gateway else None)
    places = [
        (op.server, op.database)
        for op in operations
        if op.server and op.database and "default" not in (op.server, op.database)
    ]
    if not places:
        return None
    return Target(*max(dict.fromkeys(places), key=places.count))
