"""The steps of a migration: first what identifies the application, in the order in which the plan lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import ConflictError, MissingError, RefusedError
from holdfast.core.identity import ClientSecret
from holdfast.core.inventory import ConnectionId, ConnectionReferenceId, ConnectorId, FlowId
from holdfast.core.plan import PlannedStep, Show, label
from holdfast.core.secret import Secret
from holdfast.lending import is_usable
from holdfast.migration.databases import MakeUser, Proof
from holdfast.migration.definitions import fingerprint
from holdfast.migration.flows import Bind, Define, MakeConnection, MakeReference
from holdfast.migration.handing_over import Own, WatchOwned
from holdfast.migration.shown import shows_of
from holdfast.migration.watch import Confirm, Cycle, Start, Watch
from holdfast.migration.world import Planned, World, credential_facts, kind_of, to_assign
from holdfast.ports import Registry
from holdfast.saga import Past, Step

IN_A_ROW: Final = 5
"""So often the secret has to sign in before anything depends on it: replicas disagree for a while."""

BETWEEN: Final = timedelta(seconds=2)
GIVES_UP: Final = timedelta(hours=1)
"""So long after it was made, a secret that still does not sign in needs a person."""

SWEEP_AFTER: Final = timedelta(minutes=30)
"""Listings lag: what an interrupted attempt made shows by then."""

LOOK_BACK: Final = timedelta(days=28)
"""As far as runs are kept."""


class Migration:
    """The verb, bound to one tenant."""

    def __init__(self, world: World) -> None:
        self._world = world

    def shows(self, step: PlannedStep) -> tuple[Show, ...]:
        """See `saga.Verb`."""
        return shows_of(step)

    def step(self, planned: PlannedStep) -> Step:
        """See `saga.Verb`."""
        return STEPS[planned.name.partition(":")[0]](planned, self._world)


class Check(Planned):
    """Flows and bindings are as they were when the plan was made; what undoing has to know is noted."""

    async def do(self, past: Past) -> Outcome:
        """Look at each flow and each reference."""
        operator, environment = self._world.operator, self._environment
        ran: dict[str, str] = {}
        for flow in self._arguments["flows"]:
            row = await operator.flow(environment, FlowId(flow["flow"]))
            if fingerprint(row.clientdata) != flow["sha256"]:
                return refused(f"Flow {flow['flow_name']!r} was edited since: plan again.")
            ran[flow["flow"]] = await self._last_run(FlowId(flow["flow"]))
        for binding in self._arguments["bindings"]:
            found = await operator.reference(environment, ConnectionReferenceId(binding["reference"]))
            if found.connection != binding["connection"]:
                return refused(
                    f"The connection reference {binding['name']} is bound elsewhere now: plan again."
                )
        lent = {}
        for each in self._arguments["connections"]:
            where = (environment.id, ConnectorId(each["connector"]), ConnectionId(each["id"]))
            lent[each["id"]] = bool(self._world.principal) and not await is_usable(operator, where)
        shared = {
            own["flow"]: own["owner"] in await operator.flow_shares(environment, FlowId(own["flow"]))
            for own in self._arguments.get("own", ())
        }
        return done("As planned.", ran=ran, lent=lent, shared=shared, at=self._now())

    async def _last_run(self, flow: FlowId) -> str:
        """ "green", "red", or "" where none is kept."""
        since = self._world.clock.now() - LOOK_BACK
        async for run in self._world.platform.runs(self._environment, flow, since):
            return "green" if run.succeeded else "red"
        return ""


class Register(Planned):
    """The application: ours to make, or an administrator's."""

    @property
    def _name(self) -> str:
        return str(self._arguments["name"])

    async def clear(self, past: Past) -> None:
        """Remove what an interrupted attempt registered; nothing depends on it yet."""
        if self._world.registry is not None and self._arguments["own"]:
            async for stray in self._world.registry.labelled(f"{label(self._saga)} "):
                await self._world.registry.delete(stray.object_id)

    async def do(self, past: Past) -> Outcome:
        """Register it; where that is refused, wait until an administrator has."""
        registry, why = self._world.registry, "holdfast has no application administrator here"
        if registry is not None and self._arguments["own"]:
            try:
                made = await registry.register(self._name)
            except RefusedError as refusal:
                why = str(refusal)
            else:
                facts = {
                    "application": made.object_id,
                    "client_id": made.client_id,
                    "own": True,
                    "at": self._now(),
                }
                return done("Registered.", **facts)
        return await self._somebodys(why)

    async def _somebodys(self, why: str) -> Outcome:
        found = [each async for each in self._world.directory.principals() if each.display_name == self._name]
        if len(found) > 1:
            return refused(f"{len(found)} applications are named {self._name!r}: rename all but one.")
        if found:
            facts = {"application": None, "client_id": found[0].client_id, "own": False, "at": self._now()}
            return done("An administrator registered it.", **facts)
        return waiting(
            f"An application administrator has to register it ({why}): az ad app create --display-name '{self._name}'"
            " --sign-in-audience AzureADMyOrg; then: az ad sp create --id, with the appId that it printed"
        )

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it, if it is ours."""
        if outcome is None:
            # Just before, `clear` looked; what was made in the last minutes may not be listed yet.
            after = datetime.fromisoformat(past["check"].facts["at"]) + SWEEP_AFTER
            if self._world.registry is not None and self._world.clock.now() < after:
                return waiting(f"Looks for strays again {after:%Y-%m-%d %H:%M} UTC.")
            return done("Removed.")
        if not outcome.facts["own"] or self._world.registry is None:
            return done(f"An administrator removes it: az ad app delete --id {outcome.facts['client_id']}")
        return await self._removed(outcome.facts["application"], datetime.fromisoformat(outcome.facts["at"]))

    async def _removed(self, application: str, made_at: datetime) -> Outcome:
        """Remove it where it is seen: a new application is missing for minutes on some replicas."""
        registry = self._world.registry
        if registry is None:
            raise ValueError("nobody of ours administers applications")
        try:
            await registry.application(application)
        except MissingError:
            if self._world.clock.now() < made_at + SWEEP_AFTER:
                return waiting("The application is not known everywhere yet, so it cannot be removed.")
            return done("It is gone.")
        await registry.delete(application)
        try:
            await registry.application(application)
        except MissingError:
            return done("Removed.")
        return waiting("The application is still there.")


class MakePrincipal(Planned):
    """The application as an identity of the tenant; it goes with the application."""

    async def do(self, past: Past) -> Outcome:
        """Look for it, as an interrupted attempt may have made it; else make it."""
        app = past["app"].facts
        found = await self._world.applications.principal_of(app["client_id"])
        if found is not None:
            return done("Made.", principal=found.object_id)
        if app["own"] and self._world.registry is not None:
            try:
                return done("Made.", principal=await self._world.registry.make_principal(app["client_id"]))
            except MissingError:
                return waiting("The application is not known everywhere yet.")
            except ConflictError:
                found = await self._world.applications.principal_of(app["client_id"])
        if found is None:
            return waiting("The application is no identity of the tenant yet.")
        return done("Made.", principal=found.object_id)


class AddCredential(Planned):
    """A secret or a certificate, kept in the store."""

    @property
    def _kind(self) -> str:
        """The step is named after what it makes."""
        return self.name

    async def clear(self, past: Past) -> None:
        """Remove what an interrupted attempt added: its text is lost."""
        if past["app"].facts["own"]:
            await remove_labelled(self._world, past, self._arguments["label"], keep=None)

    async def do(self, past: Past) -> Outcome:
        """Add it and keep it at once; what cannot be kept is removed again."""
        app, world = past["app"].facts, self._world
        if not app["own"] or world.registry is None:
            return await self._handed_in(app["client_id"])
        # A store that cannot be asked should be noticed before there is something to lose.
        await world.secrets.read(secret_name(app["client_id"], "-"))
        now = world.clock.now()
        ends_at = now + timedelta(seconds=self._arguments["life_seconds"])
        try:
            made, text = await self._made(world.registry, app["application"], now, ends_at)
        except MissingError:
            return waiting("The application is not known everywhere yet.")
        stored = secret_name(app["client_id"], made.key_id)
        try:
            await world.secrets.write(stored, text)
        except BaseException:
            await remove_credential(world.registry, app["application"], self._kind, made.key_id)
            raise
        ends = made.expires_at or ends_at
        return done(f"Added; ends {ends:%Y-%m-%d}.", key_id=made.key_id, stored=stored, at=self._now())

    async def _made(
        self, registry: Registry, application: str, now: datetime, ends_at: datetime
    ) -> tuple[ClientSecret, Secret]:
        """Raises MissingError where it is not seen yet; `clear` then removes it before the next attempt."""
        label = self._arguments["label"]
        if self._kind == "secret":
            return await registry.add_secret(application, label, ends_at)
        made = self._world.certify(label, now, ends_at)
        await registry.add_certificate(application, label, made.public, now, ends_at)
        for each in (await registry.application(application)).secrets:
            if (each.kind, each.display_name) == (self._kind, label):
                return each, made.kept
        raise MissingError("The new certificate is not listed yet.", "graph", "graph.applications.get")

    async def _handed_in(self, client_id: str) -> Outcome:
        stored = self._arguments["stored"]
        if await self._world.secrets.read(stored) is not None:
            return done("An administrator handed one in.", key_id=None, stored=stored, at=self._now())
        form = (
            ""
            if self._kind == "secret"
            else ' as JSON, {"pfx": PKCS #12 in base64, "password": what opens it},'
        )
        return waiting(
            f"An application administrator has to add a {self._kind} to {client_id} and to keep it here{form}: `holdfast"
            f" secret set {stored}`"
        )

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it and its text."""
        if outcome is not None:
            app, key_id = past["app"].facts, outcome.facts["key_id"]
            if key_id and self._world.registry is not None:
                await remove_credential(self._world.registry, app["application"], self._kind, key_id)
            await self._world.secrets.delete(outcome.facts["stored"])
            if app["own"]:
                # What later rotations of it made ends with the application, which goes next.
                await drop_texts(self._world, app["client_id"])
        return done("Removed.")


