"""Environments and connections as the Power Platform writes them, field by field after recorded answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.sandbox.chance import guid
from holdfast.sandbox.records.platform import CanvasApp, Connection, Environment, Gateway
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World

ICON = "https://conn-afd-prod-endpoint-bmc9bqahasf3grgk.b01.azurefd.net/releases/v1.0.1777/1.0.1777.4488"
OAUTH_SETS = frozenset({"oauth", "oauthCom", "oauthSP", "certOauth"})
SHAREABLE_SETS = frozenset({"oauthSP", "certOauth", "sqlAuthentication", "windowsAuthentication"})

TEST_LINKS = Rule(
    "sql_connections_have_test_links",
    "A SQL connection that signs in through Entra carries a test link to the API hub.",
    Mark.ASSUMED,
    "test links are recorded for other connectors only",
    flipped="no SQL connection carries a test link",
)
RULES = (TEST_LINKS,)


def instant(at: datetime) -> str:
    """UTC with seven fractional digits."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:26]}0Z"


def person(world: World, object_id: str | None, kind: str = "User") -> dict[str, Any]:
    """``createdBy`` and the like; a deleted person keeps an id only."""
    account = world.accounts.get(object_id or "")
    if account is not None:
        return {
            "id": account.object_id,
            "displayName": account.display_name,
            "email": account.user_principal_name,
            "type": "User",
            "tenantId": world.tenant_id,
            "userPrincipalName": account.user_principal_name,
        }
    app = next(
        (app for app in world.applications.values() if app.principal_id == object_id and object_id), None
    )
    if app is not None:
        return {
            "id": object_id,
            "displayName": app.display_name,
            "type": "ServicePrincipal",
            "tenantId": world.tenant_id,
        }
    return {
        "id": object_id or "SYSTEM",
        "displayName": "SYSTEM",
        "type": kind if object_id else "NotSpecified",
    }


# --- environments ----------------------------------------------------------------------------------------


def environment_as_admin(tenant: Tenant, environment: Environment, now: datetime) -> dict[str, Any]:
    """One environment as BAP tells it in the admin scope."""
    world = tenant.world
    properties: dict[str, Any] = {
        "tenantId": world.tenant_id,
        "azureRegion": "westeurope" if environment.location == "europe" else "eastus",
        "displayName": environment.display_name,
        "createdTime": instant(environment.created_at),
        "createdBy": person(world, environment.created_by),
        "lastModifiedTime": instant(environment.created_at + timedelta(minutes=3)),
        "provisioningState": "Succeeded",
        "creationType": "DefaultTenant" if environment.is_default else "User",
        "environmentSku": environment.sku,
        "isDefault": environment.is_default,
        "clientUris": {
            "admin": f"https://admin.powerplatform.microsoft.com/environments/environment/{environment.id}/hub",
            "maker": f"https://make.powerapps.com/environments/{environment.id}/home",
        },
        "runtimeEndpoints": _endpoints(tenant),
        "databaseType": "CommonDataService" if environment.org else "None",
        "trialScenarioType": "None",
        "retentionPeriod": "P7D",
        "states": {"management": {"id": "Ready"}, "runtime": {"id": "Enabled"}},
        "updateCadence": {"id": "Frequent"},
        "retentionDetails": {
            "retentionPeriod": "P7D",
            "backupsAvailableFromDateTime": instant(now - timedelta(days=7)),
        },
        "protectionStatus": {"keyManagedBy": "Microsoft"},
        "cluster": {
            "category": "Prod",
            "number": "107",
            "uriSuffix": "eu-il107.gateway.prod.island",
            "geoShortName": "EU",
            "environment": "Prod",
        },
        "connectedGroups": [],
        "lifecycleOperationsEnforcement": {
            "allowedOperations": [{"type": {"id": "Move"}}],
            "disallowedOperations": [],
        },
        "governanceConfiguration": {"protectionLevel": "Basic"},
    }
    if environment.org:
        properties |= _database(tenant, environment)
    return {
        "id": f"/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{environment.id}",
        "type": "Microsoft.BusinessAppPlatform/scopes/environments",
        "location": environment.location,
        "name": environment.id,
        "properties": properties,
    }


