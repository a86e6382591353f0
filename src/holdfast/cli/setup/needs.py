"""What each role needs, by the ledger, and the tenant that the commands are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from holdfast.core.identity import Cloud, Role

GRAPH = "00000003-0000-0000-c000-000000000000"
POWERAPPS = "475226c6-020e-4fb2-8a90-7a972cbfc1d4"
DATAVERSE = "00000007-0000-0000-c000-000000000000"
FLOW = "7df0a125-d3be-4c96-aa54-591f83ff541c"

API_NAMES = {
    POWERAPPS: "PowerApps Service",
    DATAVERSE: "Dynamics CRM",
    FLOW: "Microsoft Flow Service",
}
"""As portals call them."""
MACHINE = "PRINCIPAL_ID"
"""Stands for the object id of a machine's managed identity."""
SUBJECT = "SUBJECT"


class Endpoints(NamedTuple):
    """What the vendor's tools call a cloud; each tool has its own word."""

    az: str
    graph: str
    powerapps: str
    pac: str
    portal: str
    exchange: str


_EXCHANGE = "api://AzureADTokenExchange"
# learn.microsoft.com: az cloud, Connect-MgGraph -Environment, Add-PowerAppsAccount -Endpoint, pac auth create --cloud; audiences of federated
# credentials: entra-docs workload-identity-federation-create-trust.
ENDPOINTS: Mapping[Cloud, Endpoints] = {
    Cloud.PUBLIC: Endpoints(
        "AzureCloud", "Global", "prod", "Public", "https://entra.microsoft.com", _EXCHANGE
    ),
    Cloud.GCC: Endpoints("AzureCloud", "Global", "usgov", "UsGov", "https://entra.microsoft.com", _EXCHANGE),
    Cloud.GCC_HIGH: Endpoints(
        "AzureUSGovernment",
        "USGov",
        "usgovhigh",
        "UsGovHigh",
        "https://entra.microsoft.us",
        f"{_EXCHANGE}USGov",
    ),
    Cloud.DOD: Endpoints(
        "AzureUSGovernment", "USGovDoD", "dod", "UsGovDod", "https://entra.microsoft.us", f"{_EXCHANGE}USGov"
    ),
    Cloud.CHINA: Endpoints(
        "AzureChinaCloud", "China", "china", "China", "https://entra.microsoftonline.cn", f"{_EXCHANGE}China"
    ),
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What one role needs, gathered from its ledger entries.

    Attributes:
        graph: Graph permissions by name.
        management_application: registration for the admin scopes of Power Platform.
        administrator: a person who administers Power Platform, since no application is answered.
        environment_roles: security roles in each environment, for an application user.
        database_rights: in each database, for an administrator of SQL.
        others: in words, what no command of these tools gives.
    """

    role: Role
    graph: tuple[str, ...] = ()
    management_application: bool = False
    administrator: bool = False
    environment_roles: tuple[str, ...] = ()
    database_rights: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether holdfast makes no call as this role."""
        return not (
            self.graph
            or self.management_application
            or self.administrator
            or self.environment_roles
            or self.database_rights
            or self.others
        )

    @property
    def is_for_a_person(self) -> bool:
        """Whether no application can be it."""
        return self.role is Role.FLOW_READER

    @property
    def delegated(self) -> tuple[tuple[str, str], ...]:
        """What the public client of a person may ask for besides Graph: API and permission."""
        if self.is_for_a_person:
            return (POWERAPPS, "User"), (FLOW, "Flows.Read.All")
        return (POWERAPPS, "User"), (DATAVERSE, "user_impersonation")


def needs_of(role: Role, ledger: Iterable[Mapping[str, Any]], *, as_maker: bool = False) -> Needs:
    """What the ledger's entries ask of a role.

    Args:
        ledger: rows with `roles` and `permission`: "graph/NAME", "power-platform/management-application",
            "environment/ROLE", "database/RIGHT, RIGHT", or words.
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
        database_rights=tuple(
            right for kind, names in kinds if kind == "database" for right in names.split(", ") if names
        ),
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

    def pem_name(self, role: Role) -> str:
        """The file with a certificate and its private key, beside the settings."""
        return f"{self.secret_name(role)}.pem"

    def secret_name(self, role: Role) -> str:
        """The name in the secret store."""
        return f"{self.name}-{role.value.replace('_', '-')}"
