"""A tenant in memory whose answers are told beforehand: what is there, and what refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from holdfast.core.directory import Account, Change, SignInRecord
from holdfast.core.identity import Principal, ServicePrincipal
from holdfast.core.inventory import (
    EVERY_CONNECTOR,
    CanvasApp,
    Connection,
    ConnectionReference,
    ConnectorId,
    Environment,
    Flow,
    FlowId,
    FlowRun,
)
from holdfast.core.making import AppPolicy
from holdfast.core.policies import AccessPolicy, DataPolicy
from tests.fakes.clock import StillClock


class ToldCloud:
    """Platform and directory at once.

    Attributes:
        breaks: what to raise, and after how many answers, by environment id; "" is the list of environments,
            "directory" the applications.
        asked: every list that was asked for, in order.
    """

    def __init__(self, clock: StillClock, ahead: float = 0) -> None:
        self.clock = clock
        self.ahead = ahead
        self.listed: list[Environment] = []
        self.held: list[Connection] = []
        self.automations: list[Flow] = []
        self.pointers: list[ConnectionReference] = []
        self.apps: list[ServicePrincipal] = []
        self.people: list[Account] = [Account("o1", "ada@contoso.example", "Ada Kent", is_enabled=True)]
        self.policies: list[AccessPolicy] = []
        self.sign_ins: list[SignInRecord] = []
        self.identities: list[Principal] | None = None
        self.audits: list[Change] = []
        self.factors: set[str] = set()
        self.ran: list[FlowRun] = []
        self.data: list[DataPolicy] = []
        self.canvas: list[CanvasApp] = []
        self.app_owners: dict[str, tuple[str, ...]] = {}
        self.breaks: dict[str, tuple[Exception, int]] = {}
        self.asked: list[str] = []

    async def environments(self) -> AsyncIterator[Environment]:
        async for each in self._told("", self.listed):
            yield each

    async def connections(
        self, environment: Environment, connector: ConnectorId
    ) -> AsyncIterator[Connection]:
        here = [
            c
            for c in self.held
            if c.environment == environment.id and connector in (c.connector, EVERY_CONNECTOR)
        ]
        async for each in self._told(environment.id, here):
            yield each

    async def flows(self, environment: Environment) -> AsyncIterator[Flow]:
        async for each in self._told(f"flows of {environment.id}", self._here(self.automations, environment)):
            yield each

    async def references(self, environment: Environment) -> AsyncIterator[ConnectionReference]:
        async for each in self._told(
            f"references of {environment.id}", self._here(self.pointers, environment)
        ):
            yield each

    async def owners_of(self, application: str) -> tuple[str, ...]:
        self.asked.append(f"owners of {application}")
        return self.app_owners.get(application, ())

    async def principal_of(self, client_id: str) -> Principal | None:
        return next((one for one in self.identities or () if one.client_id == client_id), None)

    async def app_policy(self) -> AppPolicy:
        return AppPolicy()

    async def principals(self) -> AsyncIterator[Principal]:
        told = self.identities
        if told is None:
            told = [
                Principal(app.client_id, f"sp-{app.object_id}", app.display_name, True) for app in self.apps
            ]
        async for each in self._told("identities", told):
            yield each

    async def changes(self, since: datetime) -> AsyncIterator[Change]:
        async for each in self._told("changes", [row for row in self.audits if row.at >= since]):
            yield each

    async def sign_ins_of_account(self, account: str, since: datetime) -> AsyncIterator[SignInRecord]:
        rows = [row for row in self.sign_ins if row.who == account and row.at >= since]
        async for each in self._told(f"sign-ins of {account}", rows):
            yield each

    async def mfa_is_demanded(self, account: str) -> bool | None:
        self.asked.append(f"mfa of {account}")
        return account in self.factors

    async def runs(self, environment: Environment, flow: FlowId, since: datetime) -> AsyncIterator[FlowRun]:
        rows = [run for run in self.ran if run.flow == flow and (run.started_at or since) >= since]
        async for each in self._told(f"runs of {flow}", rows):
            yield each

    async def failed_runs(self, environment: Environment, since: datetime) -> AsyncIterator[FlowRun]:
        here = {flow.id for flow in self._here(self.automations, environment)}
        rows = [run for run in self.ran if run.flow in here and not run.succeeded]
        async for each in self._told(f"failed runs of {environment.id}", rows):
            yield each

    async def canvas_apps(self, environment: Environment) -> AsyncIterator[CanvasApp]:
        async for each in self._told(f"apps of {environment.id}", self._here(self.canvas, environment)):
            yield each

    async def data_policies(self) -> AsyncIterator[DataPolicy]:
        async for each in self._told("data policies", self.data):
            yield each

    async def service_principals(self) -> AsyncIterator[ServicePrincipal]:
        async for each in self._told("directory", self.apps):
            yield each

    async def accounts(self) -> AsyncIterator[Account]:
        async for each in self._told("accounts", self.people):
            yield each

    async def sign_ins_of_application(self, client_id: str, since: datetime) -> AsyncIterator[SignInRecord]:
        rows = [row for row in self.sign_ins if row.client_id == client_id and row.at >= since]
        async for each in self._told(f"sign-ins of {client_id}", rows):
            yield each

    async def access_policies(self) -> AsyncIterator[AccessPolicy]:
        async for each in self._told("policies", self.policies):
            yield each

    @staticmethod
    def _here(things: Iterable, environment: Environment) -> list:
        return [thing for thing in things if thing.environment == environment.id]

    def cloud_now(self) -> datetime | None:
        from datetime import timedelta

        return self.clock.now() + timedelta(seconds=self.ahead) if self.asked else None

    async def _told(self, name: str, things: Iterable) -> AsyncIterator:
        self.asked.append(name)
        error, after = self.breaks.get(name, (None, 0))
        for number, thing in enumerate(things):
            if error is not None and number == after:
                raise error
            yield thing
        if error is not None:
            raise error
