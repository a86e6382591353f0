"""Which connections can move to a service principal: small checks over what was looked at, each with its fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.core.directory import Account
from holdfast.core.inventory import (
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    SignIn,
)
from holdfast.core.judgement import Judgement
from holdfast.core.making import AppPolicy, FlowRow
from holdfast.core.operations import SqlOperation
from holdfast.core.policies import AccessPolicy, DataPolicy, PolicyState
from holdfast.migration.grants import DatabaseGrants, Place, Use, plan_grants

SQL: Final = "shared_sql"
SHORTEST_LIFE: Final = timedelta(days=7)
"""A secret that lives shorter has to be renewed before the move has been watched."""

CURED: Final = frozenset(
    {
        "account_deleted",
        "account_disabled",
        "account_locked",
        "bad_credentials",
        "conditional_access_blocked",
        "connection_missing_or_unshared",
        "consent_missing",
        "device_not_compliant",
        "mfa_required",
        "password_changed",
        "password_expired",
        "role_or_assignment_missing",
        "session_revoked",
        "signin_frequency",
        "sql_user_missing",
        "terms_of_use",
        "token_inactive",
    }
)
"""Causes that lie in a person's sign-in: they end with it."""

PASSING: Final = frozenset({"throttled", "service_transient", "sql_transient"})


class Grade(StrEnum):
    """How ready a connection is."""

    GO = "go"
    CARE = "go_with_care"
    NO = "no"


class Finding(NamedTuple):
    """A fact that blocks, or that a reviewer has to know.

    Attributes:
        fact: a stable word in snake_case.
        says: one sentence for people.
        blocks: whether the connection is left alone because of it.
        not_seen: nobody could look; a person may answer for it by the fact's name.
    """

    fact: str
    says: str
    blocks: bool = True
    not_seen: bool = False

    @property
    def reason(self) -> str:
        """As plans give it for what they leave alone."""
        return f"not_looked_at:{self.fact}" if self.not_seen else self.fact


