"""A certificate as Graph's ``keyCredentials`` bring it."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from holdfast.sandbox.frame import Call
from holdfast.sandbox.graph.app_policies import check_certificate
from holdfast.sandbox.graph.frame import bad_request
from holdfast.sandbox.records.directory import Application, Certificate

KNOWN = {
    "type",
    "usage",
    "key",
    "displayName",
    "startDateTime",
    "endDateTime",
    "keyId",
    "customKeyIdentifier",
}


def certificate_from(call: Call, app: Application, entry: Any) -> Certificate:
    """The certificate of one entry; an entry without ``key`` names one that the application has already."""
    if not isinstance(entry, dict) or not set(entry) <= KNOWN:
        raise bad_request(
            call, "Invalid value specified for property 'keyCredentials' of resource 'Application'."
        )
    if entry.get("key") is None:
        return _known(call, app, str(entry.get("keyId")))
    if (entry.get("type"), entry.get("usage")) != ("AsymmetricX509Cert", "Verify"):
        raise bad_request(call, "Only keys of type AsymmetricX509Cert with usage Verify are taken here.")
    return _new(call, app, str(entry["key"]), entry.get("displayName"), entry.get("keyId"))


def _known(call: Call, app: Application, key_id: str) -> Certificate:
    for certificate in app.certificates:
        if certificate.key_id == key_id:
            return certificate
    raise bad_request(call, f"Key credential {key_id} cannot be updated: it does not exist.")


def _new(call: Call, app: Application, key: str, label: Any, key_id: Any) -> Certificate:
    try:
        certificate = _read(b64decode(key, validate=True))
    except (ValueError, binascii.Error):
        raise bad_request(call, "Key credential is not a valid certificate.") from None
    check_certificate(call, app, certificate)
    return Certificate(
        key_id=str(key_id) if key_id else call.world.fresh("certificate"),
        label=str(label or certificate.subject.rfc4514_string()),
        der=b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        sha1=certificate.fingerprint(SHA1()).hex(),
        sha256=certificate.fingerprint(SHA256()).hex(),
        starts_at=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        created_at=call.now,
    )


def _read(content: bytes) -> x509.Certificate:
    """DER, or PEM within the base64, which the portal's own uploads hold."""
    if content.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)
