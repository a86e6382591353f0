"""What the verbs need from the world, as Protocols. Adapters implement them; `compose` hands them over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from holdfast.core.agenda import Appointment, Batch, Booking, Performed, Pulse, Run, Seat
from holdfast.core.alert import Delivery, Message, Thread
from holdfast.core.coverage import News, ScanId, ScanRecord, Sweep
from holdfast.core.deed import Deed, PlanRecord, Turn
from holdfast.core.directory import Account, Change, SignInRecord
from holdfast.core.identity import ClientSecret, Principal, ServicePrincipal
from holdfast.core.imported import KitFlow, PasswordTerm
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
)
from holdfast.core.judgement import Judgement
from holdfast.core.making import AppPolicy, FlowRow, Share, WantedConnection
from holdfast.core.plan import Plan
from holdfast.core.policies import AccessPolicy, DataPolicy
from holdfast.core.proof import Proof
from holdfast.core.secret import Secret
from holdfast.core.sql import Rows, SqlPlace, SqlProbe, SqlRight

Thing = (
    Environment
    | Connection
    | ConnectionReference
    | Flow
    | CanvasApp
    | ServicePrincipal
    | AccessPolicy
    | Judgement
    | PasswordTerm
    | Proof
    | KitFlow
)
"""What history keeps."""

Kept = TypeVar(
    "Kept",
    Environment,
    Connection,
    ConnectionReference,
    Flow,
    CanvasApp,
    ServicePrincipal,
    AccessPolicy,
    Judgement,
    PasswordTerm,
    Proof,
    KitFlow,
)


class Clock(Protocol):
    """Our own time. The cloud's time is another: see `Platform.skew`."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return at or after `instant`; at once if it has passed."""
        ...


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


class Directory(Protocol):
    """Entra as one identity sees it through Graph."""

    def principals(self) -> AsyncIterator[Principal]:
        """Every application identity of the tenant, also those that are registered elsewhere."""
        ...

    def changes(self, since: datetime) -> AsyncIterator[Change]:
        """What was changed in the directory, newest first."""
        ...

    def sign_ins_of_account(self, account: str, since: datetime) -> AsyncIterator[SignInRecord]:
        """Sign-ins of an account by refresh token, newest first; by its object id."""
        ...

    async def mfa_is_demanded(self, account: str) -> bool | None:
        """Whether the account itself is asked for a second factor, apart from policies; None if not told."""
        ...

    def service_principals(self) -> AsyncIterator[ServicePrincipal]:
        """Every application registered in the tenant, with all its credentials."""
        ...

    def accounts(self) -> AsyncIterator[Account]:
        """Every account of the tenant, guests among them."""
        ...

    def sign_ins_of_application(self, client_id: str, since: datetime) -> AsyncIterator[SignInRecord]:
        """Sign-ins by secret or certificate, newest first, with the key that was shown."""
        ...

    def access_policies(self) -> AsyncIterator[AccessPolicy]:
        """Every Conditional Access policy, also those that are off or only report."""
        ...


class History(Protocol):
    """What was seen and concluded, tenant by tenant. It only grows, until `prune`. Times are the cloud's.

    Every method raises StoreError where the store cannot do it; a write is then kept whole or not at all.
    A thing's key is its id; of a Connection and its Judgement "connector/id".
    """

    def scanning(self, tenant: str) -> AbstractAsyncContextManager[None]:
        """Hold the tenant for one scan; freed even by a killed process.

        Raises:
            StoreError: somebody else is scanning it.
        """
        ...

    async def begin(self, tenant: str, at: datetime, resume_since: datetime) -> ScanRecord:
        """A new scan, or the newest one if it is unfinished and began at or after `resume_since`."""
        ...

    async def observe(self, scan: ScanId, at: datetime, things: Sequence[Thing]) -> News:
        """Write down what is new about these things, as one transaction."""
        ...

    async def conclude(
        self,
        scan: ScanId,
        sweep: Sweep,
        kind: type[Thing] | None = None,
        present: Collection[str] = (),
        under: str = "",
        last: Sequence[Thing] = (),
    ) -> News:
        """Write down that a part was read, and how far.

        Args:
            last: what is still to be observed of it, in the same transaction.
            kind: what the part consists of, if it was read to its end: then those of the environment
                whose key begins with `under` and is not in `present` are gone.
        """
        ...

    async def finish(self, scan: ScanId, at: datetime, skew: timedelta) -> None:
        """The scan is over: all its parts were read or tried, and judged."""
        ...

    async def prune(self, tenant: str, before: datetime) -> int:
        """Drop what was observed before that instant: how many observations.

        The last state of every thing that was there then stays, so that all later ones can still be told. Of
        what was gone by then nothing stays.
        """
        ...

    async def last_scan(self, tenant: str) -> ScanRecord | None:
        """The newest finished scan; None before the first."""
        ...

    def current(self, tenant: str, kind: type[Kept], environment: str | None = None) -> AsyncIterator[Kept]:
        """What is there as far as we know, in the order in which it was first seen."""
        ...

    async def lookup(
        self, tenant: str, kind: type[Kept], environment: str, keys: Sequence[str]
    ) -> dict[str, Kept]:
        """Those of the named things that are there, by key."""
        ...

    def past(
        self, tenant: str, kind: type[Kept], environment: str, key: str
    ) -> AsyncIterator[tuple[datetime, Kept | None]]:
        """Every state that one thing was seen in, oldest first; None where it was found gone."""
        ...


