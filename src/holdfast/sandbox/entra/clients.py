"""How an application proves itself: a secret, or an assertion signed by its certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.held_tokens import secret_with_text
from holdfast.sandbox.entra.judgement import refusals_of_certificate, refusals_of_secret
from holdfast.sandbox.entra.jwt import Jwt, decode, is_signed_by, public_key_of, take_apart
from holdfast.sandbox.entra.spreading import credential_has_spread
from holdfast.sandbox.records.directory import Application, Certificate
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

FOREIGN_SIGNATURES = Rule(
    "signatures_of_other_issuers_are_not_checked",
    "A federated assertion is matched by issuer, subject, audience and time; its signature is not checked.",
    Mark.ABSENT,
    "the sandbox asks no other issuer for its keys",
)
ENDPOINT_LIMITS = Rule(
    "token_endpoint_has_no_limits_of_its_own",
    "Asking for the same token again and again is never refused (AADSTS50196, 90055); throttling comes from faults only.",
    Mark.ABSENT,
    "entra-docs reference-error-codes @3164b3b names the codes; no figures are published",
)
RULES = (FOREIGN_SIGNATURES, ENDPOINT_LIMITS)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = timedelta(minutes=5)


class TokenRefusedError(Exception):
    """The endpoint refuses; carries what it says."""

    def __init__(self, error: TokenError) -> None:
        super().__init__(error.code)
        self.error = error


class Credential(NamedTuple):
    """What the application showed: "none", "clientSecret", "certificate" or "federatedIdentityCredential"."""

    kind: str = "none"
    key_id: str | None = None


class Times(NamedTuple):
    """The cloud's time, and real time, by which clients date their assertions."""

    now: datetime
    wall: datetime


def authenticate(world: World, app: Application, form: Mapping[str, str], times: Times) -> Credential:
    """Which credential of the application the form proves. Raises TokenRefusedError."""
    if "client_assertion" in form:
        return _by_assertion(world, app, form, times)
    if "client_secret" in form:
        return _by_secret(world, app, form["client_secret"], times.now)
    raise TokenRefusedError(say.no_credential())


def _by_secret(world: World, app: Application, text: str, now: datetime) -> Credential:
    known = secret_with_text(world, app, text)
    if known is not None and not credential_has_spread(world, known.key_id, known.created_at, now):
        known = None
    for refusal in refusals_of_secret(app, known, now):
        raise TokenRefusedError(refusal.error)
    return Credential("clientSecret", known.key_id if known else None)


def _by_assertion(world: World, app: Application, form: Mapping[str, str], times: Times) -> Credential:
    try:
        token = take_apart(form["client_assertion"])
        is_federated = token.claims.get("iss") != app.client_id and "x5t" not in "".join(token.header)
        thumbprint = "" if is_federated else _thumbprint(token)
    except ValueError:
        raise TokenRefusedError(say.malformed_assertion()) from None
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefusedError(say.missing_parameter("client_assertion_type"))
    if is_federated:
        return _by_federation(world, app, token, times)
    certificate = _certificate_of(app, thumbprint)
    if certificate and not credential_has_spread(
        world, certificate.key_id, certificate.created_at, times.now
    ):
        certificate = None
    for refusal in refusals_of_certificate(app, certificate, thumbprint, times.now):
        raise TokenRefusedError(refusal.error)
    if certificate is None or not certificate.der or not is_signed_by(token, public_key_of(certificate.der)):
        raise TokenRefusedError(say.bad_signature())
    _check_claims(token, app, times)
    return Credential("certificate", certificate.key_id)


def _by_federation(world: World, app: Application, token: Jwt, times: Times) -> Credential:
    claims = token.claims
    if not app.federated:
        raise TokenRefusedError(say.no_federation(app.client_id))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    for known in app.federated:
        if (known.issuer, known.subject) != (claims.get("iss"), claims.get("sub")):
            continue
        if set(known.audiences).isdisjoint(map(str, audiences)):
            continue
        if not credential_has_spread(world, known.id, known.created_at, times.now):
            break
        _check_time(token, times)
        return Credential("federatedIdentityCredential", known.id)
    raise TokenRefusedError(
        say.no_matching_federation(str(claims.get("iss")), str(claims.get("sub")), str(audience))
    )


def _thumbprint(token: Jwt) -> str:
    """The thumbprint in hex, SHA-256 or SHA-1 as the client chose; ValueError where there is none."""
    named = token.header.get("x5t#S256") or token.header.get("x5t")
    if not isinstance(named, str):
        raise ValueError("no thumbprint")
    return decode(named).hex()


def _certificate_of(app: Application, thumbprint: str) -> Certificate | None:
    known = (*app.certificates, *app.removed_certificates)
    return next((one for one in known if thumbprint in (one.sha1, one.sha256)), None)


def _check_claims(token: Jwt, app: Application, times: Times) -> None:
    claims = token.claims
    if claims.get("iss") != app.client_id or claims.get("sub") != app.client_id:
        raise TokenRefusedError(say.assertion_client())
    audience = str(claims.get("aud"))
    if not _is_token_endpoint(audience):
        raise TokenRefusedError(say.assertion_audience(audience))
    _check_time(token, times)


def _check_time(token: Jwt, times: Times) -> None:
    starts, ends = _instant(token.claims.get("nbf", 0)), _instant(token.claims.get("exp"))
    if not any(starts - SKEW <= seen <= ends + SKEW for seen in times):
        raise TokenRefusedError(say.assertion_time(times.now, starts, ends))


def _is_token_endpoint(audience: str) -> bool:
    path = urlsplit(audience).path.rstrip("/")
    return path.endswith(("/oauth2/v2.0/token", "/v2.0", "/oauth2/token"))


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise TokenRefusedError(say.malformed_assertion())
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise TokenRefusedError(say.malformed_assertion()) from None
