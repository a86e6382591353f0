"""A migration against a tenant in this process: every call to the outside can be the last one, or lose its answer."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from holdfast.adapters.certificates import make_certificate, pem_of
from holdfast.adapters.cloud.connect import Access
from holdfast.adapters.cloud.credentials import Credential
from holdfast.adapters.sql.server import _question
from holdfast.compose import Reach
from holdfast.compose.gathering import object_id_of
from holdfast.compose.migrating import Chosen, cases
from holdfast.core.deed import Standing
from holdfast.core.errors import (
    CloudError,
    OutcomeUnknownError,
    RefusedError,
    SqlServerError,
    UnreachableError,
)
from holdfast.core.identity import Role
from holdfast.core.inventory import FlowId, FlowRun
from holdfast.core.plan import Plan
from holdfast.core.secret import Secret
from holdfast.core.sql import LoginState, Rows, SqlPlace, SqlProbe, SqlRefusal, SqlRight
from holdfast.migration.choices import Choices
from holdfast.migration.plan import plan_migration
from holdfast.migration.steps import Migration
from holdfast.migration.world import World
from holdfast.saga import apply, undo
from holdfast.sandbox.clock import wall
from holdfast.sandbox.databases import log_in
from holdfast.sandbox.flows.folding import run_now
from holdfast.sandbox.flows.history import runs_of
from holdfast.sandbox.records.platform import ConnectionReference, Flow, FlowConnection
from holdfast.sandbox.scenarios.definitions import definition, recurrence, rows
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import RowSet
from holdfast.scan.standing import picture
from holdfast.wire.ledger import Audience
from tests.fakes.history import MemoryHistory
from tests.fakes.journal import MemoryJournal
from tests.fakes.secrets import MemorySecrets
from tests.fakes.tenant import TenantInProcess, Wire

TENANT = "t"
DANA, DESK = "ERP orders (Dana Kim)", "sql-contoso.database.windows.net helpdesk"
PATIENCE = timedelta(seconds=20)
"""Of each process: most steps that wait wait for the night."""

ACCEPTED = frozenset({"canvas_apps"})
"""The desk's connection may be an app's."""


def a_story() -> bytes:
    """The story, with a nightly flow on a SQL login besides: its definition has to be rewritten."""
    world = build("story", 1, wall())
    desk = next(one for one in world.connections.values() if one.display_name == DESK)
    world.references["11111111-0000-4000-8000-000000000001"] = ConnectionReference(
        id="11111111-0000-4000-8000-000000000001",
        environment_id=desk.environment_id,
        logical_name="con_sql_desk",
        display_name="SQL Server helpdesk",
        connector="shared_sql",
        connection_id=desk.id,
        owner_id=desk.owner_id,
        modified_at=world.settled_at,
    )
    read = definition(
        recurrence("Day", 1, 5), ("Read_tickets", rows("[dbo].[Tickets]", "default", "default"))
    )
    world.flows["22222222-0000-4000-8000-000000000001"] = Flow(
        id="22222222-0000-4000-8000-000000000001",
        environment_id=desk.environment_id,
        display_name="Nightly tickets",
        owner_id=desk.owner_id,
        created_at=world.settled_at,
        modified_at=world.settled_at,
        definition=read,
        connections={"shared_sql": FlowConnection(connector="shared_sql", reference="con_sql_desk")},
        workflow_id="33333333-0000-4000-8000-000000000001",
        state="Started",
    )
    admin = next(app for app in world.applications.values() if app.display_name == "holdfast-sql-admin")
    server = world.servers["sql-contoso.database.windows.net"]
    helpdesk, erp = server.databases["helpdesk"], server.databases["erp"]
    owner = erp.principals[admin.display_name.casefold()]
    helpdesk.principals[admin.display_name.casefold()] = copy.deepcopy(owner)
    return pickle.dumps(world)


class KilledError(BaseException):
    """The process is gone: nothing that catches errors may catch this."""


@dataclass
class Fate:
    """What befalls which call to the outside, by its number.

    Attributes:
        kills: the process ends after these calls did their work.
        losses: these did their work, and their answers are lost.
    """

    kills: frozenset[int] = frozenset()
    losses: frozenset[int] = frozenset()
    calls: int = 0
    log: list[str] = field(default_factory=list)
    is_dead: bool = False

    def begins(self) -> None:
        """Before every call. Raises KilledError where the process is gone: it cleans nothing up."""
        if self.is_dead:
            raise KilledError

    def called(self, what: str) -> bool:
        """Whether the answer is lost. Raises KilledError where the process ends here."""
        self.calls += 1
        self.log.append(what)
        if self.calls in self.kills:
            self.is_dead = True
            raise KilledError
        return self.calls in self.losses


class MortalWire(Wire):
    """Requests that obey a fate."""

    def __init__(self, app: Any, fate: Fate) -> None:
        super().__init__(app)
        self._fate = fate

    def _answered(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        self._fate.begins()
        answer = super()._answered(request, body)
        if self._fate.called(f"{request.method} {request.url.path}"):
            raise httpx2.ReadError("The line broke.", request=request)
        return answer


class TiedClock:
    """The cloud's clock as ours; sleeping moves it."""

    def __init__(self, tenant: TenantInProcess) -> None:
        self._tenant = tenant

    def now(self) -> datetime:
        return self._tenant.now

    async def sleep_until(self, instant: datetime) -> None:
        left = instant - self.now()
        if left > timedelta(0):
            self._tenant.advance(seconds=left.total_seconds())


