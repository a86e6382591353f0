"""The flows' side of a migration: a connection beside the old one, bindings and definitions that change, and the watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any, Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import (
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    EnvironmentId,
    FlowId,
    FlowRun,
)
from holdfast.core.making import Share, WantedConnection
from holdfast.core.plan import LABEL
from holdfast.core.secret import Secret
from holdfast.migration.definitions import fingerprint, rewritten
from holdfast.migration.plan import connection_id
from holdfast.migration.world import REDIRECT, Planned
from holdfast.saga import Past

SERVICE_PRINCIPAL: Final = "oauthSP"


class _OfConnection(Planned):
    """A step about one connection that moves."""

    @property
    def _old(self) -> ConnectionId:
        return ConnectionId(self._planned.connection or "")

    @property
    def _new(self) -> ConnectionId:
        return ConnectionId(connection_id(self._saga, self._old))

    @property
    def _where(self) -> tuple[EnvironmentId, ConnectorId]:
        return self._environment.id, ConnectorId(self._arguments["connector"])


class MakeConnection(_OfConnection):
    """The new connection, shared with the old one's owner."""

    async def do(self, past: Past) -> Outcome:
        """Make it under an id of the saga's own: what an interrupted attempt made is written again, not doubled."""
        operator, share = self._world.operator, self._arguments["share"]
        await operator.put_connection(
            WantedConnection(
                self._new,
                *self._where,
                self._arguments["display_name"],
                SERVICE_PRINCIPAL,
                {
                    "token": REDIRECT,
                    "token:TenantId": self._arguments["tenant_id"],
                    "token:clientId": past["app"].facts["client_id"],
                },
                {"token:clientSecret": await self._secret(past)},
            )
        )
        if share is not None:
            await operator.share(*self._where, self._new, Share(share["id"], "User", "CanView"))
        return done("Made.", connection=self._new)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it, if it is ours."""
        operator = self._world.operator
        try:
            found = await operator.connection(*self._where, self._new)
        except (MissingError, RefusedError):
            return done("Removed.")
        if found.display_name.startswith(LABEL):
            await operator.delete_connection(*self._where, self._new)
        return done("Removed.")


class _Unchanged(_OfConnection):
    """A step that changes what flows do: only flows that are as they were planned."""

    async def _edited(self, past: Past) -> str | None:
        """The name of a flow that was edited since the plan was made, by somebody else."""
        for flow in self._arguments["flows"]:
            if f"define:{flow['flow']}" in past:
                continue
            row = await self._world.operator.flow(self._environment, FlowId(flow["flow"]))
            if fingerprint(row.clientdata) != flow["sha256"]:
                return str(flow["flow_name"])
        return None


class Bind(_Unchanged):
    """One connection reference, bound to the new connection."""

    async def do(self, past: Past) -> Outcome:
        """Bind it, noting to what it was bound."""
        reference = ConnectionReferenceId(self._arguments["reference"])
        found = await self._world.operator.reference(self._environment, reference)
        if found.connection != self._new:
            if found.connection != self._old:
                return refused(
                    f"{self._arguments['name']} is bound elsewhere now: undo this plan and plan again."
                )
            edited = await self._edited(past)
            if edited is not None:
                return refused(f"Flow {edited!r} was edited since: undo this plan and plan again.")
            await self._world.operator.bind(self._environment, reference, self._new)
        return done("Bound.", before=self._old, at=self._now())

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Bind it as before, if it is still bound to ours."""
        reference = self._arguments["reference"]
        return await bind_back(self, past, reference, self._arguments["connector"], self._old, self._new)


async def bind_back(
    step: Planned, past: Past, reference: str, connector: str, old: ConnectionId, new: ConnectionId
) -> Outcome:
    """Bind a reference to the old connection again. Only who may use a connection may bind to it: it is lent for that."""
    operator, environment = step._world.operator, step._environment
    id = ConnectionReferenceId(reference)
    if (await operator.reference(environment, id)).connection != new:
        if past["check"].facts["lent"].get(old):
            await operator.take_back(environment.id, ConnectorId(connector), old, step._world.principal)
        return done("It is not bound to ours.")
    try:
        async with _lent(step, past, connector, old):
            await operator.bind(environment, id, old)
    except RefusedError as refusal:
        place = f"https://make.powerautomate.com/environments/{environment.id}/solutions"
        return waiting(
            f"Only the owner of the old connection may bind to it here: let the owner choose it in the connection reference"
            f" {reference} ({place}); undo then goes on ({refusal})"
        )
    return done("Bound as before.")


