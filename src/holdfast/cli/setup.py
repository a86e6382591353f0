"""The commands that set an identity up, printed for somebody to read and run elsewhere; holdfast runs none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from holdfast.core.identity import Cloud, Role

GRAPH = "00000003-0000-0000-c000-000000000000"
POWERAPPS = "475226c6-020e-4fb2-8a90-7a972cbfc1d4"
DATAVERSE = "00000007-0000-0000-c000-000000000000"
FLOW = "7df0a125-d3be-4c96-aa54-591f83ff541c"


class Endpoints(NamedTuple):
    """What the vendor's tools call a cloud; each tool has its own word."""

    az: str
    graph: str
    powerapps: str
    pac: str
    portal: str


# learn.microsoft.com: az cloud, Connect-MgGraph -Environment, Add-PowerAppsAccount -Endpoint, pac auth create --cloud.
ENDPOINTS: Mapping[Cloud, Endpoints] = {
    Cloud.PUBLIC: Endpoints("AzureCloud", "Global", "prod", "Public", "https://entra.microsoft.com"),
    Cloud.GCC: Endpoints("AzureCloud", "Global", "usgov", "UsGov", "https://entra.microsoft.com"),
    Cloud.GCC_HIGH: Endpoints(
        "AzureUSGovernment", "USGov", "usgovhigh", "UsGovHigh", "https://entra.microsoft.us"
    ),
    Cloud.DOD: Endpoints("AzureUSGovernment", "USGovDoD", "dod", "UsGovDod", "https://entra.microsoft.us"),
    Cloud.CHINA: Endpoints("AzureChinaCloud", "China", "china", "China", "https://entra.microsoftonline.cn"),
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What one role needs, gathered from its ledger entries.

    Attributes:
        graph: Graph permissions by name.
        management_application: registration for the admin scopes of Power Platform.
        administrator: a person who administers Power Platform, since no application is answered.
        environment_roles: security roles in each environment, for an application user.
        others: in words, what no command of these tools gives.
    """

    role: Role
    graph: tuple[str, ...] = ()
    management_application: bool = False
    administrator: bool = False
    environment_roles: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether holdfast makes no call as this role."""
        return not (
            self.graph
            or self.management_application
            or self.administrator
            or self.environment_roles
            or self.others
        )

    @property
    def is_for_a_person(self) -> bool:
        """Whether no application can be it."""
        return self.role is Role.FLOW_READER


def needs_of(role: Role, ledger: Iterable[Mapping[str, Any]], *, as_maker: bool = False) -> Needs:
    """What the ledger's entries ask of a role.

    Args:
        ledger: rows with `roles` and `permission`: "graph/NAME", "power-platform/management-application",
            "environment/ROLE", or words.
        as_maker: of a reader that sees the own connections only.
    """
    name = "maker" if as_maker and role is Role.READER else role.value
    wanted = sorted({row["permission"] for row in ledger if name in row["roles"] and row["permission"]})
    kinds = [permission.partition("/")[::2] for permission in wanted]
    return Needs(
        role,
        graph=tuple(name for kind, name in kinds if kind == "graph"),
        management_application=("power-platform", "management-application") in kinds,
        administrator=("power-platform", "administrator") in kinds,
        # A maker reads his own rows with his own role.
        environment_roles=("Environment Maker",)
        if name == "maker"
        else tuple(name for kind, name in kinds if kind == "environment"),
        others=tuple(kind for kind, name in kinds if not name),
    )


@dataclass(frozen=True, slots=True)
class Target:
    """Which tenant the commands are for, and what the identity is called there and here.

    Attributes:
        store: where `holdfast secret set` puts secrets.
        vault_url: of the key vault; empty where none is chosen.
    """

    name: str
    tenant_id: str
    cloud: Cloud
    store: str = "keyring"
    vault_url: str = ""

    @property
    def vault_name(self) -> str:
        """Of the key vault, as Azure's tools call it."""
        return (urlsplit(self.vault_url).hostname or "VAULT").partition(".")[0]

    def app_name(self, role: Role) -> str:
        """The display name of the registration."""
        return f"holdfast {role.value.replace('_', '-')}"

    def secret_name(self, role: Role) -> str:
        """The name in the secret store."""
        return f"{self.name}-{role.value.replace('_', '-')}"


def azure_cli(target: Target, needs: Needs, *, person: bool = False) -> Iterator[str]:
    """Lines for a POSIX shell with the Azure CLI, PowerShell's module for Power Platform where it must be, and pac.

    Args:
        person: register the public client that `holdfast login` uses, instead of an application with a secret.
    """
    tools = ENDPOINTS[target.cloud]
    yield f"az cloud set --name {tools.az}"
    yield f"az login --tenant {target.tenant_id} --allow-no-subscriptions"
    public = (
        " --is-fallback-public-client true --public-client-redirect-uris http://localhost" if person else ""
    )
    yield (
        f'APP=$(az ad app create --display-name "{target.app_name(needs.role)}" --sign-in-audience AzureADMyOrg{public}'
        " --query appId -o tsv)"
    )
    yield "az ad sp create --id $APP"
    yield from _cli_permissions(needs, person)
    if not person:
        yield (
            f'az ad app credential reset --id $APP --append --years 1 --display-name "{target.app_name(needs.role)}"'
            f" --query password -o tsv | holdfast secret set {target.secret_name(needs.role)}"
        )
        if needs.management_application:
            yield "# Power Platform: no Azure CLI command registers a management application."
            yield f"pwsh -Command \"Add-PowerAppsAccount -Endpoint {tools.powerapps}; New-PowerAppManagementApp -ApplicationId '$APP'\""
        for name in needs.environment_roles:
            yield f"pac auth create --cloud {tools.pac} --tenant {target.tenant_id}"
            yield f'pac admin assign-user --environment ENVIRONMENT_URL --user $APP --role "{name}" --application-user'
    yield "echo client_id = $APP"


def _cli_permissions(needs: Needs, person: bool) -> Iterator[str]:
    kind, listed = ("Scope", "oauth2PermissionScopes") if person else ("Role", "appRoles")
    for name in needs.graph:
        yield (
            f"az ad app permission add --id $APP --api {GRAPH} --api-permissions"
            f" $(az ad sp show --id {GRAPH} --query \"{listed}[?value=='{name}'].id\" -o tsv)={kind}"
        )
    apis = ((POWERAPPS, "User"), (DATAVERSE, "user_impersonation"))
    if needs.is_for_a_person:
        apis = ((POWERAPPS, "User"), (FLOW, "Flows.Read.All"))
    for api, name in apis if person else ():
        yield (
            f"az ad app permission add --id $APP --api {api} --api-permissions"
            f" $(az ad sp show --id {api} --query \"{listed}[?value=='{name}'].id\" -o tsv)=Scope"
        )
    if needs.graph or person:
        yield "# Wait half a minute: the registration has to reach every replica before consent finds it."
        yield "az ad app permission admin-consent --id $APP"


def powershell(target: Target, needs: Needs) -> Iterator[str]:
    """Lines for PowerShell with Microsoft.Graph and Microsoft.PowerApps.Administration.PowerShell."""
    tools = ENDPOINTS[target.cloud]
    app = target.app_name(needs.role)
    yield (
        f"Connect-MgGraph -Environment {tools.graph} -TenantId {target.tenant_id}"
        " -Scopes Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All"
    )
    yield f'$app = New-MgApplication -DisplayName "{app}" -SignInAudience AzureADMyOrg'
    yield "$sp = New-MgServicePrincipal -AppId $app.AppId"
    if needs.graph:
        names = ", ".join(f'"{name}"' for name in needs.graph)
        yield f"$graph = Get-MgServicePrincipal -Filter \"appId eq '{GRAPH}'\""
        yield f"foreach ($role in $graph.AppRoles | Where-Object Value -in {names}) {{"
        yield (
            "  New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id -PrincipalId $sp.Id"
            " -ResourceId $graph.Id -AppRoleId $role.Id"
        )
        yield "}"
    yield (
        f'$secret = Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{{ displayName = "{app}";'
        " endDateTime = (Get-Date).AddYears(1) }"
    )
    yield f"$secret.SecretText | holdfast secret set {target.secret_name(needs.role)}"
    if needs.management_application:
        yield f"Add-PowerAppsAccount -Endpoint {tools.powerapps}"
        yield "New-PowerAppManagementApp -ApplicationId $app.AppId"
    for name in needs.environment_roles:
        yield f"pac auth create --cloud {tools.pac} --tenant {target.tenant_id}"
        yield f'pac admin assign-user --environment ENVIRONMENT_URL --user $app.AppId --role "{name}" --application-user'
    yield '"client_id = $($app.AppId)"'


def portal(target: Target, needs: Needs) -> Iterator[str]:
    """Steps in the browser."""
    tools = ENDPOINTS[target.cloud]
    yield (
        f'{tools.portal} → App registrations → New registration: "{target.app_name(needs.role)}", this directory'
        " only; note the application (client) id."
    )
    if needs.graph:
        yield (
            f"API permissions → Add → Microsoft Graph → Application permissions: {', '.join(needs.graph)};"
            " then Grant admin consent."
        )
    yield (
        "Certificates & secrets → New client secret; copy its Value (not its Secret ID) once and give it to"
        f" `holdfast secret set {target.secret_name(needs.role)}`."
    )
    if needs.management_application:
        yield "The registration as management application has no page in a portal: use the PowerShell line above."
    for name in needs.environment_roles:
        yield (
            "Power Platform admin center → the environment → Settings → Users + permissions → Application users →"
            f" New app user: this application, security role {name}."
        )


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


SOURCES = (
    (
        "documented",
        "learn.microsoft.com/azure/key-vault/general/rbac-guide (Key Vault Secrets Officer; az keyvault create"
        " --enable-rbac-authorization)",
    ),
    ("documented", "learn.microsoft.com/cli/azure/ad/app/permission (add, admin-consent, appRoles as Role)"),
    (
        "documented",
        "learn.microsoft.com/power-platform/admin/powershell-create-service-principal (New-PowerAppManagementApp; only a"
        " person who is administrator may run it; the application then has a tenant administrator's power)",
    ),
    (
        "documented",
        "microsoft/Dataverse-skills dv-security/SKILL.md @03ab179 (pac admin assign-user --application-user)",
    ),
    (
        "assumed",
        "the delegated permission `Flows.Read.All` of Microsoft Flow Service, beside `User` of PowerApps Service, lets an"
        " administrator list every flow (pnp/cli-microsoft365 registers its client with it)",
    ),
    (
        "assumed",
        "the delegated permissions `User` of PowerApps Service and `user_impersonation` of Dynamics CRM suffice for"
        " holdfast login (terraform-provider-power-platform docs/guides/app_registration.md asks for them)",
    ),
)


def page(target: Target, roles: Iterable[Needs], *, person: bool = False, with_vault: bool = False) -> str:
    """All of it as Markdown."""
    lines = [
        f"# Set holdfast up in {target.name} ({target.tenant_id}, {target.cloud.value})",
        "",
        "holdfast runs none of this. Read it, then run one of the three ways per role, as an administrator.",
    ]
    for needs in roles:
        lines += ["", f"## {needs.role.value}", "", *_role(target, needs, person or needs.is_for_a_person)]
    if with_vault:
        lines += ["", "## vault", "", *key_vault(target)]
    lines += ["", "Where this was read:", ""]
    return "\n".join([*lines, *(f"- {mark}: {source}" for mark, source in SOURCES)])


def _role(target: Target, needs: Needs, person: bool) -> list[str]:
    if needs.are_none:
        return [
            f"This version of holdfast makes no cloud call as {needs.role.value}: there is nothing to set up."
        ]
    words = _of_a_person(needs) if person else _in_words(needs)
    lines = ["Needs:", *(f"- {line}" for line in words), ""]
    if person:
        return [
            *lines,
            "```sh",
            *azure_cli(target, needs, person=True),
            "```",
            "",
            *_after(target, needs, True),
        ]
    return [
        *lines,
        "Azure CLI:",
        "",
        "```sh",
        *azure_cli(target, needs),
        "```",
        "",
        "or PowerShell:",
        "",
        "```powershell",
        *powershell(target, needs),
        "```",
        "",
        "or the portals:",
        "",
        *(f"{number}. {step}" for number, step in enumerate(portal(target, needs), 1)),
        "",
        *_after(target, needs, False),
    ]


def _in_words(needs: Needs) -> Iterator[str]:
    for name in needs.graph:
        yield f"Microsoft Graph, application permission {name}"
    if needs.management_application:
        yield (
            "registration as Power Platform management application: this is the power of a Power Platform administrator in"
            " every environment, and there is no smaller one; holdfast only reads with it as reader"
        )
    for name in needs.environment_roles:
        yield f"an application user with the security role {name} in each environment"
    yield from needs.others


def _of_a_person(needs: Needs) -> Iterator[str]:
    for name in needs.graph:
        yield f"Microsoft Graph, delegated permission {name}"
    if needs.management_application or (needs.is_for_a_person and needs.administrator):
        yield "whoever signs in: the role Power Platform Administrator (or Dynamics 365 or Global Administrator)"
    for name in needs.environment_roles:
        yield f"whoever signs in: the security role {name} or a wider one in each environment"


def _after(target: Target, needs: Needs, person: bool) -> list[str]:
    credential = "sign_in = true" if person else f'secret = "{target.store}:{target.secret_name(needs.role)}"'
    return [
        "Then in the settings:",
        "",
        "```toml",
        f"[tenants.{target.name}.{needs.role.value}]",
        'client_id = "…"',
        credential,
        "```",
    ]
