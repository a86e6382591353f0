"""Where each cloud's APIs live, whom their tokens are made out to, and which hosts may see those tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from holdfast.core.errors import SettingsError
from holdfast.core.identity import Cloud
from holdfast.wire.ledger import Audience, HostKind

AUDIENCES = {
    HostKind.AUTHORITY: Audience.NONE,
    HostKind.GRAPH: Audience.GRAPH,
    HostKind.BAP: Audience.POWERAPPS,
    HostKind.POWERAPPS: Audience.POWERAPPS,
    HostKind.FLOW: Audience.FLOW,
    HostKind.POWERPLATFORM: Audience.POWERPLATFORM,
    HostKind.APIHUB: Audience.APIHUB,
    HostKind.DATAVERSE: Audience.DATAVERSE,
    HostKind.LINKS: Audience.SIGNED,
    HostKind.SQL: Audience.DATABASE,
    HostKind.KEYVAULT: Audience.VAULT,
}
# Those that one base URL can replace. Organisations, signed links and SQL servers have as many as there are.
_REPLACEABLE = [
    kind.value for kind in AUDIENCES if kind not in (HostKind.DATAVERSE, HostKind.LINKS, HostKind.SQL)
]


@dataclass(frozen=True, slots=True)
class HostTable:
    """The hosts of one cloud, Microsoft's or a pretended one.

    Attributes:
        bases: scheme and host (and port) of each API that has one address for the whole tenant.
        scopes: what to ask a token for; Dataverse has one per organisation, see `scope`.
        patterns: the hosts that an audience's token may be sent to; for `Audience.NONE`, where a client may
            sign in. `*.` stands for one or more labels, `:*` for any port.
        is_custom: some host lies outside the shipped lists.
    """

    bases: Mapping[HostKind, str]
    scopes: Mapping[Audience, str]
    patterns: Mapping[Audience, tuple[str, ...]]
    is_custom: bool = False

    def admits(self, audience: Audience, host: str | None) -> bool:
        """Whether what is made out to `audience` may go to `host`, which is None for an unusable address."""
        return host is not None and any(matches(host, pattern) for pattern in self.patterns[audience])

    def scope(self, audience: Audience, host: str) -> str:
        """What to ask a token for that is sent to `host`."""
        return self.scopes.get(audience) or f"https://{host}/.default"


def matches(host: str, pattern: str) -> bool:
    """Whether `host` (with its port, if it has one) is meant by `pattern`."""
    if pattern.endswith(":*"):
        return host.partition(":")[0] == pattern[:-2]
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _table(
    *, login: str, graph: str, bap: str, powerapps: str, powerplatform: str, flow: str,
    powerapps_scope: str, flow_scope: str, dataverse: str, apihub: tuple[str, ...], links: tuple[str, ...],
    sql: tuple[str, ...], vault: str,
) -> HostTable:  # fmt: skip
    return HostTable(
        bases={
            HostKind.AUTHORITY: f"https://{login}",
            HostKind.GRAPH: f"https://{graph}",
            HostKind.BAP: f"https://{bap}",
            HostKind.POWERAPPS: f"https://{powerapps}",
            HostKind.FLOW: f"https://{flow}",
            HostKind.POWERPLATFORM: f"https://{powerplatform}",
        },
        scopes={
            Audience.GRAPH: f"https://{graph}/.default",
            Audience.POWERAPPS: f"https://{powerapps_scope}/.default",
            Audience.FLOW: f"https://{flow_scope}/.default",
            Audience.POWERPLATFORM: f"https://{powerplatform}/.default",
            Audience.APIHUB: "https://apihub.azure.com/.default",
            Audience.DATABASE: f"https://{sql[0]}/.default",
            Audience.VAULT: f"https://{vault}/.default",
        },
        patterns={
            Audience.NONE: (login,),
            Audience.GRAPH: (graph,),
            # Regional hosts stand below the global ones: europe.api.bap.microsoft.com.
            Audience.POWERAPPS: (bap, f"*.{bap}", powerapps, f"*.{powerapps}"),
            Audience.FLOW: (flow, f"*.{flow}"),
            Audience.POWERPLATFORM: (powerplatform, f"*.{powerplatform}"),
            Audience.APIHUB: apihub,
            Audience.DATAVERSE: (dataverse,),
            Audience.SIGNED: links,
            Audience.DATABASE: tuple(f"*.{name}" for name in sql),
            Audience.VAULT: (f"*.{vault}",),
        },
    )


# Sources: microsoft/terraform-provider-power-platform internal/constants/constants.go @024b82a (Power Platform,
# Power Apps scopes; the admin PowerShell names other ones for the two US clouds), Microsoft.PowerApps.RestClientModule
# (Flow), microsoft-graph-docs-contrib concepts/deployments.md @032e3ef (sign-in and Graph). Dataverse, API Hub
# and links of the sovereign clouds: one public source each. SQL and Key Vault: azure-docs of the sovereign clouds, general knowledge. None was tried.
TABLES: Mapping[Cloud, HostTable] = {
    Cloud.PUBLIC: _table(
        login="login.microsoftonline.com",
        graph="graph.microsoft.com",
        bap="api.bap.microsoft.com",
        powerapps="api.powerapps.com",
        powerapps_scope="service.powerapps.com",
        flow="api.flow.microsoft.com",
        flow_scope="service.flow.microsoft.com",
        powerplatform="api.powerplatform.com",
        dataverse="*.dynamics.com",
        apihub=("*.azure-apihub.net", "*.azure-apim.net"),
        links=("*.logic.azure.com", "*.powerplatformusercontent.com"),
        sql=("database.windows.net", "database.fabric.microsoft.com", "sql.azuresynapse.net"),
        vault="vault.azure.net",
    ),
    Cloud.GCC: _table(
        login="login.microsoftonline.com",
        graph="graph.microsoft.com",
        bap="gov.api.bap.microsoft.us",
        powerapps="gov.api.powerapps.us",
        powerapps_scope="service.powerapps.us",
        flow="gov.api.flow.microsoft.us",
        flow_scope="gov.service.flow.microsoft.us",
        powerplatform="api.gov.powerplatform.microsoft.us",
        dataverse="*.crm9.dynamics.com",
        apihub=("*.azure-apihub.us", "*.azure-apim.us"),
        links=("*.logic.azure.us",),
        sql=("database.windows.net", "database.usgovcloudapi.net"),
        vault="vault.azure.net",
    ),
    Cloud.GCC_HIGH: _table(
        login="login.microsoftonline.us",
        graph="graph.microsoft.us",
        bap="high.api.bap.microsoft.us",
        powerapps="high.api.powerapps.us",
        powerapps_scope="high.service.apps.appsplatform.us",
        flow="high.api.flow.microsoft.us",
        flow_scope="high.service.flow.microsoft.us",
        powerplatform="api.high.powerplatform.microsoft.us",
        dataverse="*.crm.microsoftdynamics.us",
        apihub=("*.azure-apihub.us", "*.azure-apim.us"),
        links=("*.logic.azure.us",),
        sql=("database.usgovcloudapi.net", "sql.azuresynapse.usgovcloudapi.net"),
        vault="vault.usgovcloudapi.net",
    ),
    Cloud.DOD: _table(
        login="login.microsoftonline.us",
        graph="dod-graph.microsoft.us",
        bap="api.bap.appsplatform.us",
        powerapps="api.apps.appsplatform.us",
        powerapps_scope="service.apps.appsplatform.us",
        flow="api.flow.appsplatform.us",
        flow_scope="service.flow.appsplatform.us",
        powerplatform="api.appsplatform.us",
        dataverse="*.crm.appsplatform.us",
        apihub=("*.azure-apihub.us", "*.azure-apim.us"),
        links=("*.logic.azure.us",),
        sql=("database.usgovcloudapi.net", "sql.azuresynapse.usgovcloudapi.net"),
        vault="vault.usgovcloudapi.net",
    ),
    Cloud.CHINA: _table(
        login="login.chinacloudapi.cn",
        graph="microsoftgraph.chinacloudapi.cn",
        bap="api.bap.partner.microsoftonline.cn",
        powerapps="api.powerapps.cn",
        powerapps_scope="service.powerapps.cn",
        flow="api.powerautomate.cn",
        flow_scope="service.powerautomate.cn",
        powerplatform="api.powerplatform.partner.microsoftonline.cn",
        dataverse="*.crm.dynamics.cn",
        apihub=("*.azure-apihub.cn", "*.azure-apim.cn"),
        links=("*.logic.azure.cn",),
        sql=("database.chinacloudapi.cn", "sql.azuresynapse.azure.cn"),
        vault="vault.azure.cn",
    ),
}


def host_table(
    cloud: Cloud, hosts: Mapping[str, str], dataverse: Iterable[str] = (), *, allow_custom_hosts: bool = False
) -> HostTable:
    """The hosts of that cloud, with some replaced.

    Args:
        hosts: base URLs by kind: `authority`, `graph`, `bap`, `powerapps`, …
        dataverse: base URLs of organisations, a `*` for the left-most label allowed.
        allow_custom_hosts: take hosts that lie outside the shipped lists.

    Raises:
        SettingsError: no such kind, no https, or a host outside the lists without leave.
    """
    table, given = TABLES[cloud], _given(hosts, dataverse)
    foreign = _foreign(table, given)
    if foreign and not allow_custom_hosts:
        kind, host = foreign[0]
        raise SettingsError(
            f"hosts.{kind} is {host}, which is no host of the {cloud} cloud; set allow_custom_hosts = true if"
            " holdfast may send tokens there."
        )
    bases: dict[HostKind, str] = {
        kind: f"https://{_host(kind, url)}" for kind, url in given if kind is not HostKind.DATAVERSE
    }
    # An audience that has a foreign host is sent to the given hosts only, so that a pretended tenant's tokens
    # cannot reach the real cloud.
    patterns = {
        audience: tuple(_host(kind, url) for kind, url in given if AUDIENCES[kind] is audience)
        for audience in {AUDIENCES[kind] for kind, _ in foreign}
    }
    if foreign:
        # Signed links carry no token, and a pretended tenant serves them on whatever port it has.
        patterns[Audience.SIGNED] = tuple(sorted({f"{host.partition(':')[0]}:*" for _, host in foreign}))
    return replace(
        table,
        bases={**table.bases, **bases},
        patterns={**table.patterns, **patterns},
        is_custom=bool(foreign),
    )


def foreign_hosts(cloud: Cloud, hosts: Mapping[str, str], dataverse: Iterable[str] = ()) -> tuple[str, ...]:
    """Which of the given hosts lie outside the shipped lists of the cloud; arguments as for `host_table`."""
    return tuple(dict.fromkeys(host for _, host in _foreign(TABLES[cloud], _given(hosts, dataverse))))


def _given(hosts: Mapping[str, str], dataverse: Iterable[str]) -> list[tuple[HostKind, str]]:
    if strange := sorted(set(hosts) - set(_REPLACEABLE)):
        raise SettingsError(f"hosts.{strange[0]} is not a kind of host; choose of {', '.join(_REPLACEABLE)}.")
    return [(HostKind(kind), url) for kind, url in hosts.items()] + [
        (HostKind.DATAVERSE, url) for url in dataverse
    ]


def _foreign(table: HostTable, given: list[tuple[HostKind, str]]) -> list[tuple[HostKind, str]]:
    named = [(kind, _host(kind, url)) for kind, url in given]
    return [(kind, host) for kind, host in named if not table.admits(AUDIENCES[kind], host)]


def _host(kind: HostKind, url: str) -> str:
    """Host in lower case, with the port where it is not 443.

    Raises:
        SettingsError: it is anything but plain https.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password or port == 0:
        raise SettingsError(f"hosts.{kind} must be https://HOST or https://HOST:PORT, not {url!r}.")
    return parts.hostname if port in (None, 443) else f"{parts.hostname}:{port}"