async def remove_credential(registry: Registry, application: str, kind: str, key_id: str) -> None:
    """Remove a secret or a certificate of an application."""
    if kind == "certificate":
        await registry.remove_certificate(application, key_id)
    else:
        await registry.remove_secret(application, key_id)


def secret_name(client_id: str, key_id: str) -> str:
    """Under which the secret store keeps the text: the same name by which `rotate` finds it."""
    return f"app/{client_id}/{key_id}"


async def drop_texts(world: World, client_id: str) -> None:
    """Remove every text kept for a saga's own application: also one whose secret is gone already."""
    for name in await world.secrets.names():
        if name.startswith(secret_name(client_id, "")):
            await world.secrets.delete(name)


async def remove_labelled(world: World, past: Past, label: str, keep: str | None) -> int:
    """Remove the application's credentials that carry a saga's label, but for one; how many there were.

    Once it has one, what else is kept for the application may be of a rotation, and stays.
    """
    app = past["app"].facts
    if world.registry is None or not app["own"]:
        return 0
    if keep is None:
        await drop_texts(world, app["client_id"])
    try:
        known = await world.registry.application(app["application"])
    except MissingError:
        return 0
    strays = [each for each in known.secrets if each.display_name == label and each.key_id != keep]
    for stray in strays:
        await remove_credential(world.registry, app["application"], stray.kind, stray.key_id)
        await world.secrets.delete(secret_name(app["client_id"], stray.key_id))
    return len(strays)


