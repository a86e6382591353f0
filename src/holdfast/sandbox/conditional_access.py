"""Conditional Access: which policies meet a sign-in, what they demand, and what of it is missing (pure).

Policies are evaluated from their Graph objects, at every token request: what they refuse is refused, not revoked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from holdfast.sandbox import entra_errors as say
from holdfast.sandbox.entra_errors import TokenError
from holdfast.sandbox.first_party import DIRECTORY_ROLES
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import Account, Policy, RefreshToken, World

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

PLATFORM_ADDRESS = "20.86.93.32"
"""Where the platform's own refreshes come from."""
GRACE = timedelta(days=14)
EVERY_TIME = timedelta(minutes=5)


class Circumstances(NamedTuple):
    """How a sign-in or refresh is made.

    Attributes:
        device: "none", "compliant" or "joined".
        client_type: "browser" or "mobileAppsAndDesktopClients".
        is_interactive: the person is there, so that frequency and remembered proofs begin anew.
    """

    client_id: str
    resource_id: str
    ip_address: str = PLATFORM_ADDRESS
    client_type: str = "mobileAppsAndDesktopClients"
    device: str = "none"
    is_interactive: bool = False


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
    yield from sorted(found, key=lambda unmet: _ORDER.index(unmet.demand))


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


def frequency_of(policy: Policy) -> timedelta | None:
    """The sign-in frequency that the policy sets, None if it sets none."""
    frequency = (policy.session_controls or {}).get("signInFrequency") or {}
    if not frequency.get("isEnabled"):
        return None
    if frequency.get("frequencyInterval") == "everyTime":
        return EVERY_TIME
    value = frequency.get("value")
    unit = frequency.get("type")
    if not isinstance(value, int) or unit not in ("days", "hours"):
        return None
    return timedelta(days=value) if unit == "days" else timedelta(hours=value)


def demands_of(policy: Policy) -> list[str]:
    """The grant controls by name; every agreement counts as one demand of terms of use."""
    controls = policy.grant_controls or {}
    strength = ["mfa"] if controls.get("authenticationStrength") else []
    return [
        *controls.get("builtInControls", ()),
        *strength,
        *("termsOfUse" for _ in controls.get("termsOfUse", ())),
    ]


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


def meets_person(world: World, policy: Policy, account: Account, how: Circumstances) -> bool:
    """Whether the policy's conditions meet this person, application, place and kind of client."""
    users = policy.conditions.get("users") or {}
    if not users or not _names_person(users, account):
        return False
    return (
        _names_application(policy, how)
        and _names_place(world, policy, how.ip_address)
        and _names_client_type(policy, how.client_type)
        and not _needs_risk(policy)
    )


def _names_person(users: Mapping[str, Any], account: Account) -> bool:
    roles = {DIRECTORY_ROLES.get(role, role) for role in account.directory_roles}
    excluded = set(users.get("excludeUsers", ()))
    is_guest = account.user_type == "Guest"
    if account.object_id in excluded or roles & set(users.get("excludeRoles", ())):
        return False
    if is_guest and "GuestsOrExternalUsers" in excluded:
        return False
    included = set(users.get("includeUsers", ()))
    if "All" in included or account.object_id in included:
        return True
    return bool(roles & set(users.get("includeRoles", ()))) or (
        is_guest and "GuestsOrExternalUsers" in included
    )


def _names_application(policy: Policy, how: Circumstances) -> bool:
    applications = policy.conditions.get("applications") or {}
    meant = {how.resource_id, how.client_id}
    if meant & set(applications.get("excludeApplications", ())):
        return False
    included = set(applications.get("includeApplications", ()))
    return "All" in included or bool(meant & included)


def _names_place(world: World, policy: Policy, address: str) -> bool:
    places = policy.conditions.get("locations") or {}
    if not places:
        return True
    included, excluded = places.get("includeLocations", ()), places.get("excludeLocations", ())
    return _is_in(world, included, address) and not _is_in(world, excluded, address)


def _is_in(world: World, places: Sequence[str], address: str) -> bool:
    for place in places:
        if place == "All":
            return True
        if place == "AllTrusted":
            if any(one.is_trusted and _holds(one.ranges, address) for one in world.named_locations.values()):
                return True
        elif place in world.named_locations and _holds(world.named_locations[place].ranges, address):
            return True
    return False


def _holds(ranges: Sequence[str], address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network_of(one) for one in ranges)


@lru_cache(maxsize=1024)
def network_of(text: str) -> IPv4Network | IPv6Network:
    """An address range. Raises ValueError."""
    return ip_network(text, strict=False)


def _names_client_type(policy: Policy, client_type: str) -> bool:
    types = policy.conditions.get("clientAppTypes") or ["all"]
    return "all" in types or client_type in types


def _needs_risk(policy: Policy) -> bool:
    """Nobody in this tenant is ever at risk, so a policy that waits for risk meets nobody."""
    names = ("signInRiskLevels", "userRiskLevels", "servicePrincipalRiskLevels")
    return any(policy.conditions.get(name) for name in names)


def blocks_of_principal(world: World, principal_id: str, how: Circumstances) -> Iterator[Unmet]:
    """The policies for workloads that block this service principal."""
    for policy in world.policies.values():
        if (
            policy.state == "enabled"
            and "block" in demands_of(policy)
            and meets_principal(world, policy, principal_id, how)
        ):
            error = say.blocked([policy.id])
            yield Unmet("conditional_access_blocked", _since(policy), error, "block", policy)


def meets_principal(world: World, policy: Policy, principal_id: str, how: Circumstances) -> bool:
    """Whether a policy for workloads meets this service principal from this place."""
    principals = policy.conditions.get("clientApplications") or {}
    included = set(principals.get("includeServicePrincipals", ()))
    if principal_id in set(principals.get("excludeServicePrincipals", ())):
        return False
    if principal_id not in included and "ServicePrincipalsInMyTenant" not in included:
        return False
    return (
        _names_application(policy, how)
        and _names_place(world, policy, how.ip_address)
        and not _needs_risk(policy)
    )


def policy_rows(world: World, person: Person, how: Circumstances, now: datetime) -> list[dict[str, Any]]:
    """Every policy and its result, as the sign-in log shows them."""
    rows = []
    for policy in world.policies.values():
        matched = policy.state != "disabled" and meets_person(world, policy, person.account, how)
        unmet = [*_frequency(world, policy, person, how, now), *_grants(world, policy, person, how, now)]
        rows.append(_row(policy, matched, bool(unmet)))
    return rows


def policy_rows_of_principal(world: World, principal_id: str, how: Circumstances) -> list[dict[str, Any]]:
    """The same for a service principal."""
    return [
        _row(policy, policy.state != "disabled" and meets_principal(world, policy, principal_id, how), True)
        for policy in world.policies.values()
    ]


def _row(policy: Policy, matched: bool, is_unmet: bool) -> dict[str, Any]:
    return {
        "id": policy.id,
        "displayName": policy.display_name,
        "enforcedGrantControls": demands_of(policy) if matched else [],
        "enforcedSessionControls": ["signInFrequency"] if matched and frequency_of(policy) else [],
        "result": _result(policy, matched, is_unmet),
    }


def _result(policy: Policy, matched: bool, is_unmet: bool) -> str:
    if policy.state == "disabled":
        return "notEnabled"
    if policy.state == "enabled":
        return ("failure" if is_unmet else "success") if matched else "notApplied"
    if not matched:
        return "reportOnlyNotApplied"
    return "reportOnlyFailure" if is_unmet else "reportOnlySuccess"
