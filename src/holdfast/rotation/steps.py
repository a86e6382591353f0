"""The steps of one rotation. What is removed was made by us; what is put in was proven before."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.directory import SignInRecord
from holdfast.core.errors import CloudError, ConflictError, MissingError, RefusedError
from holdfast.core.inventory import (
    Connection,
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    Environment,
    EnvironmentId,
)
from holdfast.core.making import Share, WantedConnection
from holdfast.core.plan import LABEL, PlannedStep, Show
from holdfast.core.secret import Secret
from holdfast.ports import Clock, Directory, Operator, Registry, SecretStore
from holdfast.saga import Past, Step

IN_A_ROW: Final = 5
"""So often a new secret has to sign in before anything depends on it: replicas disagree for a while."""

BETWEEN: Final = timedelta(seconds=2)
"""Between two of these sign-ins."""

SWEEP_AFTER: Final = timedelta(minutes=30)
"""Listings lag: what an interrupted attempt made shows by then."""

REDIRECT: Final = "https://global.consent.azure-apim.net/redirect/sql"
PROOF: Final = "SELECT 1 AS holdfast"

SignsIn = Callable[[str, Secret], Awaitable[str]]
"""Signs in anew with a client id and a secret; empty if that worked, else what Entra said."""


@dataclass(frozen=True, slots=True)
class World:
    """What the steps reach.

    Attributes:
        directory: as the reader; for the sign-in log.
        principal: object id of the operator's identity in the tenant.
        clock: tells the cloud's time: ends and sign-ins are told in it.
    """

    registry: Registry
    operator: Operator
    directory: Directory
    secrets: SecretStore
    signs_in: SignsIn
    principal: str
    clock: Clock
    environments: Mapping[str, Environment]


class Rotation:
    """The verb, bound to one tenant."""

    def __init__(self, world: World) -> None:
        self._world = world

    def shows(self, step: PlannedStep) -> tuple[Show, ...]:
        """See `saga.Verb`: what is done stands in the steps' sentences."""
        return ()

    def step(self, planned: PlannedStep) -> Step:
        """See `saga.Verb`."""
        kind = planned.name.partition(":")[0]
        if kind == "prove" and planned.connection is not None:
            return ProveConnection(planned, self._world)
        return STEPS[kind](planned, self._world)


def secret_name(client_id: str, key_id: str) -> str:
    """Under which the secret store keeps the text of a secret that holdfast made."""
    return f"app/{client_id}/{key_id}"


class _Planned:
    def __init__(self, planned: PlannedStep, world: World) -> None:
        self.name = planned.name
        self._planned = planned
        self._world = world

    @property
    def _arguments(self) -> Mapping[str, Any]:
        return self._planned.arguments

    async def clear(self, past: Past) -> None:
        """Nothing to remove."""

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Nothing to undo."""
        return done()

    async def _new_secret(self, past: Past) -> Secret:
        """The new secret's text. Raises ConflictError where the store has lost it."""
        found = await self._world.secrets.read(past["add"].facts["stored"])
        if found is None:
            raise ConflictError(
                f"The secret store no longer has {past['add'].facts['stored']!r}: undo this plan and plan again.",
                "secrets",
                "read",
            )
        return found


