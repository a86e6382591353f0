"""Lines for a POSIX shell with the Azure CLI, and what else it takes where that has no command."""

from __future__ import annotations

import json
from collections.abc import Iterator

from holdfast.cli.setup.needs import ENDPOINTS, GRAPH, MACHINE, SUBJECT, Needs, Target


def azure_cli(target: Target, needs: Needs, credential: str = "secret") -> Iterator[str]:
    """From nothing to a client id.

    Args:
        credential: of the settings. "sign_in" registers the public client that `holdfast login` uses; a managed
            identity is there already, and is only granted.
    """
    tools = ENDPOINTS[target.cloud]
    yield f"az cloud set --name {tools.az}"
    yield f"az login --tenant {target.tenant_id} --allow-no-subscriptions"
    if credential == "managed_identity":
        yield f"PRINCIPAL={MACHINE}"
        yield "APP=$(az ad sp show --id $PRINCIPAL --query appId -o tsv)"
        yield from _roles_of_machine(needs)
    else:
        yield from _application(target, needs, credential)
    if credential != "sign_in":
        yield from _power_platform(target, needs)
    yield "echo client_id = $APP"


def _application(target: Target, needs: Needs, credential: str) -> Iterator[str]:
    is_person, name = credential == "sign_in", target.app_name(needs.role)
    public = " --is-fallback-public-client true --public-client-redirect-uris http://localhost"
    yield (
        f'APP=$(az ad app create --display-name "{name}" --sign-in-audience AzureADMyOrg{public if is_person else ""}'
        " --query appId -o tsv)"
    )
    yield "az ad sp create --id $APP"
    yield from _permissions(needs, is_person)
    if credential == "secret":
        yield (
            f'az ad app credential reset --id $APP --append --years 1 --display-name "{name}"'
            f" --query password -o tsv | holdfast secret set {target.secret_name(needs.role)}"
        )
    elif credential == "certificate":
        yield "# The file holds the private key and the certificate; only you may read it. Keep it beside the settings."
        yield (
            f'mv "$(az ad app credential reset --id $APP --append --create-cert --years 1 --display-name "{name}"'
            f' --query fileWithCertAndPrivateKey -o tsv)" {target.pem_name(needs.role)}'
        )
    elif credential == "federated_token_file":
        trust = {
            "name": "holdfast",
            "issuer": "ISSUER",
            "subject": SUBJECT,
            "audiences": [ENDPOINTS[target.cloud].exchange],
        }
        yield "# ISSUER and SUBJECT as the token of the file states them: iss and sub."
        yield f"az ad app federated-credential create --id $APP --parameters '{json.dumps(trust)}'"


def _permissions(needs: Needs, is_person: bool) -> Iterator[str]:
    kind, listed = ("Scope", "oauth2PermissionScopes") if is_person else ("Role", "appRoles")
    wanted = [(GRAPH, name) for name in needs.graph]
    for api, name in [*wanted, *needs.delegated] if is_person else wanted:
        yield (
            f"az ad app permission add --id $APP --api {api} --api-permissions"
            f" $(az ad sp show --id {api} --query \"{listed}[?value=='{name}'].id\" -o tsv)={kind}"
        )
    if needs.graph or is_person:
        yield "# Wait half a minute: the registration has to reach every replica before consent finds it."
        yield "az ad app permission admin-consent --id $APP"


def _roles_of_machine(needs: Needs) -> Iterator[str]:
    if not needs.graph:
        return
    yield "URL=$(az cloud show --query endpoints.microsoftGraphResourceId -o tsv)"
    yield f"RESOURCE=$(az ad sp show --id {GRAPH} --query id -o tsv)"
    yield f"for NAME in {' '.join(needs.graph)}; do"
    yield f"  ROLE=$(az ad sp show --id {GRAPH} --query \"appRoles[?value=='$NAME'].id\" -o tsv)"
    yield (
        '  az rest --method POST --url "${URL%/}/v1.0/servicePrincipals/$PRINCIPAL/appRoleAssignments"'
        ' --body "{\\"principalId\\": \\"$PRINCIPAL\\", \\"resourceId\\": \\"$RESOURCE\\", \\"appRoleId\\": \\"$ROLE\\"}"'
    )
    yield "done"


def _power_platform(target: Target, needs: Needs) -> Iterator[str]:
    tools = ENDPOINTS[target.cloud]
    if needs.management_application:
        yield "# Power Platform: no Azure CLI command registers a management application."
        yield f"pwsh -Command \"Add-PowerAppsAccount -Endpoint {tools.powerapps}; New-PowerAppManagementApp -ApplicationId '$APP'\""
    if needs.environment_roles:
        yield f"pac auth create --cloud {tools.pac} --tenant {target.tenant_id}"
    for name in needs.environment_roles:
        yield f'pac admin assign-user --environment ENVIRONMENT_URL --user $APP --role "{name}" --application-user'
