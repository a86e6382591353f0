"""Flows and connection references as rows of an environment's Dataverse, and holdfast's solution there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from holdfast.adapters.cloud.flows import reference
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.errors import ConflictError, MissingError, SettingsError
from holdfast.core.inventory import (
    ConnectionId,
    ConnectionReference,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    FlowId,
)
from holdfast.core.making import FlowRow
from holdfast.wire import dataverse
from holdfast.wire.making.dataverse import (
    BIND_REFERENCE,
    CHANGE_WORKFLOW,
    DELETE_PUBLISHER,
    DELETE_REFERENCE,
    DELETE_SOLUTION,
    DELETE_WORKFLOW,
    FLOW_SHARES,
    GRANT_ACCESS,
    LABELLED_FLOWS,
    LABELLED_REFERENCES,
    NEW_PUBLISHER,
    NEW_REFERENCE,
    NEW_REFERENCE_IN_SOLUTION,
    NEW_SOLUTION,
    NEW_WORKFLOW,
    NEW_WORKFLOW_IN_SOLUTION,
    PUBLISHER,
    REFERENCE,
    REVOKE_ACCESS,
    SOLUTION,
    SOLUTION_NAME,
    SYSTEM_USERS,
    WHO_AM_I,
    WORKFLOW,
)
from holdfast.wire.shape import PlainShape, instant

_ON, _SUSPENDED = 1, 2
_PREFIX, _OPTION_PREFIX = "new", 76871
"""Of the publisher; any will do, and the references are named so."""

_CO_OWNER = "ReadAccess,WriteAccess,AppendAccess,AppendToAccess,DeleteAccess,ShareAccess"
"""What the portal gives a co-owner is documented as running, editing, sharing and removing; the rights are assumed."""

_CONNECTORS = "/providers/Microsoft.PowerApps/apis"


class DataverseRows:
    """The part of `ports.Operator` that is about flows and references."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def user(self, environment: Environment, principal: str | None = None) -> str | None:
        """See the port."""
        base = _dataverse(environment)
        if principal is None:
            return (await self._transport.read(WHO_AM_I, dataverse.WhoAmI, base=base)).user
        at = {"account": principal}
        async for told in self._transport.items(SYSTEM_USERS, dataverse.SystemUser, at=at, base=base):
            if not told.isdisabled:
                return told.systemuserid
        return None

    # --- flows -----------------------------------------------------------------------------------------

    async def flow(self, environment: Environment, flow: FlowId) -> FlowRow:
        """See the port."""
        at, base = {"flow": flow}, _dataverse(environment)
        told = await self._transport.read(WORKFLOW, dataverse.Workflow, at=at, base=base)
        return _flow_row(told, environment)

    async def labelled_flows(self, environment: Environment, label: str) -> AsyncIterator[FlowRow]:
        """See the port."""
        at, base = {"label": label}, _dataverse(environment)
        async for told in self._transport.items(LABELLED_FLOWS, dataverse.Workflow, at=at, base=base):
            yield _flow_row(told, environment)

    async def make_solution(self, environment: Environment, display_name: str) -> None:
        """See the port."""
        base = _dataverse(environment)
        if await self._solution(base):
            return
        publisher = await self._publisher(base) or await self._make_publisher(base, display_name)
        wanted = dataverse.NewSolution.model_validate(
            {
                "uniquename": SOLUTION_NAME,
                "friendlyname": display_name[:256],
                "version": "1.0.0.0",
                "publisherid@odata.bind": f"publishers({publisher})",
            }
        )
        try:
            await self._transport.read(NEW_SOLUTION, dataverse.Solution, base=base, body=wanted)
        except ConflictError:
            # Sagas run side by side: another one made it meanwhile.
            if await self._solution(base) is None:
                raise

    async def _make_publisher(self, base: str, display_name: str) -> str:
        body = dataverse.NewPublisher(
            uniquename=SOLUTION_NAME,
            friendlyname=display_name[:256],
            customizationprefix=_PREFIX,
            customizationoptionvalueprefix=_OPTION_PREFIX,
        )
        try:
            return (
                await self._transport.read(NEW_PUBLISHER, dataverse.Publisher, base=base, body=body)
            ).publisherid
        except ConflictError:
            found = await self._publisher(base)
            if found is None:
                raise
            return found

    async def delete_solution(self, environment: Environment) -> None:
        """See the port."""
        base = _dataverse(environment)
        if solution := await self._solution(base):
            with suppress(MissingError):
                await self._transport.do(DELETE_SOLUTION, at={"solution": solution}, base=base)
        if publisher := await self._publisher(base):
            with suppress(MissingError):
                await self._transport.do(DELETE_PUBLISHER, at={"publisher": publisher}, base=base)

    async def _solution(self, base: str) -> str | None:
        at = {"name": SOLUTION_NAME}
        found = self._transport.items(SOLUTION, dataverse.Solution, at=at, base=base)
        return next(iter([one.solutionid async for one in found]), None)

    async def _publisher(self, base: str) -> str | None:
        at = {"name": SOLUTION_NAME}
        found = self._transport.items(PUBLISHER, dataverse.Publisher, at=at, base=base)
        return next(iter([one.publisherid async for one in found]), None)

    async def make_flow(
        self,
        environment: Environment,
        name: str,
        clientdata: str,
        description: str,
        *,
        in_solution: bool = False,
    ) -> FlowId:
        """See the port."""
        body = dataverse.NewWorkflow(
            category=dataverse.FLOW_CATEGORY,
            type=1,
            name=name,
            description=description,
            primaryentity="none",
            clientdata=clientdata,
        )
        call = NEW_WORKFLOW_IN_SOLUTION if in_solution else NEW_WORKFLOW
        told = await self._transport.read(call, dataverse.Workflow, base=_dataverse(environment), body=body)
        return FlowId(told.workflowid)

    async def switch(self, environment: Environment, flow: FlowId, on: bool) -> None:
        """See the port."""
        await self._change(environment, flow, dataverse.FlowState(statecode=int(on), statuscode=1 + on))

    async def redefine(self, environment: Environment, flow: FlowId, clientdata: str) -> None:
        """See the port."""
        await self._change(environment, flow, dataverse.FlowDefinition(clientdata=clientdata))

    async def hand_over(self, environment: Environment, flow: FlowId, user: str) -> None:
        """See the port."""
        body = dataverse.FlowOwner.model_validate({"ownerid@odata.bind": f"systemusers({user})"})
        await self._change(environment, flow, body)

    async def flow_shares(self, environment: Environment, flow: FlowId) -> frozenset[str]:
        """See the port."""
        at, base = {"flow": flow}, _dataverse(environment)
        told = await self._transport.read(FLOW_SHARES, dataverse.SharedPrincipals, at=at, base=base)
        ids = (each.principal.systemuserid or each.principal.ownerid for each in told.accesses)
        return frozenset(id for id in ids if id)

    async def share_flow(self, environment: Environment, flow: FlowId, user: str) -> None:
        """See the port."""
        access = dataverse.PrincipalAccess.model_validate({"Principal": _user(user), "AccessMask": _CO_OWNER})
        body = dataverse.Granting.model_validate({"Target": _workflow(flow), "PrincipalAccess": access})
        await self._transport.do(GRANT_ACCESS, at={}, base=_dataverse(environment), body=body)

    async def unshare_flow(self, environment: Environment, flow: FlowId, user: str) -> None:
        """See the port."""
        body = dataverse.Revoking.model_validate({"Target": _workflow(flow), "Revokee": _user(user)})
        await self._transport.do(REVOKE_ACCESS, at={}, base=_dataverse(environment), body=body)

    async def _change(self, environment: Environment, flow: FlowId, body: PlainShape) -> None:
        await self._transport.do(CHANGE_WORKFLOW, at={"flow": flow}, base=_dataverse(environment), body=body)

    async def delete_flow(self, environment: Environment, flow: FlowId) -> None:
        """See the port."""
        with suppress(MissingError):
            await self._transport.do(DELETE_WORKFLOW, at={"flow": flow}, base=_dataverse(environment))

    # --- references ------------------------------------------------------------------------------------

    async def reference(
        self, environment: Environment, reference_id: ConnectionReferenceId
    ) -> ConnectionReference:
        """See the port."""
        at, base = {"reference": reference_id}, _dataverse(environment)
        told = await self._transport.read(REFERENCE, dataverse.ConnectionReference, at=at, base=base)
        return reference(told, environment.id)

    async def labelled_references(
        self, environment: Environment, label: str
    ) -> AsyncIterator[ConnectionReference]:
        """See the port."""
        at, base = {"label": label}, _dataverse(environment)
        async for told in self._transport.items(
            LABELLED_REFERENCES, dataverse.ConnectionReference, at=at, base=base
        ):
            yield reference(told, environment.id)

    async def make_reference(
        self,
        environment: Environment,
        logical_name: str,
        display_name: str,
        connector: ConnectorId,
        connection: ConnectionId | None,
        *,
        in_solution: bool = False,
    ) -> ConnectionReferenceId:
        """See the port."""
        bound = {} if connection is None else {"connectionid": connection}
        body = dataverse.NewReference(
            connectionreferencelogicalname=logical_name,
            connectionreferencedisplayname=display_name,
            connectorid=f"{_CONNECTORS}/{connector}",
            **bound,
        )
        call = NEW_REFERENCE_IN_SOLUTION if in_solution else NEW_REFERENCE
        told = await self._transport.read(
            call, dataverse.ConnectionReference, base=_dataverse(environment), body=body
        )
        return ConnectionReferenceId(told.connectionreferenceid)

    async def bind(
        self, environment: Environment, reference: ConnectionReferenceId, connection: ConnectionId
    ) -> None:
        """See the port."""
        await self._transport.do(
            BIND_REFERENCE,
            at={"reference": reference},
            base=_dataverse(environment),
            body=dataverse.ReferenceBinding(connectionid=connection),
        )

    async def delete_reference(self, environment: Environment, reference: ConnectionReferenceId) -> None:
        """See the port."""
        with suppress(MissingError):
            await self._transport.do(
                DELETE_REFERENCE, at={"reference": reference}, base=_dataverse(environment)
            )


def _dataverse(environment: Environment) -> str:
    if environment.dataverse_url is None:
        raise SettingsError(
            f"The environment {environment.display_name!r} has no Dataverse: flows and connection references"
            " cannot be made there by program."
        )
    return environment.dataverse_url


def _flow_row(told: dataverse.Workflow, environment: Environment) -> FlowRow:
    return FlowRow(
        id=FlowId(told.workflowid),
        environment=environment.id,
        display_name=told.name or told.workflowid,
        is_on=told.statecode == _ON,
        is_suspended=told.statecode == _SUSPENDED,
        is_managed=bool(told.ismanaged),
        owner=told.owner_id,
        clientdata=told.clientdata or "",
        modified_at=instant(told.modifiedon),
    )


def _workflow(flow: FlowId) -> dataverse.RowOf:
    return dataverse.RowOf.model_validate(
        {"@odata.type": "Microsoft.Dynamics.CRM.workflow", "workflowid": flow}
    )


def _user(user: str) -> dataverse.RowOf:
    return dataverse.RowOf.model_validate(
        {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": user}
    )