class Add(_Planned):
    """A new secret beside the others, its text in the store."""

    async def clear(self, past: Past) -> None:
        """Remove what an interrupted attempt added: its text is lost, so it is no use to anybody."""
        await remove_labelled(self._world, self._arguments, self._arguments["label"], keep=None)

    async def do(self, past: Past) -> Outcome:
        """Add it and keep its text at once; what cannot be kept is removed again."""
        arguments, world = self._arguments, self._world
        ends_at = world.clock.now() + timedelta(seconds=arguments["life_seconds"])
        made, text = await world.registry.add_secret(arguments["application"], arguments["label"], ends_at)
        name = secret_name(arguments["client_id"], made.key_id)
        try:
            await world.secrets.write(name, text)
        except BaseException:
            await world.registry.remove_secret(arguments["application"], made.key_id)
            raise
        ends = made.expires_at or ends_at
        return done(
            f"Added; ends {ends:%Y-%m-%d}.",
            key_id=made.key_id,
            stored=name,
            expires_at=ends.isoformat(),
            added_at=world.clock.now().isoformat(),
        )

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove the secret and its text."""
        if outcome is not None:
            application = self._arguments["application"]
            await self._world.registry.remove_secret(application, outcome.facts["key_id"])
            await self._world.secrets.delete(outcome.facts["stored"])
        return done("Removed.")


async def remove_labelled(world: World, arguments: Mapping[str, Any], label: str, keep: str | None) -> int:
    """Remove the secrets of an application that carry a saga's label, but for one; how many there were."""
    try:
        app = await world.registry.application(arguments["application"])
    except MissingError:
        return 0
    strays = [each for each in app.secrets if each.display_name == label and each.key_id != keep]
    for stray in strays:
        await world.registry.remove_secret(arguments["application"], stray.key_id)
        await world.secrets.delete(secret_name(arguments["client_id"], stray.key_id))
    return len(strays)


class Prove(_Planned):
    """The new secret signs in, several times in a row."""

    async def do(self, past: Past) -> Outcome:
        """Sign in; one refusal starts the count again, later."""
        secret = await self._new_secret(past)
        for number in range(IN_A_ROW):
            if number:
                await self._world.clock.sleep_until(self._world.clock.now() + BETWEEN)
            said = await self._world.signs_in(self._arguments["client_id"], secret)
            if said:
                return waiting(f"The new secret does not sign in everywhere yet: {said}")
        return done(f"Signed in {IN_A_ROW} times in a row.")


class _OfConnection(_Planned):
    """A step about one connection."""

    @property
    def _where(self) -> tuple[EnvironmentId, ConnectorId]:
        return EnvironmentId(self._planned.environment or ""), ConnectorId(self._arguments["connector"])

    @property
    def _id(self) -> ConnectionId:
        return ConnectionId(self._planned.connection or "")

    @property
    def _environment(self) -> Environment:
        id = self._where[0]
        return self._world.environments.get(id) or Environment(id, id)

    def _switched(self, past: Past) -> Mapping[str, Any]:
        return past[f"switch:{self._planned.connection}"].facts