def _endpoints(tenant: Tenant) -> dict[str, str]:
    return {
        "microsoft.BusinessAppPlatform": tenant.urls[Host.BAP],
        "microsoft.PowerApps": tenant.urls[Host.POWERAPPS],
        "microsoft.ApiManagement": tenant.urls[Host.APIHUB],
        "microsoft.Flow": tenant.urls[Host.FLOW],
    }


def _database(tenant: Tenant, environment: Environment) -> dict[str, Any]:
    address = tenant.dataverse_url(environment.org or "")
    return {
        "linkedEnvironmentMetadata": {
            "resourceId": environment.org_id,
            "friendlyName": environment.display_name,
            "uniqueName": f"unq{(environment.org_id or '').replace('-', '')[:29]}",
            "domainName": environment.org,
            "version": "9.2.26044.135",
            "instanceUrl": f"{address}/",
            "instanceApiUrl": address,
            "baseLanguage": 1033,
            "instanceState": "Ready",
            "createdTime": environment.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "backgroundOperationsState": "Enabled",
            "scaleGroup": "EURCRMLIVESG705",
            "platformSku": "Standard",
            "schemaType": "Standard",
        },
        "notificationMetadata": {"state": "NotSpecified", "branding": "NotSpecific"},
        "states": {
            "disasterRecovery": {"id": "Disabled", "copyLocation": "NearCopy"},
            "management": {"id": "Ready"},
            "runtime": {
                "runtimeReasonCode": "NotSpecified",
                "requestedBy": {"displayName": "SYSTEM", "type": "NotSpecified"},
                "id": "Enabled",
            },
        },
    }


def environment_as_maker(tenant: Tenant, environment: Environment) -> dict[str, Any]:
    """The projection of Power Apps: fewer fields, other ids (live-probed by others, not recorded)."""
    return {
        "id": f"/providers/Microsoft.PowerApps/environments/{environment.id}",
        "name": environment.id,
        "type": "Microsoft.PowerApps/environments",
        "location": environment.location,
        "properties": {
            "displayName": environment.display_name,
            "createdTime": instant(environment.created_at),
            "createdBy": person(tenant.world, environment.created_by),
            "provisioningState": "Succeeded",
            "creationType": "DefaultTenant" if environment.is_default else "User",
            "environmentSku": environment.sku,
            "environmentType": environment.sku,
            "isDefault": environment.is_default,
            "runtimeEndpoints": _endpoints(tenant),
        },
    }


# --- connections -----------------------------------------------------------------------------------------


def admin_path(environment_id: str, connector: str) -> str:
    """How the admin scope names a connector: with the environment, which clients must take off again."""
    return f"/providers/Microsoft.PowerApps/scopes/admin/environments/{environment_id}/apis/{connector}"


def maker_path(connector: str) -> str:
    """How everybody else names a connector."""
    return f"/providers/Microsoft.PowerApps/apis/{connector}"


def connection_as_admin(tenant: Tenant, connection: Connection) -> dict[str, Any]:
    """One connection in the admin scope."""
    path = admin_path(connection.environment_id, connection.connector)
    return {
        "name": connection.id,
        "id": f"{path}/connections/{connection.id}",
        "type": "Microsoft.PowerApps/scopes/apis/connections",
        "properties": _properties(tenant, connection, path),
    }


def connection_as_maker(tenant: Tenant, connection: Connection) -> dict[str, Any]:
    """One connection as its owner sees it on Power Apps."""
    path = maker_path(connection.connector)
    return {
        "name": connection.id,
        "id": f"{path}/connections/{connection.id}",
        "type": "Microsoft.PowerApps/apis/connections",
        "properties": _properties(tenant, connection, path),
    }


def connection_in_connectivity(tenant: Tenant, connection: Connection) -> dict[str, Any]:
    """The same in the connectivity list of the Power Platform API, which adds the permissions."""
    shown = connection_as_maker(tenant, connection)
    shown["properties"]["permissions"] = permissions(tenant.world, connection)
    return shown


