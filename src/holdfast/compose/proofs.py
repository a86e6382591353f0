"""How an identity of the settings proves itself, apart from a person, whose tokens a secret store keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from holdfast.compose.waiting import waited
from holdfast.core.errors import SettingsError
from holdfast.core.secret import Secret, SecretReference
from holdfast.settings import Identity

if TYPE_CHECKING:
    from holdfast.adapters.cloud.credentials import AzureCli, Credential, MachineIdentity
    from holdfast.adapters.secrets.references import References


def proof(identity: Identity, secrets: References) -> Credential | MachineIdentity | AzureCli | None:
    """The credential that is given, its secrets fetched when they are needed; None for a person's sign-in."""
    from holdfast.adapters.cloud.credentials import AzureCli, Credential, MachineIdentity

    def found(source: SecretReference | SecretStr) -> Secret:
        if isinstance(source, SecretStr):
            return Secret(source.get_secret_value())
        return waited(secrets.text(source))

    client_id = identity.client_id or ""
    secret, certificate, token_file = identity.secret, identity.certificate, identity.federated_token_file
    if secret is not None:
        return Credential(client_id, secret=lambda: found(secret))
    if certificate is not None:
        password = identity.certificate_password
        return Credential(
            client_id,
            certificate=lambda: mounted(certificate, "certificate"),
            passphrase=None if password is None else lambda: found(password),
        )
    if token_file is not None:
        return Credential(client_id, assertion=lambda: mounted(token_file, "federated token"))
    if identity.managed_identity:
        return MachineIdentity(identity.client_id)
    return AzureCli() if identity.az else None


def mounted(file: Path, what: str) -> Secret:
    """A secret that lies in a file of its own, as a container mounts it. Raises SettingsError."""
    try:
        return Secret(file.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise SettingsError(f"The {what} file {file} cannot be read: {why}.") from None
