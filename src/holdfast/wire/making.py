"""The calls that plans are carried out with: what they make, change and remove, and what they look at to be sure.

A part of the ledger, apart from what only ever reads.
"""

from __future__ import annotations

from typing import Any, Final

from holdfast.wire.call import Audience, Call, HostKind

_GRAPH_PERMISSIONS: Final = "microsoft-graph-devx-content permissions.json @6cbd6bb"
_APP_OWNER: Final = "an application with the permission that owns the other, as it does what it made"
_OWNED: Final = "Application.ReadWrite.OwnedBy"
_APPLICATION: Final = "/v1.0/applications/{application}"

_CONNECTION: Final = "/providers/Microsoft.PowerApps/apis/{connector}/connections/{connection}"
_ENVIRONMENT: Final = {"api-version": "2021-02-01", "$filter": "environment eq '{environment}'"}
_MAKER: Final = "a service principal that is an application user of the environment with a maker's role"
_MAKER_NEEDS: Final = "the Environment Maker role in the environment"
_OWNER: Final = "the connection's owner, and whom it is shared with for changing"
_OWNER_NEEDS: Final = "the connection itself: it belongs to somebody else"

_ROWS: Final = "/api/data/v9.2"
_ODATA: Final = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
_RETURNED: Final = _ODATA | {"Prefer": "return=representation"}
_CUSTOMIZER: Final = "an application user of the environment that may change flows"
_CUSTOMIZER_NEEDS: Final = "an application user in the environment with the security role System Customizer"
_FLOWCODE: Final = "power-automate-docs manage-flows-with-code.md"
_TABLES: Final = "powerapps-docs reference/entities"
SOLUTION_NAME: Final = "holdfast"
"""Unique name of the solution in which keep-alive flows are made, and of its publisher."""

_PLACED: Final = _RETURNED | {"MSCRM.SolutionUniqueName": SOLUTION_NAME}


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


def _connection(id: str, method: str, path: str, does: str, **more: Any) -> Call:
    about: dict[str, Any] = {
        "who": _OWNER,
        "needs": _OWNER_NEEDS,
        "unlocks": "migrate, rotate",
        "roles": ("operator",),
        "query": _ENVIRONMENT,
        "support": "code",
        "writes": True,
    } | more
    return Call(id, method, HostKind.POWERAPPS, path, Audience.POWERAPPS, does, **about)


def _row(id: str, method: str, path: str, does: str, **more: Any) -> Call:
    about: dict[str, Any] = {
        "who": _CUSTOMIZER,
        "needs": _CUSTOMIZER_NEEDS,
        "unlocks": "keepalive, migrate",
        "roles": ("operator",),
        "permission": "environment/System Customizer",
        "headers": _ODATA,
        "support": "documented",
        "writes": True,
    } | more
    return Call(id, method, HostKind.DATAVERSE, f"{_ROWS}{path}", Audience.DATAVERSE, does, **about)


# --- applications and their secrets ------------------------------------------------------------------------

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
    unlocks="keepalive, migrate",
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

# --- connections -------------------------------------------------------------------------------------------

PUT_CONNECTION: Final = _connection(
    "powerapps.connections.put",
    "PUT",
    _CONNECTION,
    "make or change a connection of holdfast's own",
    who=_MAKER,
    needs=_MAKER_NEEDS,
    permission="environment/Environment Maker",
    source="fredrikhr/powerplatform-sdk-extensions scripts/connection; terraform-provider-power-platform internal/services/connection",
)
DELETE_CONNECTION: Final = _connection(
    "powerapps.connections.delete",
    "DELETE",
    _CONNECTION,
    "remove a connection that holdfast made",
    source="terraform-provider-power-platform internal/services/connection; Microsoft.PowerApps.PowerShell 1.0.9",
)
CONNECTION_SHARES: Final = _connection(
    "powerapps.connections.permissions",
    "GET",
    f"{_CONNECTION}/permissions",
    "read whom a connection is shared with",
    writes=False,
    source="terraform-provider-power-platform internal/services/connection; Microsoft.PowerApps.PowerShell 1.0.9",
)
SHARE_CONNECTION: Final = _connection(
    "powerapps.connections.modify_permissions",
    "POST",
    f"{_CONNECTION}/modifyPermissions",
    "share a connection of holdfast's own, or take a share back",
    source="terraform-provider-power-platform internal/services/connection",
)
LEND_CONNECTION: Final = _connection(
    "powerapps.connections.admin_modify_permissions",
    "POST",
    "/providers/Microsoft.PowerApps/scopes/admin/environments/{environment}/apis/{connector}/connections/{connection}/modifyPermissions",
    "share somebody's connection with holdfast for a moment, so that a flow can be bound to it again",
    query={"api-version": "2017-06-01"},
    who="Power Platform, Dynamics 365 or Global administrator; a service principal registered as management application",
    needs="registration as Power Platform management application, or a Power Platform administrator",
    permission="power-platform/management-application",
    unlocks="undoing migrate and rotate",
    source="Microsoft.PowerApps.Administration.PowerShell 2.0.64, Set-AdminPowerAppConnectionRoleAssignment",
)
CONNECTOR: Final = _connection(
    "powerapps.connectors.get",
    "GET",
    "/providers/Microsoft.PowerApps/apis/{connector}",
    "read how connections of a connector can sign in",
    query={"api-version": "2019-05-01", "$filter": "environment eq '{environment}'"},
    who="a maker; a service principal that is an application user of the environment",
    needs=_MAKER_NEEDS,
    permission="environment/Environment Maker",
    writes=False,
    source="AdamCoulterOz/powerplatform-apis powerapps/oas; no recorded metadata of shared_sql was found",
)
PROOF_QUERY: Final = Call(
    id="apihub.query",
    method="POST",
    host=HostKind.APIHUB,
    path="/apim/{connector}/{connection}/v2/datasets/{server},{database}/query/sql",
    audience=Audience.APIHUB,
    does="run a query through a connection",
    who="the connection's owner, and whom it is shared with",
    needs="the connection, or a share of it",
    unlocks="proof that a connection works before anything is bound to it",
    roles=("operator",),
    support="assumed",
    source="paths of learn.microsoft.com/connectors/sql; that an application may call them is not witnessed",
    writes=True,
)