class MortalSecrets(MemorySecrets):
    """A secret store of which each write can be the last deed of the process."""

    fate: Fate

    async def write(self, name: str, secret: Secret) -> None:
        self.fate.begins()
        await super().write(name, secret)
        self.fate.called(f"write {name}")

    async def delete(self, name: str) -> bool:
        self.fate.begins()
        was = await super().delete(name)
        self.fate.called(f"delete {name}")
        return was


class InProcessSql:
    """The port SqlServer without TDS: a login as an application for each call."""

    def __init__(self, tenant: TenantInProcess, client_id: str, fate: Fate) -> None:
        self._tenant, self._client_id, self._fate = tenant, client_id, fate

    def _asked(self, place: SqlPlace, batches: Sequence[str]) -> list[Rows]:
        self._fate.begins()
        try:
            who = Identity("entra", self._client_id, entra_id=self._client_id)
            session = log_in(self._tenant.world, *place, who, lambda: self._tenant.now, "203.0.113.9")
            return [self._rows(session.execute(batch)) for batch in batches]
        except SqlError as error:
            refusal = SqlRefusal(error.number, 1, 14, error.message)
            raise SqlServerError(
                f"SQL Server refused ({place}): {error.message}", "sql", "sql.execute", refusal=refusal
            ) from None

    def _rows(self, outcomes: Sequence[Any]) -> Rows:
        rows: Rows = ()
        for told in outcomes:
            if isinstance(told, SqlError):
                raise told
            rows = told.rows if isinstance(told, RowSet) else rows
        return rows

    async def probe(self, place: SqlPlace, patience: timedelta = timedelta()) -> SqlProbe:
        refusal = None
        try:
            self._asked(place, ["SELECT 1 AS one"])
        except SqlServerError as error:
            refusal = error.refusal
        if self._fate.called(f"probe {place}"):
            raise UnreachableError("The line broke.", "sql", "sql.probe")
        return SqlProbe(place, self._tenant.now, refusal)

    async def execute(self, place: SqlPlace, *batches: str) -> list[Rows]:
        try:
            told = self._asked(place, batches)
        except SqlServerError:
            self._fate.called(f"execute {place}")
            raise
        if self._fate.called(f"execute {place}"):
            raise OutcomeUnknownError("The line broke.", "sql", "sql.execute")
        return told

    async def user_of(self, place: SqlPlace, entra_id: str) -> str | None:
        raise NotImplementedError("no step of a migration asks it")

    async def login_state(self, place: SqlPlace, login: str) -> LoginState | None:
        raise NotImplementedError("no step of a migration asks it")

    async def rights(self, place: SqlPlace, wanted: Sequence[SqlRight]) -> tuple[bool, ...]:
        if not wanted:
            return ()
        [rows] = self._asked(
            place, ["SELECT " + ", ".join(f"{_question(one)} AS c{n}" for n, one in enumerate(wanted))]
        )
        if self._fate.called(f"rights {place}"):
            raise UnreachableError("The line broke.", "sql", "sql.rights")
        return tuple(value == 1 for value in rows[0])


