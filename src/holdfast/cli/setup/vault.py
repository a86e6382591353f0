"""How an Azure key vault is made and opened to holdfast."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.cli.setup.needs import ENDPOINTS, Target


def key_vault(target: Target) -> Iterator[str]:
    """How a vault is made and opened to holdfast: to a managed identity, or to an application of its own."""
    name, tools = target.vault_name, ENDPOINTS[target.cloud]
    yield "Needs:"
    yield "- the Azure role Key Vault Secrets Officer on the vault, and nothing else in the subscription"
    yield ""
    yield "A vault for holdfast alone keeps other people's roles away from its secrets. Azure CLI:"
    yield ""
    yield "```sh"
    yield f"az cloud set --name {tools.az}"
    yield f"az login --tenant {target.tenant_id}"
    yield f"az keyvault create --name {name} --resource-group GROUP --location LOCATION --enable-rbac-authorization true"
    yield f"VAULT=$(az keyvault show --name {name} --query id -o tsv)"
    yield "# The managed identity of the machine that holdfast runs on:"
    yield (
        'az role assignment create --role "Key Vault Secrets Officer" --scope $VAULT --assignee-object-id PRINCIPAL_ID'
        " --assignee-principal-type ServicePrincipal"
    )
    yield "# or an application of its own:"
    yield 'APP=$(az ad app create --display-name "holdfast vault" --sign-in-audience AzureADMyOrg --query appId -o tsv)'
    yield "az ad sp create --id $APP"
    yield 'az role assignment create --role "Key Vault Secrets Officer" --scope $VAULT --assignee $APP'
    yield (
        'az ad app credential reset --id $APP --append --years 1 --display-name "holdfast vault" --query password -o tsv'
        f" | holdfast secret set {target.name}-vault --in keyring"
    )
    yield "```"
    yield ""
    yield "Then in the settings:"
    yield ""
    yield "```toml"
    yield "[secrets]"
    yield 'store = "keyvault"'
    yield "[secrets.vault]"
    yield f'url = "{target.vault_url or "https://VAULT.vault.azure.net"}"'
    yield "[secrets.vault.identity]"
    yield f'managed_identity = true        # or client_id = "…" and secret = "keyring:{target.name}-vault"'
    yield "```"
