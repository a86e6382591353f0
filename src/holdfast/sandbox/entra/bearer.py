"""Who is calling: the access token of a request, verified as a resource verifies it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from holdfast.sandbox.entra.audiences import resource_of
from holdfast.sandbox.entra.first_party import Resource
from holdfast.sandbox.frame import Call
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.tenant import Tenant


class TokenRefusedError(Exception):
    """The token is absent, foreign, expired, or meant for somebody else; the text says which."""


class Caller(NamedTuple):
    """Whoever a token was issued to.

    Attributes:
        object_id: of the account, or of the service principal.
        account: the person; None for an application on its own.
        application: the client that asked for the token.
        scopes: delegated permissions; empty for an application on its own.
        roles: application permissions.
    """

    object_id: str
    account: Account | None
    application: Application | None
    scopes: frozenset[str]
    roles: frozenset[str]

    @property
    def kind(self) -> str:
        """As the platform names it."""
        return "User" if self.account else "ServicePrincipal"


def caller_of(call: Call, *resources: Resource) -> Caller:
    """The caller, by the token in the Authorization header.

    Raises:
        TokenRefusedError: there is no token that one of these resources would accept now.
    """
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise TokenRefusedError("The authentication token is missing.")
    return caller_by(call.tenant, text.strip(), call.now, *resources)


def caller_by(tenant: Tenant, token: str, now: datetime, *resources: Resource) -> Caller:
    """The caller, by an access token. Raises TokenRefusedError as `caller_of` does."""
    claims = _claims(token, tenant.keys.signing_certificate)
    _check(claims, now, tenant.world.tenant_id)
    if resource_of(tenant, str(claims.get("aud"))) not in resources:
        raise TokenRefusedError("The access token has been obtained for wrong audience or resource.")
    account = tenant.world.accounts.get(str(claims.get("oid")))
    client_id = str(claims.get("appid") or claims.get("azp") or "")
    return Caller(
        object_id=str(claims.get("oid")),
        account=account,
        application=tenant.world.applications.get(client_id),
        scopes=frozenset(str(claims.get("scp", "")).split()),
        roles=frozenset(claims.get("roles") or ()),
    )


def _check(claims: Mapping[str, Any], now: datetime, tenant_id: str) -> None:
    seconds = now.timestamp()
    if claims.get("tid") != tenant_id:
        raise TokenRefusedError("The access token is from the wrong issuer.")
    if not float(claims.get("nbf", 0)) - 300 <= seconds < float(claims.get("exp", 0)) + 300:
        raise TokenRefusedError("The access token expiry UTC time is earlier than current UTC time.")


@lru_cache(maxsize=2048)
def _claims(token: str, certificate: str) -> Mapping[str, Any]:
    try:
        signed, _, signature = token.rpartition(".")
        head, _, payload = signed.partition(".")
        if json.loads(_decoded(head)).get("alg") != "RS256":
            raise TokenRefusedError("The access token is not signed as expected.")
        _public_key(certificate).verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
        claims = json.loads(_decoded(payload))
    except (ValueError, AttributeError, RecursionError, InvalidSignature):
        raise TokenRefusedError("The access token is invalid.") from None
    if not isinstance(claims, dict):
        raise TokenRefusedError("The access token is invalid.")
    return claims


@lru_cache(maxsize=8)
def _public_key(certificate: str) -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("the signing certificate holds no RSA key")
    return key


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
