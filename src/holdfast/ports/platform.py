"""Power Platform: what an identity sees there, and what the operator does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Protocol

from holdfast.core.inventory import (
    ActionFailure,
    CanvasApp,
    Connection,
    ConnectionId,
    ConnectionReference,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    EnvironmentId,
    Flow,
    FlowId,
    FlowRun,
    ListedFlow,
)
from holdfast.core.making import FlowRow, Share, WantedConnection
from holdfast.core.policies import DataPolicy


class Platform(Protocol):
    """Power Platform as one identity sees it. Every method raises a CloudError of `core.errors`."""

    def environments(self) -> AsyncIterator[Environment]:
        """Every environment the identity may list."""
        ...

    def connections(self, environment: Environment, connector: ConnectorId) -> AsyncIterator[Connection]:
        """The connections of one connector, or of EVERY_CONNECTOR, in one environment, whoever made them."""
        ...

    def flows(self, environment: Environment) -> AsyncIterator[Flow]:
        """The flows of its solutions; none where it has no Dataverse. Flows outside solutions are not among them."""
        ...

    def references(self, environment: Environment) -> AsyncIterator[ConnectionReference]:
        """Its connection references; none where it has no Dataverse."""
        ...

    def runs(self, environment: Environment, flow: FlowId, since: datetime) -> AsyncIterator[FlowRun]:
        """The runs of one flow in a solution, newest first."""
        ...

    def failed_runs(self, environment: Environment, since: datetime) -> AsyncIterator[FlowRun]:
        """Failed runs of all flows in its solutions, newest first."""
        ...

    def canvas_apps(self, environment: Environment) -> AsyncIterator[CanvasApp]:
        """The canvas apps of an environment, whoever made them."""
        ...

    def data_policies(self) -> AsyncIterator[DataPolicy]:
        """Every data policy of the tenant, with its connectors."""
        ...

    def cloud_now(self) -> datetime | None:
        """The cloud's time by the last `Date` header seen, None before the first answer."""
        ...


class Runs(Protocol):
    """Flows and their runs as a person who owns them sees them; no application may ask."""

    def own(self, environment: Environment) -> AsyncIterator[Flow]:
        """The person's own and shared flows with the connections that they hold."""
        ...

    def runs(self, environment: EnvironmentId, flow: FlowId) -> AsyncIterator[FlowRun]:
        """Of an own or a shared flow, newest first, at most 30 days back."""
        ...

    async def failure(self, environment: EnvironmentId, flow: FlowId, run: str) -> ActionFailure | None:
        """What the first action that failed in a run met with; None where none did."""
        ...


class FlowList(Protocol):
    """Every flow of an environment as a person who administers it sees it; no application may ask."""

    def flows(self, environment: Environment) -> AsyncIterator[ListedFlow]:
        """All of them, without what they are bound to."""
        ...

    async def flow(self, environment: EnvironmentId, flow: FlowId) -> ListedFlow:
        """One by its name in that list, with the connections that it holds."""
        ...


class Consenting(Protocol):
    """Where people sign in for their own connections."""

    async def consent_link(self, connection: Connection) -> str | None:
        """Where its owner signs in for it; None where the environment offers no such link."""
        ...


class Starter(Protocol):
    """Starts flows as a person who owns them; no application may."""

    async def start(self, environment: EnvironmentId, flow: FlowId) -> None:
        """Start a run of an own or a shared flow now."""
        ...


