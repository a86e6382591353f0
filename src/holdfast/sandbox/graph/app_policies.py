"""Graph: app management policies, the tenant's and those of single applications, and what they forbid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from starlette.responses import Response

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra.audits import note_policy
from holdfast.sandbox.frame import Call, Deed, answer
from holdfast.sandbox.graph.frame import Shape, context, many, permitted, refuse
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

TENANT_S = "00000000-0000-0000-0000-000000000000"
POLICIES = Shape("policies/appManagementPolicies")
SECRETS = ("passwordAddition", "passwordLifetime")
CERTIFICATES = ("asymmetricKeyLifetime", "trustedCertificateAuthority")
LENGTHS = ("passwordLifetime", "asymmetricKeyLifetime")

POLICY_REFUSAL = Rule(
    "app_policy_refusal",
    "What an app management policy forbids is refused with CredentialTypeNotAllowedAsPerAppPolicy or CredentialInvalidLifetimeAsPerAppPolicy.",
    Mark.SECONDARY,
    "code names as quoted in public issue threads; the policy's own meaning is documented (tenantappmanagementpolicy @356c697)",
)
OWN_POLICY = Rule(
    "an_applications_policy_takes_the_tenants_place",
    "An application with an app management policy of its own goes by that and not by the tenant's.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs-contrib appmanagementpolicy-post-appliesto",
)
FOR_NEW = Rule(
    "restrictions_may_be_for_new_applications",
    "A restriction with a date concerns applications made after it only.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs-contrib passwordcredentialconfiguration, restrictForAppsCreatedAfterDateTime",
)
TRUSTED_ISSUERS = Rule(
    "self_signed_certificates_may_be_forbidden",
    "Where a policy names trusted certificate authorities, a certificate that signed itself is refused.",
    Mark.ASSUMED,
    "keycredentialconfiguration, trustedCertificateAuthority; no refusal was found recorded",
)
RULES = (POLICY_REFUSAL, OWN_POLICY, FOR_NEW, TRUSTED_ISSUERS)


def policy_of(world: World, app: Application | None = None) -> Mapping[str, Any]:
    """The restrictions by name, with `createdAfter` among them: the tenant's, or what one application goes by."""
    own = world.published.get("app_policies", {}).get(app.client_id) if app is not None else None
    policy: Mapping[str, Any] = world.published.get("app_policy", {}) if own is None else own
    return policy


def _forbidden(call: Call, app: Application) -> Mapping[str, Any]:
    """What holds for this application."""
    policy = policy_of(call.world, app)
    since = policy.get("createdAfter")
    return {} if since and app.created_at <= datetime.fromisoformat(since) else policy


def check_secret(call: Call, app: Application, life: timedelta) -> None:
    """Refuse a secret that the application's policy does not allow."""
    policy = _forbidden(call, app)
    if policy.get("passwordAddition"):
        raise _not_allowed(call)
    _check_life(call, life, policy.get("passwordLifetime"))


def check_certificate(call: Call, app: Application, certificate: x509.Certificate) -> None:
    """Refuse a certificate that the application's policy does not allow."""
    policy = _forbidden(call, app)
    if policy.get("trustedCertificateAuthority") and certificate.issuer == certificate.subject:
        raise _not_allowed(call)
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    _check_life(call, life, policy.get("asymmetricKeyLifetime"))


def _not_allowed(call: Call) -> Exception:
    return refuse(
        call,
        403,
        "CredentialTypeNotAllowedAsPerAppPolicy",
        "Credential type not allowed as per assigned policy 'default policy'.",
    )


def _check_life(call: Call, life: timedelta, longest: str | None) -> None:
    if longest and life > length_of(longest):
        raise refuse(
            call,
            403,
            "CredentialInvalidLifetimeAsPerAppPolicy",
            "Credential lifetime exceeds the max value allowed as per assigned policy 'default policy'.",
        )


