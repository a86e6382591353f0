"""Graph: users, what they sign in with, and the tenant's domains and licences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra import administration
from holdfast.sandbox.frame import Call, Deed, answer
from holdfast.sandbox.graph.frame import (
    Shape,
    context,
    fields,
    holds,
    instant,
    is_bool,
    is_text,
    many,
    not_found,
    one,
    permitted,
    refuse,
)
from holdfast.sandbox.records.directory import Account
from holdfast.sandbox.world import World

BASIC = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
USERS = Shape("users", BASIC)
METHODS = Shape("users/authentication/methods")
SKUS = {
    "POWERAUTOMATE_PREMIUM": "eda1941c-3c4f-4995-b5eb-e85a42175ab9",
    "AAD_PREMIUM": "078d2b04-f1bd-4111-bbd4-b4b1b354cef4",
    "AAD_PREMIUM_P2": "84a661c4-e949-4bd2-a560-ed7766fcaf2b",
}
"""Products by their published ids (entra-docs licensing-service-plan-reference)."""


def row(account: Account) -> dict[str, Any]:
    """A user, every property that can be selected."""
    given, _, surname = account.display_name.partition(" ")
    return {
        "id": account.object_id,
        "displayName": account.display_name,
        "givenName": given,
        "surname": surname or None,
        "userPrincipalName": account.user_principal_name,
        "mail": account.user_principal_name,
        "businessPhones": [],
        "jobTitle": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "accountEnabled": account.enabled,
        "createdDateTime": instant(account.created_at),
        "deletedDateTime": instant(account.deleted_at),
        "lastPasswordChangeDateTime": instant(account.password_changed_at),
        "signInSessionsValidFromDateTime": instant(account.tokens_valid_from),
        "refreshTokensValidFromDateTime": instant(account.tokens_valid_from),
        "passwordPolicies": account.password_policies,
        "onPremisesSyncEnabled": account.synced_from_on_premises or None,
        "userType": account.user_type,
        "externalUserState": None,
        "assignedLicenses": [
            {"disabledPlans": [], "skuId": SKUS[name]} for name in account.licences if name in SKUS
        ],
        "signInActivity": {
            "lastSignInDateTime": instant(account.last_interactive_at),
            "lastNonInteractiveSignInDateTime": instant(account.last_noninteractive_at),
            "lastSuccessfulSignInDateTime": instant(account.last_successful_at),
        },
    }


def present(world: World) -> Iterator[Account]:
    """The accounts that are not deleted."""
    return (account for account in world.accounts.values() if account.deleted_at is None)


def asked(call: Call) -> Account:
    """The user in the path, by object id or user principal name; 404 for a deleted one too."""
    wanted = call.params["id"]
    try:
        account = call.world.find_account(wanted)
    except LookupError:
        raise not_found(call, wanted) from None
    if account.deleted_at is not None:
        raise not_found(call, wanted)
    return account


def _readable(call: Call) -> None:
    caller = permitted(call, "User.ReadBasic.All")
    named = {name.strip() for name in call.query.get("$select", "").split(",") if name.strip()}
    if named - set(BASIC) and not holds(caller, "User.Read.All"):
        raise refuse(
            call, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
        )
    wants_activity = "signInActivity" in named or "signInActivity" in call.query.get("$filter", "")
    if wants_activity and not holds(caller, "AuditLog.Read.All"):
        raise refuse(
            call,
            403,
            "Authentication_MSGraphPermissionMissing",
            "Calling principal does not have required MSGraph permissions AuditLog.Read.All",
        )


def list_users(call: Call) -> Response:
    """GET /users."""
    _readable(call)
    return many(call, USERS, [row(account) for account in present(call.world)])


def get_user(call: Call) -> Response:
    """GET /users/{id}."""
    _readable(call)
    return one(call, USERS, row(asked(call)))


def change_user(call: Call) -> Response:
    """PATCH /users/{id}."""
    permitted(call, "User.ReadWrite.All")
    account = asked(call)
    known = {"accountEnabled": is_bool, "displayName": is_text, "passwordPolicies": is_text}
    body = fields(call, known, "user")
    if "accountEnabled" in body:
        change = administration.enable_account if body["accountEnabled"] else administration.disable_account
        change(Deed(call.world, call.now, account.object_id, {}))
    if body.get("displayName"):
        account.display_name = body["displayName"]
    if "passwordPolicies" in body:
        account.password_policies = body["passwordPolicies"]
    return Response(status_code=204)


def delete_user(call: Call) -> Response:
    """DELETE /users/{id}."""
    permitted(call, "User.ReadWrite.All")
    administration.delete_account(Deed(call.world, call.now, asked(call).object_id, {}))
    return Response(status_code=204)


def revoke_sessions(call: Call) -> Response:
    """POST /users/{id}/revokeSignInSessions."""
    permitted(call, "User.RevokeSessions.All")
    administration.revoke_sessions(Deed(call.world, call.now, asked(call).object_id, {}))
    return answer({"@odata.context": context(call, "Edm.Boolean"), "value": True})


def list_methods(call: Call) -> Response:
    """GET /users/{id}/authentication/methods."""
    permitted(call, "UserAuthenticationMethod.Read.All")
    account = asked(call)
    kinds = {"password": "passwordAuthenticationMethod", "phone": "phoneAuthenticationMethod"}
    rows = [
        {
            "@odata.type": f"#microsoft.graph.{kinds.get(kind, 'microsoftAuthenticatorAuthenticationMethod')}",
            "id": guid(call.world.seed, "method", account.object_id, kind),
        }
        for kind in ("password", *account.mfa_methods)
    ]
    return many(call, METHODS, rows)


def get_requirements(call: Call) -> Response:
    """GET /users/{id}/authentication/requirements (beta)."""
    permitted(call, "Policy.Read.All")
    return answer({"perUserMfaState": asked(call).per_user_mfa})


def list_registrations(call: Call) -> Response:
    """GET /reports/authenticationMethods/userRegistrationDetails."""
    permitted(call, "AuditLog.Read.All")
    rows = [
        {
            "id": account.object_id,
            "userPrincipalName": account.user_principal_name,
            "userDisplayName": account.display_name,
            "userType": account.user_type.lower(),
            "isAdmin": bool(account.directory_roles),
            "isMfaCapable": bool(account.mfa_methods),
            "isMfaRegistered": bool(account.mfa_methods),
            "methodsRegistered": account.mfa_methods,
        }
        for account in present(call.world)
    ]
    return many(call, Shape("reports/authenticationMethods/userRegistrationDetails"), rows)


def get_me(call: Call) -> Response:
    """GET /me: the person of the token."""
    caller = permitted(call, "User.Read", "User.Read.All")
    if caller.account is None:
        raise refuse(call, 400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    return one(call, USERS, row(caller.account))


def get_organization(call: Call) -> Response:
    """GET /organization."""
    permitted(call, "Organization.Read.All", "User.Read.All")
    domain = {"name": call.world.domain, "isDefault": True, "isInitial": False, "type": "Managed"}
    row = {
        "id": call.world.tenant_id,
        "displayName": call.world.display_name,
        "createdDateTime": instant(call.world.born_at),
        "verifiedDomains": [domain],
        "tenantType": "AAD",
    }
    return many(call, Shape("organization"), [row])


def list_domains(call: Call) -> Response:
    """GET /domains."""
    permitted(call, "Domain.Read.All")
    domain = {
        "id": call.world.domain,
        "authenticationType": "Managed",
        "isAdminManaged": True,
        "isDefault": True,
        "isInitial": False,
        "isRoot": True,
        "isVerified": True,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2147483647,
        "supportedServices": ["Email"],
    }
    return many(call, Shape("domains"), [domain])


def list_skus(call: Call) -> Response:
    """GET /subscribedSkus."""
    permitted(call, "LicenseAssignment.Read.All")
    accounts = list(present(call.world))
    rows = [
        {
            "id": f"{call.world.tenant_id}_{sku}",
            "skuId": sku,
            "skuPartNumber": name,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": sum(name in account.licences for account in accounts),
            "prepaidUnits": {"enabled": len(accounts), "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": [],
        }
        for name, sku in SKUS.items()
    ]
    return many(call, Shape("subscribedSkus"), rows)
