"""The tables of Dataverse that flows live in, as rows. Columns of workflows are all those that were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.sandbox.chance import guid
from holdfast.sandbox.dataverse.frame import Lead, TableShape, identities, systemuser_id
from holdfast.sandbox.flows import clientdata
from holdfast.sandbox.flows.history import Run, runs_of
from holdfast.sandbox.frame import Call
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.odata import Row
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.platform import ConnectionReference, Environment, Flow
from holdfast.sandbox.records.runs import SUCCEEDED
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

RUN_LIFE = timedelta(days=28)

RUNS_FOR_28_DAYS = Rule(
    "flow_runs_live_28_days",
    "Dataverse keeps runs of flows in solutions for 28 days (2,419,200 seconds).",
    Mark.DOCUMENTED,
    "power-automate-docs dataverse/cloud-flow-run-metadata",
)
RUN_STATUS_WORDS = Rule(
    "flow_run_status_is_succeeded",
    "A good run has the status Succeeded in Dataverse.",
    Mark.ASSUMED,
    "the document says Success, tools see Succeeded",
    flipped="A good run has the status Success in Dataverse.",
)
RULES = (RUNS_FOR_28_DAYS, RUN_STATUS_WORDS)

STATES = {"Stopped": (0, 1), "Started": (1, 2), "Suspended": (2, 3)}
"""``statecode`` and ``statuscode`` of a flow."""

EMPTY_COLUMNS = [
    "createstage",
    "xaml",
    "suspensionreasondetails",
    "_plugintypeid_value",
    "entityimage",
    "entityimage_url",
    "_flowgroup_value",
    "billingcontext",
    "processroleassignment",
    "languagecode",
    "dynamicssolutioncontext",
    "_licensee_value",
    "_licenseentitledby_value",
    "desktopflowmodules",
    "inputparameters",
    "_modifiedonbehalfby_value",
    "entityimageid",
    "rank",
    "inputs",
    "createmetadata",
    "rendererobjecttypecode",
    "processtriggerscope",
    "_createdonbehalfby_value",
    "processorder",
    "definition",
    "updatestage",
    "triggeronupdateattributelist",
    "resourcecontainer",
    "metadata",
    "_owningteam_value",
    "deletestage",
    "_parentworkflowid_value",
    "dependencies",
    "_activeworkflowid_value",
    "throttlingbehavior",
    "uiflowtype",
    "claims",
    "schemaversion",
    "uidata",
    "processtriggerformid",
    "modifymetadata",
    "outputs",
    "formid",
    "uniquename",
    "credentials",
    "connectionreferences",
    "_sdkmessageid_value",
    "entityimage_timestamp",
]

CONSTANT_COLUMNS: dict[str, Any] = {
    "iscrmuiworkflow": False,
    "istransacted": True,
    "modernflowtype": 0,
    "category": 5,
    "componentstate": 0,
    "businessprocesstype": 0,
    "trustedaccess": False,
    "clientdataiscompressed": False,
    "scope": 4,
    "overwritetime": "1900-01-01T00:00:00Z",
    "type": 1,
    "ondemand": False,
    "mode": 0,
    "runas": 1,
    "planverified": False,
    "syncworkflowlogonfailure": False,
    "triggerondelete": False,
    "introducedversion": "1.0",
    "primaryentity": "none",
    "asyncautodelete": False,
    "subprocess": False,
    "triggeroncreate": False,
    "iscustomizable": {
        "Value": True,
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "iscustomizableanddeletable",
    },
    "iscustomprocessingstepallowedforotherpublishers": {
        "Value": True,
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "canbedeleted",
    },
}


def instant(at: datetime) -> str:
    """To the second, as Dataverse writes it."""
    return at.astimezone(UTC).isoformat()[:19] + "Z"


def _version(at: datetime, key: str) -> int:
    """A row version: later changes have greater ones."""
    return int(at.timestamp() * 10) % 10**9 + sum(key.encode()) % 10


def workflow(world: World, environment: Environment, flow: Flow) -> dict[str, Any]:
    """A flow in a solution as a row of ``workflows``."""
    state, status = STATES[flow.state]
    owner = systemuser_id(world, environment, flow.owner_id)
    version = _version(max(flow.modified_at, flow.state_changed_at or flow.modified_at), flow.id)
    return {
        "@odata.etag": f'W/"{version}"',
        **dict.fromkeys(EMPTY_COLUMNS),
        **CONSTANT_COLUMNS,
        "workflowid": flow.workflow_id,
        "workflowidunique": guid(world.seed, "workflow unique", flow.id),
        "resourceid": flow.id if state else None,
        "name": flow.display_name,
        "description": flow.description,
        "statecode": state,
        "statuscode": status,
        "suspensionreasondetails": None if state != 2 else flow.suspension_reason,
        "clientdata": clientdata.written(flow),
        "ismanaged": flow.is_managed,
        "solutionid": guid(world.seed, "solution", environment.id),
        "createdon": instant(flow.created_at),
        "modifiedon": instant(max(flow.modified_at, flow.state_changed_at or flow.modified_at)),
        "versionnumber": version,
        "_createdby_value": owner,
        "_modifiedby_value": owner,
        "_ownerid_value": owner,
        "_owninguser_value": owner,
        "_owningbusinessunit_value": business_unit(world, environment),
    }


def business_unit(world: World, environment: Environment) -> str:
    """The id of the one business unit that an environment has here."""
    return guid(world.seed, "business unit", environment.id)


def reference(world: World, environment: Environment, one: ConnectionReference) -> dict[str, Any]:
    """A row of ``connectionreferences``."""
    return {
        "@odata.etag": f'W/"{_version(one.modified_at, one.id)}"',
        "connectionreferenceid": one.id,
        "connectionreferencelogicalname": one.logical_name,
        "connectionreferencedisplayname": one.display_name,
        "connectorid": f"/providers/Microsoft.PowerApps/apis/{one.connector}",
        "connectionid": one.connection_id,
        "description": one.description,
        "promptingbehavior": 0,
        "statecode": 0,
        "statuscode": 1,
        "_ownerid_value": systemuser_id(world, environment, one.owner_id),
        "ismanaged": one.is_managed,
        "modifiedon": instant(one.modified_at),
        "createdon": instant(one.modified_at),
        "versionnumber": _version(one.modified_at, one.id),
    }


def flow_runs(
    world: World,
    environment: Environment,
    flow: Flow,
    now: datetime,
    since: datetime | None = None,
    status: str | None = None,
) -> Iterator[dict[str, Any]]:
    """The runs of a flow in a solution as rows of ``flowruns``, newest first; see `runs_of`."""
    if status is not None and status.casefold() == _good(world).casefold():
        status = SUCCEEDED
    for run in runs_of(world, flow, now, since, status):
        if run.ended_at <= now and run.started_at > now - RUN_LIFE:
            yield _flow_run(world, environment, flow, run)


def _good(world: World) -> str:
    return "Succeeded" if world.holds(RUN_STATUS_WORDS) else "Success"


def _flow_run(world: World, environment: Environment, flow: Flow, run: Run) -> dict[str, Any]:
    error = run.record.error
    return {
        "@odata.etag": f'W/"{_version(run.ended_at, run.id)}"',
        "flowrunid": guid(world.seed, "flow run", run.id),
        "name": run.id,
        "status": _good(world) if run.record.status == SUCCEEDED else run.record.status,
        "starttime": instant(run.started_at),
        "endtime": instant(run.ended_at),
        "duration": int((run.ended_at - run.started_at).total_seconds() * 1000),
        "triggertype": "Scheduled" if run.record.trigger_outputs is None else "Automated",
        "errorcode": run.record.code if error else None,
        "errormessage": json.dumps({"code": error["code"], "message": error["message"]}) if error else None,
        "workflowid": flow.workflow_id,
        "_workflow_value": flow.workflow_id,
        "_ownerid_value": systemuser_id(world, environment, flow.owner_id),
        "parentrunid": None,
        "isprimary": True,
        "partitionid": flow.owner_id,
        "resourceid": flow.id,
        "ttlinseconds": int(RUN_LIFE.total_seconds()),
        "createdon": instant(run.ended_at),
    }


def system_user(world: World, environment: Environment, who: Account | Application) -> dict[str, Any]:
    """A row of ``systemusers``."""
    is_person = isinstance(who, Account)
    principal_id = who.object_id if isinstance(who, Account) else who.principal_id or ""
    mail = who.user_principal_name if isinstance(who, Account) else None
    return {
        "@odata.etag": f'W/"{_version(who.created_at, principal_id)}"',
        "systemuserid": systemuser_id(world, environment, principal_id),
        "fullname": who.display_name if is_person else f"# {who.display_name}",
        "domainname": mail if is_person else principal_id,
        "internalemailaddress": mail,
        "azureactivedirectoryobjectid": principal_id,
        "applicationid": None if isinstance(who, Account) else who.client_id,
        "isdisabled": not who.enabled or who.deleted_at is not None,
    }


def security_role(world: World, environment: Environment, name: str) -> dict[str, Any]:
    """A row of ``roles``, reached from its user."""
    return {"roleid": guid(world.seed, "security role", environment.id, name), "name": name}


def _owning_user(call: Call, row: Row) -> Row | None:
    """The row of ``systemusers`` behind the owner of a row."""
    world, org = call.world, call.params["org"]
    kept = memo_of(world).get(f"users of {org}")
    if kept is None or kept[0] != (world.changes, len(world.accounts), len(world.org_users)):
        environment = next(one for one in world.environments.values() if one.org == org)
        by_id = {}
        for who in identities(world, environment):
            principal_id = who.object_id if isinstance(who, Account) else who.principal_id or ""
            by_id[systemuser_id(world, environment, principal_id)] = (environment, who)
        now = (world.changes, len(world.accounts), len(world.org_users))
        kept = memo_of(world)[f"users of {org}"] = (now, by_id)
    found = kept[1].get(row["_ownerid_value"])
    return None if found is None else system_user(world, *found)


def _columns(*names: str) -> frozenset[str]:
    return frozenset(names)


OWNER = {
    "owninguser": Lead(
        _columns(
            *["systemuserid", "fullname", "domainname", "internalemailaddress"],
            *["azureactivedirectoryobjectid", "applicationid", "isdisabled"],
        ),
        _owning_user,
    )
}


WORKFLOWS = TableShape(
    "workflows",
    "workflow",
    "workflowid",
    _columns(
        *EMPTY_COLUMNS,
        *CONSTANT_COLUMNS,
        *[
            "workflowid",
            "workflowidunique",
            "resourceid",
            "name",
            "description",
            "statecode",
            "statuscode",
            "clientdata",
            "ismanaged",
            "solutionid",
        ],
        *[
            "createdon",
            "modifiedon",
            "versionnumber",
            "_createdby_value",
            "_modifiedby_value",
            "_ownerid_value",
            "_owninguser_value",
        ],
        "_owningbusinessunit_value",
    ),
    {
        "statecode": {0: "Draft", 1: "Activated", 2: "Suspended"},
        "statuscode": {1: "Draft", 2: "Activated", 3: "CompanyDLPViolation"},
        "category": {5: "Modern Flow"},
        "type": {1: "Definition"},
    },
    OWNER,
)
REFERENCES = TableShape(
    "connectionreferences",
    "connectionreference",
    "connectionreferenceid",
    _columns(
        *[
            "connectionreferenceid",
            "connectionreferencelogicalname",
            "connectionreferencedisplayname",
            "connectorid",
        ],
        *[
            "connectionid",
            "description",
            "promptingbehavior",
            "statecode",
            "statuscode",
            "_ownerid_value",
            "ismanaged",
        ],
        *["modifiedon", "createdon", "versionnumber"],
    ),
    {"statecode": {0: "Active", 1: "Inactive"}, "statuscode": {1: "Active", 2: "Inactive"}},
    OWNER,
)
FLOW_RUNS = TableShape(
    "flowruns",
    "flowrun",
    "flowrunid",
    _columns(
        *[
            "flowrunid",
            "name",
            "status",
            "starttime",
            "endtime",
            "duration",
            "triggertype",
            "errorcode",
            "errormessage",
            "workflowid",
        ],
        *[
            "_workflow_value",
            "_ownerid_value",
            "parentrunid",
            "isprimary",
            "partitionid",
            "resourceid",
            "ttlinseconds",
            "createdon",
        ],
    ),
)
SECURITY_ROLES = TableShape("roles", "role", "roleid", _columns("roleid", "name"))
SYSTEM_USERS = TableShape(
    "systemusers",
    "systemuser",
    "systemuserid",
    _columns(
        *[
            "systemuserid",
            "fullname",
            "domainname",
            "internalemailaddress",
            "azureactivedirectoryobjectid",
            "applicationid",
            "isdisabled",
        ]
    ),
)