@asynccontextmanager
async def _lent(step: Planned, past: Past, connector: str, old: ConnectionId) -> AsyncIterator[None]:
    """The old connection, usable by the operator meanwhile."""
    operator = step._world.operator
    at = (step._environment.id, ConnectorId(connector), old, step._world.principal)
    needed = bool(past["check"].facts["lent"].get(old))
    if needed:
        await operator.lend(*at)
    try:
        yield
    finally:
        if needed:
            await operator.take_back(*at)


class MakeReference(_OfConnection):
    """A connection reference of ours, for flows whose definitions are rewritten."""

    async def clear(self, past: Past) -> None:
        """Remove the reference of an interrupted attempt; no flow names it yet."""
        await self._remove()

    async def _remove(self) -> None:
        async for found in self._world.operator.labelled_references(
            self._environment, f"{LABEL}{self._saga} "
        ):
            if found.logical_name == self._arguments["logical_name"]:
                await self._world.operator.delete_reference(self._environment, found.id)

    async def do(self, past: Past) -> Outcome:
        """Make it."""
        arguments = self._arguments
        made = await self._world.operator.make_reference(
            self._environment,
            arguments["logical_name"],
            arguments["display_name"],
            ConnectorId(arguments["connector"]),
            self._new,
        )
        return done("Made.", reference=made)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it."""
        if outcome is not None:
            await self._world.operator.delete_reference(
                self._environment, ConnectionReferenceId(outcome.facts["reference"])
            )
        return done("Removed.")


class Define(_OfConnection):
    """One flow's definition, rewritten in one write; the old one lies encrypted in the secret store."""

    async def do(self, past: Past) -> Outcome:
        """Keep the old one first, then write the new one."""
        arguments = self._arguments
        flow = FlowId(arguments["flow"])
        row = await self._world.operator.flow(self._environment, flow)
        now = fingerprint(row.clientdata)
        if now == arguments["becomes"]:
            return done("Rewritten.", at=self._now())
        if now != arguments["sha256"]:
            return refused(
                f"Flow {arguments['flow_name']!r} was edited since: undo this plan and plan again."
            )
        changed = rewritten(
            row.clientdata,
            frozenset(arguments["keys"]),
            arguments["reference"],
            arguments["server"],
            arguments["database"],
        )
        if [list(edit) for edit in changed.edits] != arguments["edits"]:
            return refused(f"Flow {arguments['flow_name']!r} would be rewritten in another way: plan again.")
        await self._world.secrets.write(arguments["stored"], Secret(row.clientdata))
        await self._world.operator.redefine(self._environment, flow, changed.clientdata)
        return done("Rewritten.", at=self._now())

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Write the old definition back, if it is still ours that stands there."""
        return await define_back(self, past, self._arguments, self._arguments["connector"], self._old)


async def define_back(
    step: Planned, past: Past, arguments: Mapping[str, Any], connector: str, old: ConnectionId
) -> Outcome:
    """Write a definition back as it was before; the kept copy goes when that is done."""
    world, flow = step._world, FlowId(arguments["flow"])
    row = await world.operator.flow(step._environment, flow)
    if fingerprint(row.clientdata) != arguments["sha256"]:
        if fingerprint(row.clientdata) != arguments["becomes"]:
            return refused(
                f"Flow {arguments['flow_name']!r} was edited after it was rewritten, so the old definition is not written over"
                f" it; it is kept as {arguments['stored']!r} in the secret store"
            )
        kept = await world.secrets.read(arguments["stored"])
        if kept is None:
            return refused(f"The secret store no longer has {arguments['stored']!r}, the old definition")
        async with _lent(step, past, connector, old):
            await world.operator.redefine(step._environment, flow, kept.reveal())
    elif past["check"].facts["lent"].get(old):
        await world.operator.take_back(
            step._environment.id,
            ConnectorId(connector),
            old,
            world.principal,
        )
    await world.secrets.delete(arguments["stored"])
    return done("Written back.")


class Watch(Planned):
    """Every flow ran green after it moved, on the new connection; one that turned red is moved back."""

    async def do(self, past: Past) -> Outcome:
        """Look at the runs since the move."""
        since = max(datetime.fromisoformat(at) for at in _moved_at(past))
        waits, said = [], []
        for flow in self._arguments["flows"]:
            state = await self._state(past, flow, since)
            if state == "red":
                return await self._back(past, flow)
            if state == "waits":
                waits.append(flow["flow_name"])
            elif state != "green":
                said.append(f"{flow['flow_name']!r} {state}")
        if waits:
            names = ", ".join(repr(name) for name in waits[:3])
            more = f" and {len(waits) - 3} more" if len(waits) > 3 else ""
            return waiting(
                f"Waits for the next run of {names}{more}; a person who owns it may start one (`holdfast prove`, --run)."
            )
        return done("Every flow ran green." + (f" {'; '.join(said)}." if said else ""))

    async def _state(self, past: Past, flow: Mapping[str, Any], since: datetime) -> str:
        """ "green", "red", "waits", or why it is not watched."""
        if not flow["on"]:
            return "was off before"
        ran = past["check"].facts["ran"].get(flow["flow"], "")
        if not flow["recurs"] and not ran:
            return "starts by hand: its next run tells"
        runs = await self._runs(FlowId(flow["flow"]), since)
        green = [run.started_at for run in runs if run.succeeded and run.started_at is not None]
        if green:
            return await self._on_the_new_one(past, flow, max(green), since)
        if any(run.status.casefold() == "failed" for run in runs):
            return "red" if ran != "red" else "fails as it did before the move"
        row = await self._world.operator.flow(self._environment, FlowId(flow["flow"]))
        return "waits" if row.is_on else "was switched off since"

    async def _on_the_new_one(
        self, past: Past, flow: Mapping[str, Any], ran_at: datetime, since: datetime
    ) -> str:
        """Whether the run went through the new connection; a flow that stayed on the old one is switched off and on, once.

        The run of a flow that still holds its old connection is green too. That a flow that is on takes a new binding is
        assumed (powerapps-docs create-connection-reference: asynchronously). A token that had ended before the run and was
        not renewed by it tells that the run did not use the new connection.
        """
        if await self._was_used(flow, ran_at):
            return "green"
        operator, id = self._world.operator, FlowId(flow["flow"])
        row = await operator.flow(self._environment, id)
        if row.modified_at is not None and row.modified_at > since:
            if not row.is_on:  # killed between off and on
                await operator.switch(self._environment, id, True)
                return "waits"
            if row.modified_at >= ran_at:
                return "waits"
            return "ran green without using the new connection"
        # Whether rights are asked on the old connection or on the new one is not known either: both are usable meanwhile.
        async with AsyncExitStack() as lent:
            for old, flows in self._arguments["of"].items():
                if flow["flow"] in flows:
                    await lent.enter_async_context(
                        _lent(self, past, self._arguments["connector"], ConnectionId(old))
                    )
            try:
                # Whoever may not switch it on finds out while it is on.
                await operator.switch(self._environment, id, True)
            except RefusedError:
                return "may still hold the old connection: its owner switches it off and on"
            await operator.switch(self._environment, id, False)
            await operator.switch(self._environment, id, True)
        return "waits"

    async def _was_used(self, flow: Mapping[str, Any], ran_at: datetime) -> bool:
        for old, flows in self._arguments["of"].items():
            if flow["flow"] not in flows:
                continue
            new = ConnectionId(connection_id(self._saga, old))
            where = (self._environment.id, ConnectorId(self._arguments["connector"]), new)
            ends_at = (await self._world.operator.connection(*where)).token_expires_at
            if ends_at is not None and ends_at <= ran_at:
                return False
        return True

    async def _runs(self, flow: FlowId, since: datetime) -> list[FlowRun]:
        found = self._world.platform.runs(self._environment, flow, since)
        return [run async for run in found if run.started_at is not None and run.started_at > since]

    async def _back(self, past: Past, flow: Mapping[str, Any]) -> Outcome:
        for move in self._arguments["moves"]:
            old = ConnectionId(move["connection"])
            if flow["flow"] not in self._arguments["of"][old]:
                continue
            back = done()
            if "reference" in move:
                new = ConnectionId(connection_id(self._saga, old))
                back = await bind_back(self, past, move["reference"], move["connector"], old, new)
            elif move["define"]["flow"] == flow["flow"]:
                back = await define_back(self, past, move["define"], move["connector"], old)
            if not back.is_done:
                return refused(
                    f"Flow {flow['flow_name']!r} failed in its first run after the move, and cannot be moved back: {back.says}"
                )
        return refused(
            f"Flow {flow['flow_name']!r} failed in its first run after the move, so it was moved back; see why in its run"
            " history"
        )


def _moved_at(past: Past) -> Sequence[str]:
    return [
        outcome.facts["at"] for name, outcome in past.items() if name.partition(":")[0] in ("bind", "define")
    ]
