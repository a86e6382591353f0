"""Two simulated years of keep-alive flows, against what the sandbox says happened.

One run in five is refused by Entra for a day, so that it refreshes nothing. holdfast is down for thirty days, while one
keep-alive flow in ten is switched off. Beside the idle connections there are some of every kind that it cannot help.
`python -m tests.chaos.keeping` prints the table, with each disputed rule flipped for a shorter while, and writes it to
build/keepalive.md.
"""

from __future__ import annotations

import asyncio
import pickle
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.adapters.cloud import transport
from holdfast.adapters.cloud.connect import Access
from holdfast.adapters.cloud.credentials import Credential
from holdfast.compose.gathering import Chosen, as_operator_sees, cases
from holdfast.compose.watching import EVERY
from holdfast.core.plan import Plan, saga_of
from holdfast.core.secret import Secret
from holdfast.keepalive.eligibility import Target
from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive
from holdfast.keepalive.steps import Keepalive
from holdfast.keepalive.watch import Eyes, Finding
from holdfast.saga import apply, reopen
from holdfast.sandbox.certificates import make_keys
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.scenarios import named as scenarios
from holdfast.sandbox.scenarios.founding import Founding
from holdfast.sandbox.scenarios.sql_founding import ServerFounding
from holdfast.scan.standing import picture
from tests.fakes.history import MemoryHistory
from tests.fakes.journal import MemoryJournal
from tests.fakes.tenant import TenantInProcess

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SERVER = "sql-contoso.database.windows.net"
PLACES = 3
DAY = timedelta(days=1)
WITHIN = timedelta(hours=2)
"""A refresh that is told lies so near to one that was."""

RULES = (
    "",
    "connection_keeps_its_access_token",
    "redeeming_does_not_renew_the_old_token",
    "disabled_account_is_refused_not_revoked",
    "a_share_is_enough_to_activate",
    "rebinding_reaches_flows_at_once",
    "flow_run_status_is_succeeded",
    "flow_off_after_14_failing_days",
    "authorization_failure_is_403",
    "sign_in_frequency_hits_connections",
)
"""The disputed rules that bear on it, each flipped alone; "" is none of them."""


class Shape(NamedTuple):
    """How a tenant lives.

    Attributes:
        owners: each has two idle connections and one of a kind that is not to be kept alive.
        look: days between two scans with a look at the flows.
        down: on which day holdfast goes down for thirty days; None for never.
    """

    seed: int = 1
    owners: int = 40
    days: int = 730
    look: int = 7
    down: int | None = 300
    failing: float = 0.2
    flipped: str = ""


@dataclass
class Told:
    """What came of it.

    Attributes:
        idle: connections that went idle though nobody switched their flow off.
    mended: times that a flow was off because the platform gave it up, was told of and switched on again.
        lost: connections that went idle after their flow was switched off.
        late: flows switched off that were not told of at the first look after the return.
        false_proofs: times that a connection was called proven and no token had been fetched then.
        saved: ineligible connections that a plan or a look claims.
    """

    planned: int = 0
    flows: int = 0
    declined: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    failed: int = 0
    proofs: int = 0
    stopped: int = 0
    mended: int = 0
    idle: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    false_proofs: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return bool(self.proofs) and not (self.idle or self.late or self.false_proofs or self.saved)


# --- the tenant ------------------------------------------------------------------------------------------


