"""Whom a Conditional Access policy meets, and what it says (pure): its Graph object, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from holdfast.sandbox.entra.first_party import DIRECTORY_ROLES
from holdfast.sandbox.records.directory import Account
from holdfast.sandbox.records.policies import Policy
from holdfast.sandbox.world import World

PLATFORM_ADDRESS = "20.86.93.32"
"""Where the platform's own refreshes come from."""
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
    return _is_among(users, "include", account) and not _is_among(users, "exclude", account)


def _is_among(users: Mapping[str, Any], side: str, account: Account) -> bool:
    named = users.get(f"{side}Users", ())
    if account.object_id in named or "All" in named:
        return True
    if account.user_type == "Guest" and "GuestsOrExternalUsers" in named:
        return True
    roles = users.get(f"{side}Roles", ())
    return any(DIRECTORY_ROLES.get(role, role) in roles for role in account.directory_roles)


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


def meets_principal(world: World, policy: Policy, principal_id: str, how: Circumstances) -> bool:
    """Whether a policy for workloads meets this service principal from this place."""
    principals = policy.conditions.get("clientApplications") or {}
    included = principals.get("includeServicePrincipals", ())
    if principal_id not in included and "ServicePrincipalsInMyTenant" not in included:
        return False
    if principal_id in principals.get("excludeServicePrincipals", ()):
        return False
    return (
        _names_application(policy, how)
        and _names_place(world, policy, how.ip_address)
        and not _needs_risk(policy)
    )
