"""Where each cloud's APIs live, whom their tokens are made out to, and which hosts may see those tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from holdfast.core.errors import SettingsError
from holdfast.wire.ledger import Audience, HostKind

_AUDIENCE_OF = {
    HostKind.ENTRA: Audience.NONE,
    HostKind.GRAPH: Audience.GRAPH,
    HostKind.BAP: Audience.POWERAPPS,
    HostKind.POWERAPPS: Audience.POWERAPPS,
}

# In settings and ready files the sign-in host is called by its usual name.
NAMES = {"authority": HostKind.ENTRA} | {kind.value: kind for kind in HostKind if kind is not HostKind.ENTRA}


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud of Microsoft, or a pretended one.

    Attributes:
        bases: scheme and host (and port) of each API.
        scopes: what to ask a token for.
        hosts: patterns of the hosts that a token may be sent to; for `Audience.NONE`, where a client may
            sign in. `*.` stands for one or more labels.
        is_custom: some host lies outside the shipped lists.
    """

    name: str
    bases: Mapping[HostKind, str]
    scopes: Mapping[Audience, str]
    hosts: Mapping[Audience, tuple[str, ...]]
    is_custom: bool = False

    def admits(self, audience: Audience, host: str | None) -> bool:
        """Whether what is made out to `audience` may go to `host`, which is None for an unusable address."""
        return host is not None and any(_matches(host, pattern) for pattern in self.hosts[audience])


def authority_of(url: str) -> str | None:
    """Host in lower case, with the port where it is not 443; None for anything but plain https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        return None
    return parts.hostname if port in (None, 443) else f"{parts.hostname}:{port}"


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _cloud(name: str, *, login: str, graph: str, bap: str, powerapps: str, scope: str) -> Cloud:
    return Cloud(
        name=name,
        bases={
            HostKind.ENTRA: f"https://{login}",
            HostKind.GRAPH: f"https://{graph}",
            HostKind.BAP: f"https://{bap}",
            HostKind.POWERAPPS: f"https://{powerapps}",
        },
        scopes={Audience.GRAPH: f"https://{graph}/.default", Audience.POWERAPPS: f"{scope}/.default"},
        hosts={
            Audience.NONE: (login,),
            Audience.GRAPH: (graph,),
            # Regional hosts stand below the global ones: europe.api.bap.microsoft.com.
            Audience.POWERAPPS: (bap, f"*.{bap}", powerapps, f"*.{powerapps}"),
        },
    )


# Sources: microsoft/terraform-provider-power-platform internal/constants/constants.go (Power Platform),
# microsoft-graph-docs-contrib concepts/deployments.md @032e3ef (sign-in and Graph).
CLOUDS: Mapping[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        _cloud(
            "public",
            login="login.microsoftonline.com",
            graph="graph.microsoft.com",
            bap="api.bap.microsoft.com",
            powerapps="api.powerapps.com",
            scope="https://service.powerapps.com",
        ),
        _cloud(
            "gcc",
            login="login.microsoftonline.com",
            graph="graph.microsoft.com",
            bap="gov.api.bap.microsoft.us",
            powerapps="gov.api.powerapps.us",
            scope="https://service.powerapps.us",
        ),
        _cloud(
            "gcc_high",
            login="login.microsoftonline.us",
            graph="graph.microsoft.us",
            bap="high.api.bap.microsoft.us",
            powerapps="high.api.powerapps.us",
            scope="https://high.service.apps.appsplatform.us",
        ),
        _cloud(
            "dod",
            login="login.microsoftonline.us",
            graph="dod-graph.microsoft.us",
            bap="api.bap.appsplatform.us",
            powerapps="api.apps.appsplatform.us",
            scope="https://service.apps.appsplatform.us",
        ),
        _cloud(
            "china",
            login="login.chinacloudapi.cn",
            graph="microsoftgraph.chinacloudapi.cn",
            bap="api.bap.partner.microsoftonline.cn",
            powerapps="api.powerapps.cn",
            scope="https://service.powerapps.cn",
        ),
    )
}


def cloud_of(name: str, hosts: Mapping[str, str] | None = None, *, allow_custom_hosts: bool = False) -> Cloud:
    """The cloud of that name, with some hosts replaced.

    Args:
        name: a key of CLOUDS.
        hosts: base URL by API name: `authority`, `graph`, `bap`, `powerapps`.
        allow_custom_hosts: take hosts that lie outside the shipped lists.

    Raises:
        SettingsError: no such cloud or API, not https, or a host outside the lists without leave.
    """
    if name not in CLOUDS:
        raise SettingsError(f"There is no cloud {name!r}; choose one of {', '.join(CLOUDS)}.")
    cloud = CLOUDS[name]
    for api, url in (hosts or {}).items():
        cloud = _with_host(cloud, api, url, allow_custom_hosts)
    return cloud


def _with_host(cloud: Cloud, api: str, url: str, allow_custom: bool) -> Cloud:
    if api not in NAMES:
        raise SettingsError(f"hosts names an API {api!r} that does not exist; choose of {', '.join(NAMES)}.")
    kind = NAMES[api]
    audience = _AUDIENCE_OF[kind]
    host = authority_of(url)
    if host is None:
        raise SettingsError(f"hosts.{api} must be an https address without a user name, not {url!r}.")
    bases = {**cloud.bases, kind: f"https://{host}"}
    if cloud.admits(audience, host):
        return Cloud(cloud.name, bases, cloud.scopes, cloud.hosts, cloud.is_custom)
    if not allow_custom:
        raise SettingsError(
            f"hosts.{api} is {host}, which is no host of the {cloud.name} cloud;"
            " set allow_custom_hosts = true if holdfast may send tokens there."
        )
    return Cloud(cloud.name, bases, cloud.scopes, _admitting(cloud, bases, audience), is_custom=True)


def _admitting(
    cloud: Cloud, bases: Mapping[HostKind, str], audience: Audience
) -> Mapping[Audience, tuple[str, ...]]:
    """The patterns with those of `audience` replaced by exactly its hosts in use."""
    in_use = tuple(
        sorted({str(authority_of(url)) for kind, url in bases.items() if _AUDIENCE_OF[kind] is audience})
    )
    return {**cloud.hosts, audience: in_use}
