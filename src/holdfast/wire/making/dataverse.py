"""Calls that make and change flows and connection references, which are rows in Dataverse, and the solution of holdfast's own."""

from __future__ import annotations

from typing import Any, Final

from holdfast.wire.call import Audience, Call, HostKind

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

ROWS: Final[tuple[Call, ...]] = (
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
