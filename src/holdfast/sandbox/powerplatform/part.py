"""What the Power Platform's own APIs bring to the sandbox: every route of BAP, Power Apps and connectivity."""

from __future__ import annotations

from holdfast.sandbox.frame import Part, Room, at
from holdfast.sandbox.powerplatform import access, connector_metadata, shapes, sharing
from holdfast.sandbox.powerplatform import inventory as reading
from holdfast.sandbox.powerplatform import writes as writing
from holdfast.sandbox.tenant import Host

_BAP = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments"
_APPS = "/providers/Microsoft.PowerApps"
_ADMIN = f"{_APPS}/scopes/admin/environments/{{environment}}"
_CONNECTION = f"{_APPS}/apis/{{connector}}/connections/{{connection}}"
_ADMIN_CONNECTION = f"{_ADMIN}/apis/{{connector}}/connections/{{connection}}"
_CONNECTIVITY = ("/connectivity", "/connectivity/environments/{environment}")
_ONE = "/connectors/{connector}/connections/{connection}"

PART = Part(
    "powerplatform",
    rooms=(
        Room(
            Host.BAP,
            (
                at("GET", _BAP, reading.list_environments),
                at("GET", f"{_BAP}/{{environment}}", reading.get_environment),
                at("GET", _BAP.replace("scopes/admin/", ""), reading.list_environments_as_maker),
            ),
        ),
        Room(
            Host.POWERAPPS,
            (
                at("GET", f"{_APPS}/environments", reading.list_environments_as_maker),
                at("GET", f"{_APPS}/environments/{{environment}}", reading.get_environment_as_maker),
                at("GET", f"{_APPS}/gatewayClusters", reading.list_gateways),
                at("GET", f"{_APPS}/apis", reading.list_connectors),
                at("GET", f"{_APPS}/apis/{{connector}}", reading.get_connector),
                at("GET", f"{_ADMIN}/apps", reading.list_apps),
                at("GET", f"{_ADMIN}/connections", reading.list_connections_as_admin),
                at("GET", f"{_ADMIN}/apis/{{connector}}/connections", reading.list_connections_as_admin),
                at("DELETE", _ADMIN_CONNECTION, writing.delete_as_admin),
                at("GET", f"{_ADMIN_CONNECTION}/permissions", sharing.list_permissions_as_admin),
                at("POST", f"{_ADMIN_CONNECTION}/modifyPermissions", sharing.modify_permissions_as_admin),
                at("GET", f"{_APPS}/connections", reading.list_connections),
                at("GET", f"{_APPS}/apis/{{connector}}/connections", reading.list_connections),
                at("GET", _CONNECTION, reading.get_connection),
                at("PUT", _CONNECTION, writing.put_connection),
                at("PATCH", _CONNECTION, writing.rename_connection),
                at("DELETE", _CONNECTION, writing.delete_connection),
                at("POST", f"{_CONNECTION}/getConsentLink", writing.consent_link, reads=True),
                at("GET", f"{_CONNECTION}/permissions", sharing.list_permissions),
                at("POST", f"{_CONNECTION}/modifyPermissions", sharing.modify_permissions),
            ),
        ),
        Room(
            Host.POWERPLATFORM,
            tuple(
                route
                for base in _CONNECTIVITY
                for route in (
                    at("GET", f"{base}/connections", reading.list_connectivity),
                    at("GET", f"{base}/connectors/{{connector}}", reading.get_connector),
                    at("GET", f"{base}{_ONE}", reading.get_connection),
                    at("PUT", f"{base}{_ONE}", writing.put_connection),
                    at("DELETE", f"{base}{_ONE}", writing.delete_connection),
                    at("GET", f"{base}{_ONE}/permissions", sharing.list_permissions),
                    at("POST", f"{base}{_ONE}/modifyPermissions", sharing.modify_permissions),
                )
            ),
        ),
    ),
    rules=(*access.RULES, *shapes.RULES, *connector_metadata.RULES, *writing.RULES, *sharing.RULES),
    events=sharing.EVENTS,
)
