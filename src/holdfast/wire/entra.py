"""Entra's token service: answers of the token endpoint, OpenID metadata, signing keys.

Recorded: fixtures/entra/token-*.json. Documented: openid-configuration-excerpt.json, jwks-excerpt.json
(entra-docs). What is marked so below was seen in clients only.
"""

from __future__ import annotations

from pydantic import Field

from holdfast.wire.shape import Hidden, PlainShape


class TokenGrant(PlainShape):
    """A successful answer of `/oauth2/v2.0/token`. `expires_in` counts seconds.

    `client_info` is what msal builds its account id from; it asks for it and reads it for user grants.
    """

    token_type: str
    scope: str | None = None
    expires_in: int
    ext_expires_in: int | None = None
    access_token: Hidden
    refresh_token: Hidden | None = None
    id_token: Hidden | None = None
    client_info: str | None = None


class TokenError(PlainShape):
    """A refusal of `/oauth2/v2.0/token`: HTTP 400, or 401 for `invalid_client`.

    `error_codes` holds several numbers when one error wraps another, the most specific last. `claims` is
    JSON in a string.
    """

    error: str
    error_description: str | None = None
    error_codes: tuple[int, ...] | None = None
    timestamp: str | None = None
    trace_id: str | None = None
    correlation_id: str | None = None
    error_uri: str | None = None
    suberror: str | None = None
    claims: str | None = None


class OpenIdConfiguration(PlainShape):
    """`/{tenant}/v2.0/.well-known/openid-configuration`."""

    token_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    jwks_uri: str | None = None
    response_modes_supported: tuple[str, ...] | None = None
    subject_types_supported: tuple[str, ...] | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None
    response_types_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    issuer: str | None = None
    userinfo_endpoint: str | None = None
    authorization_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    end_session_endpoint: str | None = None
    tenant_region_scope: str | None = None
    cloud_instance_name: str | None = None


class SigningKey(PlainShape):
    """One public key of the token service. `x5t` holds what the two clients compare: SHA-1, base64url."""

    kty: str
    use: str | None = None
    kid: str
    x5t: str | None = None
    n: str
    e: str
    x5c: tuple[str, ...] | None = None
    issuer: str | None = None


class SigningKeys(PlainShape):
    """`/{tenant}/discovery/v2.0/keys`."""

    keys: tuple[SigningKey, ...]


class CloudAliases(PlainShape):
    """Hosts that are one authority."""

    preferred_network: str
    preferred_cache: str
    aliases: tuple[str, ...]


class InstanceDiscovery(PlainShape):
    """`/common/discovery/instance`. Seen in what msal and azure-identity ask and read, not recorded."""

    tenant_discovery_endpoint: str
    api_version: str | None = Field(default=None, alias="api-version")
    metadata: tuple[CloudAliases, ...] | None = None


class UserRealm(PlainShape):
    """`/common/userrealm/{upn}`, asked before a password sign-in. Seen in msal, not recorded."""

    ver: str | None = None
    account_type: str
    domain_name: str | None = None
    cloud_instance_name: str | None = None
    cloud_audience_urn: str | None = None


class DeviceCode(PlainShape):
    """`/oauth2/v2.0/devicecode`. Documented (v2-oauth2-device-code). Lengths in seconds."""

    user_code: str
    device_code: Hidden
    verification_uri: str
    expires_in: int
    interval: int
    message: str