# --- flows and references ----------------------------------------------------------------------------------

WHO_AM_I: Final = _row(
    "dataverse.who_am_i",
    "GET",
    "/WhoAmI",
    "read which user of the environment holdfast is",
    writes=False,
    source="powerapps-docs developer/data-platform/webapi/reference/whoami",
)
SYSTEM_USERS: Final = _row(
    "dataverse.system_users.find",
    "GET",
    "/systemusers",
    "find a person or an application among the users of an environment",
    query={
        "$select": "systemuserid,fullname,azureactivedirectoryobjectid,applicationid,isdisabled",
        "$filter": "azureactivedirectoryobjectid eq {account}",
    },
    writes=False,
    source="powerapps-docs reference/entities/systemuser.md",
)
SECURITY_ROLES: Final = _row(
    "dataverse.security_roles.list",
    "GET",
    "/systemusers({user})/systemuserroles_association",
    "read which security roles holdfast has in an environment",
    query={"$select": "roleid,name"},
    needs="an application user in the environment",
    permission="",
    unlocks="doctor: what is missing before anything is written",
    writes=False,
    source="powerapps-docs reference/entities/systemuser.md, many-to-many systemuserroles_association",
)
LABELLED_FLOWS: Final = _row(
    "dataverse.workflows.find",
    "GET",
    "/workflows",
    "find the flows that holdfast made",
    query={
        "$select": "workflowid,name,statecode,statuscode,_ownerid_value,clientdata",
        "$filter": "category eq 5 and type eq 1 and startswith(name,'{label}')",
    },
    writes=False,
    source=_FLOWCODE,
)
WORKFLOW: Final = _row(
    "dataverse.workflows.get",
    "GET",
    "/workflows({flow})",
    "read one flow with its definition",
    query={"$select": "workflowid,name,statecode,statuscode,ismanaged,modifiedon,_ownerid_value,clientdata"},
    writes=False,
    source=_FLOWCODE,
)
NEW_WORKFLOW: Final = _row(
    "dataverse.workflows.create",
    "POST",
    "/workflows",
    "make a flow",
    headers=_RETURNED,
    is_idempotent=False,
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit dataverse_workflow_create.yaml",
)
CHANGE_WORKFLOW: Final = _row(
    "dataverse.workflows.change",
    "PATCH",
    "/workflows({flow})",
    "turn a flow on or off, write its definition, or hand it over",
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit dataverse_workflow_create.yaml; " + _FLOWCODE,
)
DELETE_WORKFLOW: Final = _row(
    "dataverse.workflows.delete",
    "DELETE",
    "/workflows({flow})",
    "remove a flow that holdfast made",
    source=_FLOWCODE,
)
_SHARING: Final = "power-automate-docs manage-flows-with-code.md; powerapps-docs developer/data-platform/security-sharing-assigning"
GRANT_ACCESS: Final = _row(
    "dataverse.workflows.grant_access",
    "POST",
    "/GrantAccess",
    "share a flow with whoever owned it before",
    unlocks="migrate --own-flows",
    source=_SHARING,
)
REVOKE_ACCESS: Final = _row(
    "dataverse.workflows.revoke_access",
    "POST",
    "/RevokeAccess",
    "take back the share of a flow that holdfast gave",
    unlocks="migrate --own-flows",
    source=_SHARING,
)
FLOW_SHARES: Final = _row(
    "dataverse.workflows.shared_with",
    "GET",
    "/RetrieveSharedPrincipalsAndAccess(Target=@t)",
    "read whom a flow is shared with",
    query={"@t": "{{'@odata.id':'workflows({flow})'}}"},
    writes=False,
    unlocks="migrate --own-flows",
    source=_SHARING,
)
REFERENCE: Final = _row(
    "dataverse.connection_references.get",
    "GET",
    "/connectionreferences({reference})",
    "read one connection reference",
    query={
        "$select": "connectionreferenceid,connectionreferencelogicalname,connectionreferencedisplayname,"
        "connectorid,connectionid,_ownerid_value,ismanaged,modifiedon"
    },
    writes=False,
    source="powerapps-docs reference/entities/connectionreference.md",
)
LABELLED_REFERENCES: Final = _row(
    "dataverse.connection_references.find",
    "GET",
    "/connectionreferences",
    "find the connection references that holdfast made",
    query={
        "$select": "connectionreferenceid,connectionreferencelogicalname,connectionreferencedisplayname,"
        "connectorid,connectionid",
        "$filter": "startswith(connectionreferencedisplayname,'{label}')",
    },
    writes=False,
    source="powerapps-docs reference/entities/connectionreference.md",
)
NEW_REFERENCE: Final = _row(
    "dataverse.connection_references.create",
    "POST",
    "/connectionreferences",
    "make a connection reference",
    headers=_RETURNED,
    is_idempotent=False,
    source="powerapps-docs reference/entities/connectionreference.md",
)
BIND_REFERENCE: Final = _row(
    "dataverse.connection_references.bind",
    "PATCH",
    "/connectionreferences({reference})",
    "bind a connection reference to another connection",
    headers=_ODATA | {"If-Match": "*"},
    source="powerapps-docs maker/data-platform/create-connection-reference.md; two public projects quote its refusal",
)
DELETE_REFERENCE: Final = _row(
    "dataverse.connection_references.delete",
    "DELETE",
    "/connectionreferences({reference})",
    "remove a connection reference that holdfast made",
    source="powerapps-docs reference/entities/connectionreference.md",
)