class Applications(Protocol):
    """Applications as the reader sees them. Every method raises a CloudError of `core.errors`."""

    async def principal_of(self, client_id: str) -> str | None:
        """Object id of an application's identity in the tenant; None where it has none."""
        ...

    async def owners_of(self, application: str) -> tuple[str, ...]:
        """Object ids of who owns the application of that object id."""
        ...

    async def app_policy(self) -> AppPolicy:
        """What the tenant forbids secrets of applications."""
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


class Registry(Protocol):
    """What holdfast does with applications, as the app administrator. Every method raises a CloudError.

    Applications are named by the object id of their registration. Deleting what is not there is no error.
    """

    def labelled(self, label: str) -> AsyncIterator[ServicePrincipal]:
        """The applications whose name begins so. A new one may be missing for some minutes."""
        ...

    async def application(self, application: str) -> ServicePrincipal:
        """One, with all its credentials."""
        ...

    async def register(self, name: str) -> ServicePrincipal:
        """A new application, owned by us. Not to be repeated without a look."""
        ...

    async def make_principal(self, client_id: str) -> str:
        """Make it an identity of the tenant; that identity's object id.

        Raises:
            MissingError: the application is not known everywhere yet.
        """
        ...

    async def add_secret(
        self, application: str, label: str, expires_at: datetime
    ) -> tuple[ClientSecret, Secret]:
        """A new secret and its text, which is told this once. Not to be repeated without a look."""
        ...

    async def remove_secret(self, application: str, key_id: str) -> None:
        """Remove one secret."""
        ...

    async def add_certificate(
        self, application: str, label: str, certificate: bytes, starts_at: datetime, expires_at: datetime
    ) -> None:
        """Add a certificate beside the ones that are there.

        Args:
            certificate: its public part, DER.
        """
        ...

    async def remove_certificate(self, application: str, key_id: str) -> None:
        """Remove one certificate."""
        ...

    async def delete(self, application: str) -> None:
        """Remove an application with all its credentials."""
        ...


class Journal(Protocol):
    """Plans, and what was done about them. It only grows.

    Every method raises StoreError where the store cannot do it; nothing is noted then.
    """

    def turn(self, tenant: str) -> AbstractAsyncContextManager[Turn]:
        """The turn to do things in the tenant; freed even by a killed process.

        Raises:
            StoreError: somebody else has it.
        """
        ...

    async def keep(self, plan: Plan) -> None:
        """Record a plan, so that its file can be told from an edited one."""
        ...

    async def find(self, tenant: str, plan: str) -> PlanRecord | None:
        """The plan of that id."""
        ...

    async def plans(self, tenant: str, kind: str | None = None) -> list[PlanRecord]:
        """All plans, newest first."""
        ...

    async def note(self, turn: Turn, plan: str, deed: Deed) -> None:
        """Write one line.

        Raises:
            StoreError: the turn has gone to somebody else, who may have done the same meanwhile.
        """
        ...

    async def deeds(self, tenant: str, plan: str) -> list[Deed]:
        """All lines about a plan, oldest first."""


class Agenda(Protocol):
    """What is due when, and the runs that look at it. Every method raises StoreError where the store cannot do it;
    a write is then kept whole or not at all.
    """

    async def clock(self, tenant: str) -> datetime | None:
        """The newest time at which the tenant's agenda was read; None before the first."""
        ...

    async def saw(self, tenant: str, now: datetime, back: timedelta) -> None:
        """Note the time; everything not yet due comes nearer by `back`."""
        ...

    async def take_up(
        self, tenant: str, job: str, subjects: Collection[str], now: datetime, draw: Callable[[], float]
    ) -> tuple[int, int]:
        """Make the job's appointments those of these subjects: new ones are due now, missing ones dropped.

        Returns:
            How many were new, and how many were dropped; those under way are dropped when they are over.
        """
        ...

    async def due(self, tenant: str, until: dict[str, datetime], limit: int) -> list[Appointment]:
        """The longest overdue appointments that nobody looks at yet.

        Args:
            until: job → up to which instant its appointments count as due.
        """
        ...

    async def hand_out(self, batches: Sequence[Batch], at: datetime) -> list[Run]:
        """Note that these runs begin, before they do. Appointments that another planner was faster with are left
        out, and so is a run without any.
        """
        ...

    async def under_way(self, tenant: str | None = None) -> list[Run]:
        """The runs that are handed out and not booked, the oldest first."""
        ...

    async def find(self, runs: Collection[str]) -> list[Run]:
        """Those of these runs that are known."""
        ...

    async def appointments(self, run: str) -> tuple[Run, list[Appointment]] | None:
        """A run under way and what it looks at; None where it is over or unknown."""
        ...

    async def book(
        self, run: str, at: datetime, worker: str, performed: Performed, bookings: Sequence[Booking]
    ) -> bool:
        """The run is over: its appointments are due as booked. False where that was noted before."""
        ...

    async def next_due(self, tenant: str) -> datetime | None:
        """The earliest date of an appointment that nobody looks at yet."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget the runs that were booked before; how many."""
        ...


