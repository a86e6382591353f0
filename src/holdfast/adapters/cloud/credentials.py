"""How an identity of holdfast proves itself: an application, a machine, the Azure CLI's user, a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.core.errors import SettingsError
from holdfast.core.identity import ClientSecret
from holdfast.core.secret import Secret

_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Credential:
    """How an application proves itself. Secrets are fetched when needed and are in no repr.

    Attributes:
        secret: gives the client secret.
        assertion: gives the token of another issuer that the application trusts (a federated credential).
        certificate: gives PEM text with the private key and its certificate.
        passphrase: gives the passphrase of the private key.
    """

    client_id: str
    secret: Callable[[], Secret] | None = field(default=None, repr=False)
    assertion: Callable[[], Secret] | None = field(default=None, repr=False)
    certificate: Callable[[], Secret] | None = field(default=None, repr=False)
    passphrase: Callable[[], Secret] | None = field(default=None, repr=False)

    def for_msal(self) -> str | dict[str, Any]:
        """In the form that msal takes.

        Raises:
            SettingsError: no credential at all, or PEM text that lacks a part.
        """
        if self.assertion is not None:
            # Read anew for each sign-in: whoever mounts the file replaces it within the hour.
            assertion = self.assertion
            return {"client_assertion": lambda: assertion().reveal()}
        if self.certificate is not None:
            return self._key_pair(self.certificate().reveal())
        if self.secret is not None:
            return self.secret().reveal()
        raise SettingsError(
            f"The application {self.client_id} has no client secret, certificate or federated token; set one."
        )

    def _key_pair(self, pem: str) -> dict[str, str]:
        blocks = [(found.group(1), found.group(0)) for found in _PEM.finditer(pem)]
        keys = [block for label, block in blocks if label.endswith("PRIVATE KEY")]
        certificates = [block for label, block in blocks if label == "CERTIFICATE"]
        if not keys or not certificates:
            missing = "a private key" if not keys else "the certificate"
            raise SettingsError(
                f"The certificate file of the application {self.client_id} lacks {missing}: it must hold the private key and"
                " the certificate, one below the other, as PEM."
            )
        pair = {"private_key": keys[0], "public_certificate": "\n".join(certificates)}
        if self.passphrase is not None:
            pair["passphrase"] = self.passphrase().reveal()
        return pair


def certificate_in(pem: str) -> ClientSecret:
    """The certificate in PEM text, in our words; its key is not looked at.

    Raises:
        SettingsError: there is none in it.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA1

    found = next((block[0] for block in _PEM.finditer(pem) if block[1] == "CERTIFICATE"), None)
    if found is None:
        raise SettingsError("The certificate file holds no certificate (PEM).")
    certificate = x509.load_pem_x509_certificate(found.encode())
    thumbprint = certificate.fingerprint(SHA1()).hex()
    return ClientSecret(
        thumbprint,
        certificate.subject.rfc4514_string(),
        "certificate",
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


@dataclass(frozen=True, slots=True)
class MachineIdentity:
    """The managed identity of the machine; `client_id` chooses a user-assigned one."""

    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class AzureCli:
    """Whoever is signed in to the Azure CLI."""


@dataclass(frozen=True, slots=True)
class Person:
    """The person of `holdfast login`.

    Attributes:
        client_id: the tenant's own public client.
        read: gives what `keep` was given last, None before the first sign-in.
        keep: takes the person's tokens, for the secret store and nowhere else.
        command: by which the person signs in.
    """

    client_id: str
    read: Callable[[], Secret | None] = field(repr=False)
    keep: Callable[[Secret], None] = field(repr=False)
    command: str = "holdfast login"


AnyCredential = Credential | MachineIdentity | AzureCli | Person
