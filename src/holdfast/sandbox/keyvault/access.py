"""Who may do what in the vault, and how it says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.entra.bearer import TokenRefusedError, caller_of
from holdfast.sandbox.entra.first_party import KEYVAULT
from holdfast.sandbox.frame import Call, CallRefusedError, Deed, answer
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host

RECORDED = "azure-sdk-for-js sdk/keyvault/keyvault-secrets/recordings"
CHALLENGE = Rule(
    "a_vault_names_its_authority",
    "A call without a token is answered 401 with a Bearer challenge that names authority and resource, before anything else is looked at.",
    Mark.RECORDED,
    f"{RECORDED} @aae9f4a",
)
BY_ROLE = Rule(
    "vault_roles",
    "The vault goes by Azure roles: Secrets Officer does everything with secrets, Secrets User reads them; others get 403 ForbiddenByRbac.",
    Mark.DOCUMENTED,
    "azure-docs key-vault/general/rbac-guide; the words of the refusal as quoted in public issue threads",
)
VERSIONS = Rule(
    "vault_api_versions",
    "The vault takes the api-versions that Azure's own client knows; another or none is refused with 400 BadParameter.",
    Mark.ASSUMED,
    "azure-keyvault-secrets 4.12.0, ApiVersion; no refusal was found recorded",
    flipped="Any api-version is taken.",
)
RULES = (CHALLENGE, BY_ROLE, VERSIONS)

API_VERSIONS = frozenset(
    {"2026-04-01", "2025-07-01", "7.6", "7.5", "7.4", "7.3", "7.2", "7.1", "7.0", "2016-10-01"}
)
_ALL = frozenset({"get", "set", "list", "update", "delete", "recover", "purge"})
ROLES: Mapping[str, frozenset[str]] = {
    "Key Vault Administrator": _ALL,
    "Key Vault Secrets Officer": _ALL,
    "Key Vault Secrets User": frozenset({"get", "list"}),
    "Key Vault Reader": frozenset({"list"}),
}
"""What each of Azure's roles lets its holder do with secrets (azure-docs rbac-guide)."""

ACTIONS = {
    "get": "getSecret/action",
    "set": "setSecret/action",
    "list": "readMetadata/action",
    "update": "update/action",
    "delete": "delete",
    "recover": "recover/action",
    "purge": "purge/action",
}


def refusal(status: int, code: str, message: str, inner: str = "") -> CallRefusedError:
    """The vault's envelope (recorded)."""
    error: dict[str, Any] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return CallRefusedError(answer({"error": error}, status))


def admitted(call: Call, deed: str) -> None:
    """Check token, api-version and role, in this order.

    Args:
        deed: one of `ACTIONS`.

    Raises:
        CallRefusedError: 401 with the challenge, 400 BadParameter, or 403 Forbidden.
    """
    try:
        caller = caller_of(call, KEYVAULT)
    except TokenRefusedError as error:
        raise CallRefusedError(_challenge(call, error)) from None
    if call.query.get("api-version") not in API_VERSIONS and call.world.holds(VERSIONS):
        raise refusal(
            400, "BadParameter", "The specified version is not recognized. Consult the documentation."
        )
    held = call.world.vault.roles.get(caller.object_id, [])
    if not any(deed in ROLES.get(role, ()) for role in held):
        client_id = caller.application.client_id if caller.application else ""
        who = f"appid={client_id};oid={caller.object_id};iss=https://sts.windows.net/{call.world.tenant_id}/"
        raise refusal(403, "Forbidden", _not_authorized(call, who, deed), "ForbiddenByRbac")


def _challenge(call: Call, error: TokenRefusedError) -> Response:
    missing = not call.headers.get("authorization")
    message = "AKV10000: Request is missing a Bearer or PoP token." if missing else f"AKV10032: {error}"
    authority = f"{call.tenant.urls[Host.AUTHORITY]}/{call.world.tenant_id}"
    challenge = f'Bearer authorization="{authority}", resource="{KEYVAULT.uris[0]}"'
    body = {"error": {"code": "Unauthorized", "message": message}}
    return answer(body, 401, {"www-authenticate": challenge})


def _not_authorized(call: Call, who: str, deed: str) -> str:
    name = call.world.vault.name
    resource = f"/subscriptions/…/providers/microsoft.keyvault/vaults/{name}{call.path}"
    return (
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role"
        f" definitions were changed recently, please observe propagation time.\r\nCaller: {who}\r\n"
        f"Action: 'Microsoft.KeyVault/vaults/secrets/{ACTIONS[deed]}'\r\nResource: '{resource}'\r\n"
        f"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: {name};location=westeurope\r\n"
    )


def set_vault_role(deed: Deed) -> None:
    """Event: an application holds this one Azure role on the vault, or none where it is not given."""
    app = deed.world.find_application(deed.target)
    role = str(deed.details.get("role") or "")
    if role and role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}")
    deed.world.vault.roles[app.principal_id or ""] = [role] if role else []
