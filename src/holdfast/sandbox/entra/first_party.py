"""Microsoft's own applications that the sandbox knows: resources with their audiences, and public clients.

Names and client ids are the published first-party ones (learn.microsoft.com, "verify first-party apps in sign-in
reports"; entra-graph.md section 9 for Azure SQL). Ids of app roles are derived, not Microsoft's.
"""

from __future__ import annotations

from typing import NamedTuple

from holdfast.sandbox.tenant import Host


class Resource(NamedTuple):
    """What a token can be for.

    Attributes:
        uris: identifiers without their trailing slash, as scopes name them before "/.default".
        host: the kind of host that accepts its tokens; None for one that has no HTTP room here.
        scopes: delegated permissions that a client has when a scenario says nothing else.
    """

    client_id: str
    name: str
    uris: tuple[str, ...]
    host: Host | None
    scopes: tuple[str, ...] = ("user_impersonation",)


GRAPH = Resource(
    "00000003-0000-0000-c000-000000000000",
    "Microsoft Graph",
    ("https://graph.microsoft.com",),
    Host.GRAPH,
    ("User.Read",),
)
SQL = Resource(
    "022907d3-0f1b-48f7-badc-1ba6abab6d66",
    "Azure SQL Database",
    ("https://database.windows.net", "https://sql.azuresynapse.net"),
    None,
)
POWERAPPS = Resource(
    "475226c6-020e-4fb2-8a90-7a972cbfc1d4",
    "PowerApps Service",
    ("https://service.powerapps.com",),
    Host.POWERAPPS,
)
FLOW = Resource(
    "7df0a125-d3be-4c96-aa54-591f83ff541c",
    "Microsoft Flow Service",
    ("https://service.flow.microsoft.com",),
    Host.FLOW,
    ("User", "Flows.Manage.All", "Activity.Read.All"),
)
POWERPLATFORM = Resource(
    "8578e004-a5c6-46e7-913e-12f58912df43",
    "Power Platform API",
    ("https://api.powerplatform.com",),
    Host.POWERPLATFORM,
)
APIHUB = Resource(
    "fe053c5f-3692-4f14-aef2-ee34fc081cae",
    "Azure API Connections",
    ("https://apihub.azure.com",),
    Host.APIHUB,
)
DATAVERSE = Resource("00000007-0000-0000-c000-000000000000", "Dataverse", (), Host.DATAVERSE)
KEYVAULT = Resource(
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "Azure Key Vault",
    ("https://vault.azure.net",),
    Host.KEYVAULT,
)
MANAGEMENT = Resource(
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "Windows Azure Service Management API",
    ("https://management.azure.com", "https://management.core.windows.net"),
    None,
)
RESOURCES = (GRAPH, SQL, POWERAPPS, FLOW, POWERPLATFORM, APIHUB, DATAVERSE, KEYVAULT, MANAGEMENT)
BY_CLIENT_ID = {resource.client_id: resource for resource in RESOURCES}

SQL_CONNECTOR_CLIENT = APIHUB.client_id
"""The client that holds the tokens of SQL connections. Assumed: no recorded sign-in row names it."""

PUBLIC_CLIENTS = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
}

DIRECTORY_ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Power Platform Administrator": "11648597-926c-4cf3-9c36-bcebb0ba8dcc",
    "Dynamics 365 Administrator": "44367163-eba1-44c3-98af-f5787879f96a",
    "Reports Reader": "4a5d8f65-41da-4de4-8968-e035b65339cf",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
}
"""Directory roles by their published template ids, as the ``wids`` claim has them."""