class Prove(Planned):
    """The secret or certificate signs in, several times in a row."""

    async def do(self, past: Past) -> Outcome:
        """Sign in; one refusal starts the count again, later."""
        secret, kind = await self._secret(past), kind_of(past)
        made_at = credential_facts(past).get("at")  # earlier versions noted none
        is_late = made_at and self._world.clock.now() - datetime.fromisoformat(made_at) >= GIVES_UP
        for number in range(IN_A_ROW):
            if number:
                await self._world.clock.sleep_until(self._world.clock.now() + BETWEEN)
            said = await self._world.signs_in(past["app"].facts["client_id"], secret, kind)
            # Earlier plans name no application here.
            to_do = to_assign(self._arguments.get("name", past["app"].facts["client_id"]), said)
            if to_do:
                return waiting(f"{to_do}({said})")
            if said and is_late:
                return refused(
                    f"The {kind} has not signed in for {GIVES_UP.seconds // 60} minutes; nothing depends on it: {said}"
                )
            if said:
                return waiting(f"The {kind} does not sign in everywhere yet: {said}")
        return done(f"Signed in {IN_A_ROW} times in a row.")


class Sweep(Planned):
    """No stray of this saga is left, seen after listings have caught up."""

    async def do(self, past: Past) -> Outcome:
        """Look again half an hour after the application was registered."""
        after = datetime.fromisoformat(past["app"].facts["at"]) + SWEEP_AFTER
        if self._world.clock.now() < after:
            return waiting(f"Looks for strays again {after:%Y-%m-%d %H:%M} UTC.")
        found = await remove_labelled(
            self._world, past, self._arguments["label"], keep=credential_facts(past)["key_id"]
        )
        if self._world.registry is not None and past["app"].facts["own"]:
            async for stray in self._world.registry.labelled(f"{label(self._saga)} "):
                if stray.object_id != past["app"].facts["application"]:
                    await self._world.registry.delete(stray.object_id)
                    found += 1
        return done(f"Removed {found} strays." if found else "No strays.")


STEPS: Mapping[str, Callable[[PlannedStep, World], Step]] = {
    "check": Check,
    "app": Register,
    "principal": MakePrincipal,
    "secret": AddCredential,
    "certificate": AddCredential,
    "prove": Prove,
    "sql": MakeUser,
    "connection": MakeConnection,
    "proof": Proof,
    "bind": Bind,
    "reference": MakeReference,
    "define": Define,
    "start": Start,
    "watch": Watch,
    "cycle": Cycle,
    "confirm": Confirm,
    "own": Own,
    "watch_owned": WatchOwned,
    "sweep": Sweep,
}
