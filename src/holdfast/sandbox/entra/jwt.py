"""Signed tokens: made with the tenant's key, read back, and read from clients.

Lenient where real clients need it (entra-graph.md section 11): padded base64url, times as floats.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


def encode(content: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def decode(text: str) -> bytes:
    """base64url with or without padding. Raises ValueError."""
    bare = text.rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


class Jwt(NamedTuple):
    """A token taken apart, its signature not yet believed."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def take_apart(text: str) -> Jwt:
    """Raises ValueError for whatever is not a JWT."""
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        raise ValueError("not a JWT")
    try:
        header, claims = json.loads(decode(parts[0])), json.loads(decode(parts[1]))
        signature = decode(parts[2])
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ValueError("not a JWT")
    return Jwt(header, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def is_signed_by(token: Jwt, key: Any) -> bool:
    """Whether an RSA key made the signature, by RS256 or PS256 as the header says."""
    schemes = {"RS256": padding.PKCS1v15(), "PS256": PSS}
    scheme = schemes.get(str(token.header.get("alg")))
    if scheme is None or not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(token.signature, token.signed, scheme, SHA256())
    except InvalidSignature:
        return False
    return True


def public_key_of(der_base64: str) -> Any:
    """The public key of a certificate as Graph has it."""
    return x509.load_der_x509_certificate(b64decode(der_base64)).public_key()


class Signer:
    """The tenant's token signing key."""

    def __init__(self, key_pem: str, certificate_pem: str) -> None:
        key = load_pem_private_key(key_pem.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the signing key is not an RSA key")
        self._key = key
        self._public = key.public_key()
        self._certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        self.key_id = encode(self._certificate.fingerprint(SHA1()))

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT by RS256."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.key_id, "kid": self.key_id}
        signed = ".".join(
            encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        )
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return f"{signed}.{encode(signature)}"

    def jwk(self, issuer: str) -> dict[str, Any]:
        """The public key as the key set shows it."""
        numbers = self._public.public_numbers()
        der = self._certificate.public_bytes(Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": encode(numbers.e.to_bytes(3, "big")),
            "x5c": [_plain_base64(der)],
            "issuer": issuer,
        }


def _plain_base64(content: bytes) -> str:
    from base64 import b64encode

    return b64encode(content).decode()


@lru_cache(maxsize=8)
def signer(key_pem: str, certificate_pem: str) -> Signer:
    """The signer of a tenant's keys, loaded once."""
    return Signer(key_pem, certificate_pem)
