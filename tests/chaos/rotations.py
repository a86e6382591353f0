"""Rotations while flows use every connection, on a slow directory, with kills and lost answers at any outside call.

`python -m tests.chaos.rotations [HOW_MANY] [SEED]` prints the table; `tests/chaos/test_rotations.py` runs a sample.
The tenant is the sandbox in this process; plans are made, applied and resumed by the code that the commands use.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import httpx2
import stamina

from holdfast import saga
from holdfast.adapters.certificates import pem_of
from holdfast.adapters.cloud.connect import Access, connect
from holdfast.adapters.cloud.credentials import Credential
from holdfast.adapters.cloud.patience import ATTEMPTS
from holdfast.compose import Reach
from holdfast.compose.rotating import bound_rotation, planned
from holdfast.core.deed import Standing, State
from holdfast.core.errors import CloudError, HoldfastError, SecretStoreError
from holdfast.core.identity import Role
from holdfast.core.plan import Plan
from holdfast.core.secret import Secret
from holdfast.sandbox.connection_use import TOKEN_CACHE
from holdfast.sandbox.faults import THROTTLED
from holdfast.sandbox.records.directory import Application, Certificate, ClientSecret
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.scenarios.definitions import recurrence
from holdfast.scan.standing import picture
from holdfast.scan.tenant import scan
from holdfast.wire.ledger import Audience
from tests.chaos.matrix import founded
from tests.fakes.history import MemoryHistory
from tests.fakes.holdfast import ToldHoldfast
from tests.fakes.journal import MemoryJournal
from tests.fakes.secrets import MemorySecrets
from tests.fakes.tenant import KINDS, TenantInProcess, Wire

SLOW = 600
"""Seconds that the directory takes to spread a secret."""

LIFE = timedelta(days=90)


@cache
def opened(kept: str) -> Secret:
    """What is kept of a certificate, decrypted but once: its lock is made to be slow."""
    return pem_of(Secret(kept))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Everything in one thread, as the tenant is served, and no pauses between retries."""

    async def here(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return work(*arguments, **named)

    aside = asyncio.to_thread
    setattr(asyncio, "to_thread", here)  # noqa: B010 - its own type is narrower
    stamina.set_testing(True, attempts=ATTEMPTS)
    try:
        yield
    finally:
        setattr(asyncio, "to_thread", aside)  # noqa: B010
        stamina.set_testing(False)


PERILS = ("kill before", "kill after", "lose", "refuse")


class Killed(BaseException):
    """The process is gone: nothing that it would have done after this is done."""


@dataclass
class Peril:
    """What happens at which outside call, counted over one process or all.

    Attributes:
        plan: call number → "kill before", "kill after", "lose" (it is done, its answer is lost), "refuse" (a store
            that cannot be asked).
        only_writes: only those calls are counted that can change something; between two of them a kill is the same
            wherever it comes.
        chance: draws a peril for any call, so often as `rate` says, beside the plan; None for never.
    """

    plan: dict[int, str] = field(default_factory=dict)
    only_writes: bool = False
    chance: random.Random | None = None
    rate: float = 0.0
    calls: int = 0
    dead: bool = False
    met: Counter[str] = field(default_factory=Counter)

    def next(self, *, is_write: bool = True) -> str:
        if self.dead:
            raise Killed
        if self.only_writes and not is_write:
            return ""
        self.calls += 1
        what = self.plan.pop(self.calls, "") or self._drawn()
        if what:
            self.met[what] += 1
        if what == "kill before":
            self.die()
        return what

    def _drawn(self) -> str:
        if self.chance is None or self.chance.random() >= self.rate:
            return ""
        return self.chance.choice(PERILS)

    def die(self) -> None:
        self.dead = True
        raise Killed


class PerilousWire(Wire):
    """The way to the tenant, with perils."""

    def __init__(self, app: Any, peril: Peril) -> None:
        super().__init__(app)
        self.peril = peril

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        return self._perilous(request, body)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._perilous(request, request.read())

    def _perilous(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        # To sign in changes nothing but the log of it.
        is_write = request.method != "GET" and not request.url.path.endswith("/token")
        what = self.peril.next(is_write=is_write)
        self._app._tenant.recent.clear()  # limits that are counted in real time; here time is made
        answer = self._answered(request, body)
        if what == "kill after":
            self.peril.die()
        if what in ("lose", "refuse"):
            raise httpx2.ReadError("the line was cut", request=request)
        return answer


class PerilousSecrets(MemorySecrets):
    """A secret store with perils at every write and delete."""

    def __init__(self) -> None:
        super().__init__()
        self.peril = Peril()

    async def write(self, name: str, secret: Secret) -> None:
        what = self.peril.next()
        if what == "refuse":
            raise SecretStoreError("The secret store cannot be asked.")
        await super().write(name, secret)
        self._after(what)

    async def delete(self, name: str) -> bool:
        what = self.peril.next()
        if what == "refuse":
            raise SecretStoreError("The secret store cannot be asked.")
        found = await super().delete(name)
        self._after(what)
        return found

    def _after(self, what: str) -> None:
        if what == "kill after":
            self.peril.die()
        if what == "lose":
            raise SecretStoreError("The secret store gave no answer.")


class TiedClock:
    """Our clock, which is the cloud's; whoever waits moves it, and flows run meanwhile."""

    def __init__(self, tenant: TenantInProcess) -> None:
        self._tenant = tenant

    def now(self) -> datetime:
        return self._tenant.now

    async def sleep_until(self, instant: datetime) -> None:
        left = (instant - self.now()).total_seconds()
        if left > 0:
            self._tenant.advance(seconds=left)


class ChaosTenant:
    """See `holdfast.compose.Tenant`: the same ways in, through the perilous wire."""

    name = id = "t"

    def __init__(self, inner: TenantInProcess, clock: TiedClock) -> None:
        self.inner, self.clock, self.peril = inner, clock, Peril()
        self.ready = inner.ready("ca.pem")
        self.entra_id = self.ready["tenant_id"]
        # Those that were written down in the settings: their secrets are not touched here.
        self._apps = {
            role: next(app for app in self.ready["apps"] if app["name"] == name)
            for role, name in self.ready["roles"].items()
        }

    def client_id(self, role: Role) -> str:
        return str(self._apps[role.value]["client_id"])

    def has(self, role: Role) -> bool:
        return True

    def own_client_ids(self) -> dict[str, str]:
        return {app["client_id"]: role for role, app in self._apps.items()}

    @asynccontextmanager
    async def reached(self, role: Role = Role.READER, *, budget: int | None = None) -> AsyncIterator[Reach]:
        app = self._apps[role.value]
        access = self._way(Credential(app["client_id"], secret=lambda: Secret(app["secret"])))
        try:
            yield Reach(
                access.platform,
                access.directory,
                access.directory,
                access.operator,
                access.registry,
            )
        finally:
            await access.close()

    async def signs_in(self, client_id: str, secret: Secret, kind: str = "secret") -> str:
        credential = Credential(client_id, secret=lambda: secret)
        if kind == "certificate":
            credential = Credential(client_id, certificate=lambda: opened(secret.reveal()))
        access = self._way(credential)
        try:
            await access.tokens.token(access.hosts.scopes[Audience.DATABASE])
        except CloudError as error:
            return str(error)
        finally:
            await access.close()
        return ""

    def _way(self, credential: Credential) -> Access:
        access = connect(
            self.entra_id,
            credential,
            self.clock,
            hosts={kind: self.ready[kind] for kind in KINDS},
            dataverse=list(self.ready["dataverse"].values()),
            allow_custom_hosts=True,
            wire=PerilousWire(self.inner.app, self.peril),
            sign_in_wire=PerilousWire(self.inner.app, self.peril),
        )
        # The sign-in log may be asked five times in ten seconds of real time; here time is made.
        setattr(access.transport, "_limiter", lambda _asking: nullcontext())  # noqa: B010
        return access


class Trial:
    """One tenant in which applications are rotated over and over.

    Args:
        only: of how many applications; None for all that there are.
    """

    def __init__(
        self,
        scenario: str,
        seed: int,
        only: int | None = None,
        *,
        kinds: Collection[str] = ("oauthSP", "certOauth"),
    ) -> None:
        self.chance = random.Random(seed)
        self.inner = TenantInProcess(*founded(scenario))
        self.world = self.inner.world
        self.clock = TiedClock(self.inner)
        self.world.is_unkind = True
        # A connection that keeps its token hides for an hour what a stale replica would have said: every use asks.
        self.world.flips = [*self.world.flips, THROTTLED.id, TOKEN_CACHE.id]
        self.inner.event("slow_directory", seconds=SLOW)
        self.apps = self._chosen(only, kinds)
        self._let_flows_run()
        self.tenant = ChaosTenant(self.inner, self.clock)
        self._keep_ourselves()
        self.secrets = PerilousSecrets()
        self.history, self.journal = MemoryHistory(), MemoryJournal()
        self.holdfast: Any = SimpleNamespace(
            history=self.history, journal=self.journal, secrets=self.secrets, clock=self.clock
        )
        self.foreign = {app.client_id: self._keys(app) for app in self.apps}
        self.counts: Counter[str] = Counter()
        self.interrupted: Counter[str] = Counter()
        self.number = 0
        self.failed_before = self._failed()

    def _chosen(self, only: int | None, kinds: Collection[str]) -> list[Application]:
        admin = next(a for a in self.world.applications.values() if a.display_name == "holdfast-app-admin")
        good = {one["id"] for one in self.inner.truth()["connections"] if one["usable"]}
        used = {
            str(c.parameters.get("token:clientId"))
            for c in self.world.connections.values()
            if c.parameter_set in kinds and c.id in good
        }
        apps = [
            app
            for app in self.world.applications.values()
            if admin.principal_id in app.owner_ids and app.client_id in used
        ]
        return apps[:only]

    def connections(self, app: Application) -> list[Connection]:
        return [
            c
            for c in self.world.connections.values()
            if c.deleted_at is None and c.parameters.get("token:clientId") == app.client_id
        ]

    def _keep_ourselves(self) -> None:
        """holdfast's own secrets are renewed in its settings by somebody, which is not what is looked at here."""
        for client_id in self.tenant.own_client_ids():
            for secret in self.world.applications[client_id].secrets:
                secret.expires_at += timedelta(days=365 * 20)
        self.world.changed()

    def _let_flows_run(self) -> None:
        """The flows of these applications run every five minutes, and no others."""
        held = {c.id for app in self.apps for c in self.connections(app)}
        references = {
            name
            for r in self.world.references.values()
            if r.connection_id in held
            for name in ((r.environment_id, r.id), (r.environment_id, r.logical_name))
        }
        for flow in list(self.world.flows.values()):
            bound = flow.connections.values()
            if not any(
                one.connection_id in held or (flow.environment_id, one.reference) in references
                for one in bound
            ):
                self.inner.event("turn_off_flow", flow.id)
                continue
            trigger = next(iter(flow.definition["triggers"]))
            often = {**flow.definition, "triggers": {trigger: recurrence("Minute", 5)}}
            self.inner.event("edit_flow", flow.id, definition=often)
        self.world.changed()
        on = [flow for flow in self.world.flows.values() if flow.state == "Started"]
        assert len(on) >= len(self.apps), "a connection without a flow proves nothing"

    def _keys(self, app: Application) -> dict[str, tuple[str, datetime]]:
        held: list[ClientSecret | Certificate] = [*app.secrets, *app.certificates]
        return {one.key_id: (one.label, one.expires_at) for one in held}

    def _failed(self) -> int:
        return int(self.inner.truth()["counters"]["queries_failed"])

    # --- a rotation ------------------------------------------------------------------------------------

    async def scanned(self) -> Any:
        self.tenant.peril = self.secrets.peril = Peril()
        async with self.tenant.reached() as way:
            await scan("t", way.platform, way.directory, self.history, self.clock, ToldHoldfast.read)
        return await picture(self.history, "t", "t", self.clock.now())

    async def plan(self, apps: Collection[str]) -> Plan:
        self.number += 1
        seen = await self.scanned()
        plan = await planned(self.holdfast, self.tenant, seen, f"{self.number:08x}", frozenset(apps), LIFE)  # type: ignore[arg-type]
        await self.journal.keep(plan)
        return plan

    async def leave_out_what_is_declined(self) -> None:
        """Whose owner has to act is not renewed by us, and ends some day: its flows are not what is looked at."""
        plan = await self.plan([app.client_id for app in self.apps])
        renewed = {step.arguments["client_id"] for step in plan.steps}
        self.apps = [app for app in self.apps if app.client_id in renewed]
        self._let_flows_run()

    async def go_on(self, plan: Plan, peril: Peril) -> list[Standing] | None:
        """One process that applies the plan; None where it was killed or its own store failed."""
        return await self._process(plan, peril, saga.apply)

    async def undo(self, plan: Plan, peril: Peril) -> list[Standing] | None:
        return await self._process(plan, peril, saga.undo)

    async def _process(self, plan: Plan, peril: Peril, way: Callable[..., Any]) -> list[Standing] | None:
        self.tenant.peril = self.secrets.peril = peril
        try:
            async with (
                bound_rotation(self.holdfast, self.tenant, plan) as verb,  # type: ignore[arg-type]
                self.journal.turn("t") as turn,
            ):
                found: list[Standing] = await way(plan, verb, self.journal, turn, self.clock, timedelta(0))
                return found
        except Killed:
            self.counts["killed"] += 1
            await self._note_interrupted(plan)
        except HoldfastError:
            self.counts["stopped by an error of its own store or of the cloud"] += 1
        finally:
            self.counts.update(peril.met)
        return None

    async def _note_interrupted(self, plan: Plan) -> None:
        """Count in which steps the kill came."""
        newest = {(deed.saga, deed.way, deed.step): deed for deed in await self.journal.deeds("t", plan.id)}
        for (_, way, step), deed in newest.items():
            if deed.outcome.state is State.BEGUN:
                self.interrupted[step.partition(":")[0] if way == "do" else "undo"] += 1

    async def finish(self, plan: Plan, perils: Iterator[Peril], way: str = "apply") -> list[Standing]:
        """Processes one after another, time passing between them, until nothing is left to do."""
        for attempt in range(60):
            peril = next(perils, Peril())
            doing = self.go_on if way == "apply" else self.undo
            found = await doing(plan, peril)
            over = "done" if way == "apply" else "undone"
            if found is not None and all(each.state in (over, "planned") for each in found):
                return found
            # First every minute, as one who waits for it: a secret that was proven too early shows then.
            self.inner.advance(minutes=1 if attempt < 15 else self.chance.choice((13, 60 * 13, 60 * 25)))
        raise AssertionError(f"never over: {[(e.saga, e.state, e.step, e.says) for e in found or ()]}")

    async def rotated(self, peril: Peril, way: str = "apply") -> Plan:
        """One rotation of every application, its perils counted over all processes."""
        plan = await self.plan([app.client_id for app in self.apps])
        await self.finish(plan, self.again(peril), way)
        return plan

    def again(self, peril: Peril) -> Iterator[Peril]:
        """One peril for all processes: its count goes on."""
        while True:
            peril.dead = False
            yield peril

    def perils(self) -> Iterator[Peril]:
        """The first processes of a round meet perils at any call, seldom or often; so does whoever resumes after them."""
        for _ in range(self.chance.choice((12, 24, 40))):
            yield Peril(chance=self.chance, rate=self.chance.choice((0.01, 0.03, 0.1)))

    # --- what must hold --------------------------------------------------------------------------------

    def failures(self) -> int:
        return self._failed() - self.failed_before

    def failed_runs(self) -> list[str]:
        """What failed, newest last: for whoever looks why."""
        return [
            f"{run.started_at:%Y-%m-%d %H:%M:%S} {flow.display_name}: {run!r}"[:600]
            for flow in self.world.flows.values()
            if flow.state == "Started"
            for run in flow.runs
            if run.status == "Failed"
        ]

    def strays(self) -> list[str]:
        """Credentials of ours that no connection holds any more, and texts of what is not there."""
        found = []
        present: set[str] = set()
        for app in self.apps:
            ours = self.ours(app)
            found += [f"{app.display_name} {key_id}" for key_id in ours[:-1]]
            present |= {f"app/{app.client_id}/{key_id}" for key_id in ours}
        return found + sorted(set(self.secrets._kept) - present)

    def ours(self, app: Application) -> list[str]:
        """Key ids of ours that it has, the oldest first."""
        return [key_id for key_id in self._keys(app) if key_id not in self.foreign[app.client_id]]

    def state(self) -> Any:
        """What there is, in words that do not depend on how often it was tried."""
        bound = sorted(
            (r.logical_name, self._name_of(r.connection_id)) for r in self.world.references.values()
        )
        ours = {app.display_name: len(self.ours(app)) for app in self.apps}
        flows = sorted(
            (f.display_name, f.last_run_ok) for f in self.world.flows.values() if f.state == "Started"
        )
        alive = sorted(
            (c.display_name, sorted((share.principal_id, share.role) for share in c.shares))
            for c in self.world.connections.values()
            if c.deleted_at is None
        )
        return bound, ours, flows, alive, len(self.secrets._kept)

    def _name_of(self, id: str | None) -> str:
        return self.world.connections[id].display_name if id else ""

    def foreign_touched(self) -> list[str]:
        """Foreign credentials that are gone or changed."""
        return [
            key
            for app in self.apps
            for key, was in self.foreign[app.client_id].items()
            if self._keys(app).get(key) != was
        ]


async def many(
    how_many: int, seed: int, scenario: str = "contoso", told: Callable[[Trial], None] = lambda _: None
) -> Trial:
    """So many rotations, all applications of the tenant side by side in each round."""
    trial = Trial(scenario, seed)
    await trial.leave_out_what_is_declined()
    names = [app.client_id for app in trial.apps]
    while trial.counts["rotations"] < how_many:
        plan = await trial.plan(names)
        begun = len(plan.sagas())
        assert begun, plan.declined
        await trial.finish(plan, trial.perils())
        trial.counts["rotations"] += begun
        trial.counts["rounds"] += 1
        if trial.failures() or trial.strays() or trial.foreign_touched():
            break
        told(trial)
    return trial


def table(trial: Trial, seed: int) -> Iterator[str]:
    yield f"| rotations, seed {seed} | {trial.counts['rotations']} |"
    yield "|---|--:|"
    for name in ("rounds", "killed", "kill before", "kill after", "lose", "refuse"):
        yield f"| {name} | {trial.counts[name]} |"
    yield (
        "| steps that kills interrupted | "
        + ", ".join(f"{step} {count}" for step, count in sorted(trial.interrupted.items()))
        + " |"
    )
    runs = trial.inner.truth()["counters"]
    yield f"| flow runs meanwhile | {runs['runs_executed'] + runs['runs_folded']} |"
    yield f"| failed queries | {trial.failures()} |"
    yield f"| stray secrets and texts | {len(trial.strays())} |"
    yield f"| foreign secrets touched | {len(trial.foreign_touched())} |"
    yield from trial.failed_runs()


def main() -> int:
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)

    def told(trial: Trial) -> None:
        print(trial.counts["rotations"], end=" ", file=sys.stderr, flush=True)

    with undisturbed():
        trial = asyncio.run(many(how_many, seed, told=told))
    print("\n".join(table(trial, seed)))
    return 1 if trial.failures() or trial.strays() or trial.foreign_touched() else 0


if __name__ == "__main__":
    sys.exit(main())
