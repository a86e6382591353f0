"""The flows' side of a migration: a connection beside the old one, bindings and definitions that change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.inventory import (
    ConnectionId,
    ConnectionReferenceId,
    ConnectorId,
    EnvironmentId,
    FlowId,
)
from holdfast.core.making import FlowRow, Share, WantedConnection
from holdfast.core.plan import LABEL
from holdfast.core.secret import Secret
from holdfast.lending import Loan, bind_back
from holdfast.migration.definitions import fingerprint, rewritten
from holdfast.migration.names import HELD, connection_id
from holdfast.migration.settling import may_start, settled_at
from holdfast.migration.world import REDIRECT, Planned, kind_of
from holdfast.saga import Past


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
    """The new connection, shared with the old one's owner and with those of its flows."""

    async def do(self, past: Past) -> Outcome:
        """Make it under an id of the saga's own: what an interrupted attempt made is written again, not doubled."""
        operator = self._world.operator
        sign_in = self._arguments.get("sign_in", "oauthSP")
        held = {HELD[sign_in]: await self._secret(past)}
        await operator.put_connection(
            WantedConnection(
                self._new,
                *self._where,
                self._arguments["display_name"],
                sign_in,
                {
                    "token": REDIRECT,
                    "token:TenantId": self._arguments["tenant_id"],
                    "token:clientId": past["app"].facts["client_id"],
                },
                secrets=held if sign_in == "oauthSP" else {},
                # A certificate is sent as an object, with the password that opens it.
                objects=held if sign_in == "certOauth" else {},
            )
        )
        # Plans of earlier versions name one person, or none.
        for share in self._arguments.get("shares") or filter(None, [self._arguments.get("share")]):
            await operator.share(*self._where, self._new, Share(share["id"], "User", "CanView"))
        return done("Made.", connection=self._new)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it, if it is ours."""
        operator = self._world.operator
        try:
            found = await operator.connection(*self._where, self._new)
        except MissingError:
            return done("Removed.")
        except RefusedError:
            if outcome is not None:
                raise  # what was made is still there, and only out of sight
            return done("Removed.")
        if found.display_name.startswith(LABEL):
            await operator.delete_connection(*self._where, self._new)
        return done("Removed.")


class _Unchanged(_OfConnection):
    """A step that changes what flows do: only flows that are as planned, and none that may run too early."""

    async def _in_the_way(self, past: Past) -> Outcome | None:
        """Why the flows cannot go on to the new connection now; None where they can."""
        early = []
        for flow in self._arguments["flows"]:
            row = await self._world.operator.flow(self._environment, FlowId(flow["flow"]))
            if f"define:{flow['flow']}" not in past and fingerprint(row.clientdata) != flow["sha256"]:
                return refused(f"Flow {flow['flow_name']!r} was edited since: undo this plan and plan again.")
            early += [flow["flow_name"]] if self._runs_early(past, row) else []
        return self._spreads(past, early) if early else None

    def _runs_early(self, past: Past, row: FlowRow) -> bool:
        """Whether the flow may run before every replica of the directory knows the secret."""
        return row.is_on and may_start(row.clientdata, self._world.clock.now(), settled_at(past))

    def _spreads(self, past: Past, names: Sequence[str]) -> Outcome:
        return waiting(
            f"The new {kind_of(past)} spreads through the directory until {settled_at(past):%H:%M} UTC, and {names[0]!r} may run before."
        )


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
            in_the_way = await self._in_the_way(past)
            if in_the_way is not None:
                return in_the_way
            await self._world.operator.bind(self._environment, reference, self._new)
        return done("Bound.", before=self._old, at=self._now())

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Bind it as before, if it is still bound to ours."""
        return await moved_back(self, past, self._arguments, self._old, self._new)


def loan_of(step: Planned, past: Past, connector: str, old: ConnectionId) -> Loan:
    """The loan of an old connection, by what the first step noted."""
    where = (step._environment.id, ConnectorId(connector), old)
    is_needed = bool(past["check"].facts["lent"].get(old))
    return Loan(step._world.operator, step._world.principal, where, is_needed=is_needed)


async def moved_back(
    step: Planned, past: Past, arguments: Mapping[str, Any], old: ConnectionId, new: ConnectionId
) -> Outcome:
    """Bind a reference to the old connection again; flows that had to be switched off and on to leave it, once more."""
    loan = loan_of(step, past, arguments["connector"], old)
    reference = ConnectionReferenceId(arguments["reference"])
    back = await bind_back(step._world.operator, step._environment, reference, new, loan)
    if not back.is_done:
        return back
    for flow in arguments["flows"]:
        await _let_go(step, past, FlowId(flow["flow"]), loan)
    return back


async def _let_go(step: Planned, past: Past, flow: FlowId, loan: Loan) -> None:
    """Where a flow was switched off and on after the move, once more: else it would hold what is removed next."""
    if flow in _switched(past):
        async with loan:
            await off_and_on(step, flow, [loan], is_ours="cycle" not in past)


def _switched(past: Past) -> Collection[str]:
    """Flows that were, or may have been, switched off and on after the move."""
    if "cycle" in past:
        return set(past["cycle"].facts["cycled"])
    return set(past["watch"].facts.get("stays", ())) if "watch" in past else ()


async def off_and_on(step: Planned, flow: FlowId, loans: Sequence[Loan], *, is_ours: bool) -> bool:
    """Switch a flow off and on, so that it takes up its bindings; False where that is not the operator's to do.

    Args:
        loans: of the connections on which rights may be asked: the old ones. The new ones are the operator's own.
        is_ours: whether a flow that is off may be so because an earlier attempt ended half-way.
    """
    operator, environment = step._world.operator, step._environment
    row = await operator.flow(environment, flow)
    if not row.is_on and not is_ours:
        return True  # somebody switched it off; whoever switches it on gets the bindings of then
    for loan in loans:
        await loan.use()
    if row.is_on:
        try:
            # Whoever may not switch it on finds out while it is on.
            await operator.switch(environment, flow, True)
        except RefusedError:
            return False
        await operator.switch(environment, flow, False)
    await operator.switch(environment, flow, True)
    return True


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


class Define(_Unchanged):
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
        if self._runs_early(past, row):
            return self._spreads(past, [arguments["flow_name"]])
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
    async with loan_of(step, past, connector, old) as loan:
        now = fingerprint((await world.operator.flow(step._environment, flow)).clientdata)
        if now not in (arguments["sha256"], arguments["becomes"]):
            return refused(
                f"Flow {arguments['flow_name']!r} was edited after it was rewritten, so the old definition is not written over"
                f" it; it is kept as {arguments['stored']!r} in the secret store"
            )
        if now == arguments["becomes"]:
            kept = await world.secrets.read(arguments["stored"])
            if kept is None:
                return refused(f"The secret store no longer has {arguments['stored']!r}, the old definition")
            await loan.use()
            await world.operator.redefine(step._environment, flow, kept.reveal())
    await _let_go(step, past, flow, loan)
    await world.secrets.delete(arguments["stored"])
    return done("Written back.")