class Readiness(NamedTuple):
    """What is known against moving a connection; the first finding that blocks decides."""

    grade: Grade
    blocking: Finding | None
    cares: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Moving:
    """A flow that holds the connection.

    Attributes:
        keys: of its connection map, those that lead to this connection.
        operations: what it does through this connection.
        row: as the operator reads it now, with its definition; None where it could not be read.
        trouble: what keeps its definition from being rewritten; None where nothing does.
    """

    flow: Flow
    keys: frozenset[str]
    operations: tuple[SqlOperation, ...]
    row: FlowRow | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One connection with all that was looked at; None for what could not be.

    Attributes:
        flows: those in solutions that hold it; `flows_read` whether all of them were seen.
        outside: names of flows outside solutions that hold it, where somebody who sees them scanned.
        references: those bound to it that these flows name.
        owner: the account behind the connection; None where the directory has none, or was not read.
        canvas_apps: all of its environment.
        sign_ins: names of the parameter sets that the connector offers there.
        app_policy: what the tenant forbids secrets.
        accepted: facts that somebody answers for.
        rewrites: whether definitions may be rewritten.
        roles: that a person chose for the database user.
        certificate: whether the application signs in with a certificate instead of a secret.
    """

    connection: Connection
    environment: Environment
    seen_at: datetime
    judgement: Judgement | None = None
    flows: tuple[Moving, ...] = ()
    flows_read: bool = False
    outside: tuple[str, ...] = ()
    references: tuple[ConnectionReference, ...] = ()
    owner: Account | None = None
    accounts_read: bool = False
    canvas_apps: tuple[CanvasApp, ...] | None = None
    access_policies: tuple[AccessPolicy, ...] | None = None
    data_policies: tuple[DataPolicy, ...] | None = None
    app_policy: AppPolicy | None = None
    sign_ins: frozenset[str] | None = None
    accepted: frozenset[str] = frozenset()
    rewrites: bool = False
    roles: tuple[str, ...] = ()
    certificate: bool = False

    @property
    def needs_rewriting(self) -> bool:
        """Whether definitions have to change: they leave server and database to the connection, or name it directly."""
        return self.connection.sign_in is SignIn.SQL_LOGIN or any(
            binding.key in moving.keys and not binding.reference
            for moving in self.flows
            for binding in moving.flow.bindings
        )

    @property
    def place(self) -> Place:
        """Where the connection itself points."""
        return Place(self.connection.server, self.connection.database)

    @property
    def grants(self) -> tuple[DatabaseGrants, ...]:
        """What its flows need."""
        return plan_grants(uses_of(self))


def uses_of(case: Case) -> Iterator[Use]:
    """Every operation through the connection, named by flow and path."""
    for moving in case.flows:
        for operation in moving.operations:
            yield Use(f"{moving.flow.display_name}: {operation.path}", operation, case.place)


Check = Callable[[Case], Finding | None]


def readiness(case: Case) -> Readiness:
    """Whether the connection can move, and what to mind."""
    cares = []
    for check in CHECKS:
        found = check(case)
        if found is None or (found.blocks and found.fact in case.accepted):
            continue
        if found.blocks:
            return Readiness(Grade.NO, found, ())
        cares.append(found)
    return Readiness(Grade.CARE if cares else Grade.GO, None, tuple(cares))


# --- what blocks -----------------------------------------------------------------------------------------


def _signs_in_as_a_person_or_login(case: Case) -> Finding | None:
    sign_in = case.connection.sign_in
    if sign_in in (SignIn.SERVICE_PRINCIPAL, SignIn.CERTIFICATE):
        return Finding("service_principal", "It is on a service principal already.")
    if sign_in is SignIn.UNKNOWN:
        return Finding("sign_in", "How it signs in is not told.", not_seen=True)
    if case.connection.gateway is not None:
        return Finding("gateway", "It goes through an on-premises gateway, which takes no service principal.")
    if sign_in is SignIn.WINDOWS:
        return Finding("windows", "It signs in as a Windows account, which Azure SQL does not take.")
    return None


def _is_of_the_sql_connector(case: Case) -> Finding | None:
    if case.connection.connector == SQL:
        return None
    says = f"How {case.connection.connector} signs in as a service principal is told by one source only."
    return Finding("connector", says, not_seen=True)


def _carries_flows(case: Case) -> Finding | None:
    if case.environment.dataverse_url is None:
        return Finding(
            "no_dataverse", "Its environment has no Dataverse, so its flows cannot be changed by program."
        )
    if not case.flows_read:
        return Finding("flows", "The flows of its environment could not all be read.", not_seen=True)
    if not case.flows:
        says = "No flow in a solution uses it. A flow outside solutions is not seen: its owner moves it into one."
        if case.outside:
            says = f"Its flows lie outside solutions ({_named(list(case.outside))}): their owners add them to one first."
        return Finding("no_flow", says)
    return None


def _flows_can_be_read(case: Case) -> Finding | None:
    for moving in case.flows:
        if not moving.flow.is_readable or moving.row is None:
            says = f"The definition of flow {moving.flow.display_name!r} could not be read."
            return Finding("definitions", says, not_seen=True)
    return None


def _has_no_first_version_operation(case: Case) -> Finding | None:
    for moving in case.flows:
        for operation in moving.operations:
            if operation.api_version == "v1":
                says = (
                    f"Flow {moving.flow.display_name!r} uses {operation.operation or operation.path!r}, an operation of"
                    " version 1, which takes no Entra sign-in: replace it with version 2."
                )
                return Finding("v1_operation", says)
    return None


def _may_be_rewritten(case: Case) -> Finding | None:
    if not case.needs_rewriting:
        return None
    if not case.rewrites:
        says = (
            "Its flows leave server and database to the connection, or name it without a reference, so their definitions"
            " have to change: plan with --rewrite-definitions."
        )
        return Finding("needs_rewriting", says)
    if case.connection.sign_in is SignIn.SQL_LOGIN and not (
        case.connection.server and case.connection.database
    ):
        return Finding("place", "Which server and database it names is not told.", not_seen=True)
    for moving in case.flows:
        if moving.flow.is_managed:
            says = (
                f"Flow {moving.flow.display_name!r} is part of a managed solution: rewrite it where it is developed, or the"
                " next deployment takes it back."
            )
            return Finding("managed_definition", says)
        if moving.trouble:
            says = f"Flow {moving.flow.display_name!r} cannot be rewritten: {moving.trouble}"
            return Finding("definition", says)
    return None


def _is_cured_by_moving(case: Case) -> Finding | None:
    verdict = case.judgement.verdict if case.judgement else None
    if verdict is None or verdict.cause.id in CURED | PASSING:
        return None
    says = (
        f"It is broken ({verdict.cause.title}), which a service principal does not heal: that comes first, see"
        f" `holdfast show {case.connection.id}`."
    )
    return Finding("broken", says)


def _has_decided_rights(case: Case) -> Finding | None:
    decisions = [decision for one in case.grants for decision in one.decisions]
    if not decisions or case.roles:
        return None
    first = decisions[0]
    more = f" (and {len(decisions) - 1} more)" if len(decisions) > 1 else ""
    says = (
        f"{first.action}: {first.sentence}{more}. A person decides: --grant-role ROLE, or --accept"
        " rights=NAME:REASON and grant by hand."
    )
    return Finding("rights", says)


def _has_a_place(case: Case) -> Finding | None:
    for one in case.grants:
        if (one.place.server is None or one.place.database is None) and not one.decisions:
            return Finding("place", "Which server and database its flows use is not told.", not_seen=True)
    if not any(one.place.server and one.place.database for one in case.grants):
        return Finding("place", "No flow tells a server and database in plain words.", not_seen=True)
    return None


def _is_offered(case: Case) -> Finding | None:
    if case.sign_ins is None:
        return Finding(
            "sign_ins", "Which sign-ins the connector offers there could not be read.", not_seen=True
        )
    offered = {name.casefold() for name in case.sign_ins}
    if ("certoauth" if case.certificate else "oauthsp") in offered:
        return None
    if "certoauth" in offered:
        says = "The connector offers service principals with a certificate only: plan with --certificate."
        return Finding("not_offered", says)
    kind = "certificates of service principals" if case.certificate else "service principal"
    return Finding("not_offered", f"The connector offers no {kind} in this environment or cloud.")


def _is_allowed_its_credential(case: Case) -> Finding | None:
    policy = case.app_policy
    if policy is None:
        return Finding("app_policy", "The tenant's app management policy could not be read.", not_seen=True)
    kind = "certificate" if case.certificate else "secret"
    if not case.certificate and not policy.allows_secrets:
        says = "The tenant's app management policy forbids new secrets: plan with --certificate."
        return Finding("secrets_forbidden", says)
    if case.certificate and not policy.allows_self_signed:
        says = "The tenant's app management policy takes certificates of named authorities only; holdfast's sign themselves."
        return Finding("self_signed_forbidden", says)
    longest = policy.longest_certificate if case.certificate else policy.longest_secret
    if longest is not None and longest < SHORTEST_LIFE:
        says = f"The tenant's app management policy lets a {kind} live {longest}, too short to move in."
        return Finding("life_too_short", says)
    return None


def _meets_no_policy_for_workloads(case: Case) -> Finding | None:
    """Policies for workload identities can only block; they name single principals or all of them."""
    if case.access_policies is None:
        says = "Whether a Conditional Access policy blocks service principals could not be read."
        return Finding("access_policies", says, not_seen=True)
    for policy in case.access_policies:
        if (
            policy.state is PolicyState.ENFORCED
            and "ServicePrincipalsInMyTenant" in policy.principals.included
        ):
            says = (
                f"The policy {policy.display_name!r} blocks every service principal of the tenant {_places(policy)}, and a new one"
                " cannot be left out of it before it is there: --accept workload_policy=NAME:REASON where Power Platform's"
                " addresses are not blocked."
            )
            return Finding("workload_policy", says)
    return None


def _places(policy: AccessPolicy) -> str:
    """From where a policy blocks, in words; named places are known by their ids only."""
    words = {"AllTrusted": "the trusted places"}
    included = policy.locations.included - {"All"}
    left_out = sorted(words.get(each, f"the place {each}") for each in policy.locations.excluded)
    from_ = ", ".join(sorted(words.get(each, f"the place {each}") for each in included)) or "everywhere"
    return f"from {from_}" + (f" but {', '.join(left_out)}" if left_out else "")


def _is_allowed_by_data_policies(case: Case) -> Finding | None:
    if case.data_policies is None:
        return Finding("data_policies", "The data policies could not be read.", not_seen=True)
    for policy in case.data_policies:
        forbidden = _forbidden(policy, case) if policy.concerns(case.environment.id) else ""
        if forbidden:
            says = f"The data policy {policy.display_name!r} forbids {forbidden} there."
            return Finding("data_policy", says)
    return None


def _forbidden(policy: DataPolicy, case: Case) -> str:
    connector = case.connection.connector
    if policy.group_of(connector) == "Blocked":
        return "the SQL connector"
    for one in case.grants:
        if one.place.server and not policy.allows_server(connector, one.place.server):
            return f"the server {one.place.server}"
    return ""


def _is_kept_from_canvas_apps(case: Case) -> Finding | None:
    """A canvas app hands a connection that can be shared to everybody who opens it."""
    if case.canvas_apps is None:
        return Finding("canvas_apps", "Which canvas apps there use SQL could not be read.", not_seen=True)
    naming = [app for app in case.canvas_apps if case.connection.connector in app.connectors]
    owner = case.connection.owner.id if case.connection.owner else None
    near = [app for app in naming if app.owner is not None and app.owner.id == owner]
    if case.connection.sign_in is SignIn.SQL_LOGIN and naming:
        near = naming
    if near:
        says = (
            f"The canvas app {near[0].display_name!r} names the SQL connector and may hold this connection: on a service"
            " principal it would hand that identity to everybody who opens it. --accept canvas_apps=NAME:REASON if it does"
            " not."
        )
        return Finding("canvas_apps", says)
    if naming:
        names = ", ".join(repr(app.display_name) for app in naming[:3])
        says = f"Canvas apps there name the SQL connector ({names}): the new connection must never be put into one"
        return Finding("canvas_apps_near", says, blocks=False)
    return None


# --- what to mind ----------------------------------------------------------------------------------------


def _is_managed(case: Case) -> Finding | None:
    managed = [moving.flow.display_name for moving in case.flows if moving.flow.is_managed]
    if not managed:
        return None
    says = (
        f"{_named(managed)} came with a managed solution: the next deployment binds as its deployment settings say, so put"
        " the new connection in there (`holdfast migrate after`)"
    )
    return Finding("managed", says, blocks=False)


def _may_meet_a_policy_for_workloads(case: Case) -> Finding | None:
    """One that only reports today."""
    for policy in case.access_policies or ():
        if (
            policy.state is PolicyState.REPORT_ONLY
            and "ServicePrincipalsInMyTenant" in policy.principals.included
        ):
            says = (
                f"The policy {policy.display_name!r} would block every service principal {_places(policy)} once it is enforced:"
                " leave the new one out of it then"
            )
            return Finding("workload_policy_reports", says, blocks=False)
    return None


def _polls(case: Case) -> Finding | None:
    polling = [
        moving.flow.display_name
        for moving in case.flows
        if any(operation.kind == "trigger" for operation in moving.operations)
    ]
    if not polling:
        return None
    says = (
        f"{_named(polling)} polls: if it is switched off and on meanwhile, what came in between is replayed"
    )
    return Finding("polling", says, blocks=False)


def _has_flows_outside(case: Case) -> Finding | None:
    if not case.outside:
        return None
    says = (
        f"{_named(list(case.outside))} lies outside solutions and stays on the old connection: its owner adds it to a"
        " solution, then scan and plan again"
    )
    return Finding("outside_solutions", says, blocks=False)


def _owner_left(case: Case) -> Finding | None:
    if not case.accounts_read:
        return Finding("owner_not_seen", "Whether its owner is still there could not be read", blocks=False)
    if case.owner is None or case.owner.is_enabled is False:
        says = (
            "Its owner has left: the new connection is shared with nobody until the flows have another owner"
        )
        return Finding("owner_left", says, blocks=False)
    return None


def _is_broken(case: Case) -> Finding | None:
    verdict = case.judgement.verdict if case.judgement else None
    if verdict is None:
        return None
    return Finding("broken_now", f"It is broken now ({verdict.cause.title})", blocks=False)


def _named(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


CHECKS: Final[tuple[Check, ...]] = (
    _signs_in_as_a_person_or_login,
    _is_of_the_sql_connector,
    _carries_flows,
    _flows_can_be_read,
    _has_no_first_version_operation,
    _is_cured_by_moving,
    _may_be_rewritten,
    _has_decided_rights,
    _has_a_place,
    _is_offered,
    _is_allowed_its_credential,
    _meets_no_policy_for_workloads,
    _is_allowed_by_data_policies,
    _is_kept_from_canvas_apps,
    _may_meet_a_policy_for_workloads,
    _is_managed,
    _polls,
    _has_flows_outside,
    _owner_left,
    _is_broken,
)