def length_of(text: str) -> timedelta:
    """An ISO 8601 length of days or hours, as policies have them. Raises ValueError."""
    found = re.fullmatch(r"P(?:(\d{1,6})D)?(?:T(\d{1,6})H)?", text)
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no length such as P180D")
    return timedelta(days=int(found[1] or 0), hours=int(found[2] or 0))


def set_app_policy(deed: Deed) -> None:
    """Event: restrict what applications sign in with: all of the tenant, or the application that is the target.

    ``passwordAddition`` true forbids secrets, ``passwordLifetime`` such as P90D limits them; ``asymmetricKeyLifetime``
    limits certificates, ``trustedCertificateAuthority`` true forbids those that signed themselves. ``createdAfter``
    leaves older applications alone. Without details nothing is restricted: of an application, that is an exception.
    ``remove`` true takes an application's own policy away.
    """
    details = dict(deed.details)
    removes = bool(details.pop("remove", False))
    _check_details(details)
    world = deed.world
    if not deed.target:
        world.published["app_policy"] = details
    else:
        client_id = world.find_application(deed.target).client_id
        own = {**world.published.get("app_policies", {}), client_id: details}
        world.published["app_policies"] = {
            id: policy for id, policy in own.items() if not (removes and id == client_id)
        }
    note_policy(
        world,
        deed.now,
        "Update tenant app management policy",
        TENANT_S,
        "Default app management tenant policy",
        logged_by="Core Directory",
    )


def _check_details(details: Mapping[str, Any]) -> None:
    unknown = set(details) - {*SECRETS, *CERTIFICATES, "createdAfter"}
    if unknown:
        raise ValueError(f"unknown restriction {', '.join(sorted(unknown))}")
    for name in LENGTHS:
        if details.get(name) is not None:
            length_of(str(details[name]))
    since = details.get("createdAfter")
    if since is not None and datetime.fromisoformat(str(since)).tzinfo is None:
        raise ValueError("createdAfter must be an instant such as 2026-01-01T00:00:00Z")


def _restrictions(policy: Mapping[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            "restrictionType": name,
            "state": "enabled",
            "maxLifetime": policy[name] if name in LENGTHS else None,
            "restrictForAppsCreatedAfterDateTime": policy.get("createdAfter"),
        }
        for name in names
        if policy.get(name)
    ]


def _kinds(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "passwordCredentials": _restrictions(policy, SECRETS),
        "keyCredentials": _restrictions(policy, CERTIFICATES),
    }


def app_policy(call: Call) -> Response:
    """GET /policies/defaultAppManagementPolicy."""
    permitted(call, "Policy.Read.All")
    policy = policy_of(call.world)
    told = {
        "@odata.context": context(call, "policies/defaultAppManagementPolicy/$entity"),
        "id": TENANT_S,
        "displayName": "Default app management tenant policy",
        "description": "Default tenant policy that enforces app management restrictions on applications and service principals.",
        "isEnabled": bool(policy),
        "applicationRestrictions": _kinds(policy),
        "servicePrincipalRestrictions": _kinds(policy),
    }
    return answer(told)


def _own_row(world: World, client_id: str, policy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": guid(world.seed, "app policy", client_id),
        "displayName": f"Policy of {client_id}",
        "description": None,
        "isEnabled": True,
        "restrictions": _kinds(policy),
    }


def list_own_policies(call: Call) -> Response:
    """GET /policies/appManagementPolicies: those that applications have for themselves."""
    permitted(call, "Policy.Read.All")
    own = call.world.published.get("app_policies", {})
    return many(call, POLICIES, [_own_row(call.world, id, policy) for id, policy in own.items()])


def policies_of(call: Call, app: Application) -> Response:
    """What one application goes by instead of the tenant's policy: one, or none."""
    own = call.world.published.get("app_policies", {}).get(app.client_id)
    return many(call, POLICIES, [] if own is None else [_own_row(call.world, app.client_id, own)])