class PersonInProcess:
    """The ports Starter and Runs: a person who owns the flows of one account."""

    def __init__(self, tenant: TenantInProcess, name: str, fate: Fate) -> None:
        self._tenant, self._fate = tenant, fate
        accounts = tenant.world.accounts.values()
        self._id = next(one.object_id for one in accounts if one.display_name == name)

    def _own(self, flow: str) -> Flow:
        self._fate.begins()
        found = next(one for one in self._tenant.world.flows.values() if one.workflow_id == flow)
        if found.owner_id != self._id:
            raise RefusedError("It is somebody else's flow.", "flow", "flow.start")
        return found

    def _lost(self, what: str) -> None:
        if self._fate.called(what):
            raise OutcomeUnknownError("The line broke.", "flow", what)

    async def own(self, environment: Any) -> AsyncIterator[Any]:
        nothing: tuple[Any, ...] = ()  # no step of a migration asks it
        for each in nothing:
            yield each

    async def runs(self, environment: str, flow: str) -> AsyncIterator[FlowRun]:
        held = self._own(flow)
        self._lost("read runs")
        for run in runs_of(self._tenant.world, held, self._tenant.now):
            yield FlowRun(run.id, FlowId(flow), run.record.status, run.started_at)

    async def failure(self, environment: str, flow: str, run: str) -> None:
        raise NotImplementedError("no step of a migration asks it")

    async def start(self, environment: str, flow: str) -> None:
        run_now(self._tenant.world, self._own(flow), self._tenant.now)
        self._tenant.world.changed()
        self._lost("start a run")


