"""From a reference in the settings to the secret that it means."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.core.errors import SecretStoreError
from holdfast.core.secret import Secret, SecretReference
from holdfast.ports import SecretStore


class References:
    """Finds what `keyring:NAME`, `file:NAME`, `keyvault:NAME` and `env:VARIABLE` mean.

    Args:
        stores: by the kind that references name them by.
        environ: the environment's variables.
    """

    def __init__(self, stores: Mapping[str, SecretStore], environ: Mapping[str, str]) -> None:
        self._stores, self._environ = stores, environ

    async def text(self, reference: SecretReference) -> Secret:
        """The secret.

        Raises:
            SecretStoreError: there is none of that name, or its store cannot be asked.
        """
        if reference.kind == "env":
            text = self._environ.get(reference.name)
            if text:
                return Secret(text)
            raise SecretStoreError(
                f"The variable {reference.name}, named by {reference} in the settings, is not set."
            )
        store = self._stores.get(reference.kind)
        if store is None:
            raise SecretStoreError(
                f"The settings refer to {reference} and have no key vault: add [secrets.vault] with url and identity."
            )
        found = await store.read(reference.name)
        if found is None:
            raise SecretStoreError(
                f"There is no secret {reference}, though the settings name it: store it with"
                f" `holdfast secret set {reference.name}`."
            )
        return found
