"""Calls that register applications in Microsoft Graph and renew what they prove themselves by."""

from __future__ import annotations

from typing import Any, Final

from holdfast.wire.call import Audience, Call, HostKind

_GRAPH_PERMISSIONS: Final = "microsoft-graph-devx-content permissions.json @6cbd6bb"
_APP_OWNER: Final = "an application with the permission that owns the other, as it does what it made"
_OWNED: Final = "Application.ReadWrite.OwnedBy"
_APPLICATION: Final = "/v1.0/applications/{application}"


def _registration(id: str, method: str, path: str, does: str, **more: Any) -> Call:
    about: dict[str, Any] = {
        "who": _APP_OWNER,
        "needs": _OWNED,
        "unlocks": "migrate, rotate",
        "roles": ("app_admin",),
        "permission": f"graph/{_OWNED}",
        "support": "documented",
        "writes": True,
        "is_idempotent": False,
    } | more
    return Call(id, method, HostKind.GRAPH, path, Audience.GRAPH, does, **about)


NEW_APPLICATION: Final = _registration(
    "graph.applications.create",
    "POST",
    "/v1.0/applications",
    "register an application",
    who="an application with the permission, which then owns it",
    source=f"microsoft-graph-docs-contrib application-post-applications; {_GRAPH_PERMISSIONS}",
)
APPLICATION: Final = _registration(
    "graph.applications.get",
    "GET",
    _APPLICATION,
    "read one application with the dates of its secrets",
    query={"$select": "id,appId,displayName,passwordCredentials,keyCredentials"},
    writes=False,
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib application-get; {_GRAPH_PERMISSIONS}",
)
LABELLED_APPLICATIONS: Final = _registration(
    "graph.applications.find",
    "GET",
    "/v1.0/applications",
    "find the applications that holdfast registered",
    query={
        "$filter": "startswith(displayName,'{label}')",
        "$select": "id,appId,displayName,passwordCredentials,keyCredentials",
    },
    writes=False,
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib application-list; {_GRAPH_PERMISSIONS}",
)
DELETE_APPLICATION: Final = _registration(
    "graph.applications.delete",
    "DELETE",
    _APPLICATION,
    "remove an application that holdfast registered",
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib application-delete; {_GRAPH_PERMISSIONS}",
)
ADD_PASSWORD: Final = _registration(
    "graph.applications.add_password",
    "POST",
    f"{_APPLICATION}/addPassword",
    "add a secret to an application",
    source=f"microsoft-graph-docs-contrib application-addpassword @082d7a8; {_GRAPH_PERMISSIONS}",
)
REMOVE_PASSWORD: Final = _registration(
    "graph.applications.remove_password",
    "POST",
    f"{_APPLICATION}/removePassword",
    "remove a secret of an application",
    source=f"microsoft-graph-docs-contrib application-removepassword @0599dfe; {_GRAPH_PERMISSIONS}",
)
SET_CERTIFICATES: Final = _registration(
    "graph.applications.set_certificates",
    "PATCH",
    _APPLICATION,
    "write the list of an application's certificates",
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib application-update, application-addkey @00e146a; {_GRAPH_PERMISSIONS}",
)
CERTIFICATES: Final = _registration(
    "graph.applications.certificates",
    "GET",
    _APPLICATION,
    "read an application's certificates with their public keys",
    query={"$select": "id,appId,keyCredentials"},
    writes=False,
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib application-get (keyCredentials on $select); {_GRAPH_PERMISSIONS}",
)
APPLICATION_OWNERS: Final = _registration(
    "graph.applications.owners",
    "GET",
    f"{_APPLICATION}/owners",
    "read who owns an application",
    query={"$select": "id,displayName"},
    needs="Application.Read.All",
    permission="graph/Application.Read.All",
    roles=("reader",),
    who="an application or a person with the permission",
    writes=False,
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib application-list-owners; {_GRAPH_PERMISSIONS}",
)
NEW_PRINCIPAL: Final = _registration(
    "graph.service_principals.create",
    "POST",
    "/v1.0/servicePrincipals",
    "make an application an identity of the tenant",
    source=f"microsoft-graph-docs-contrib serviceprincipal-post-serviceprincipals; {_GRAPH_PERMISSIONS}",
)
PRINCIPAL_OF: Final = _registration(
    "graph.service_principals.find",
    "GET",
    "/v1.0/servicePrincipals",
    "find the identity of an application",
    query={
        "$filter": "appId eq '{client}'",
        "$select": "id,appId,displayName,accountEnabled,servicePrincipalType",
    },
    needs="Application.Read.All",
    permission="graph/Application.Read.All",
    roles=("reader",),
    who="an application or a person with the permission",
    writes=False,
    is_idempotent=True,
    unlocks="keepalive, migrate, rotate",
    source=f"microsoft-graph-docs-contrib serviceprincipal-list; {_GRAPH_PERMISSIONS}",
)
APP_MANAGEMENT_POLICY: Final = _registration(
    "graph.app_management_policy.get",
    "GET",
    "/v1.0/policies/defaultAppManagementPolicy",
    "read what the tenant forbids secrets of applications",
    needs="Policy.Read.All",
    permission="graph/Policy.Read.All",
    roles=("reader",),
    who="an application or a person with the permission",
    writes=False,
    is_idempotent=True,
    source=f"microsoft-graph-docs-contrib tenantappmanagementpolicy @356c697; {_GRAPH_PERMISSIONS}",
)
OWN_APP_POLICIES: Final = _registration(
    "graph.applications.app_management_policies",
    "GET",
    f"{_APPLICATION}/appManagementPolicies",
    "read what an application goes by instead of the tenant's policy",
    needs="Policy.Read.All",
    permission="graph/Policy.Read.All",
    roles=("reader",),
    who="an application or a person with the permission, and Application.Read.All",
    writes=False,
    is_idempotent=True,
    unlocks="rotate",
    source=f"microsoft-graph-docs-contrib application (relationships), appmanagementpolicy-post-appliesto; {_GRAPH_PERMISSIONS}",
)
APPLICATION_MADE: Final = _registration(
    "graph.applications.made",
    "GET",
    _APPLICATION,
    "read when an application was made",
    query={"$select": "id,appId,createdDateTime"},
    needs="Application.Read.All",
    permission="graph/Application.Read.All",
    roles=("reader",),
    who="an application or a person with the permission",
    writes=False,
    is_idempotent=True,
    unlocks="rotate",
    source=f"microsoft-graph-docs-contrib application-get; {_GRAPH_PERMISSIONS}",
)

APPLICATIONS: Final[tuple[Call, ...]] = (
    NEW_APPLICATION,
    APPLICATION,
    LABELLED_APPLICATIONS,
    DELETE_APPLICATION,
    ADD_PASSWORD,
    REMOVE_PASSWORD,
    SET_CERTIFICATES,
    CERTIFICATES,
    APPLICATION_OWNERS,
    NEW_PRINCIPAL,
    PRINCIPAL_OF,
    APP_MANAGEMENT_POLICY,
    OWN_APP_POLICIES,
    APPLICATION_MADE,
)
