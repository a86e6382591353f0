"""Flows, runs and actions as the flow API writes them, field by field after recorded answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from holdfast.sandbox.chance import guid
from holdfast.sandbox.flows.definitions import DefinitionError, every_action
from holdfast.sandbox.flows.history import Run
from holdfast.sandbox.flows.runtime import bound, definition_of
from holdfast.sandbox.powerautomate.signed_links import content_link, part_of
from holdfast.sandbox.powerplatform.shapes import ICON, instant, short_name
from holdfast.sandbox.records.platform import Flow, FlowConnection
from holdfast.sandbox.records.runs import ActionRecord
from holdfast.sandbox.tenant import Tenant

PROVIDER = "/providers/Microsoft.ProcessSimple"
TITLES = {
    "shared_sql": "SQL Server",
    "shared_office365": "Office 365 Outlook",
    "shared_sqldw": "Azure SQL Data Warehouse",
}


def path_of(flow: Flow) -> str:
    """The flow's id as a path."""
    return f"{PROVIDER}/environments/{flow.environment_id}/flows/{flow.id}"


def listed(tenant: Tenant, flow: Flow) -> dict[str, Any]:
    """A flow in the administrator's list: no connections in it."""
    properties: dict[str, Any] = {
        "apiId": "/providers/Microsoft.PowerApps/apis/shared_logicflows",
        "displayName": flow.display_name,
        "state": flow.state,
        "createdTime": instant(flow.created_at),
        "lastModifiedTime": instant(max(flow.modified_at, flow.state_changed_at or flow.modified_at)),
        "flowSuspensionReason": flow.suspension_reason,
        "environment": {
            "name": flow.environment_id,
            "type": "Microsoft.ProcessSimple/environments",
            "id": f"{PROVIDER}/environments/{flow.environment_id}",
        },
        "creator": {
            "tenantId": tenant.world.tenant_id,
            "objectId": flow.owner_id,
            "userId": flow.owner_id,
            "userType": "ActiveDirectory",
        },
        "flowFailureAlertSubscribed": False,
        "isManaged": flow.is_managed,
    }
    if flow.suspended_at is not None:
        properties["flowSuspensionTime"] = instant(flow.suspended_at)
    if flow.workflow_id is not None:
        properties["workflowEntityId"] = flow.workflow_id
        properties["workflowUniqueId"] = guid(tenant.world.seed, "workflow unique", flow.id)
    return _item(flow, properties)


def _item(flow: Flow, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": flow.id,
        "id": path_of(flow),
        "type": "Microsoft.ProcessSimple/environments/flows",
        "properties": properties,
    }


def whole(tenant: Tenant, flow: Flow) -> dict[str, Any]:
    """A flow with its definition and connections."""
    properties: dict[str, Any] = listed(tenant, flow)["properties"]
    properties |= {
        "userType": "Owner",
        "definition": flow.definition,
        "connectionReferences": {
            key: _connection(tenant, flow, key, named) for key, named in flow.connections.items()
        },
        "definitionSummary": _summary(tenant, flow),
        "provisioningMethod": "FromDefinition",
        "machineDescriptionData": {},
        "referencedResources": [],
        "flowOpenAiData": {"isConsequential": False, "isConsequentialFlagOverwritten": False},
    }
    if flow.workflow_id is not None:
        properties |= {
            "sharingType": "CommonDataService",
            "owningUser": {"id": flow.owner_id, "azureActiveDirectoryObjectId": flow.owner_id},
            "componentState": "Published",
            "isCustomizable": {
                "value": True,
                "canBeChanged": True,
                "managedPropertyLogicalName": "iscustomizableanddeletable",
            },
            "resourceId": flow.id,
        }
    return _item(flow, properties)


def _connection(tenant: Tenant, flow: Flow, key: str, named: FlowConnection) -> dict[str, Any]:
    connection = bound(tenant.world, flow, key)
    api = _api(named.connector)
    shown: dict[str, Any] = {"connectionName": connection.id} if connection else {}
    if named.reference is not None:
        shown["connectionReferenceLogicalName"] = named.reference
    return shown | {
        "apiDefinition": {
            **api,
            "properties": {"displayName": _title(named.connector), "tier": "Premium", "isCustomApi": False},
        },
        "source": named.source,
        "id": api["id"],
        "displayName": _title(named.connector),
        "iconUri": f"{ICON}/{short_name(named.connector)}/icon.png",
        "brandColor": "#ba141a",
        "tier": "Premium",
        "apiName": short_name(named.connector),
        "isProcessSimpleApiReferenceConversionAlreadyDone": False,
    }


def _title(connector: str) -> str:
    return TITLES.get(connector, short_name(connector))


def _api(connector: str) -> dict[str, Any]:
    return {
        "name": connector,
        "id": f"/providers/Microsoft.PowerApps/apis/{connector}",
        "type": "/providers/Microsoft.PowerApps/apis",
    }