NEW_WORKFLOW_IN_SOLUTION: Final = _row(
    "dataverse.workflows.create_in_solution",
    "POST",
    "/workflows",
    "make a flow in the solution of holdfast's own",
    headers=_PLACED,
    is_idempotent=False,
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit dataverse_workflow_create.yaml; powerapps-docs webapi"
    " create-entity-web-api (MSCRM.SolutionUniqueName)",
)
NEW_REFERENCE_IN_SOLUTION: Final = _row(
    "dataverse.connection_references.create_in_solution",
    "POST",
    "/connectionreferences",
    "make a connection reference in the solution of holdfast's own",
    headers=_PLACED,
    is_idempotent=False,
    source=f"{_TABLES}/connectionreference.md; webapi create-entity-web-api (MSCRM.SolutionUniqueName)",
)
PUBLISHER: Final = _row(
    "dataverse.publishers.find",
    "GET",
    "/publishers",
    "find the publisher of holdfast's solution",
    query={"$select": "publisherid,uniquename", "$filter": "uniquename eq '{name}'"},
    writes=False,
    source=f"{_TABLES}/publisher.md",
)
NEW_PUBLISHER: Final = _row(
    "dataverse.publishers.create",
    "POST",
    "/publishers",
    "make the publisher of holdfast's solution",
    headers=_RETURNED,
    is_idempotent=False,
    source=f"{_TABLES}/publisher.md",
)
DELETE_PUBLISHER: Final = _row(
    "dataverse.publishers.delete",
    "DELETE",
    "/publishers({publisher})",
    "remove the publisher that holdfast made",
    source=f"{_TABLES}/publisher.md",
)
SOLUTION: Final = _row(
    "dataverse.solutions.find",
    "GET",
    "/solutions",
    "find holdfast's solution",
    query={"$select": "solutionid,uniquename", "$filter": "uniquename eq '{name}'"},
    writes=False,
    source=f"{_TABLES}/solution.md",
)
NEW_SOLUTION: Final = _row(
    "dataverse.solutions.create",
    "POST",
    "/solutions",
    "make holdfast's solution",
    headers=_RETURNED,
    is_idempotent=False,
    source=f"{_TABLES}/solution.md",
)
DELETE_SOLUTION: Final = _row(
    "dataverse.solutions.delete",
    "DELETE",
    "/solutions({solution})",
    "remove the solution that holdfast made; what is in it stays",
    source=f"{_TABLES}/solution.md; maker/data-platform/solutions-overview",
)

MAKING: Final[tuple[Call, ...]] = (
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
    PUT_CONNECTION,
    DELETE_CONNECTION,
    CONNECTION_SHARES,
    SHARE_CONNECTION,
    LEND_CONNECTION,
    CONNECTOR,
    PROOF_QUERY,
    WHO_AM_I,
    SYSTEM_USERS,
    SECURITY_ROLES,
    LABELLED_FLOWS,
    WORKFLOW,
    NEW_WORKFLOW,
    CHANGE_WORKFLOW,
    DELETE_WORKFLOW,
    GRANT_ACCESS,
    REVOKE_ACCESS,
    FLOW_SHARES,
    REFERENCE,
    LABELLED_REFERENCES,
    NEW_REFERENCE,
    BIND_REFERENCE,
    DELETE_REFERENCE,
    NEW_WORKFLOW_IN_SOLUTION,
    NEW_REFERENCE_IN_SOLUTION,
    PUBLISHER,
    NEW_PUBLISHER,
    DELETE_PUBLISHER,
    SOLUTION,
    NEW_SOLUTION,
    DELETE_SOLUTION,
)