class Operator(Protocol):
    """What holdfast does in Power Platform, as the operator. Every method raises a CloudError of `core.errors`.

    Deleting what is not there is no error.
    """

    async def user(self, environment: Environment, principal: str | None = None) -> str | None:
        """Id among the users of the environment: the operator's own, or of the person or application of that object id.

        None where the principal is no user of it.
        """
        ...

    async def connection(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
    ) -> Connection:
        """One that is the operator's own, or shared with it. Raises MissingError for all others."""
        ...

    def own_connections(
        self, environment: EnvironmentId, connector: ConnectorId
    ) -> AsyncIterator[Connection]:
        """Those that are the operator's own, or shared with it."""
        ...

    async def put_connection(self, wanted: WantedConnection) -> Connection:
        """Make it, or change the one of that id, which stays bound wherever it is."""
        ...

    async def delete_connection(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
    ) -> None:
        """Remove one of the operator's own."""
        ...

    async def shares(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
    ) -> tuple[Share, ...]:
        """Whom one of the operator's own is shared with."""
        ...

    async def share(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, share: Share
    ) -> None:
        """Share one of the operator's own; the same share again changes nothing."""
        ...

    async def unshare(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, principal: str
    ) -> None:
        """Take a share back."""
        ...

    async def lend(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, principal: str
    ) -> None:
        """As administrator, let an application use somebody's connection; `take_back` when it is done."""
        ...

    async def take_back(
        self, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId, principal: str
    ) -> None:
        """As administrator, take back what was lent."""
        ...

    async def sign_ins(
        self, environment: EnvironmentId, connector: ConnectorId
    ) -> Mapping[str, frozenset[str]]:
        """The parameter sets that the connector offers now, by their name, with the keys of each."""
        ...

    async def query(self, connection: Connection, server: str, database: str, sql: str) -> None:
        """Run a query through the connection and drop what it answers; it uses the connection.

        Raises:
            CloudError: it did not run; the message holds the connector's words.
        """
        ...

    async def flow(self, environment: Environment, flow: FlowId) -> FlowRow:
        """One flow in a solution, with its definition."""
        ...

    def labelled_flows(self, environment: Environment, label: str) -> AsyncIterator[FlowRow]:
        """The flows whose name begins so."""
        ...

    async def make_solution(self, environment: Environment, display_name: str) -> None:
        """The one solution of holdfast's own, with its publisher; left as it is where it is there."""
        ...

    async def delete_solution(self, environment: Environment) -> None:
        """Remove that solution and its publisher; what is in it stays."""
        ...

    async def make_flow(
        self,
        environment: Environment,
        name: str,
        clientdata: str,
        description: str,
        *,
        in_solution: bool = False,
    ) -> FlowId:
        """A new flow, off, in holdfast's solution where that is said. Not to be repeated without a look."""
        ...

    async def switch(self, environment: Environment, flow: FlowId, on: bool) -> None:
        """Turn it on or off. Raises RefusedError where a connection in it may not be used by the operator."""
        ...

    async def redefine(self, environment: Environment, flow: FlowId, clientdata: str) -> None:
        """Write its connection references and definition, whole."""
        ...

    async def hand_over(self, environment: Environment, flow: FlowId, user: str) -> None:
        """Make somebody else its owner.

        Args:
            user: id among the users of the environment.
        """
        ...

    async def flow_shares(self, environment: Environment, flow: FlowId) -> frozenset[str]:
        """Ids, among the users of the environment, of those it is shared with; its owner is not among them."""
        ...

    async def share_flow(self, environment: Environment, flow: FlowId, user: str) -> None:
        """Make a user its co-owner; the same again changes nothing."""
        ...

    async def unshare_flow(self, environment: Environment, flow: FlowId, user: str) -> None:
        """Take that back."""
        ...

    async def delete_flow(self, environment: Environment, flow: FlowId) -> None:
        """Remove a flow."""
        ...

    async def reference(
        self, environment: Environment, reference: ConnectionReferenceId
    ) -> ConnectionReference:
        """One connection reference."""
        ...

    def labelled_references(self, environment: Environment, label: str) -> AsyncIterator[ConnectionReference]:
        """The connection references whose display name begins so."""
        ...

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
        """A new connection reference, bound or not, placed as `make_flow` says. Not to be repeated without a look."""
        ...

    async def bind(
        self, environment: Environment, reference: ConnectionReferenceId, connection: ConnectionId
    ) -> None:
        """Bind it to another connection, which the operator must be able to use."""
        ...

    async def delete_reference(self, environment: Environment, reference: ConnectionReferenceId) -> None:
        """Remove one that no flow names."""
        ...
