"""Entra's endpoints: discovery, keys, tokens. Each reads the wire, asks the world, and words the answer."""

from __future__ import annotations

from starlette.responses import Response

from holdfast.sandbox.entra import (
    administration,
    conditional_access,
    interactive,
    policy_events,
    reconsenting,
)
from holdfast.sandbox.entra import clients as entra_clients
from holdfast.sandbox.entra import device as entra_device
from holdfast.sandbox.entra import errors as entra_errors
from holdfast.sandbox.entra import judgement as entra_judgement
from holdfast.sandbox.entra import sign_in as entra_sign_in
from holdfast.sandbox.entra.clients import TokenRefusedError
from holdfast.sandbox.entra.device import begin_device_code, device_code, device_page
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.grants import Asked, Grant, client_credentials, refresh_token
from holdfast.sandbox.entra.sign_in import authorization_code, authorize
from holdfast.sandbox.entra.tokens import signer_of
from holdfast.sandbox.frame import Call, Part, Room, answer, at
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World

SHARED = ("common", "organizations", "consumers")
GRANTS: dict[str, Grant] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "refresh_token": refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
}
NO_STORE = {"cache-control": "no-store, no-cache", "pragma": "no-cache"}


def knows_tenant(world: World, name: str) -> bool:
    """Whether the segment of the path is this tenant, by id or domain, or one of the shared ones."""
    return name.lower() in (world.tenant_id, world.domain.lower(), *SHARED)


def refused(call: Call, error: TokenError) -> Response:
    """An error answer, stamped; the client's own request id comes back as the correlation id."""
    told = entra_errors.body(call.world, error, call.now, correlation_id(call))
    return answer(told, error.status, {**NO_STORE, "x-ms-request-id": told["trace_id"]})


def correlation_id(call: Call) -> str:
    """What the client named its request, else a fresh id."""
    named = call.headers.get("client-request-id") or call.query.get("client-request-id", "")
    is_plain = len(named) == 36 and named.replace("-", "").isalnum() and named.isascii()
    return named if is_plain else call.world.fresh("correlation")


def metadata(call: Call) -> Response:
    """The OpenID configuration of a tenant."""
    name = call.params["tenant"]
    if not knows_tenant(call.world, name):
        return refused(call, entra_errors.no_tenant(name))
    here = call.tenant.urls[Host.AUTHORITY]
    shared = name.lower() in SHARED
    segment = name.lower() if shared else call.world.tenant_id
    base = f"{here}/{segment}"
    return answer(
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{here}/{'{tenantid}' if shared else call.world.tenant_id}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"{call.tenant.urls[Host.GRAPH]}/oidc/userinfo",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
            ],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def keys(call: Call) -> Response:
    """The key set."""
    name = call.params["tenant"]
    if not knows_tenant(call.world, name):
        return refused(call, entra_errors.no_tenant(name))
    tenant_id = "{tenantid}" if name.lower() in SHARED else call.world.tenant_id
    issuer = f"{call.tenant.urls[Host.AUTHORITY]}/{tenant_id}/v2.0"
    return answer({"keys": [signer_of(call.tenant).jwk(issuer)]})


def instance_discovery(call: Call) -> Response:
    """Which cloud an authority belongs to: this address is one of its own."""
    here = call.tenant.urls[Host.AUTHORITY]
    asked = call.query.get("authorization_endpoint", "")
    if not asked.startswith(f"{here}/"):
        error = TokenError(50049, "invalid_instance", "Unknown or invalid instance.")
        return refused(call, error)
    host = here.removeprefix("https://")
    tenant = asked.removeprefix(f"{here}/").partition("/")[0] or "common"
    return answer(
        {
            "tenant_discovery_endpoint": f"{here}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": call.query.get("api-version", "1.1"),
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )


def user_realm(call: Call) -> Response:
    """Where an account signs in: every domain here is managed."""
    name = call.params["upn"]
    domain = name.rpartition("@")[2]
    known = domain.lower() == call.world.domain.lower()
    return answer(
        {
            "ver": "1.0",
            "account_type": "Managed" if known else "Unknown",
            "domain_name": domain,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    )


def token(call: Call) -> Response:
    """The token endpoint."""
    tenant_name, form = call.params["tenant"].lower(), _form(call)
    if not knows_tenant(call.world, tenant_name):
        return refused(call, entra_errors.no_tenant(call.params["tenant"]))
    asked = Asked(call.tenant, tenant_name, form, call.now, correlation_id(call))
    try:
        name = asked.need("grant_type")
        if name not in GRANTS:
            raise TokenRefusedError(entra_errors.unsupported_grant(name))
        told = GRANTS[name](asked)
    except TokenRefusedError as refusal:
        spoken = entra_errors.body(call.world, refusal.error, call.now, asked.correlation_id)
        return answer(spoken, refusal.error.status, {**NO_STORE, "x-ms-request-id": spoken["trace_id"]})
    return answer(told, headers={**NO_STORE, "x-ms-request-id": call.world.fresh("trace")})


def _form(call: Call) -> dict[str, str]:
    """The form, with a client that proves itself by HTTP Basic (RFC 6749 2.3.1) written into it."""
    form = call.form()
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and "client_secret" not in form:
        client_id, secret = basic(text)
        form.setdefault("client_id", client_id)
        form["client_secret"] = secret
    return form


def basic(text: str) -> tuple[str, str]:
    """Name and password of HTTP Basic, each URL-decoded; empty ones where it cannot be read."""
    from base64 import b64decode
    from urllib.parse import unquote_plus

    try:
        name, _, password = b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(password)


def not_found(call: Call) -> Response:
    """No such endpoint: v1.0 tokens and SAML are absent here."""
    return Response(status_code=404)


PART = Part(
    "entra",
    rooms=(
        Room(
            Host.AUTHORITY,
            (
                at("GET", "/common/discovery/instance", instance_discovery),
                at("GET", "/common/userrealm/{upn}", user_realm),
                at("GET", "/{tenant}/v2.0/.well-known/openid-configuration", metadata),
                at("GET", "/{tenant}/.well-known/openid-configuration", metadata),
                at("GET", "/{tenant}/discovery/v2.0/keys", keys),
                at("POST", "/{tenant}/oauth2/v2.0/token", token),
                at("GET", "/{tenant}/oauth2/v2.0/authorize", authorize),
                at("POST", "/{tenant}/oauth2/v2.0/authorize", authorize),
                at("POST", "/{tenant}/oauth2/v2.0/devicecode", begin_device_code),
                at("GET", "/{tenant}/oauth2/deviceauth", device_page),
                at("POST", "/{tenant}/oauth2/deviceauth", device_page),
            ),
            missing=not_found,
        ),
    ),
    rules=entra_judgement.RULES
    + entra_clients.RULES
    + administration.RULES
    + conditional_access.RULES
    + interactive.RULES
    + entra_sign_in.RULES
    + entra_device.RULES,
    events={**administration.EVENTS, **policy_events.EVENTS, **reconsenting.EVENTS},
    causes=administration.causes,
    truth=administration.truth,
)