def _properties(tenant: Tenant, connection: Connection, api_id: str) -> dict[str, Any]:
    world = tenant.world
    shown: dict[str, Any] = {
        "apiId": api_id,
        "displayName": connection.display_name,
        "iconUri": f"{ICON}/{short_name(connection.connector)}/icon.png",
        "statuses": [_status(connection)],
        **_parameters(connection),
        "keywordsRemaining": 78,
        "isSsoConnection": False,
        "createdBy": person(world, connection.owner_id, connection.owner_type),
        "createdTime": instant(connection.created_at),
        "lastModifiedTime": instant(connection.modified_at),
    }
    if connection.token_expires_at is not None:
        shown["expirationTime"] = instant(connection.token_expires_at)
    if connection.parameter_set in OAUTH_SETS and world.holds(TEST_LINKS):
        shown["testLinks"] = [{"requestUri": test_link(tenant, connection), "method": "get"}]
    shown["environment"] = {
        "id": f"/providers/Microsoft.PowerApps/environments/{connection.environment_id}",
        "name": connection.environment_id,
    }
    if connection.account_name is not None:
        shown["accountName"] = connection.account_name
    shown["allowSharing"] = connection.parameter_set in SHAREABLE_SETS
    return shown


def _status(connection: Connection) -> dict[str, Any]:
    fault = connection.fault
    if fault is None:
        return {"status": connection.status}
    return {
        "status": connection.status,
        "target": fault.target,
        "error": {"code": fault.code, "message": fault.message},
    }


def _parameters(connection: Connection) -> dict[str, Any]:
    if connection.parameter_set is None:
        return {"connectionParameters": dict(connection.parameters)}
    values = {key: {"value": value} for key, value in connection.parameters.items()}
    return {"connectionParametersSet": {"name": connection.parameter_set, "values": values}}


def short_name(connector: str) -> str:
    """A connector as run-time addresses name it: ``sql`` for ``shared_sql``."""
    return connector.removeprefix("shared_")


def test_link(tenant: Tenant, connection: Connection) -> str:
    """The address that uses the connection once; opaque to clients."""
    return (
        f"{tenant.urls[Host.APIHUB]}/apim/{short_name(connection.connector)}/{connection.id}/testconnection"
    )


def permissions(world: World, connection: Connection) -> list[dict[str, Any]]:
    """Who may use the connection, its owner first."""
    owner = (connection.owner_id, connection.owner_type, "Owner")
    shares = [(share.principal_id, share.principal_type, share.role) for share in connection.shares]
    return [permission(world, connection, *granted) for granted in (owner, *shares)]


def permission(
    world: World, connection: Connection, principal_id: str, kind: str, role: str
) -> dict[str, Any]:
    """One grant on a connection."""
    principal = {
        key: value for key, value in person(world, principal_id, kind).items() if key != "userPrincipalName"
    }
    return {
        "name": principal_id,
        "id": f"{maker_path(connection.connector)}/connections/{connection.id}/permissions/{principal_id}",
        "type": "Microsoft.PowerApps/apis/connections/permissions",
        "properties": {
            "roleName": role,
            "principal": principal,
            "notifyShareTargetOption": "NotSpecified",
            "inviteGuestToTenant": False,
        },
    }


# --- apps and gateways -----------------------------------------------------------------------------------


def canvas_app(tenant: Tenant, app: CanvasApp) -> dict[str, Any]:
    """A canvas app as the admin scope tells it; modelled on what the admin PowerShell reads, not recorded."""
    connectors = [
        tenant.world.connections[one].connector
        for one in app.connection_ids
        if one in tenant.world.connections
    ]
    owner = {
        key: value for key, value in person(tenant.world, app.owner_id).items() if key != "userPrincipalName"
    }
    return {
        "name": app.id,
        "id": f"/providers/Microsoft.PowerApps/scopes/admin/environments/{app.environment_id}/apps/{app.id}",
        "type": "Microsoft.PowerApps/scopes/admin/apps",
        "properties": {
            "displayName": app.display_name,
            "owner": owner,
            "environment": {
                "id": f"/providers/Microsoft.PowerApps/environments/{app.environment_id}",
                "name": app.environment_id,
            },
            "connectionReferences": {
                guid(tenant.world.seed, "app reference", app.id, place): {
                    "id": maker_path(one),
                    "displayName": "SQL Server" if one == "shared_sql" else short_name(one),
                    "dataSources": [],
                }
                for place, one in enumerate(connectors)
            },
        },
    }


def gateway(one: Gateway) -> dict[str, Any]:
    """A gateway cluster."""
    return {
        "name": one.id,
        "id": f"/providers/Microsoft.PowerApps/gatewayClusters/{one.id}",
        "type": "Microsoft.PowerApps/gatewayClusters",
        "properties": {"displayName": one.display_name},
    }