class Workers(Protocol):
    """The places of workers. Every method raises StoreError where the store cannot do it."""

    def seated(self, name: str) -> AbstractAsyncContextManager[Seat]:
        """The place of that name; freed even by a killed process.

        Raises:
            StoreError: a living process has it.
        """
        ...

    async def beat(self, seat: Seat) -> bool:
        """Show that its holder lives. False where the place has gone to another holder."""
        ...

    async def holds(self, seat: Seat) -> bool:
        """Whether the place has not gone to another holder."""
        ...

    async def pulses(self) -> list[Pulse]:
        """Of every worker whose work nobody has taken over yet."""
        ...

    def evicted(self, pulse: Pulse) -> AbstractAsyncContextManager[bool]:
        """Hold the place of a worker whose pulse stood still, to take over its work; nobody sits in it meanwhile.

        True if it is free and the pulse stands still; its late holder is shut out from then on. At the end the
        worker counts as left.
        """
        ...


class SqlServer(Protocol):
    """SQL servers as one identity sees them, by its access token. Every call logs in anew and keeps nothing open.

    Every method raises UnreachableError where no server answered, RefusedError for a host that tokens may not go to, and
    the CloudError of Entra where there was no token.
    """

    async def probe(self, place: SqlPlace, patience: timedelta = timedelta()) -> SqlProbe:
        """Log in and SELECT 1. What the server refuses is in the answer, not raised.

        A login wakes a paused serverless database, which costs money: ask before.

        Args:
            patience: how long to wait for a database that wakes (40613).
        """
        ...

    async def execute(self, place: SqlPlace, *batches: str) -> list[Rows]:
        """Run batches one after the other, each on its own; the rows of each one's last result.

        Raises:
            SqlServerError: the server refused the login or a batch; those before it were done.
            OutcomeUnknownError: the line broke while a batch ran.
        """
        ...

    async def user_of(self, place: SqlPlace, entra_id: str) -> str | None:
        """The name of the database user with that identity's SID; None where there is none that we may see.

        Args:
            entra_id: client id of an application, object id of a person or group.

        Raises:
            SqlServerError: as for `execute`.
        """
        ...

    async def rights(self, place: SqlPlace, wanted: Sequence[SqlRight]) -> tuple[bool, ...]:
        """Which of the rights the identity has. False also for objects that it cannot see.

        Raises:
            SqlServerError: as for `execute`.
        """
        ...


class Outbox(Protocol):
    """What is to be told, and what was. Every method raises StoreError where the store cannot do it."""

    async def threads(self, tenant: str) -> dict[str, Thread]:
        """All that were ever opened in a tenant, by key."""
        ...

    async def put(
        self, threads: Sequence[Thread], deliveries: Sequence[tuple[Delivery, datetime]], tenant: str
    ) -> None:
        """Write threads and deliveries down, all or none; a delivery that is there already stays as it is.

        Args:
            deliveries: each with when it may leave, at the earliest.
        """
        ...

    async def due(self, now: datetime, limit: int = 200) -> list[Delivery]:
        """What may leave now, oldest first."""
        ...

    async def delivered(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """They arrived."""
        ...

    async def failed(
        self, deliveries: Sequence[Delivery], at: datetime, trouble: str, again_at: datetime
    ) -> None:
        """They did not arrive."""
        ...

    async def failing(self) -> dict[str, tuple[datetime, str]]:
        """Channels whose newest attempts failed: since when, and why."""
        ...


class Notifier(Protocol):
    """One channel to people or programs."""

    async def send(self, message: Message) -> None:
        """Hand it on; what arrives twice can be told by its id.

        Raises:
            UnreachableError: it did not take it.
        """
        ...


class SecretStore(Protocol):
    """Where the texts of secrets lie, by name. Every method raises SecretStoreError when it cannot be asked."""

    async def read(self, name: str) -> Secret | None:
        """None where there is no secret of that name."""
        ...

    async def write(self, name: str, secret: Secret) -> None:
        """Keep it, in the place of one of the same name; after a crash the old or the new one is there, whole."""
        ...

    async def delete(self, name: str) -> bool:
        """Whether there was one."""
        ...

    async def names(self) -> tuple[str, ...]:
        """What this store keeps for holdfast, sorted."""
        ...
