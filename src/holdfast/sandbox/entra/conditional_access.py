"""Conditional Access: which policies meet a sign-in, what they demand, and what of it is missing (pure).

Policies are evaluated from their Graph objects, at every token request: what they refuse is refused, not revoked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.policy_conditions import (
    Circumstances,
    demands_of,
    frequency_of,
    meets_person,
    meets_principal,
)
from holdfast.sandbox.records.directory import Account
from holdfast.sandbox.records.policies import Policy
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

POLICIES_AT_REFRESH = Rule(
    "policies_are_evaluated_at_every_refresh",
    "A new or changed policy counts from the next token request; when it is gone, the same token works again.",
    Mark.DOCUMENTED,
    "power-automate conditional-access-and-multi-factor-authentication-in-flow.md @1901df9; entra-docs users-revoke-access @07d3251",
)
MFA_PROOF_LASTS = Rule(
    "a_second_factor_lasts_until_revoked",
    "A sign-in with a second factor satisfies MFA for as long as its tokens live, unless MFA is remembered for fewer days.",
    Mark.DOCUMENTED,
    "same article; entra-docs concepts-azure-multi-factor-authentication-prompts-session-lifetime @07cd7ac",
)
FREQUENCY_HITS_CONFIDENTIAL = Rule(
    "sign_in_frequency_hits_connections",
    "Sign-in frequency ends confidential clients' tokens too, with AADSTS70043.",
    Mark.ASSUMED,
    "seen for a server app (CIPP#1156); concept-session-lifetime @0039785 says it is deferred to the next interactive sign-in",
    flipped="For confidential clients sign-in frequency waits for the next interactive sign-in.",
)
PLATFORM_PLACE = Rule(
    "the_platform_refreshes_from_its_own_address",
    "Location conditions see the platform's address when it refreshes a connection's token, not the owner's.",
    Mark.ASSUMED,
    "inferred: the refresh is done by a service",
    flipped="Location conditions see the address of the owner.",
)
NO_DEVICE = Rule(
    "a_connection_has_no_device",
    "A refresh by the platform shows no device, so that a demand for one is never met.",
    Mark.ASSUMED,
    "inferred; entra-graph.md section 4.3",
)
ORDER = Rule(
    "order_of_policy_answers",
    "Sign-in frequency is answered first, then a block, MFA, devices, apps, terms of use.",
    Mark.ASSUMED,
    "no recorded answer shows two unmet demands",
    flipped="They are answered in the opposite order.",
)
WORKLOADS = Rule(
    "workload_policies_only_block",
    "A policy for service principals can block only, by location, and only applications registered in the tenant.",
    Mark.DOCUMENTED,
    "entra-docs conditional-access/workload-identity @03376f1",
)
SECURITY_DEFAULTS = Rule(
    "security_defaults_demand_mfa",
    "Under security defaults administrators need MFA at every request; others must have registered within 14 days.",
    Mark.ASSUMED,
    "entra-docs security-defaults (for administrators documented; when others are asked is not)",
)
RULES = (
    POLICIES_AT_REFRESH,
    MFA_PROOF_LASTS,
    FREQUENCY_HITS_CONFIDENTIAL,
    PLATFORM_PLACE,
    NO_DEVICE,
    ORDER,
    WORKLOADS,
    SECURITY_DEFAULTS,
)

GRACE = timedelta(days=14)


class Person(NamedTuple):
    """Who signs in, how he proved it ("pwd", "mfa" …), and whether the client is a confidential one."""

    account: Account
    methods: Sequence[str]
    signed_in_at: datetime
    is_confidential: bool


class Unmet(NamedTuple):
    """A demand that is not met. `policy` is None for per-user MFA and security defaults."""

    cause: str
    since: datetime | None
    error: TokenError
    demand: str
    policy: Policy | None = None


def person_of(world: World, token: RefreshToken) -> Person:
    """The person behind a refresh token."""
    account = world.accounts[token.account_id]
    return Person(account, token.methods, token.signed_in_at, "confidential" in token.token_class)


def unmet_demands(world: World, person: Person, how: Circumstances, now: datetime) -> Iterator[Unmet]:
    """Every demand that stands against this request, in the order in which Entra would answer."""
    found = [*_of_policies(world, person, how, now), *_of_account(world, person, how, now)]
    yield from sorted(found, key=lambda unmet: _ORDER.index(unmet.demand), reverse=not world.holds(ORDER))


_ORDER = (
    "signInFrequency",
    "block",
    "mfa",
    "compliantDevice",
    "domainJoinedDevice",
    "approvedApplication",
    "compliantApplication",
    "termsOfUse",
)


def _of_policies(world: World, person: Person, how: Circumstances, now: datetime) -> Iterator[Unmet]:
    for policy in world.policies.values():
        if policy.state == "enabled" and meets_person(world, policy, person.account, how):
            yield from _frequency(world, policy, person, how, now)
            yield from _grants(world, policy, person, how, now)


def _since(policy: Policy) -> datetime:
    return policy.modified_at or policy.created_at


def _frequency(
    world: World, policy: Policy, person: Person, how: Circumstances, now: datetime
) -> Iterator[Unmet]:
    limit = frequency_of(policy)
    if limit is None or how.is_interactive:
        return
    if person.is_confidential and not world.holds(FREQUENCY_HITS_CONFIDENTIAL):
        return
    ends = person.signed_in_at + limit
    if now >= ends:
        error = say.signed_in_too_long_ago(person.signed_in_at, limit)
        yield Unmet("signin_frequency", max(ends, _since(policy)), error, "signInFrequency", policy)


def _grants(
    world: World, policy: Policy, person: Person, how: Circumstances, now: datetime
) -> Iterator[Unmet]:
    demands = list(dict.fromkeys(demands_of(policy)))
    unmet = [found for demand in demands for found in _demand(world, policy, demand, person, how, now)]
    any_will_do = str((policy.grant_controls or {}).get("operator", "OR")).upper() == "OR"
    if any_will_do and len(unmet) < len(demands):
        return
    yield from unmet


def _demand(
    world: World, policy: Policy, demand: str, person: Person, how: Circumstances, now: datetime
) -> Iterator[Unmet]:
    since, named = _since(policy), [policy.id]
    if demand == "block":
        yield Unmet("conditional_access_blocked", since, say.blocked(named), demand, policy)
    elif demand == "mfa":
        yield from _mfa(world, person, how, now, since, named, policy)
    elif demand == "compliantDevice" and how.device != "compliant":
        yield Unmet("device_not_compliant", since, say.device_not_compliant(), demand, policy)
    elif demand == "domainJoinedDevice" and how.device != "joined":
        yield Unmet("device_not_compliant", since, say.device_not_joined(), demand, policy)
    elif demand == "approvedApplication":
        yield Unmet("device_not_compliant", since, say.app_not_approved(), demand, policy)
    elif demand == "compliantApplication":
        yield Unmet("device_not_compliant", since, say.app_not_protected(), demand, policy)
    elif demand == "termsOfUse" and not _accepted(policy, person.account):
        yield Unmet("terms_of_use", since, say.terms_not_accepted(), demand, policy)


def _accepted(policy: Policy, account: Account) -> bool:
    wanted = (policy.grant_controls or {}).get("termsOfUse", ())
    return all(agreement in account.accepted_terms for agreement in wanted)


def _mfa(
    world: World,
    person: Person,
    how: Circumstances,
    now: datetime,
    since: datetime,
    named: Sequence[str],
    policy: Policy | None,
) -> Iterator[Unmet]:
    remembered = world.remember_mfa_for
    if "mfa" not in person.methods:
        registered = bool(person.account.mfa_methods)
        error = (
            say.mfa_needed(how.resource_id, named)
            if registered
            else say.mfa_registration_needed(how.resource_id)
        )
        yield Unmet("mfa_required", since, error, "mfa", policy)
    elif remembered is not None and not how.is_interactive and now >= person.signed_in_at + remembered:
        ended = max(since, person.signed_in_at + remembered)
        yield Unmet("mfa_required", ended, say.mfa_expired(how.resource_id), "mfa", policy)


def _of_account(world: World, person: Person, how: Circumstances, now: datetime) -> Iterator[Unmet]:
    """Per-user MFA and security defaults, which no policy object states."""
    account = person.account
    if account.per_user_mfa in ("enabled", "enforced"):
        since = account.mfa_required_since or account.created_at
        yield from _mfa(world, person, how, now, since, (), None)
    started = world.security_defaults_since
    if started is not None:
        is_administrator = bool(account.directory_roles)
        if is_administrator:
            yield from _mfa(world, person, how, now, started, (), None)
        elif not account.mfa_methods and now >= started + GRACE:
            error = say.mfa_registration_needed(how.resource_id)
            yield Unmet("mfa_required", started + GRACE, error, "mfa")


def blocks_of_principal(world: World, principal_id: str, how: Circumstances) -> Iterator[Unmet]:
    """The policies for workloads that block this service principal."""
    for policy in world.policies.values():
        is_met = policy.state == "enabled" and meets_principal(world, policy, principal_id, how)
        if is_met and "block" in demands_of(policy):
            error = say.blocked([policy.id])
            yield Unmet("conditional_access_blocked", _since(policy), error, "block", policy)


def policy_results(world: World, person: Person, how: Circumstances, now: datetime) -> dict[str, str]:
    """The results of the policies whose conditions a person's request meets, by id, as the sign-in log words them."""
    results = {}
    for policy in world.policies.values():
        if policy.state != "disabled" and meets_person(world, policy, person.account, how):
            unmet = [*_frequency(world, policy, person, how, now), *_grants(world, policy, person, how, now)]
            results[policy.id] = _result(policy, bool(unmet))
    return results


def policy_results_of_principal(world: World, principal_id: str, how: Circumstances) -> dict[str, str]:
    """The same for a service principal, which a policy can only block."""
    return {
        policy.id: _result(policy, "block" in demands_of(policy))
        for policy in world.policies.values()
        if policy.state != "disabled" and meets_principal(world, policy, principal_id, how)
    }


def _result(policy: Policy, is_unmet: bool) -> str:
    if policy.state == "enabled":
        return "failure" if is_unmet else "success"
    return "reportOnlyFailure" if is_unmet else "reportOnlySuccess"