def _summary(tenant: Tenant, flow: Flow) -> dict[str, Any]:
    try:
        definition = definition_of(tenant.world, flow)
    except DefinitionError:
        return {"triggers": [], "actions": []}
    trigger = {"type": definition.trigger.type} | (
        {"kind": definition.trigger.kind} if definition.trigger.kind else {}
    )
    actions = []
    for action in every_action(definition.actions):
        shown: dict[str, Any] = {"type": action.type}
        if action.operation is not None:
            shown["api"] = _api(action.operation.connector)
        actions.append(shown)
    return {"triggers": [trigger], "actions": actions}


# --- runs ------------------------------------------------------------------------------------------------


def run(tenant: Tenant, flow: Flow, one: Run, now: datetime) -> dict[str, Any]:
    """A run. Its own error is always the same general sentence."""
    properties: dict[str, Any] = {
        "startTime": instant(one.started_at),
        "endTime": instant(one.ended_at),
        "status": one.record.status,
        "correlation": {"clientTrackingId": one.id},
        "trigger": _trigger(tenant, flow, one, now),
        "isAborted": False,
    }
    if one.record.code is not None:
        properties["code"] = one.record.code
    if one.record.error is not None:
        properties["error"] = one.record.error
    if one.record.response is not None:
        properties["response"] = _response(tenant, flow, one, now)
    return {
        "name": one.id,
        "id": f"{path_of(flow)}/runs/{one.id}",
        "type": "Microsoft.ProcessSimple/environments/flows/runs",
        "properties": properties,
        "isMigrationSource": False,
    }


def _trigger(tenant: Tenant, flow: Flow, one: Run, now: datetime) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": one.record.trigger_name}
    if one.record.trigger_outputs is not None:
        shown["outputsLink"] = content_link(
            tenant, flow, one.id, "", "TriggerOutputs", one.record.trigger_outputs, now
        )
    return shown | {
        "startTime": instant(one.started_at),
        "endTime": instant(one.started_at),
        "originHistoryName": one.id,
        "correlation": {"clientTrackingId": one.id},
        "status": "Succeeded",
    }


def _response(tenant: Tenant, flow: Flow, one: Run, now: datetime) -> dict[str, Any]:
    name = next(
        (action.name for action in one.record.actions if action.inputs is one.record.response), "Response"
    )
    return {
        "name": name,
        "outputsLink": content_link(tenant, flow, one.id, "", "ResponseOutputs", one.record.response, now),
        "startTime": instant(one.started_at),
        "endTime": instant(one.ended_at),
        "correlation": {"clientTrackingId": one.id},
        "code": "OK",
        "status": "Succeeded",
    }


def actions(tenant: Tenant, flow: Flow, one: Run, now: datetime) -> Iterator[dict[str, Any]]:
    """The actions of a run, each once; one inside a loop stands for all its turns."""
    seen: dict[str, list[tuple[ActionRecord, datetime, datetime]]] = {}
    for record, began, ended in one.actions():
        seen.setdefault(record.name, []).append((record, began, ended))
    for name, turns in seen.items():
        record, began, ended = next((turn for turn in turns if turn[0].status == "Failed"), turns[-1])
        properties = _action(tenant, flow, one, record, now)
        if record.turn:
            properties = {"repetitionCount": len(turns)}
        yield _action_item(
            flow,
            one,
            name,
            f"/actions/{name}",
            properties | _fate(record, turns[0][1] or began, ended, one.id, flow, tenant),
        )


def repetitions(tenant: Tenant, flow: Flow, one: Run, name: str, now: datetime) -> Iterator[dict[str, Any]]:
    """The turns of one action inside a loop."""
    for record, began, ended in one.actions():
        if record.name == name and record.turn:
            turn = f"{record.turn[-1]:06d}"
            properties = _action(tenant, flow, one, record, now) | _fate(
                record, began, ended, one.id, flow, tenant
            )
            item = _action_item(flow, one, turn, f"/actions/{name}/repetitions/{turn}", properties)
            yield item | {"type": "Microsoft.ProcessSimple/environments/flows/runs/actions/repetitions"}


def _action_item(flow: Flow, one: Run, name: str, path: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "runName": one.id,
        "name": name,
        "id": f"{path_of(flow)}/runs/{one.id}{path}",
        "type": "Microsoft.ProcessSimple/environments/flows/runs/actions",
        "properties": properties,
    }


def _fate(
    record: ActionRecord, began: datetime, ended: datetime, run_id: str, flow: Flow, tenant: Tenant
) -> dict[str, Any]:
    tracking = guid(tenant.world.seed, "action tracking", run_id, record.name)
    shown: dict[str, Any] = {
        "startTime": instant(began),
        "endTime": instant(ended),
        "status": record.status,
        "code": record.code,
        "correlation": {"actionTrackingId": tracking, "clientTrackingId": run_id},
    }
    return shown if record.error is None else {**shown, "error": record.error}


def _action(tenant: Tenant, flow: Flow, one: Run, record: ActionRecord, now: datetime) -> dict[str, Any]:
    part = part_of(record.name, record.turn)
    shown: dict[str, Any] = {}
    if record.inputs is not None:
        shown["inputsLink"] = content_link(tenant, flow, one.id, part, "ActionInputs", record.inputs, now)
    if record.outputs is not None:
        shown["outputsLink"] = content_link(tenant, flow, one.id, part, "ActionOutputs", record.outputs, now)
    return shown
