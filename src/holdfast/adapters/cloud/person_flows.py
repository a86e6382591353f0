"""Flows as a person sees them: also those outside solutions, and why a run failed. No service principal may ask."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import fields, replace
from typing import Final

from holdfast.adapters.cloud.flows import Definition
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.errors import MissingError
from holdfast.core.identity import Owner
from holdfast.core.inventory import (
    ActionFailure,
    Binding,
    Environment,
    EnvironmentId,
    Flow,
    FlowId,
    FlowRun,
    ListedFlow,
)
from holdfast.wire import flows
from holdfast.wire.ledger import (
    FLOW_AS_ADMIN,
    FLOW_TRIGGERS,
    FLOWS_AS_ADMIN,
    OWN_FLOW,
    OWN_FLOW_RUNS,
    OWN_FLOWS,
    OWN_RUN_ACTIONS,
    RUN_CONTENT,
    RUN_TRIGGER,
)
from holdfast.wire.shape import instant

# What an action around the one that failed says, and one that was not reached.
_FOLLOWING: Final = frozenset({"ActionFailed", "ActionSkipped", "ActionDependencyFailed"})


class PersonFlows:
    """Power Automate's own API as a signed-in person. Unsupported by its vendor, and recorded."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def flows(self, environment: Environment) -> AsyncIterator[ListedFlow]:
        """All flows of an environment, for its administrator; what they are bound to is told by `flow` alone."""
        at = {"environment": environment.id}
        async for told in self._transport.items(FLOWS_AS_ADMIN, flows.Flow, at=at):
            yield listed_flow(told, environment.id)

    async def flow(self, environment: EnvironmentId, flow: FlowId) -> ListedFlow:
        """One flow with the connections that it holds, for its administrator."""
        at = {"environment": environment, "flow": flow}
        return listed_flow(await self._transport.read(FLOW_AS_ADMIN, flows.Flow, at=at), environment)

    async def own(self, environment: Environment) -> AsyncIterator[Flow]:
        """The person's own and shared flows with the connections that they hold; each is read alone."""
        at = {"environment": environment.id}
        async for told in self._transport.items(OWN_FLOWS, flows.Flow, at=at):
            whole = await self._transport.read(OWN_FLOW, flows.Flow, at={**at, "flow": told.name})
            found = flow_of(whole, environment.id)
            # Its own name, by which runs are asked for.
            yield replace(found, id=FlowId(told.name), bindings=_held(found))

    async def runs(self, environment: EnvironmentId, flow: FlowId) -> AsyncIterator[FlowRun]:
        """Runs of an own or a shared flow, newest first, at most 30 days back."""
        at = {"environment": environment, "flow": flow}
        async for told in self._transport.items(OWN_FLOW_RUNS, flows.Run, at=at):
            yield run_of(told, flow)

    async def start(self, environment: EnvironmentId, flow: FlowId) -> None:
        """Start a run of an own or a shared flow now. It is never sent twice."""
        at = {"environment": environment, "flow": flow}
        triggers = [told async for told in self._transport.items(FLOW_TRIGGERS, flows.Trigger, at=at)]
        if not triggers:
            raise MissingError(
                f"Flow {flow} has no trigger that could be started; open it in the portal and run it there.",
                service=FLOW_TRIGGERS.host.value,
                operation=FLOW_TRIGGERS.id,
            )
        await self._transport.do(RUN_TRIGGER, at={**at, "trigger": triggers[0].name})

    async def failure(self, environment: EnvironmentId, flow: FlowId, run: str) -> ActionFailure | None:
        """What the first action that failed in a run met with; None where none did.

        The run's own error never tells. The action's error tells sometimes; else it lies behind a signed link.
        """
        at = {"environment": environment, "flow": flow, "run": run}
        actions = [told async for told in self._transport.items(OWN_RUN_ACTIONS, flows.RunAction, at=at)]
        failed = first_failed(actions)
        if failed is None:
            return None
        error, link = failed.properties.error, failed.properties.outputs_link
        if error is not None and error.message:
            return _failure(failed, error.code or failed.properties.code or "", error.message)
        if link is None or link.uri is None:
            return _failure(failed, failed.properties.code or "", "")
        outputs = await self._transport.content(RUN_CONTENT, link.uri.get_secret_value(), flows.ActionOutputs)
        text = outputs.body if isinstance(outputs.body, str) else json.dumps(outputs.body)
        return _failure(failed, str(outputs.status_code or failed.properties.code or ""), text)


def first_failed(actions: Iterable[flows.RunAction]) -> flows.RunAction | None:
    """The action that failed by itself, the earliest if several did; None where none did."""
    failed = [
        told
        for told in actions
        if told.properties.status == "Failed" and (told.properties.code or "") not in _FOLLOWING
    ]
    return min(failed, key=lambda told: told.properties.end_time or "", default=None)


def flow_of(told: flows.Flow, environment: EnvironmentId) -> Flow:
    """A flow in our words. Its id is that of its row in Dataverse, where it has one."""
    properties = told.properties
    references = properties.connection_references
    map_ = {key: one.model_dump(by_alias=True, exclude_none=True) for key, one in (references or {}).items()}
    read = Definition.of({"properties": {"connectionReferences": map_, "definition": properties.definition}})
    return Flow(
        id=FlowId(properties.workflow_entity_id or told.name),
        environment=environment,
        display_name=properties.display_name or told.name,
        is_on=properties.state == "Started",
        is_suspended=properties.state == "Suspended",
        bindings=read.bindings or (),
        is_readable=references is not None and read.bindings is not None,
        is_managed=bool(properties.is_managed),
        owner=properties.creator.object_id if properties.creator else None,
        modified_at=instant(properties.last_modified_time),
        recurrence=read.recurrence,
        operations=read.operations,
        owned_by=_owner(properties),
    )


def _owner(told: flows.FlowProperties) -> Owner | None:
    """Whose it is, by the object id alone; None where only a row of Dataverse is named.

    A list names who made it, and a flow outside solutions stays with that person.
    """
    if told.owning_user and told.owning_user.azure_active_directory_object_id:
        return Owner(told.owning_user.azure_active_directory_object_id)
    maker = told.creator
    is_person = maker is not None and maker.user_type in (None, "ActiveDirectory")
    return Owner(maker.object_id) if maker and is_person and maker.object_id else None


def listed_flow(told: flows.Flow, environment: EnvironmentId) -> ListedFlow:
    """The same, with how the administrator's list names it."""
    found = flow_of(told, environment)
    plain = {field.name: getattr(found, field.name) for field in fields(Flow)} | {"bindings": _held(found)}
    name = "" if told.name == found.id else told.name
    return ListedFlow(**plain, has_row=bool(told.properties.workflow_entity_id), name=name)


def _held(flow: Flow) -> tuple[Binding, ...]:
    """Its bindings by connection: to whom Dataverse is closed, a reference says nothing."""
    return tuple(replace(one, reference=None) if one.connection else one for one in flow.bindings)


def run_of(told: flows.Run, flow: FlowId) -> FlowRun:
    """A run in our words."""
    properties = told.properties
    error = properties.error or flows.RunError()
    return FlowRun(
        id=told.name,
        flow=flow,
        status=properties.status or "",
        started_at=instant(properties.start_time),
        ended_at=instant(properties.end_time),
        code=error.code or properties.code or "",
        message=error.message or "",
    )


def _failure(action: flows.RunAction, code: str, text: str) -> ActionFailure:
    return ActionFailure(action.name, code, text, instant(action.properties.end_time))
