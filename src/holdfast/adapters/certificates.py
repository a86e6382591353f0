"""Self-signed certificates for applications: made here, kept as PKCS #12, shown as PEM to sign in with."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12, serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from holdfast.adapters.system import new_id
from holdfast.core.errors import SecretStoreError
from holdfast.core.making import MadeCertificate
from holdfast.core.secret import Secret

BITS = 2048
LONGEST_NAME = 64
"""Characters of a common name (RFC 5280, ub-common-name)."""


def make_certificate(name: str, starts_at: datetime, ends_at: datetime) -> MadeCertificate:
    """A new key and a certificate of that name, good from one instant to the other."""
    key = generate_private_key(65537, BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_NAME])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts_at)
        .not_valid_after(ends_at)
        .sign(key, SHA256())
    )
    password = new_id()
    pfx = serialize_key_and_certificates(
        name.encode(), key, certificate, None, BestAvailableEncryption(password.encode())
    )
    kept = json.dumps({"pfx": b64encode(pfx).decode("ascii"), "password": password})
    return MadeCertificate(certificate.public_bytes(Encoding.DER), Secret(kept))


def is_certificate(kept: Secret) -> bool:
    """Whether a text of the secret store has the form in which `make_certificate` keeps one."""
    try:
        held = json.loads(kept.reveal())
    except ValueError:
        return False
    return isinstance(held, dict) and set(held) == {"pfx", "password"}


def pem_of(kept: Secret) -> Secret:
    """The key and the certificate, one below the other, from what `make_certificate` keeps.

    Raises:
        SecretStoreError: it is something else.
    """
    try:
        held = json.loads(kept.reveal())
        opened = load_pkcs12(b64decode(held["pfx"]), held["password"].encode())
    except (ValueError, KeyError, TypeError, AttributeError):
        opened = None
    if opened is None or not isinstance(opened.key, RSAPrivateKey) or opened.cert is None:
        raise SecretStoreError(
            "What the secret store keeps for this certificate is no certificate that holdfast made: rotate again."
        )
    key = opened.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Secret((key + opened.cert.certificate.public_bytes(Encoding.PEM)).decode("ascii"))