def founded(shape: Shape) -> Any:
    """Idle connections of many people, and beside them some of every kind that is not to be kept alive."""

    def make(found: Founding) -> None:
        scenarios._identities(found)
        for app in found.world.applications.values():
            for secret in app.secrets:
                secret.expires_at += timedelta(days=2 * shape.days)  # our own must outlive it
        places = [found.environment(f"Place {n}", org=f"contoso-{n}") for n in range(PLACES)]
        scenarios._application_users(found, *places)
        bare = found.environment("Without Dataverse")
        blocked = found.environment("Blocked", org="contoso-blocked")
        scenarios._application_users(found, blocked)
        found.data_policy(
            "No SQL",
            groups={"Blocked": ["shared_sql"]},
            environment_type="OnlyEnvironments",
            environment_ids=[blocked.id],
        )
        app = found.app("app", secret_ends_in=timedelta(days=2 * shape.days))
        for number in range(shape.owners):
            owner = found.account(f"user{number}", f"User {number}", licences=["POWERAUTOMATE_PREMIUM"])
            for which in range(2):
                used = found.ago(days=found.world.draw("used", number, which) * 80)
                place = places[number % PLACES]
                found.oauth_connection(f"idle {number}/{which}", place, owner, used_at=used)
            other = number % 5
            if other == 0:
                found.oauth_connection(f"bare {number}", bare, owner, used_at=found.ago(days=9))
            elif other == 1:
                found.oauth_connection(f"blocked {number}", blocked, owner, used_at=found.ago(days=9))
            elif other == 2:
                text = secret_text(found.world, app.secrets[0])
                found.principal_connection(
                    f"app {number}", place, owner, app, secret=text, used_at=found.ago(days=9)
                )
            elif other == 3:
                gone = found.account(f"gone{number}", f"Gone {number}", enabled=False)
                found.oauth_connection(f"gone {number}", place, gone, used_at=found.ago(days=9))
            else:
                found.connection(
                    f"login {number}",
                    place,
                    owner,
                    parameter_set="sqlAuthentication",
                    parameters={"server": SERVER, "database": "erp"},
                    secrets={"username": "login", "password": "kept by nobody"},
                )
        admin = next(a for a in found.world.applications.values() if a.display_name == "holdfast-sql-admin")
        server = ServerFounding(found.world, SERVER, found.ago(days=700), entra_admin=admin.client_id)
        server.table("erp", "dbo.Orders", 1, {"Customer": "nvarchar(100)"})
        for account in list(found.world.accounts.values()):
            server.user("erp", account)

    founding = Founding("keeping", shape.seed, START)
    make(founding)
    return founding.world


class Cloud:
    """The sandbox's clock, so that deeds are noted by the cloud's time."""

    def __init__(self, tenant: TenantInProcess) -> None:
        self._tenant = tenant

    def now(self) -> datetime:
        return self._tenant.now

    async def sleep_until(self, instant: datetime) -> None:
        self._tenant.advance(seconds=max((instant - self._tenant.now).total_seconds(), 0))


