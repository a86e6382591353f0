"""Dataverse tables that flows live in. We name the columns that we select; a whole row holds many more.

Recorded: fixtures/power-platform/dataverse_*.json. Not recorded: flowruns, systemusers (documented).
"""

from __future__ import annotations

from pydantic import Field

from holdfast.wire.shape import GraphPage, PlainShape

FLOW_CATEGORY = 5
"""`category` of a cloud flow among the workflows."""


class OwningUser(PlainShape):
    """The owner of a row, expanded. Documented, not recorded; null where a team owns it."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    systemuserid: str | None = None
    fullname: str | None = None
    domainname: str | None = None
    azureactivedirectoryobjectid: str | None = None
    applicationid: str | None = None


class Workflow(PlainShape):
    """A flow in a solution. `statecode` 0 off, 1 on, 2 suspended; `clientdata` is JSON in a string."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    workflowid: str
    workflowidunique: str | None = None
    name: str | None = None
    description: str | None = None
    category: int | None = None
    type: int | None = None
    statecode: int | None = None
    statuscode: int | None = None
    suspensionreasondetails: str | None = None
    primaryentity: str | None = None
    clientdata: str | None = None
    ismanaged: bool | None = None
    createdon: str | None = None
    modifiedon: str | None = None
    owner_id: str | None = Field(default=None, alias="_ownerid_value")
    modified_by: str | None = Field(default=None, alias="_modifiedby_value")
    resourceid: str | None = None
    owninguser: OwningUser | None = None


class NewWorkflow(PlainShape):
    """Body that makes a flow, off at first."""

    category: int
    name: str
    type: int
    description: str | None = None
    primaryentity: str
    clientdata: str


class FlowState(PlainShape):
    """Body that turns a flow on or off."""

    statecode: int
    statuscode: int


class FlowDefinition(PlainShape):
    """Body that writes a flow's definition."""

    clientdata: str


class FlowOwner(PlainShape):
    """Body that hands a flow over."""

    owner: str = Field(alias="ownerid@odata.bind")


class RowOf(PlainShape):
    """Points at a row of a table; the id's own name differs by table."""

    type: str = Field(alias="@odata.type")
    workflowid: str | None = None
    systemuserid: str | None = None
    ownerid: str | None = None


class PrincipalAccess(PlainShape):
    """What somebody may do with a row; `AccessMask` names rights, with commas between."""

    principal: RowOf = Field(alias="Principal")
    access: str = Field(alias="AccessMask")


class Granting(PlainShape):
    """Body of GrantAccess. Documented, not recorded."""

    target: RowOf = Field(alias="Target")
    principal_access: PrincipalAccess = Field(alias="PrincipalAccess")


class Revoking(PlainShape):
    """Body of RevokeAccess. Documented, not recorded."""

    target: RowOf = Field(alias="Target")
    revokee: RowOf = Field(alias="Revokee")


class SharedPrincipals(PlainShape):
    """Whom a row is shared with. Documented, not recorded."""

    context: str | None = Field(default=None, alias="@odata.context")
    accesses: tuple[PrincipalAccess, ...] = Field(alias="PrincipalAccesses")


class WhoAmI(PlainShape):
    """Which user of the environment the caller is."""

    context: str | None = Field(default=None, alias="@odata.context")
    business_unit: str | None = Field(default=None, alias="BusinessUnitId")
    user: str = Field(alias="UserId")
    organization: str | None = Field(default=None, alias="OrganizationId")


class SecurityRole(PlainShape):
    """A security role of the environment."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    roleid: str | None = None
    name: str


class NewReference(PlainShape):
    """Body that makes a connection reference."""

    connectionreferencelogicalname: str
    connectionreferencedisplayname: str
    connectorid: str
    connectionid: str | None = None


class ReferenceBinding(PlainShape):
    """Body that binds a connection reference."""

    connectionid: str


class ConnectionReference(PlainShape):
    """A solution's pointer to a connection; `connectionid` is its name, null when unbound."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    connectionreferenceid: str
    connectionreferencelogicalname: str
    connectionreferencedisplayname: str | None = None
    connectorid: str | None = None
    connectionid: str | None = None
    statecode: int | None = None
    statuscode: int | None = None
    owner_id: str | None = Field(default=None, alias="_ownerid_value")
    ismanaged: bool | None = None
    modifiedon: str | None = None
    owninguser: OwningUser | None = None


class FlowRun(PlainShape):
    """A run of a flow in a solution, kept 28 days by default. Documented, not recorded.

    `status` is Succeeded or Success; `errormessage` is often JSON in a string, and never the action's own.
    """

    etag: str | None = Field(default=None, alias="@odata.etag")
    flowrunid: str | None = None
    name: str
    status: str | None = None
    starttime: str | None = None
    endtime: str | None = None
    duration: int | None = None
    triggertype: str | None = None
    errorcode: str | None = None
    errormessage: str | None = None
    workflowid: str | None = None
    workflow_value: str | None = Field(default=None, alias="_workflow_value")
    owner_id: str | None = Field(default=None, alias="_ownerid_value")
    parentrunid: str | None = None
    isprimary: bool | None = None
    ttlinseconds: int | None = None


class SystemUser(PlainShape):
    """A person or an application as Dataverse knows it. Documented, not recorded."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    systemuserid: str
    fullname: str | None = None
    domainname: str | None = None
    internalemailaddress: str | None = None
    azureactivedirectoryobjectid: str | None = None
    applicationid: str | None = None
    isdisabled: bool | None = None


class Publisher(PlainShape):
    """Who made solutions. Documented, not recorded."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    publisherid: str
    uniquename: str | None = None


class NewPublisher(PlainShape):
    """Body that makes a publisher."""

    uniquename: str
    friendlyname: str
    customizationprefix: str
    customizationoptionvalueprefix: int


class Solution(PlainShape):
    """A container of flows and references. Documented, not recorded."""

    etag: str | None = Field(default=None, alias="@odata.etag")
    solutionid: str
    uniquename: str | None = None


class NewSolution(PlainShape):
    """Body that makes an unmanaged solution."""

    uniquename: str
    friendlyname: str
    version: str
    publisher: str = Field(alias="publisherid@odata.bind")


WorkflowPage = GraphPage[Workflow]
ConnectionReferencePage = GraphPage[ConnectionReference]
FlowRunPage = GraphPage[FlowRun]
SystemUserPage = GraphPage[SystemUser]
