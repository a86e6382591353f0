"""Certificates that clients send for connections: read once, kept as a thumbprint only."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12


def thumbprint_of(value: Any) -> str:
    """The SHA-1 thumbprint in hex of ``{"pfx": base64, "password": text}``.

    Raises:
        ValueError: it is none, or the password does not open it.
    """
    if not isinstance(value, dict) or set(value) - {"pfx", "password"}:
        raise ValueError("it must have pfx and password")
    try:
        opened = load_pkcs12(
            b64decode(str(value.get("pfx", "")), validate=True), str(value.get("password", "")).encode()
        )
    except ValueError:
        raise ValueError("the pfx does not open with this password") from None
    if opened.cert is None:
        raise ValueError("the pfx holds no certificate")
    return opened.cert.certificate.fingerprint(SHA1()).hex()
