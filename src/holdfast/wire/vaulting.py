"""What is asked of a key vault. Azure's own client makes these calls; our door lets no others pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from holdfast.wire.call import Audience, Call, HostKind

API_VERSION: Final = "7.4"
"""What every cloud has; the client would ask for the newest, which sovereign clouds get later."""

_NAMED: Final = "/secrets/{name}"

READ_SECRET: Final = Call(
    id="keyvault.secrets.get",
    method="GET",
    host=HostKind.KEYVAULT,
    path=_NAMED,
    query={"api-version": API_VERSION},
    audience=Audience.VAULT,
    does="read a secret",
    who="whoever has the role on the vault, or an access policy",
    needs="the role Key Vault Secrets Officer on the vault",
    unlocks="secrets in a key vault",
    roles=("vault",),
    permission="azure/Key Vault Secrets Officer",
    support="recorded",
    source="azure-sdk-for-js sdk/keyvault/keyvault-secrets/recordings; Key Vault REST reference 7.4",
)
SET_SECRET: Final = replace(
    # Repeating it makes one more version of the same text, which changes nothing for who reads.
    READ_SECRET,
    id="keyvault.secrets.set",
    method="PUT",
    does="keep a secret",
    writes=True,
)
CHANGE_SECRET: Final = replace(
    READ_SECRET, id="keyvault.secrets.change", method="PATCH", does="disable a secret", writes=True
)
DELETE_SECRET: Final = replace(
    READ_SECRET, id="keyvault.secrets.delete", method="DELETE", does="delete a secret", writes=True
)
RECOVER_SECRET: Final = replace(
    READ_SECRET,
    id="keyvault.secrets.recover",
    method="POST",
    path="/deletedsecrets/{name}/recover",
    does="recover a deleted secret whose name is wanted again",
    writes=True,
)
LIST_SECRETS: Final = replace(
    READ_SECRET, id="keyvault.secrets.list", path="/secrets", does="list the names of secrets"
)
LIST_VERSIONS: Final = replace(
    READ_SECRET,
    id="keyvault.secrets.versions",
    path=f"{_NAMED}/versions",
    does="look why a secret is disabled",
)

VAULT_CALLS: Final[tuple[Call, ...]] = (
    READ_SECRET,
    SET_SECRET,
    CHANGE_SECRET,
    DELETE_SECRET,
    RECOVER_SECRET,
    LIST_SECRETS,
    LIST_VERSIONS,
)
"""Every one there is. They stand apart, as another client than ours makes them."""