class Switch(_OfConnection):
    """The connection holds the new secret; where it is not ours to change, one beside it does."""

    async def clear(self, past: Past) -> None:
        """Remove the connection that an interrupted attempt made beside it; nothing is bound to it yet."""
        label = self._arguments["label"]
        async for found in self._world.operator.own_connections(*self._where):
            if found.display_name == label:
                await self._world.operator.delete_connection(*self._where, found.id)

    async def do(self, past: Past) -> Outcome:
        """Put it in; where that is refused, make a connection beside it."""
        secret = await self._new_secret(past)
        try:
            await self._world.operator.put_connection(self._wanted(self._id, secret))
        except (RefusedError, MissingError) as refusal:
            return await self._beside(secret, refusal)
        return done("It holds the new secret.", mode="put", connection=self._id, at=self._now())

    def _wanted(self, id: ConnectionId, secret: Secret, name: str | None = None) -> WantedConnection:
        arguments = self._arguments
        return WantedConnection(
            id,
            *self._where,
            name or arguments["display_name"],
            "oauthSP",
            {
                "token": REDIRECT,
                "token:TenantId": arguments["tenant_id"],
                "token:clientId": arguments["client_id"],
            },
            {"token:clientSecret": secret},
        )

    async def _beside(self, secret: Secret, refusal: CloudError) -> Outcome:
        if not self._arguments["references"]:
            return refused(
                f"It belongs to somebody else, and no reference can be bound to another: {refusal}"
            )
        # The id is the saga's own, so that a second attempt meets the same connection.
        id = ConnectionId(beside_id(self._planned.saga, self._id))
        await self._world.operator.put_connection(self._wanted(id, secret, self._arguments["label"]))
        if self._arguments["owner"]:
            share = Share(self._arguments["owner"], "User", "CanView")
            await self._world.operator.share(*self._where, id, share)
        return done("One beside it holds the new secret.", mode="beside", connection=id, at=self._now())

    def _now(self) -> str:
        return self._world.clock.now().isoformat()

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Put the previous secret back, where its text lies in our store; remove the connection beside it."""
        if outcome is not None and outcome.facts["mode"] == "beside":
            await self._world.operator.delete_connection(
                *self._where, ConnectionId(outcome.facts["connection"])
            )
            return done("The connection beside it is removed.")
        if outcome is None and not await self._may_change():
            return done("It was never ours to change.")
        previous = self._arguments["previous"]
        text = await self._world.secrets.read(previous) if previous else None
        if text is None:
            return refused(
                "It may hold the new secret, and the previous one's text is not in the secret store, so the new secret stays:"
                " finish the rotation with `apply`, or put a secret in by hand"
            )
        await self._world.operator.put_connection(self._wanted(self._id, text))
        return done("It holds the previous secret again.")

    async def _may_change(self) -> bool:
        try:
            await self._world.operator.shares(*self._where, self._id)
        except (RefusedError, MissingError):
            return False
        return True


class Bind(_OfConnection):
    """Where a connection was made beside, the references are bound to it."""

    async def do(self, past: Past) -> Outcome:
        """Bind them, noting to what each was bound before."""
        switched = self._switched(past)
        if switched["mode"] == "put":
            return done("Nothing to bind: the connection kept its id.", before={})
        references = [each["id"] for each in self._arguments["references"]]
        new = ConnectionId(switched["connection"])
        before = {id: await self._binding(id) for id in references}
        # Of an interrupted attempt some are bound already; their old binding is the plan's.
        before = {id: self._id if bound == new else bound for id, bound in before.items()}
        lent = not await is_usable(self._world.operator, *self._where, self._id)
        for id in references:
            await self._bind(id, new)
        return done(f"{len(references)} bound.", before=before, lent=lent)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Bind those that are still bound to ours as they were before."""
        if self._switched(past)["mode"] == "put":
            return done()
        new = self._switched(past)["connection"]
        known = outcome.facts["before"] if outcome else {}
        # Only who may use a connection may bind a flow to it, and the old one is somebody else's.
        lent = (
            outcome.facts["lent"]
            if outcome
            else not await is_usable(self._world.operator, *self._where, self._id)
        )
        if lent:
            await self._world.operator.lend(*self._where, self._id, self._world.principal)
        for each in self._arguments["references"]:
            if await self._binding(each["id"]) == new:
                await self._bind(each["id"], ConnectionId(known.get(each["id"]) or self._id))
        if lent:
            await self._world.operator.take_back(*self._where, self._id, self._world.principal)
        return done("Bound as before.")

    async def _binding(self, reference: str) -> str | None:
        found = await self._world.operator.reference(self._environment, ConnectionReferenceId(reference))
        return found.connection

    async def _bind(self, reference: str, connection: ConnectionId) -> None:
        await self._world.operator.bind(self._environment, ConnectionReferenceId(reference), connection)


async def is_usable(
    operator: Operator, environment: EnvironmentId, connector: ConnectorId, connection: ConnectionId
) -> bool:
    """Whether the operator may use the connection: it is its own, or shared with it."""
    try:
        await operator.connection(environment, connector, connection)
    except (RefusedError, MissingError):
        return False
    return True


def beside_id(saga: str, connection: str) -> str:
    """The id of the connection that a saga makes beside another: the same at every attempt."""
    return hashlib.sha256(f"{saga} {connection}".encode()).hexdigest()[:32]


async def trouble_of(operator: Operator, connection: Connection, target: Any) -> str:
    """Why a connection does not work; empty where it does. A query uses it, its state only tells of the last use."""
    if target is None:
        return connection.fault.message if connection.fault is not None else ""
    try:
        await operator.query(connection, target[0], target[1], PROOF)
    except CloudError as error:
        return str(error)
    return ""


