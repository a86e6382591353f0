"""Every cloud call there is: the client is built from this table and can make no other.

`holdfast ledger` and the documentation print it. Support marks as in `core.facts`: recorded, documented, code,
secondary, assumed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from holdfast.wire.call import Audience as Audience
from holdfast.wire.call import Call as Call
from holdfast.wire.call import HostKind as HostKind
from holdfast.wire.making import MAKING

_ADMIN: Final = "Power Platform, Dynamics 365 or Global administrator; a service principal registered as management application"
_ADMIN_NEEDS: Final = (
    "registration as Power Platform management application, or a Power Platform administrator"
)
_MANAGEMENT: Final = "power-platform/management-application"
_EVERYBODY: Final = ("reader", "operator", "app_admin", "sql_admin", "flow_reader")
_APPLICATION_USER: Final = "an application user or a person with a security role in the environment"
# power-platform-docs admin/database-security.md @00bbee3: the predefined role that reads every table.
_READS_ALL: Final = "an application user in the environment with the security role Service Reader"
_FLOW_ADMIN: Final = "/providers/Microsoft.ProcessSimple/scopes/admin/environments/{environment}"
_FLOW: Final = "/providers/Microsoft.ProcessSimple/environments/{environment}/flows/{flow}"
_FLOW_VERSION: Final = {"api-version": "2016-11-01"}
_FLOW_OWNER: Final = "a person who owns the flow or whom it is shared with; no service principal"
_FLOW_OWNER_NEEDS: Final = "a person's sign-in who owns the flow"
_GOVERNANCE: Final = "/providers/PowerPlatform.Governance/v2/policies"
_LOG_READER: Final = (
    "an application with the permission; a person who is Reports Reader, Security Reader or higher besides; the tenant"
    " needs P1 or P2"
)
# microsoft-graph-docs-contrib concepts/throttling-limits.md @0135174: reports, per application and tenant.
_REPORTS: Final = (5, 10.0)
_DATAVERSE: Final = "/api/data/v9.2"
_ODATA: Final = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
# powerapps-docs webapi/query-data-web-api (expand of single-valued navigation properties); entities/workflow: owninguser.
_OWNER: Final = "owninguser($select=fullname,domainname,azureactivedirectoryobjectid,applicationid)"
_POWERAPPS_PATH: Final = "/providers/Microsoft.PowerApps"
_ADMIN_SCOPE: Final = f"{_POWERAPPS_PATH}/scopes/admin/environments/{{environment}}"
_BAP_ADMIN: Final = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments"
_RECORDED_ADMIN: Final = "microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_pp_admin.yaml"
_GRAPH_PERMISSIONS: Final = "microsoft-graph-devx-content permissions.json @6cbd6bb"

OPENID_CONFIGURATION: Final = Call(
    id="entra.openid_configuration",
    method="GET",
    host=HostKind.AUTHORITY,
    path="/{tenant}/v2.0/.well-known/openid-configuration",
    audience=Audience.NONE,
    does="read the sign-in addresses of the tenant",
    who="anybody",
    needs="nothing",
    unlocks="signing in",
    roles=_EVERYBODY,
    support="documented",
    source="entra-docs v2-protocols-oidc @0358995",
)
TOKEN: Final = Call(
    id="entra.token",
    method="POST",
    host=HostKind.AUTHORITY,
    path="/{tenant}/oauth2/v2.0/token",
    audience=Audience.NONE,
    does="sign in",
    who="an application with a client secret or certificate",
    needs="a valid client secret or certificate of the application",
    unlocks="every call below",
    roles=_EVERYBODY,
    support="recorded",
    source="fixtures entra/token-*.json; entra-docs v2-oauth2-client-creds-grant-flow @03033eb",
)
ENVIRONMENTS: Final = Call(
    id="bap.environments.admin_list",
    method="GET",
    host=HostKind.BAP,
    path=_BAP_ADMIN,
    query={"api-version": "2021-04-01"},
    audience=Audience.POWERAPPS,
    does="list the environments of the tenant",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="scan",
    roles=("reader", "operator", "flow_reader"),
    permission=_MANAGEMENT,
    support="recorded",
    source=_RECORDED_ADMIN,
)
OWN_ENVIRONMENTS: Final = Call(
    id="powerapps.environments.list",
    method="GET",
    host=HostKind.POWERAPPS,
    path=f"{_POWERAPPS_PATH}/environments",
    query={"api-version": "2016-11-01"},
    audience=Audience.POWERAPPS,
    does="list the environments that a maker may enter",
    who="a person with a licence for Power Apps or Power Automate",
    needs="a licence for Power Apps or Power Automate",
    unlocks="scan of the own connections",
    roles=("maker",),
    support="code",
    source="AdamCoulterOz/powerplatform-apis powerapps/oas, probed live",
)
ENVIRONMENT: Final = Call(
    id="bap.environments.admin_get",
    method="GET",
    host=HostKind.BAP,
    path=f"{_BAP_ADMIN}/{{environment}}",
    query={"api-version": "2021-04-01"},
    audience=Audience.POWERAPPS,
    does="read an environment",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="scan of one environment",
    roles=("reader",),
    permission=_MANAGEMENT,
    support="recorded",
    source="microsoft/terraform-provider-power-platform internal/services/environment/tests",
)
CONNECTIONS: Final = Call(
    id="powerapps.connections.admin_list",
    method="GET",
    host=HostKind.POWERAPPS,
    path=f"{_ADMIN_SCOPE}/connections",
    query={"api-version": "2016-11-01"},
    audience=Audience.POWERAPPS,
    does="list all connections of an environment",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="inventory of every connector",
    roles=("reader",),
    permission=_MANAGEMENT,
    support="recorded",
    source=_RECORDED_ADMIN,
)
CONNECTIONS_OF_CONNECTOR: Final = Call(
    id="powerapps.connections.admin_list_by_connector",
    method="GET",
    host=HostKind.POWERAPPS,
    path=f"{_ADMIN_SCOPE}/apis/{{connector}}/connections",
    query={"api-version": "2016-11-01"},
    audience=Audience.POWERAPPS,
    does="list the connections of a connector in an environment",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="scan, status, forecast",
    roles=("reader",),
    permission=_MANAGEMENT,
    support="code",
    source="Microsoft.PowerApps.Administration.PowerShell 2.0.64, Get-AdminPowerAppConnection",
)
OWN_CONNECTIONS: Final = Call(
    id="powerapps.connections.list",
    method="GET",
    host=HostKind.POWERAPPS,
    path=f"{_POWERAPPS_PATH}/connections",
    query={"api-version": "2016-11-01", "$filter": "environment eq '{environment}'"},
    audience=Audience.POWERAPPS,
    does="list the identity's own and shared connections in an environment",
    who="a maker; a service principal that is an application user of the environment",
    needs="the Environment Maker role in the environment",
    unlocks="connections that holdfast made or was given",
    roles=("operator", "maker"),
    permission="environment/Environment Maker",
    support="code",
    source="Microsoft.PowerApps.PowerShell 1.0.9; AdamCoulterOz/powerplatform-apis powerapps/oas",
)
OWN_CONNECTION: Final = Call(
    id="powerapps.connections.get",
    method="GET",
    host=HostKind.POWERAPPS,
    path=f"{_POWERAPPS_PATH}/apis/{{connector}}/connections/{{connection}}",
    query={"api-version": "2021-02-01", "$filter": "environment eq '{environment}'"},
    audience=Audience.POWERAPPS,
    does="read one of the identity's own or shared connections",
    who="its owner, and whom it is shared with",
    needs="the connection, or a share of it",
    unlocks="the state of a connection that holdfast made or was given",
    roles=("operator",),
    support="code",
    source="Microsoft.PowerApps.PowerShell 1.0.9; fredrikhr/powerplatform-sdk-extensions scripts/connection",
)
CONSENT_LINK: Final = Call(
    id="powerapps.connections.consent_link",
    method="POST",
    host=HostKind.POWERAPPS,
    path=f"{_POWERAPPS_PATH}/apis/{{connector}}/connections/{{connection}}/getConsentLink",
    query={"api-version": "2021-02-01", "$filter": "environment eq '{environment}'"},
    audience=Audience.POWERAPPS,
    does="ask for the link by which the owner signs in for a connection",
    who="its owner; not every environment offers one",
    needs="the connection",
    unlocks="worklist with a direct link for the own connections",
    roles=("maker",),
    is_for_people=True,
    support="code",
    source="fredrikhr/powerplatform-sdk-extensions scripts/connection",
)
APPLICATIONS: Final = Call(
    id="graph.applications.list",
    method="GET",
    host=HostKind.GRAPH,
    path="/v1.0/applications",
    query={"$select": "id,appId,displayName,passwordCredentials,keyCredentials", "$top": "999"},
    audience=Audience.GRAPH,
    does="list the applications of the tenant with the dates of their secrets",
    who="an application or a person with the permission",
    needs="Application.Read.All",
    unlocks="forecast of secrets and certificates, rotate",
    roles=("reader",),
    permission="graph/Application.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib application-list; {_GRAPH_PERMISSIONS}",
)
SERVICE_PRINCIPALS: Final = Call(
    id="graph.service_principals.list",
    method="GET",
    host=HostKind.GRAPH,
    path="/v1.0/servicePrincipals",
    query={"$select": "id,appId,displayName,accountEnabled,servicePrincipalType", "$top": "999"},
    audience=Audience.GRAPH,
    does="list the application identities of the tenant",
    who="an application or a person with the permission",
    needs="Application.Read.All",
    unlocks="which application identities are disabled",
    roles=("reader",),
    permission="graph/Application.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib serviceprincipal-list; {_GRAPH_PERMISSIONS}",
)
USERS: Final = Call(
    id="graph.users.list",
    method="GET",
    host=HostKind.GRAPH,
    path="/v1.0/users",
    query={
        "$select": "id,displayName,userPrincipalName,accountEnabled,userType,createdDateTime,"
        "lastPasswordChangeDateTime,signInSessionsValidFromDateTime,passwordPolicies,onPremisesSyncEnabled",
        "$top": "999",
    },
    audience=Audience.GRAPH,
    does="list the accounts of the tenant with the dates of their passwords and sessions",
    who="an application or a person with the permission",
    needs="User.Read.All",
    unlocks="why an owner's connections broke",
    roles=("reader",),
    permission="graph/User.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib user-list @008316a; {_GRAPH_PERMISSIONS}",
)
WORKFLOWS: Final = Call(
    id="dataverse.workflows.list",
    method="GET",
    host=HostKind.DATAVERSE,
    path=f"{_DATAVERSE}/workflows",
    query={
        "$select": "workflowid,name,statecode,ismanaged,modifiedon,_ownerid_value,clientdata",
        "$expand": _OWNER,
        "$filter": "category eq 5 and type eq 1",
    },
    headers=_ODATA | {"Prefer": "odata.maxpagesize=250"},
    audience=Audience.DATAVERSE,
    does="list the flows in solutions of an environment",
    who=_APPLICATION_USER,
    needs=_READS_ALL,
    unlocks="which flows a connection carries",
    roles=("reader", "maker"),
    permission="environment/Service Reader",
    support="documented",
    source="power-automate-docs manage-flows-with-code.md; a narrower query is recorded",
)
CONNECTION_REFERENCES: Final = Call(
    id="dataverse.connection_references.list",
    method="GET",
    host=HostKind.DATAVERSE,
    path=f"{_DATAVERSE}/connectionreferences",
    query={
        "$select": "connectionreferenceid,connectionreferencelogicalname,connectionreferencedisplayname,"
        "connectorid,connectionid",
        "$expand": _OWNER,
    },
    headers=_ODATA,
    audience=Audience.DATAVERSE,
    does="list the connection references of an environment",
    who=_APPLICATION_USER,
    needs=_READS_ALL,
    unlocks="which flows a connection carries",
    roles=("reader", "maker"),
    permission="environment/Service Reader",
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit dataverse_workday_connection_refs_full.yaml",
)
FLOW_RUNS: Final = Call(
    id="dataverse.flow_runs.list",
    method="GET",
    host=HostKind.DATAVERSE,
    path=f"{_DATAVERSE}/flowruns",
    query={
        "$select": "name,status,starttime,endtime,errorcode,errormessage,_workflow_value",
        "$filter": "_workflow_value eq {flow} and starttime ge {since}",
        "$orderby": "starttime desc",
    },
    headers=_ODATA | {"Prefer": "odata.maxpagesize=100"},
    audience=Audience.DATAVERSE,
    does="list the runs of a flow",
    who=_APPLICATION_USER,
    needs=_READS_ALL,
    unlocks="when a connection was last used, for flows in solutions",
    roles=("reader",),
    permission="environment/Service Reader",
    support="documented",
    source="power-automate-docs dataverse/cloud-flow-run-metadata.md; powerapps-docs reference flowrun.md",
)
FAILED_RUNS: Final = Call(
    id="dataverse.failed_runs.list",
    method="GET",
    host=HostKind.DATAVERSE,
    path=f"{_DATAVERSE}/flowruns",
    query={
        "$select": "name,status,starttime,endtime,errorcode,errormessage,_workflow_value",
        "$filter": "status eq 'Failed' and starttime ge {since}",
        "$orderby": "starttime desc",
    },
    headers=_ODATA | {"Prefer": "odata.maxpagesize=250"},
    audience=Audience.DATAVERSE,
    does="list the failed runs of an environment",
    who=_APPLICATION_USER,
    needs=_READS_ALL,
    unlocks="which connections fail in use though the platform calls them connected",
    roles=("reader",),
    permission="environment/Service Reader",
    support="documented",
    source="powerapps-docs reference flowrun.md; that the whole table may be asked by state is assumed",
)
DATA_POLICIES: Final = Call(
    id="bap.data_policies.list",
    method="GET",
    host=HostKind.BAP,
    path=_GOVERNANCE,
    audience=Audience.POWERAPPS,
    does="list the data policies of the tenant",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="which data policy stops a flow",
    roles=("reader",),
    permission=_MANAGEMENT,
    support="recorded",
    source="microsoft/terraform-provider-power-platform internal/services/dlp_policy/tests",
)
DATA_POLICY: Final = Call(
    id="bap.data_policies.get",
    method="GET",
    host=HostKind.BAP,
    path=f"{_GOVERNANCE}/{{policy}}",
    audience=Audience.POWERAPPS,
    does="read a data policy with its connectors",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="which data policy stops a flow",
    roles=("reader",),
    permission=_MANAGEMENT,
    support="recorded",
    source="microsoft/terraform-provider-power-platform internal/services/dlp_policy/tests",
)
CANVAS_APPS: Final = Call(
    id="powerapps.apps.admin_list",
    method="GET",
    host=HostKind.POWERAPPS,
    path=f"{_ADMIN_SCOPE}/apps",
    query={"api-version": "2016-11-01"},
    audience=Audience.POWERAPPS,
    does="list the canvas apps of an environment",
    who=_ADMIN,
    needs=_ADMIN_NEEDS,
    unlocks="which connections an app may share with its users",
    roles=("reader",),
    permission=_MANAGEMENT,
    support="code",
    source="Microsoft.PowerApps.Administration.PowerShell 2.0.64, Get-AdminPowerApp",
)
DOMAINS: Final = Call(
    id="graph.domains.list",
    method="GET",
    host=HostKind.GRAPH,
    path="/v1.0/domains",
    audience=Audience.GRAPH,
    does="list the domains of the tenant with how long their passwords live",
    who="an application or a person with the permission",
    needs="Domain.Read.All",
    unlocks="when passwords expire",
    roles=("reader",),
    permission="graph/Domain.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib domain @008b756; {_GRAPH_PERMISSIONS}",
)
ACCESS_POLICIES: Final = Call(
    id="graph.conditional_access_policies.list",
    method="GET",
    host=HostKind.GRAPH,
    path="/v1.0/identity/conditionalAccess/policies",
    audience=Audience.GRAPH,
    does="list the Conditional Access policies of the tenant",
    who="an application or a person with the permission",
    needs="Policy.Read.All",
    unlocks="which policy breaks sign-ins, or will once it is enforced",
    roles=("reader",),
    permission="graph/Policy.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib conditionalaccesspolicy @073a396; {_GRAPH_PERMISSIONS}",
    pace=(1, 1.0),
)
MFA_STATE: Final = Call(
    id="graph.users.mfa_state",
    method="GET",
    host=HostKind.GRAPH,
    path="/beta/users/{account}/authentication/requirements",
    audience=Audience.GRAPH,
    does="read whether an account itself is asked for a second factor",
    who="an application or a person with the permission",
    needs="Policy.Read.All",
    unlocks="whether MFA is demanded of an owner apart from every policy",
    roles=("reader",),
    permission="graph/Policy.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib beta authentication requirements; {_GRAPH_PERMISSIONS}",
)
SIGN_INS_OF_ACCOUNT: Final = Call(
    id="graph.sign_ins.of_account",
    method="GET",
    host=HostKind.GRAPH,
    path="/beta/auditLogs/signIns",
    query={
        "$filter": "userId eq '{account}' and createdDateTime ge {since} and"
        " signInEventTypes/any(t: t eq 'nonInteractiveUser')",
        "$top": "50",
    },
    audience=Audience.GRAPH,
    does="list the sign-ins of an account that used a refresh token",
    who=_LOG_READER,
    needs="AuditLog.Read.All",
    unlocks="when an owner's connections last got a token",
    roles=("reader",),
    permission="graph/AuditLog.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib beta signin @027089b; {_GRAPH_PERMISSIONS}",
    pace=_REPORTS,
)
SIGN_INS_OF_APPLICATION: Final = Call(
    id="graph.sign_ins.of_application",
    method="GET",
    host=HostKind.GRAPH,
    path="/beta/auditLogs/signIns",
    query={
        "$filter": "appId eq '{client}' and createdDateTime ge {since} and"
        " signInEventTypes/any(t: t eq 'servicePrincipal')",
        "$top": "50",
    },
    audience=Audience.GRAPH,
    does="list the sign-ins of an application",
    who=_LOG_READER,
    needs="AuditLog.Read.All",
    unlocks="which secret of an application is still in use",
    roles=("reader",),
    permission="graph/AuditLog.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib beta signin @027089b; {_GRAPH_PERMISSIONS}",
    pace=_REPORTS,
)
DIRECTORY_AUDITS: Final = Call(
    id="graph.directory_audits.list",
    method="GET",
    host=HostKind.GRAPH,
    path="/v1.0/auditLogs/directoryAudits",
    query={"$filter": "activityDateTime ge {since}", "$top": "999"},
    audience=Audience.GRAPH,
    does="list what was changed in the directory",
    who=_LOG_READER,
    needs="AuditLog.Read.All",
    unlocks="who reset, disabled or changed what, and when",
    roles=("reader",),
    permission="graph/AuditLog.Read.All",
    support="documented",
    source=f"microsoft-graph-docs-contrib directoryaudit-list @05296ab; {_GRAPH_PERMISSIONS}",
    pace=_REPORTS,
)
FLOWS_AS_ADMIN: Final = Call(
    id="flow.flows.admin_list",
    method="GET",
    host=HostKind.FLOW,
    path=f"{_FLOW_ADMIN}/v2/flows",
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="list all flows of an environment, also those outside solutions",
    who="a person who is Power Platform administrator; no service principal",
    needs="a person's sign-in as Power Platform administrator",
    unlocks="flows outside solutions",
    roles=("reader", "flow_reader"),
    permission="power-platform/administrator",
    is_for_people=True,
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_flow_licensing.yaml",
)
FLOW_AS_ADMIN: Final = Call(
    id="flow.flows.admin_get",
    method="GET",
    host=HostKind.FLOW,
    path=f"{_FLOW_ADMIN}/flows/{{flow}}",
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="read a flow with its connections",
    who="a person who is Power Platform administrator; no service principal",
    needs="a person's sign-in as Power Platform administrator",
    unlocks="flows outside solutions",
    roles=("reader", "flow_reader"),
    permission="power-platform/administrator",
    is_for_people=True,
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_flow_licensing.yaml",
)
OWN_FLOWS: Final = Call(
    id="flow.flows.list",
    method="GET",
    host=HostKind.FLOW,
    path="/providers/Microsoft.ProcessSimple/environments/{environment}/flows",
    query=_FLOW_VERSION | {"include": "includeSolutionCloudFlows"},
    audience=Audience.FLOW,
    does="list one's own and shared flows in an environment",
    who="a person; no service principal",
    needs="a person's sign-in",
    unlocks="which flows a person's own connections carry",
    roles=("maker",),
    is_for_people=True,
    support="code",
    source="pnp/cli-microsoft365 src/m365/flow; Microsoft.PowerApps.PowerShell 1.0.9",
)
OWN_FLOW: Final = Call(
    id="flow.flows.get",
    method="GET",
    host=HostKind.FLOW,
    path=_FLOW,
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="read one's own or a shared flow with its connections",
    who=_FLOW_OWNER,
    needs=_FLOW_OWNER_NEEDS,
    unlocks="which flows a person's own connections carry",
    roles=("maker",),
    is_for_people=True,
    support="code",
    source="pnp/cli-microsoft365 src/m365/flow; the administrator's twin is recorded",
)
OWN_FLOW_RUNS: Final = Call(
    id="flow.runs.list",
    method="GET",
    host=HostKind.FLOW,
    path=f"{_FLOW}/runs",
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="list the runs of one's own or a shared flow",
    who=_FLOW_OWNER,
    needs=_FLOW_OWNER_NEEDS,
    unlocks="why a run failed",
    roles=("reader", "maker"),
    is_for_people=True,
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_workday_runs.yaml",
)
OWN_RUN_ACTIONS: Final = Call(
    id="flow.run_actions.list",
    method="GET",
    host=HostKind.FLOW,
    path=f"{_FLOW}/runs/{{run}}/actions",
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="list what the actions of a run did",
    who=_FLOW_OWNER,
    needs=_FLOW_OWNER_NEEDS,
    unlocks="why a run failed",
    roles=("reader", "maker"),
    is_for_people=True,
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_infra003_flow.yaml",
)
FLOW_TRIGGERS: Final = Call(
    id="flow.triggers.list",
    method="GET",
    host=HostKind.FLOW,
    path=f"{_FLOW}/triggers",
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="list the triggers of one's own or a shared flow",
    who=_FLOW_OWNER,
    needs=_FLOW_OWNER_NEEDS,
    unlocks="prove --run",
    roles=("operator",),
    is_for_people=True,
    support="code",
    source="pnp/cli-microsoft365 src/m365/flow; power-platform-api: triggers",
)
RUN_TRIGGER: Final = Call(
    id="flow.triggers.run",
    method="POST",
    host=HostKind.FLOW,
    path=f"{_FLOW}/triggers/{{trigger}}/run",
    query=_FLOW_VERSION,
    audience=Audience.FLOW,
    does="start a run of one's own or a shared flow",
    who=_FLOW_OWNER,
    needs=_FLOW_OWNER_NEEDS,
    unlocks="prove --run",
    roles=("operator",),
    writes=True,
    is_idempotent=False,
    is_for_people=True,
    support="assumed",
    source="nobody recorded it for a recurrence; Logic Apps documents the same address",
)
RUN_CONTENT: Final = Call(
    id="flow.run_content.get",
    method="GET",
    host=HostKind.LINKS,
    path="",
    audience=Audience.SIGNED,
    does="read what an action of a run answered",
    who="whoever holds the signed address",
    needs="a signed address that is not outlived",
    unlocks="why a run failed",
    roles=("reader", "maker"),
    support="recorded",
    source="microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_infra003_flow.yaml",
)

CALLS: Final[tuple[Call, ...]] = (
    OPENID_CONFIGURATION,
    TOKEN,
    ENVIRONMENTS,
    OWN_ENVIRONMENTS,
    ENVIRONMENT,
    CONNECTIONS,
    CONNECTIONS_OF_CONNECTOR,
    OWN_CONNECTIONS,
    OWN_CONNECTION,
    CONSENT_LINK,
    APPLICATIONS,
    SERVICE_PRINCIPALS,
    USERS,
    WORKFLOWS,
    CONNECTION_REFERENCES,
    FLOW_RUNS,
    FAILED_RUNS,
    DATA_POLICIES,
    DATA_POLICY,
    CANVAS_APPS,
    DOMAINS,
    ACCESS_POLICIES,
    MFA_STATE,
    SIGN_INS_OF_ACCOUNT,
    SIGN_INS_OF_APPLICATION,
    DIRECTORY_AUDITS,
    FLOWS_AS_ADMIN,
    FLOW_AS_ADMIN,
    OWN_FLOWS,
    OWN_FLOW,
    OWN_FLOW_RUNS,
    OWN_RUN_ACTIONS,
    FLOW_TRIGGERS,
    RUN_TRIGGER,
    RUN_CONTENT,
    *MAKING,
)
_BY_ID: Final = {call.id: call for call in CALLS}

_TDS_SOURCE: Final = "sql-docs MS-TDS, HAS_PERMS_BY_NAME; azure-sql authentication-aad-service-principal"
SQL_PROBE: Final = Call(
    id="sql.probe",
    method="TDS",
    host=HostKind.SQL,
    path="SELECT 1",
    audience=Audience.DATABASE,
    does="log in to a database",
    who="an Entra user or application that has a user in the database; it wakes a paused serverless database",
    needs="a user in the database",
    unlocks="whether a database lets an identity in",
    roles=("sql_admin",),
    support="documented",
    source=_TDS_SOURCE,
)
SQL_RIGHTS: Final = replace(
    SQL_PROBE,
    id="sql.rights",
    path="SELECT HAS_PERMS_BY_NAME({securable}, {kind}, {permission})",
    does="ask which rights an identity has in a database",
    unlocks="whether a database user has what its flows need",
)
SQL_USER: Final = replace(
    SQL_PROBE,
    id="sql.user",
    path="SELECT name FROM sys.database_principals WHERE sid = {sid}",
    does="look for the database user of an identity",
    unlocks="whether an application has a user in a database",
)
SQL_LOGIN: Final = replace(
    SQL_PROBE,
    id="sql.login",
    path="SELECT LOGINPROPERTY({login}, {property})",
    does="ask when the password of a SQL login ends",
    who="whoever has VIEW permission on the login; it wakes a paused serverless database",
    needs="VIEW permission on the login, as the server's administrator has it",
    unlocks="when passwords of SQL logins end",
    source="sql-docs loginproperty-transact-sql",
)
SQL_EXECUTE: Final = replace(
    SQL_PROBE,
    id="sql.execute",
    path="{batch}",
    does="make a user in a database and grant it rights",
    who="the server's Entra administrator, or whoever has ALTER ANY USER in the database",
    needs="ALTER ANY USER, ALTER ANY ROLE and CONTROL on what is granted; db_owner has them all",
    permission="database/ALTER ANY USER, ALTER ANY ROLE",
    unlocks="database users of applications and their rights",
    writes=True,
    is_idempotent=False,
)
SQL_CALLS: Final[tuple[Call, ...]] = (SQL_PROBE, SQL_USER, SQL_RIGHTS, SQL_LOGIN, SQL_EXECUTE)
"""What is asked of SQL servers, not by HTTP: the path is the batch."""


def is_declared(call: Call) -> bool:
    """Whether this very entry stands in the ledger."""
    return _BY_ID.get(call.id) is call