class Life:
    """One tenant through its days, and a holdfast beside it."""

    def __init__(self, shape: Shape) -> None:
        vars(transport)["AsyncLimiter"] = lambda *_: nullcontext()  # paces are real seconds
        self.shape, self.chance, self.told = shape, random.Random(shape.seed), Told()
        self.tenant = TenantInProcess(pickle.dumps(founded(shape)), make_keys(START))
        if shape.flipped:
            self.tenant.world.flips = [shape.flipped]
        self.ready = self.tenant.ready(Path("ca.pem"))
        self.history, self.journal, self.clock = MemoryHistory(), MemoryJournal(), Cloud(self.tenant)
        self.plan: Plan | None = None
        self.fetched: defaultdict[str, list[datetime]] = defaultdict(list)
        self.off: dict[str, datetime] = {}
        self.refused: set[str] = set()

    def way(self, role: str) -> Access:
        app = next(one for one in self.ready["apps"] if one["name"] == self.ready["roles"][role])
        return self.tenant.way_in(
            self.ready, Credential(app["client_id"], secret=lambda: Secret(app["secret"]))
        )

    async def lived(self) -> Told:
        async with AsyncExitStack() as stack:
            self.reader, self.operator = self.way("reader"), self.way("operator")
            stack.push_async_callback(self.reader.close)
            stack.push_async_callback(self.operator.close)
            await self._begin()
            for day in range(self.shape.days):
                await self._day(day)
        self._end()
        return self.told

    async def _scan(self) -> None:
        await self.tenant.look(self.ready, self.history)

    async def _begin(self) -> None:
        await self._scan()
        seen = await picture(self.history, "t", "t", self.tenant.now)
        assert seen is not None
        idle = {id: Target(SERVER, "erp") for id in self.tenant.world.connections}
        found = await cases(
            self.history, seen, self.reader.directory, self.reader.platform, Chosen(targets=idle)
        )
        found = await as_operator_sees(found, self.operator.operator, seen.environments)
        operator = next(
            app
            for app in self.tenant.world.applications.values()
            if app.display_name == self.ready["roles"]["operator"]
        )
        self.plan = plan_keepalive(
            found,
            Choices("p1", "t", "t", self.tenant.now, Cadence.WEEKLY, 0.4, operator.principal_id or "", "op"),
        )
        self.told.planned = len(self._kept())
        self.told.declined = Counter(each.reason for each in self.plan.declined)
        await self.journal.keep(self.plan)
        for connection in self._kept():
            self.tenant.event("share_connection", connection, **{"with": operator.principal_id})
        await self._apply()
        self._owners_switch_on()
        await self._apply()
        self.told.flows = len(self._flows())

    def _kept(self) -> list[str]:
        assert self.plan is not None
        return [str(step.connection) for step in self.plan.steps if step.name.startswith("shared:")]

    async def _apply(self) -> None:
        assert self.plan is not None
        environments = {str(each.id): each async for each in self.reader.platform.environments()}
        verb = Keepalive(self.operator.operator, environments, self.clock)
        async with self.journal.turn("t") as turn:
            await apply(self.plan, verb, self.journal, turn, self.clock, timedelta(0))

    def _owners_switch_on(self, sagas: Collection[str] | None = None) -> None:
        """What the owners do who were handed their flow: choose the connections, switch it on."""
        assert self.plan is not None
        bound = {
            step.arguments["logical_name"]: step.connection
            for step in self.plan.steps
            if step.name.startswith("reference:")
        }
        for reference in self.tenant.world.references.values():
            if reference.connection_id is None and reference.logical_name in bound:
                reference.connection_id = bound[reference.logical_name]
        for flow in self._flows().values():
            if flow.state != "Started" and (sagas is None or saga_of(flow.display_name) in sagas):
                self.tenant.event("turn_on_flow", flow.id)

    def _flows(self) -> dict[str, Any]:
        return {
            str(flow.workflow_id): flow
            for flow in self.tenant.world.flows.values()
            if flow.display_name.startswith("holdfast/")
        }

    # --- one day ---------------------------------------------------------------------------------------

    async def _day(self, day: int) -> None:
        self._trouble()
        down = self.shape.down
        is_down = down is not None and down <= day < down + 30
        if is_down and not self.off:
            self._switch_off(day)
        for step in range(2):
            self.tenant.advance(hours=12)
            self._note()
            if down is not None and day == down + 30 and step == 0:
                # The worst case: the first look comes only when the cadence has gone by since the return.
                assert timedelta(hours=12) >= EVERY
                await self._look(is_return=True)
        if not is_down and day % self.shape.look == 0:
            await self._look()

    def _trouble(self) -> None:
        """One owner in five whose flow runs today is refused all day."""
        ends = self.tenant.now + DAY
        for owner in self.refused:
            self.tenant.event("remove_mfa", owner)
        self.refused = set()
        flows = self._flows().values()
        for flow in sorted(flows, key=lambda flow: flow.display_name):
            at = flow.next_look_at
            if flow.state == "Started" and at is not None and self._runs_before(flow, ends):
                self.told.runs += 1
                if self.chance.random() < self.shape.failing:
                    self.told.failed += 1
                    self.refused.add(self._owner_of(flow))
        for owner in self.refused:
            self.tenant.event("require_mfa", owner)

    def _runs_before(self, flow: Any, ends: datetime) -> bool:
        from holdfast.sandbox.flows.folding import schedule_for

        schedule = schedule_for(self.tenant.world, flow)
        return schedule is not None and schedule.after(self.tenant.now) <= ends

    def _owner_of(self, flow: Any) -> str:
        world = self.tenant.world
        reference = next(iter(flow.connections.values())).reference
        found = next(one for one in world.references.values() if one.logical_name == reference)
        return world.connections[str(found.connection_id)].owner_id

    def _switch_off(self, day: int) -> None:
        flows = sorted(self._flows().values(), key=lambda flow: flow.display_name)
        for flow in self.chance.sample(flows, max(len(flows) // 10, 1)):
            self.tenant.event("turn_off_flow", flow.id)
            self.off[str(flow.workflow_id)] = self.tenant.now
        self.told.stopped = len(self.off)

    def _note(self) -> None:
        for connection in self.tenant.world.connections.values():
            at = connection.last_token_at
            if at is not None and (not self.fetched[connection.id] or self.fetched[connection.id][-1] != at):
                self.fetched[connection.id].append(at)

    async def _look(self, *, is_return: bool = False) -> None:
        await self._scan()
        record = await self.history.last_scan("t")
        assert self.plan is not None
        assert record is not None
        environments = {str(each.id): each async for each in self.reader.platform.environments()}
        eyes = Eyes(
            self.history,
            self.operator.operator,
            self.reader.platform,
            environments,
            self.tenant.now,
            record.started_at,
        )
        found = await eyes.look(self.plan, await self.journal.deeds("t", self.plan.id))
        self._judge(found)
        await self._mend(found)
        if is_return:
            told = {each.flow for each in found if each.problem == "flow_off"}
            self.told.late = sorted(set(self.off) - told)

    def _judge(self, found: list[Finding]) -> None:
        kept = set(self._kept())
        for each in found:
            if each.connection not in kept:
                self.told.saved.append(each.connection)
            if each.proven_at is None:
                continue
            self.told.proofs += 1
            if not any(abs(at - each.proven_at) <= WITHIN for at in self.fetched[each.connection]):
                self.told.false_proofs.append(f"{each.connection} {each.proven_at}")

    async def _mend(self, found: list[Finding]) -> None:
        """What the platform gave up is switched on again; what a person switched off stays off."""
        assert self.plan is not None
        off = {each.saga for each in found if each.problem == "flow_off" and each.flow not in self.off}
        if not off:
            return
        self.told.mended += len(off)
        async with self.journal.turn("t") as turn:
            for saga in off:
                await reopen(self.plan, saga, "switch_on", self.journal, turn, self.clock)
        await self._apply()
        self._owners_switch_on(off)
        await self._apply()

    def _end(self) -> None:
        names = self._names()
        kept, stopped = set(self._kept()), self._of_stopped()
        for one in self.tenant.truth()["connections"]:
            if one["id"] in kept and "token_inactive" in one["causes"]:
                (self.told.lost if one["id"] in stopped else self.told.idle).append(names[one["id"]])
        self.told.saved += [names[id] for id in kept if not names[id].startswith("idle ")]

    def _names(self) -> Mapping[str, str]:
        return {one.id: one.display_name for one in self.tenant.world.connections.values()}

    def _of_stopped(self) -> set[str]:
        references = {one.logical_name: one.connection_id for one in self.tenant.world.references.values()}
        flows = [flow for id, flow in self._flows().items() if id in self.off]
        return {
            str(references[named.reference or ""]) for flow in flows for named in flow.connections.values()
        }


def shapes() -> list[Shape]:
    """The whole of it, and each disputed rule flipped for a third of the time."""
    flips = [Shape(flipped=rule, owners=10, days=240, down=120) for rule in RULES if rule]
    return [Shape(), Shape(seed=2), *flips]


def row(shape: Shape, told: Told) -> str:
    cells = (
        shape.flipped or "(none)",
        shape.days,
        told.planned,
        told.flows,
        sum(told.declined.values()),
        f"{told.failed}/{told.runs}",
        told.proofs,
        told.mended,
        len(told.idle),
        f"{told.stopped - len(told.late)}/{told.stopped}",
        len(told.lost),
        len(told.false_proofs),
        len(told.saved),
    )
    return f"| {' | '.join(map(str, cells))} |"


HEAD = (
    "| rule that is flipped | days | connections kept | flows | declined | runs that failed | proofs | given up by the platform, told, on again | went idle, flow on"
    " | stopped flows told at the return | went idle, flow off | false proofs | ineligible claimed |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def main() -> int:
    lines, is_right = [HEAD], True
    print(HEAD)
    for shape in shapes():
        told = asyncio.run(Life(shape).lived())
        is_right &= told.is_right
        lines.append(row(shape, told))
        print(lines[-1], flush=True)
    Path("build").mkdir(exist_ok=True)
    Path("build/keepalive.md").write_text("\n".join(lines) + "\n")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
