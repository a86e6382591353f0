"""A Conditional Access policy, as Graph writes it → whose connections it would stop, and how surely.

Source: learn.microsoft.com/graph/api/resources/conditionalaccesspolicy, read 2026-11-23. What a policy selects by
groups, roles, places, devices or risk is not known here: then the answer is "possible".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holdfast.core.inventory import Connection

SQL_APPLICATION: Final = "022907d3-0f1b-48f7-badc-1ba6abab6d66"
"""Azure SQL Database, the resource that SQL connections ask tokens for (documented)."""

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


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy by the parts that decide here."""

    name: str
    conditions: Mapping[str, Any]
    grant: Mapping[str, Any]
    session: Mapping[str, Any]


def policy_of(document: Any) -> Policy | None:
    """The policy in a JSON document; None if there is none."""
    if not isinstance(document, dict) or not isinstance(document.get("conditions"), dict):
        return None
    return Policy(
        str(document.get("displayName") or "the policy"),
        document["conditions"],
        _mapping(document.get("grantControls")),
        _mapping(document.get("sessionControls")),
    )


def hit_of(policy: Policy, connection: Connection) -> Hit | None:
    """Whether the policy, switched on, stops this connection; None where it does not concern it."""
    if not _concerns_sql(policy):
        return None
    if connection.sign_in.has_refresh_token:
        concerned = _concerns_person(policy, connection)
    elif connection.client_id is not None:
        concerned = _concerns_application(policy, connection)
    else:
        concerned = None
    if concerned is None:
        return None
    unseen = [*concerned, *_unseen_conditions(policy)]
    demand = next(_demands(policy, is_person=connection.sign_in.has_refresh_token), None)
    if demand is None:
        return None
    cause, code, words, is_sure = demand
    tail = f"; {', '.join(unseen)} of it are not known here" if unseen else ""
    return Hit(cause, code, is_sure and not unseen, f"{policy.name!r} {words}{tail}.")


def _concerns_sql(policy: Policy) -> bool:
    applications = _mapping(policy.conditions.get("applications"))
    included = {str(each).casefold() for each in _list(applications.get("includeApplications"))}
    excluded = {str(each).casefold() for each in _list(applications.get("excludeApplications"))}
    return bool(included & {"all", SQL_APPLICATION}) and SQL_APPLICATION not in excluded


def _concerns_person(policy: Policy, connection: Connection) -> list[str] | None:
    """What is out of sight about whom it selects; None where it does not select the owner."""
    users = _mapping(policy.conditions.get("users"))
    names = {"all", *names_of(connection)}
    if {str(each).casefold() for each in _list(users.get("excludeUsers"))} & (names - {"all"}):
        return None
    unseen = []
    if _list(users.get("excludeGroups")) or _list(users.get("excludeRoles")):
        unseen.append("exclusions by group or role")
    if {str(each).casefold() for each in _list(users.get("includeUsers"))} & names:
        return unseen
    if _list(users.get("includeGroups")) or _list(users.get("includeRoles")):
        return [*unseen, "members of groups or roles"]
    return None


def _concerns_application(policy: Policy, connection: Connection) -> list[str] | None:
    selected = _mapping(policy.conditions.get("clientApplications"))
    included = {str(each).casefold() for each in _list(selected.get("includeServicePrincipals"))}
    excluded = {str(each).casefold() for each in _list(selected.get("excludeServicePrincipals"))}
    if not included:
        return None
    # Policies name service principals by object id, connections by client id.
    if "serviceprincipalsintenant" in included:
        return ["exclusions by object id"] if excluded else []
    return ["object ids of applications"]


def _unseen_conditions(policy: Policy) -> Iterator[str]:
    for name, words in (
        ("locations", "places"),
        ("platforms", "platforms"),
        ("devices", "devices"),
        ("userRiskLevels", "risk"),
        ("signInRiskLevels", "risk"),
        ("authenticationFlows", "flows of sign-in"),
    ):
        if policy.conditions.get(name):
            yield words


def _demands(policy: Policy, *, is_person: bool) -> Iterator[tuple[str, str, str, bool]]:
    """Cause, code, words, and whether it surely stops a connection; what stops most surely comes first."""
    controls = [str(each).casefold() for each in _list(policy.grant.get("builtInControls"))]
    if "block" in controls:
        yield (*_CONTROLS["block"], "blocks the sign-in", True)
    if not is_person:
        return  # for applications there is no other control
    alternatives = str(policy.grant.get("operator", "")).upper() == "OR" and len(controls) > 1
    for control in controls:
        if control in _CONTROLS and control != "block":
            cause, code = _CONTROLS[control]
            # A sign-in that was made with a second factor carries the proof on.
            yield cause, code, f"asks for {control}", not alternatives and control != "mfa"
    if policy.grant.get("authenticationStrength"):
        yield (*_CONTROLS["mfa"], "asks for a strength of authentication", False)
    if _list(policy.grant.get("termsOfUse")):
        yield "terms_of_use", "AADSTS50158", "asks to accept terms of use, once", False
    frequency = _mapping(policy.session.get("signInFrequency"))
    if frequency.get("isEnabled") is True:
        # The documents say that confidential clients are spared until the next sign-in; a case says otherwise.
        yield "signin_frequency", "AADSTS70043", "limits how old a sign-in may be", False


def names_of(connection: Connection) -> set[str]:
    """Everything by which the person behind a connection may be called, in lower case."""
    owner = connection.owner
    names = [connection.account_name, *((owner.id, owner.user_principal_name) if owner else ())]
    return {name.casefold() for name in names if name}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
