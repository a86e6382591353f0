"""The sandbox's own certificate authority, its server certificate, and the key that signs tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Keys:
    """PEM texts that outlive a restart: the authority that clients trust, and the token signing key."""

    ca_certificate: str
    ca_key: str
    signing_certificate: str
    signing_key: str

    def __repr__(self) -> str:
        return "Keys(…)"


def make_keys(now: datetime) -> Keys:
    """A new authority and a new signing key; `now` is real time, which TLS clients live by."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Keys(
        ca_certificate=_pem(_authority(ca_key, now)),
        ca_key=_key_pem(ca_key),
        signing_certificate=_pem(_self_signed(signing_key, now)),
        signing_key=_key_pem(signing_key),
    )


def still_good(keys: Keys, now: datetime) -> bool:
    """Whether the authority outlives the certificates that it would sign now."""
    return (
        x509.load_pem_x509_certificate(keys.ca_certificate.encode()).not_valid_after_utc > now + RENEW_BEFORE
    )


def server_pem(keys: Keys, now: datetime) -> str:
    """A certificate for localhost with its key, signed by the authority, as one PEM text."""
    ca = x509.load_pem_x509_certificate(keys.ca_certificate.encode())
    ca_key = load_pem_private_key(keys.ca_key.encode(), None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not an EC key")
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ip_address("127.0.0.1")),
        x509.IPAddress(ip_address("::1")),
    ]
    certificate = (
        _builder("localhost", key.public_key(), now, SERVER_LIFE)
        .issuer_name(ca.subject)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, SHA256())
    )
    return _pem(certificate) + _key_pem(key)


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        _builder("holdfast sandbox CA", key.public_key(), now, CA_LIFE)
        .issuer_name(_name("holdfast sandbox CA"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, SHA256())
    )


def _self_signed(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    builder = _builder("accounts.accesscontrol.windows.net", key.public_key(), now, CA_LIFE)
    return builder.issuer_name(_name("accounts.accesscontrol.windows.net")).sign(key, SHA256())


def _builder(
    name: str, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
