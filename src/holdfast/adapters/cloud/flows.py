"""Flows and connection references as Dataverse tells them, in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from holdfast.core.identity import Owner
from holdfast.core.inventory import (
    Binding,
    ConnectionId,
    ConnectionReference,
    ConnectionReferenceId,
    ConnectorId,
    EnvironmentId,
    Flow,
    FlowId,
    FlowRun,
)
from holdfast.core.operations import SqlOperation
from holdfast.core.schedule import Recurrence
from holdfast.reading.flows import sql_operations
from holdfast.reading.schedules import polling_of, recurrence_of
from holdfast.wire import dataverse
from holdfast.wire.shape import instant

_ON: Final = 1
_SUSPENDED: Final = 2


class Definition(NamedTuple):
    """What a flow's definition tells: its connections, its schedule and its SQL, never a query's text.

    Attributes:
        bindings: None where the connection map cannot be read.
    """

    bindings: tuple[Binding, ...] | None
    recurrence: Recurrence | None
    operations: tuple[SqlOperation, ...]

    @classmethod
    def of(cls, document: Any) -> Definition:
        """Read from `{"properties": {"connectionReferences", "definition"}}`, whatever it is."""
        operations = tuple(replace(each, query=None) for each in sql_operations(document))
        return cls(_bindings(document), _recurrence(document, operations), operations)


def flow(told: dataverse.Workflow, environment: EnvironmentId) -> Flow:
    """A flow in our words."""
    read = Definition.of(_parsed(told.clientdata))
    return Flow(
        id=FlowId(told.workflowid),
        environment=environment,
        display_name=told.name or told.workflowid,
        is_on=told.statecode == _ON,
        is_suspended=told.statecode == _SUSPENDED,
        bindings=read.bindings or (),
        is_readable=read.bindings is not None,
        is_managed=bool(told.ismanaged),
        owner=told.owner_id,
        modified_at=instant(told.modifiedon),
        recurrence=read.recurrence,
        operations=read.operations,
        owned_by=owner(told.owninguser),
    )


def owner(told: dataverse.OwningUser | None) -> Owner | None:
    """Who owns a row, in our words; None for a team, and where nobody is told."""
    if told is None:
        return None
    if told.applicationid:
        # Dataverse writes "# name" for an application, and its object id where a person has a mail address.
        id = told.azureactivedirectoryobjectid or told.applicationid
        return Owner(id, (told.fullname or "").removeprefix("# "), kind="ServicePrincipal")
    if told.azureactivedirectoryobjectid is None:
        return None  # one of the organisation's own, like SYSTEM
    return Owner(told.azureactivedirectoryobjectid, told.fullname or "", told.domainname or "")


def reference(told: dataverse.ConnectionReference, environment: EnvironmentId) -> ConnectionReference:
    """A connection reference in our words."""
    return ConnectionReference(
        id=ConnectionReferenceId(told.connectionreferenceid),
        environment=environment,
        logical_name=told.connectionreferencelogicalname,
        display_name=told.connectionreferencedisplayname or told.connectionreferencelogicalname,
        connector=connector_of(told.connectorid),
        connection=ConnectionId(told.connectionid) if told.connectionid else None,
        owned_by=owner(told.owninguser),
    )


def flow_run(told: dataverse.FlowRun, flow: FlowId) -> FlowRun:
    """A run in our words."""
    return FlowRun(
        id=told.name,
        flow=flow,
        status=told.status or "",
        started_at=instant(told.starttime),
        ended_at=instant(told.endtime),
        code=told.errorcode or "",
        message=told.errormessage or "",
    )


def connector_of(path: str | None) -> ConnectorId:
    """`shared_sql` of a connector's or a connection's path; the admin scope puts more before `/apis/`."""
    return ConnectorId((path or "").rpartition("/apis/")[2].partition("/")[0])


def _parsed(clientdata: str | None) -> Any:
    try:
        return json.loads(clientdata or "")
    except (ValueError, RecursionError):
        return None


def _bindings(document: Any) -> tuple[Binding, ...] | None:
    """The connection map of a definition; None where it cannot be read."""
    try:
        return tuple(_each(document["properties"]["connectionReferences"]))
    except (LookupError, TypeError, AttributeError):
        return None


def _recurrence(document: Any, operations: tuple[SqlOperation, ...]) -> Recurrence | None:
    """How often it starts by itself, or asks SQL Server whether to start."""
    properties = document.get("properties") if isinstance(document, dict) else None
    definition = properties.get("definition") if isinstance(properties, dict) else None
    found = recurrence_of(definition)
    triggers = definition.get("triggers") if isinstance(definition, dict) else None
    for operation in operations:
        if found is None and operation.kind == "trigger" and isinstance(triggers, dict):
            found = polling_of(triggers.get(operation.path))
    return found


def _each(entries: Mapping[str, Any]) -> Iterator[Binding]:
    """Both forms: Dataverse nests name and reference under `connection`, the flow API does not."""
    for key, entry in entries.items():
        inner = entry.get("connection") or entry
        name = inner.get("name") if inner is not entry else inner.get("connectionName")
        path = entry.get("id") or ""
        yield Binding(
            key=key,
            connector=connector_of(path)
            if "/apis/" in path
            else ConnectorId((entry.get("api") or {}).get("name") or ""),
            reference=inner.get("connectionReferenceLogicalName") or None,
            connection=ConnectionId(name) if name else None,
            is_invoker=str(entry.get("runtimeSource") or entry.get("source") or "").casefold() == "invoker",
        )