class Mover:
    """One process after another that carries out a plan in a tenant."""

    def __init__(
        self,
        tenant: TenantInProcess,
        *,
        roles: frozenset[Role] = frozenset(Role),
        journal: Any = None,
        secrets: Any = None,
    ) -> None:
        self.tenant, self.fate = tenant, Fate()
        self.ready = tenant.ready("ca.pem")
        self.journal = journal or MemoryJournal()
        self.secrets = secrets or MortalSecrets()
        self.secrets.fate = self.fate
        self.clock = TiedClock(tenant)
        self.history = MemoryHistory()
        self._roles = roles
        self.person: PersonInProcess | None = None

    # --- as `compose.Tenant` -----------------------------------------------------------------------------

    def has(self, role: Role) -> bool:
        return role in self._roles

    def app(self, role: Role) -> dict[str, Any]:
        name = self.ready["roles"][role.value]
        return next(one for one in self.ready["apps"] if one["name"] == name)

    def _way_in(self, credential: Credential) -> Access:
        return self.tenant.way_in(
            self.ready, credential, wires=MortalWire(self.tenant.app, self.fate), clock=self.clock
        )

    @asynccontextmanager
    async def reached(self, role: Role = Role.READER) -> AsyncIterator[Reach]:
        app = self.app(role)
        way = self._way_in(Credential(app["client_id"], secret=lambda: Secret(app["secret"])))
        try:
            yield Reach(way.platform, way.directory, way.directory, way.operator, way.registry)
        finally:
            await way.close()

    async def signs_in(self, client_id: str, secret: Secret, kind: str = "secret") -> str:
        credential = Credential(client_id, secret=lambda: secret)
        if kind == "certificate":
            credential = Credential(client_id, certificate=lambda: pem_of(secret))
        way = self._way_in(credential)
        try:
            await way.tokens.token(way.hosts.scopes[Audience.DATABASE])  # as `compose` does
        except CloudError as error:
            return str(error)
        finally:
            await way.close()
        return ""

    @asynccontextmanager
    async def sql(self) -> AsyncIterator[InProcessSql]:
        yield InProcessSql(self.tenant, self.app(Role.SQL_ADMIN)["client_id"], self.fate)

    @asynccontextmanager
    async def sql_as(
        self, client_id: str, secret: Secret, kind: str = "secret"
    ) -> AsyncIterator[InProcessSql]:
        yield InProcessSql(self.tenant, client_id, self.fate)

    # --- planning and doing ------------------------------------------------------------------------------

    async def plan(self, *names: str, accepted: frozenset[str] = frozenset(), **more: Any) -> Plan:
        """Scan, and plan the connections of these display names; all without."""
        await self.tenant.look(self.ready, self.history)
        seen = await picture(self.history, TENANT, "story", self.tenant.now)
        assert seen is not None
        chosen = {c.id for c in self.tenant.world.connections.values() if c.display_name in names}
        wanted = Chosen(
            connections=frozenset(chosen),
            accepted=accepted,
            rewrites=more.pop("rewrites", False),
            roles=more.get("roles", ()),
            certificate=more.get("certificate", False),
        )
        found = await cases(self, self, seen, wanted)  # type: ignore[arg-type]
        choices = Choices(
            plan="p1",
            tenant=TENANT,
            tenant_name="story",
            tenant_id=self.ready["tenant_id"],
            now=self.tenant.now,
            operator="o",
            policy=found[0].app_policy,
            has_sql_admin=self.has(Role.SQL_ADMIN),
            has_app_admin=self.has(Role.APP_ADMIN),
            **more,
        )
        plan = plan_migration(found, choices)
        await self.journal.keep(plan)
        return plan

    @asynccontextmanager
    async def verb(self) -> AsyncIterator[Migration]:
        async with (
            self.reached(Role.OPERATOR) as operating,
            self.reached(Role.READER) as reading,
            self.reached(Role.APP_ADMIN) as admin,
        ):
            environments = {str(each.id): each async for each in reading.platform.environments()}
            operator = self.app(Role.OPERATOR)["client_id"]
            yield Migration(
                World(
                    operating.operator,
                    reading.platform,
                    reading.directory,
                    reading.applications,
                    self.secrets,
                    self.signs_in,
                    self.sql_as,
                    await object_id_of(reading.applications, operator),
                    self.clock,
                    environments,
                    make_certificate,
                    admin.registry if self.has(Role.APP_ADMIN) else None,
                    self.sql if self.has(Role.SQL_ADMIN) else None,
                    self.person,
                    self.person,
                )
            )

    async def go(
        self, plan: Plan, way: str = "apply", wait: timedelta = timedelta(minutes=2)
    ) -> list[Standing]:
        """As far as it goes in one process."""
        deed = apply if way == "apply" else undo
        self.fate.is_dead = False
        async with self.verb() as verb, self.journal.turn(TENANT) as turn:
            return await deed(plan, verb, self.journal, turn, self.clock, wait)

    async def to_the_end(
        self, plan: Plan, way: str = "apply", between: Callable[[], None] | None = None
    ) -> list[Standing]:
        """Process after process, a night between those that wait, until it is over or refused."""
        for _ in range(40):
            try:
                found = await self.go(plan, way, PATIENCE)
            except KilledError:
                continue
            if not any(
                each.state in ("waiting", "interrupted") or (each.state == "undoing" and way == "undo")
                for each in found
            ):
                return found
            if between is not None:
                between()
            if way == "apply":
                self.tenant.advance(hours=26)
        return found

    async def to_a_kill(self, plan: Plan) -> None:
        """Until the process ends, or the plan does."""
        for _ in range(6):
            try:
                found = await self.go(plan)
            except KilledError:
                return
            if not any(each.state == "waiting" for each in found):
                return
            self.tenant.advance(hours=26)
