"""What the SQL connector says of itself: the ways to sign in and the parameters of each.

Set names, labels and shareability are official (learn.microsoft.com/connectors/sql, page of 2025-08-19). Keys of
``oauthSP`` are those of Microsoft's own Terraform example for shared_sql; the other keys are by analogy or from
templates: see the rules. No recorded metadata of shared_sql was found.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from holdfast.sandbox.powerplatform.shapes import ICON, maker_path
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host, Tenant

REDIRECT = "https://global.consent.azure-apim.net/redirect/sql"

SET_NAMES = Rule(
    "sql_parameter_set_names",
    "The SQL connector's ways to sign in are oauth, oauthSP, certOauth, sqlAuthentication, windowsAuthentication, "
    "windowsAuthenticationNonShared and a deprecated one without name.",
    Mark.DOCUMENTED,
    "learn.microsoft.com/connectors/sql, page of 2025-08-19; oauthCom (GCC only) is absent here",
)
PRINCIPAL_KEYS = Rule(
    "sql_principal_keys",
    "oauthSP takes token, token:TenantId, token:clientId and token:clientSecret.",
    Mark.CODE,
    "terraform-provider-power-platform examples for shared_sql",
)
OTHER_KEYS = Rule(
    "sql_other_keys",
    "certOauth takes token:TenantId, token:clientId and token:clientCertificateSecret; the password sets take server, "
    "database, username, password and gateway.",
    Mark.ASSUMED,
    "by analogy with other connectors and Logic Apps templates; not recorded for shared_sql",
)
RULES = (SET_NAMES, PRINCIPAL_KEYS, OTHER_KEYS)


class Parameter(NamedTuple):
    """One parameter of a set."""

    key: str
    label: str
    type: str = "string"
    required: bool = True

    @property
    def is_secret(self) -> bool:
        """Whether lists never show it."""
        return self.type in ("securestring", "clientCertificate")


class ParameterSet(NamedTuple):
    """One way to sign in."""

    name: str
    label: str
    shareable: bool
    parameters: tuple[Parameter, ...]

    def parameter(self, key: str) -> Parameter | None:
        """By key in any case."""
        return next((one for one in self.parameters if one.key.casefold() == key.casefold()), None)


TOKEN = Parameter("token", "Log in with SQL Credentials", "oauthSetting", required=False)
SERVER = Parameter("server", "SQL server name")
DATABASE = Parameter("database", "SQL database name")
USER = Parameter("username", "Username", "securestring")
PASSWORD = Parameter("password", "Password", "securestring")
GATEWAY = Parameter("gateway", "Gateway", "gatewaySetting", required=False)
TENANT = Parameter("token:TenantId", "Tenant")
CLIENT = Parameter("token:clientId", "Client ID")

SQL_SETS = (
    ParameterSet("oauth", "Microsoft Entra ID Integrated", False, (TOKEN,)),
    ParameterSet(
        "oauthSP",
        "Service principal (Microsoft Entra ID application)",
        True,
        (TOKEN, TENANT, CLIENT, Parameter("token:clientSecret", "Client Secret", "securestring")),
    ),
    ParameterSet(
        "certOauth",
        "Client Certificate Auth",
        True,
        (
            TOKEN,
            TENANT,
            CLIENT,
            Parameter("token:clientCertificateSecret", "Client certificate secret", "clientCertificate"),
        ),
    ),
    ParameterSet(
        "sqlAuthentication", "SQL Server Authentication", True, (SERVER, DATABASE, USER, PASSWORD, GATEWAY)
    ),
    ParameterSet(
        "windowsAuthentication",
        "Windows Authentication",
        True,
        (SERVER, DATABASE, USER, PASSWORD, GATEWAY._replace(required=True)),
    ),
    ParameterSet(
        "windowsAuthenticationNonShared",
        "Windows Authentication (Non Shared)",
        False,
        (USER, PASSWORD, GATEWAY._replace(required=True)),
    ),
)
OLD_PARAMETERS = (
    SERVER,
    DATABASE,
    Parameter("authType", "Authentication Type", required=False),
    USER,
    PASSWORD,
    GATEWAY,
    Parameter("encryptConnection", "Encrypt Connection", "bool", required=False),
    Parameter("privacySetting", "Privacy", required=False),
    Parameter("sqlConnectionString", "SQL Connection String", "securestring", required=False),
)
"""The deprecated kind, whose values are plain."""


def set_named(name: str) -> ParameterSet | None:
    """A set by its name in any case."""
    return next((one for one in SQL_SETS if one.name.casefold() == name.casefold()), None)


def connector(tenant: Tenant) -> dict[str, Any]:
    """``shared_sql`` as an administrator or maker reads it, without its swagger."""
    runtime = f"{tenant.urls[Host.APIHUB]}/apim/sql"
    return {
        "name": "shared_sql",
        "id": maker_path("shared_sql"),
        "type": "Microsoft.PowerApps/apis",
        "properties": {
            "displayName": "SQL Server",
            "iconUri": f"{ICON}/sql/icon.png",
            "iconBrandColor": "#ba141a",
            "apiEnvironment": "Shared",
            "isCustomApi": False,
            "connectionParameters": {one.key: _parameter(one) for one in OLD_PARAMETERS},
            "connectionParameterSets": {
                "uiDefinition": {
                    "displayName": "Authentication Type",
                    "description": "Type of authentication to be used.",
                },
                "values": [_set(one) for one in SQL_SETS],
            },
            "runtimeUrls": [runtime],
            "primaryRuntimeUrl": runtime,
            "metadata": {
                "source": "marketplace",
                "brandColor": "#ba141a",
                "useNewApimVersion": "true",
                "version": {
                    "previous": "releases/v1.0.1776\\1.0.1776.4463",
                    "current": "releases/v1.0.1777\\1.0.1777.4488",
                },
            },
            "capabilities": ["tabular", "gateway", "cloud"],
            "description": "Microsoft SQL Server is a relational database management system developed by Microsoft.",
            "createdTime": "2016-09-30T04:13:19.0000000Z",
            "changedTime": "2026-01-13T08:00:00.0000000Z",
            "releaseTag": "Production",
            "tier": "Premium",
            "publisher": "Microsoft",
        },
    }


def _set(one: ParameterSet) -> dict[str, Any]:
    return {
        "name": one.name,
        "uiDefinition": {"displayName": one.label, "description": one.label},
        "parameters": {parameter.key: _parameter(parameter) for parameter in one.parameters},
        "metadata": {"allowSharing": one.shareable},
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": one.type}
    if one.type == "oauthSetting":
        shown["oAuthSettings"] = {
            "identityProvider": "aadcertificate",
            "scopes": [],
            "redirectMode": "Global",
            "redirectUrl": REDIRECT,
            "properties": {
                "IsFirstParty": "True",
                "AzureActiveDirectoryResourceId": "https://database.windows.net/",
            },
        }
    if one.type == "gatewaySetting":
        shown["gatewaySettings"] = {"dataSourceType": "SQL", "connectionDetails": ["server", "database"]}
    constraints: dict[str, Any] = {"required": "true" if one.required else "false"}
    if one.type == "gatewaySetting":
        constraints["capability"] = ["gateway"]
    shown["uiDefinition"] = {"displayName": one.label, "description": one.label, "constraints": constraints}
    return shown
