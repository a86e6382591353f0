"""A Conditional Access policy, as Graph writes it → whose connections it would stop, and how surely.

Source: learn.microsoft.com/graph/api/resources/conditionalaccesspolicy, read 2026-11-23. What a policy selects by
groups, roles, places, devices or risk is not known here: then the answer is "possible".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from holdfast.core.inventory import Connection
from holdfast.core.policies import AccessPolicy, PolicyState, Scope
from holdfast.reading.sign_ins import SQL_APPLICATION

# What a control asks for that a connection without a person cannot give, and how Entra then answers.
_CONTROLS: Final[Mapping[str, tuple[str, str]]] = {
    "block": ("conditional_access_blocked", "AADSTS53003"),
    "mfa": ("mfa_required", "AADSTS50076"),
    "compliantdevice": ("device_not_compliant", "AADSTS53000"),
    "domainjoineddevice": ("device_not_compliant", "AADSTS53001"),
    "approvedapplication": ("device_not_compliant", "AADSTS53002"),
    "compliantapplication": ("device_not_compliant", "AADSTS53002"),
    "passwordchange": ("password_expired", "AADSTS50055"),
}


FURTHER: Final[Mapping[str, str]] = {
    "platforms": "platforms",
    "devices": "devices",
    "userRiskLevels": "risk",
    "signInRiskLevels": "risk",
    "servicePrincipalRiskLevels": "risk",
    "insiderRiskLevels": "risk",
    "authenticationFlows": "flows of sign-in",
}
"""Conditions that are told by name only, in words."""


@dataclass(frozen=True, slots=True)
class Hit:
    """That a policy stops a connection.

    Attributes:
        is_certain: nothing about it is out of our sight.
        because: what it demands, and what we cannot see, in a sentence.
    """

    cause: str
    code: str
    is_certain: bool
    because: str


def policy_of(document: Any) -> AccessPolicy | None:
    """The policy in a JSON document as Graph writes it, taken as switched on; None if there is none."""
    if not isinstance(document, dict) or not isinstance(document.get("conditions"), dict):
        return None
    when = document["conditions"]
    users, grant = _mapping(when.get("users")), _mapping(document.get("grantControls"))
    frequency = _mapping(_mapping(document.get("sessionControls")).get("signInFrequency"))
    return AccessPolicy(
        id=str(document.get("id") or ""),
        display_name=str(document.get("displayName") or "the policy"),
        state=PolicyState.ENFORCED,
        users=_scope(users, "Users"),
        groups=_scope(users, "Groups"),
        roles=_scope(users, "Roles"),
        principals=_scope(when.get("clientApplications"), "ServicePrincipals"),
        applications=_scope(when.get("applications"), "Applications"),
        locations=_scope(when.get("locations"), "Locations"),
        controls=tuple(str(each) for each in _list(grant.get("builtInControls"))),
        needs_all=str(grant.get("operator", "")).casefold() == "and",
        terms_of_use=tuple(str(each) for each in _list(grant.get("termsOfUse"))),
        sign_in_frequency=timedelta(0) if frequency.get("isEnabled") is True else None,
        further_conditions=tuple(name for name in FURTHER if when.get(name))
        + (("authenticationStrength",) if grant.get("authenticationStrength") else ()),
    )


def hit_of(policy: AccessPolicy, connection: Connection, principal: str = "") -> Hit | None:
    """Whether the policy, switched on, stops this connection; None where it does not concern it.

    Args:
        principal: object id of its application's identity in the tenant; empty where that is not known.
    """
    return next(hits_of(policy, connection, principal), None)


def hits_of(policy: AccessPolicy, connection: Connection, principal: str = "") -> Iterator[Hit]:
    """Everything that the policy, switched on, demands of this connection; what stops it most surely comes first."""
    if not _concerns_sql(policy):
        return
    is_person = connection.sign_in.has_refresh_token
    unseen = _of_person(policy, connection) if is_person else _of_application(policy, connection, principal)
    if unseen is None:
        return
    unseen = [*unseen, *_unseen_conditions(policy)]
    tail = f"; {', '.join(unseen)} of it are not known here" if unseen else ""
    for cause, code, words, is_sure in _demands(policy, is_person=is_person):
        yield Hit(cause, code, is_sure and not unseen, f"{policy.display_name!r} {words}{tail}.")


def _concerns_sql(policy: AccessPolicy) -> bool:
    included, excluded = _lower(policy.applications.included), _lower(policy.applications.excluded)
    return bool(included & {"all", SQL_APPLICATION}) and SQL_APPLICATION not in excluded


def _of_person(policy: AccessPolicy, connection: Connection) -> list[str] | None:
    """What is out of sight about whom it selects; None where it does not select the owner."""
    names = names_of(connection)
    if _lower(policy.users.excluded) & names:
        return None
    unseen = ["exclusions by group or role"] if policy.groups.excluded or policy.roles.excluded else []
    if _lower(policy.users.included) & {"all", *names}:
        return unseen
    if policy.groups.included or policy.roles.included:
        return [*unseen, "members of groups or roles"]
    return None


def _of_application(policy: AccessPolicy, connection: Connection, principal: str) -> list[str] | None:
    included, excluded = _lower(policy.principals.included), _lower(policy.principals.excluded)
    if not included or connection.client_id is None:
        return None
    if principal:
        is_meant = bool(included & {"serviceprincipalsintenant", principal.casefold()})
        return [] if is_meant and principal.casefold() not in excluded else None
    # Policies name service principals by object id, connections by client id.
    if "serviceprincipalsintenant" in included:
        return ["exclusions by object id"] if policy.principals.excluded else []
    return ["object ids of applications"]


def _unseen_conditions(policy: AccessPolicy) -> Iterator[str]:
    everywhere = _lower(policy.locations.included) <= {"all"} and not policy.locations.excluded
    if not everywhere:
        yield "places"
    for name in policy.further_conditions:
        if name != "authenticationStrength":
            yield FURTHER.get(name, name)


def _demands(policy: AccessPolicy, *, is_person: bool) -> Iterator[tuple[str, str, str, bool]]:
    """Cause, code, words, and whether it surely stops a connection; what stops most surely comes first."""
    controls = [each.casefold() for each in policy.controls]
    if "block" in controls:
        yield (*_CONTROLS["block"], "blocks the sign-in", True)
    if not is_person:
        return  # for applications there is no other control
    alternatives = not policy.needs_all and len(controls) > 1
    for control in controls:
        if control in _CONTROLS and control != "block":
            cause, code = _CONTROLS[control]
            # A sign-in that was made with a second factor carries the proof on.
            yield cause, code, f"asks for {control}", not alternatives and control != "mfa"
    if "authenticationStrength" in policy.further_conditions:
        yield (*_CONTROLS["mfa"], "asks for a strength of authentication", False)
    if policy.terms_of_use:
        yield "terms_of_use", "AADSTS50158", "asks to accept terms of use, once", False
    if policy.sign_in_frequency is not None:
        # The documents say that confidential clients are spared until the next sign-in; a case says otherwise.
        yield "signin_frequency", "AADSTS70043", "limits how old a sign-in may be", False


def _scope(told: Any, what: str) -> Scope:
    given = _mapping(told)
    included, excluded = _list(given.get(f"include{what}")), _list(given.get(f"exclude{what}"))
    return Scope(frozenset(map(str, included)), frozenset(map(str, excluded)))


def _lower(names: frozenset[str]) -> set[str]:
    return {name.casefold() for name in names}


def names_of(connection: Connection) -> set[str]:
    """Everything by which the person behind a connection may be called, in lower case."""
    owner = connection.owner
    names = [connection.account_name, *((owner.id, owner.user_principal_name) if owner else ())]
    return {name.casefold() for name in names if name}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