class ProveConnection(_OfConnection):
    """A query runs through the connection with the new secret."""

    async def do(self, past: Past) -> Outcome:
        """Run it; wait while it does not work."""
        id = ConnectionId(self._switched(past)["connection"])
        found = await self._world.operator.connection(*self._where, id)
        said = await trouble_of(self._world.operator, found, self._arguments["target"])
        return waiting(f"It does not work yet: {said}") if said else done("It works.")


class Quiet(_Planned):
    """Nothing signs in with an older secret any more."""

    async def do(self, past: Past) -> Outcome:
        """Read the log since the last switch; without a log, let the time pass."""
        switched = [each.facts["at"] for name, each in past.items() if name.startswith("switch:")]
        added_at = past["add"].facts["added_at"]
        since = max([*switched, added_at])
        start = datetime.fromisoformat(since)
        now = self._world.clock.now()
        until = start + timedelta(seconds=self._arguments["quiet_seconds"])
        if self._arguments["log_read"] and self._arguments["old"]:
            rows = await self._shown(start)
            if rows:
                newest = max(row.at for row in rows)
                until = max(until, newest + timedelta(seconds=self._arguments["quiet_seconds"]))
                if now < until:
                    return waiting(
                        f"Something still signs in with an older secret, last {newest:%Y-%m-%d %H:%M} UTC: a consumer that is"
                        f" no connection of the last scan. Find it before {until:%Y-%m-%d %H:%M}, or it stops."
                        if newest > start + timedelta(hours=2)
                        else f"Quiet since {newest:%Y-%m-%d %H:%M} UTC; the older secret may go {until:%Y-%m-%d %H:%M} UTC."
                    )
        if now < until:
            return waiting(f"The older secret may go {until:%Y-%m-%d %H:%M} UTC.")
        return done("Quiet.")

    async def _shown(self, since: datetime) -> list[SignInRecord]:
        old = set(self._arguments["old"])
        rows = self._world.directory.sign_ins_of_application(self._arguments["client_id"], since)
        return [row async for row in rows if row.key_id in old and row.at > since and row.code == 0]


class Remove(_Planned):
    """The older secrets of ours are gone."""

    async def do(self, past: Past) -> Outcome:
        """Remove those that the plan names and that still carry our label."""
        arguments = self._arguments
        app = await self._world.registry.application(arguments["application"])
        labels = {secret.key_id: secret.display_name for secret in app.secrets}
        for key_id in arguments["remove"]:
            if not labels.get(key_id, LABEL).startswith(LABEL):
                return refused(f"The secret {key_id} no longer carries our label: it is left alone.")
            if key_id in labels:
                await self._world.registry.remove_secret(arguments["application"], key_id)
            await self._world.secrets.delete(secret_name(arguments["client_id"], key_id))
        return done(f"Removed {len(arguments['remove'])}.", removed=list(arguments["remove"]))

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """A removed secret does not come back."""
        if outcome is not None and outcome.facts["removed"]:
            return refused("The older secret was removed for good, so nothing before it can be undone.")
        return done()


class Sweep(_Planned):
    """No stray of this saga is left, seen after listings have caught up."""

    async def do(self, past: Past) -> Outcome:
        """Look again half an hour after the secret was added."""
        after = datetime.fromisoformat(past["add"].facts["added_at"]) + SWEEP_AFTER
        if self._world.clock.now() < after:
            return waiting(f"Looks for strays again {after:%Y-%m-%d %H:%M} UTC.")
        found = await remove_labelled(
            self._world, self._arguments, self._arguments["label"], keep=past["add"].facts["key_id"]
        )
        return done(f"Removed {found} strays." if found else "No strays.")


STEPS: Mapping[str, Callable[[PlannedStep, World], Step]] = {
    "add": Add,
    "prove": Prove,
    "switch": Switch,
    "bind": Bind,
    "quiet": Quiet,
    "remove": Remove,
    "sweep": Sweep,
}
