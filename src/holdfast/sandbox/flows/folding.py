"""Which runs are executed and which are only counted, as time goes by.

A flow's occurrence is executed when anything that it depends on changed since the flow's previous one. The
occurrences between are folded: the executed one stands for each of them, the tokens they need are fetched at the
instants at which they would have been, and the history is expanded when it is read.

What an executed occurrence depended on is known from doing it: connections, servers, databases, tables, gateways. A
fingerprint of all that is compared whenever a client or an event changed the world, and marks the flow to be executed
at its next occurrence. What a run itself writes marks the readers of those tables likewise.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b

from holdfast.sandbox import connection_use
from holdfast.sandbox.ageing import Due
from holdfast.sandbox.flows.runtime import Doing, bound, definition_of, look_of, occur, recurrence_of, start
from holdfast.sandbox.flows.schedule import Schedule, schedule_of
from holdfast.sandbox.flows.sql_connector import mark_of
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.records.platform import Connection, Flow
from holdfast.sandbox.records.runs import FAILED, Look, RunRecord, Stretch
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

INSTANT = timedelta(microseconds=1)
HISTORY = timedelta(days=30)
FAILING_LIMIT = timedelta(days=14)
DORMANT_LIMIT = timedelta(days=90)
PAID = frozenset({"POWERAUTOMATE_PREMIUM", "POWERAUTOMATE_PER_FLOW"})

KEPT_FOR_30_DAYS = Rule(
    "runs_are_kept_for_30_days",
    "A run can be read for 30 days after its start.",
    Mark.DOCUMENTED,
    "power-automate-docs limits-and-config",
)
OFF_AFTER_FAILING = Rule(
    "flow_off_after_14_failing_days",
    "A flow whose runs or trigger checks all failed for 14 days is turned off at the next one that fails.",
    Mark.DOCUMENTED,
    "power-automate-docs limits-and-config",
    flipped="A failing flow goes on for ever.",
)
OFF_WHEN_DORMANT = Rule(
    "flow_off_after_90_dormant_days",
    "A flow whose owner has no paid plan is turned off when its trigger has not fired for 90 days.",
    Mark.DOCUMENTED,
    "power-automate-docs limits-and-config",
    flipped="A dormant flow stays on.",
)
RULES = (KEPT_FOR_30_DAYS, OFF_AFTER_FAILING, OFF_WHEN_DORMANT)


@dataclass(slots=True)
class Agenda:
    """What is due when, worked out from the world.

    Attributes:
        seen: `World.changes` when everything was last looked over.
        readers: flows by what their last executed occurrence touched.
        schedules: by flow, with what they were worked out from.
    """

    seen: int = -1
    heap: list[tuple[datetime, str]] = field(default_factory=list)
    readers: dict[str, set[str]] = field(default_factory=dict)
    schedules: dict[str, tuple[datetime, datetime, Schedule | None]] = field(default_factory=dict)


def agenda_of(world: World) -> Agenda:
    """The agenda of this very world."""
    kept = memo_of(world).get("agenda")
    if isinstance(kept, Agenda):
        return kept
    made = memo_of(world)["agenda"] = Agenda()
    return made


def next_due(world: World) -> Due | None:
    """The next occurrence that has to be done, of any flow."""
    agenda = agenda_of(world)
    if agenda.seen != world.changes:
        agenda.seen = world.changes
        look_over(world, agenda)
    while agenda.heap:
        at, flow_id = agenda.heap[0]
        flow = world.flows.get(flow_id)
        if flow is None or flow.next_look_at != at:
            heapq.heappop(agenda.heap)
            continue
        return Due(at, f"flow {flow_id}", partial(_come_round, flow_id))
    return None


def _come_round(flow_id: str, world: World, at: datetime) -> None:
    come_round(world, world.flows[flow_id], at)


def look_over(world: World, agenda: Agenda) -> None:
    """Find the flows for which something changed since they were last done, at the instant settled so far."""
    agenda.heap.clear()
    agenda.readers.clear()
    marks = Marks(world)
    for flow in world.flows.values():
        _look_over(world, flow, marks)
        if flow.look is not None:
            for key in flow.look.touched:
                agenda.readers.setdefault(key, set()).add(flow.id)
        if flow.next_look_at is not None:
            heapq.heappush(agenda.heap, (flow.next_look_at, flow.id))


def _look_over(world: World, flow: Flow, marks: Marks) -> None:
    now = world.settled_at
    schedule = schedule_for(world, flow)
    if flow.state != "Started" or schedule is None:
        close(world, flow, now)
        flow.next_look_at = dormant_at(world, flow, now) if flow.state == "Started" else None
        if flow.look is not None:
            flow.look.fingerprint = ""  # also where it is on again at this very instant
    elif flow.look is None:
        # Reckoned anew each time: the definition may have been edited. One due at this very instant is still to be done.
        flow.next_look_at = schedule.after(max(anchor_of(flow), now) - INSTANT)
    elif flow.look.fingerprint != (found := fingerprint(world, flow, flow.look, marks)):
        close(world, flow, now)
        flow.look.repeats = False
        flow.look.fingerprint = found
        # A flow that was just turned on comes round at that very instant if its trigger says so.
        since = (
            anchor_of(flow) - INSTANT if anchor_of(flow) > flow.look.at and anchor_of(flow) >= now else now
        )
        flow.next_look_at = schedule.after(since)


def anchor_of(flow: Flow) -> datetime:
    """From when a recurrence without a start time counts."""
    return flow.state_changed_at or flow.created_at


def schedule_for(world: World, flow: Flow) -> Schedule | None:
    """When the flow's trigger comes round; None for one that waits to be called."""
    kept = agenda_of(world).schedules
    anchor = anchor_of(flow)
    known = kept.get(flow.id)
    if known is None or known[:2] != (flow.modified_at, anchor):
        known = kept[flow.id] = (flow.modified_at, anchor, _schedule(world, flow, anchor))
    return known[2]


def _schedule(world: World, flow: Flow, anchor: datetime) -> Schedule | None:
    recurrence = recurrence_of(world, flow)
    try:
        return None if recurrence is None else schedule_of(recurrence, anchor)
    except (ValueError, TypeError):
        return None


class Marks:
    """The state of connections and of what runs touched, each looked at once: many flows share them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._touched: dict[str, str] = {}
        self._connections: dict[str, str] = {}

    def of_touched(self, key: str) -> str:
        """As `mark_of`."""
        if (known := self._touched.get(key)) is None:
            known = self._touched[key] = mark_of(self._world, key)
        return known

    def of_connection(self, connection: Connection | None) -> str:
        """What of a connection decides how a run comes out, but for its access token."""
        if connection is None:
            return "none"
        if (known := self._connections.get(connection.id)) is None:
            known = self._connections[connection.id] = repr(
                (
                    connection.id,
                    connection.parameter_set,
                    sorted(connection.parameters.items(), key=lambda pair: pair[0]),
                    sorted(connection.secrets.items()),
                    connection.refresh_token_id,
                    connection.gateway_id,
                    connection.deleted_at,
                )
            )
        return known


def fingerprint(world: World, flow: Flow, look: Look, marks: Marks) -> str:
    """The state of everything that the occurrence depended on, apart from tokens: those are asked for when needed."""
    parts: list[object] = [flow.modified_at, flow.state, flow.state_changed_at]
    for key, named in flow.connections.items():
        parts += [
            key,
            named.connection_id,
            named.reference,
            named.pinned,
            marks.of_connection(bound(world, flow, key)),
        ]
    parts += [marks.of_touched(key) for key in look.touched]
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()


# --- one occurrence --------------------------------------------------------------------------------------


def come_round(world: World, flow: Flow, at: datetime) -> None:
    """Do what is due for a flow: execute its occurrence, or fetch the tokens that a folded one needs."""
    schedule = schedule_for(world, flow)
    dormant = dormant_at(world, flow, at)
    if dormant is not None and at >= dormant:
        turn_off(world, flow, at)
    elif schedule is None or schedule.after(at - INSTANT) != at:
        plan(world, flow, at)
    else:
        _occur(world, flow, at)


def _occur(world: World, flow: Flow, at: datetime) -> None:
    if flow.look is not None and _would_repeat(world, flow.look, at):
        for used in flow.look.uses:
            connection_use.use(world, world.connections.get(used.connection_id), at + used.offset)
    else:
        execute(world, flow, at)
    if _is_worn_out(world, flow, at):
        turn_off(world, flow, at)
    else:
        plan(world, flow, at)


def dormant_at(world: World, flow: Flow, now: datetime) -> datetime | None:
    """When the flow would have been dormant for too long, as things stand; None for an owner with a paid plan."""
    owner = world.accounts.get(flow.owner_id)
    if owner is None or not PAID.isdisjoint(owner.licences) or not world.holds(OFF_WHEN_DORMANT):
        return None
    fired, stretch = flow.last_run_at, flow.stretches[-1] if flow.stretches else None
    if stretch is not None and stretch.until is None and stretch.run_id is not None:
        fired = schedule_of(stretch.recurrence, stretch.anchor).last(stretch.after, now) or fired
    # What was before the world began is not known: nothing is dormant from the start.
    return max(anchor_of(flow), fired or world.born_at) + DORMANT_LIMIT


def _is_worn_out(world: World, flow: Flow, at: datetime) -> bool:
    return (
        flow.failing_since is not None
        and at >= flow.failing_since + FAILING_LIMIT
        and world.holds(OFF_AFTER_FAILING)
    )


def turn_off(world: World, flow: Flow, at: datetime) -> None:
    """The platform turns the flow off."""
    close(world, flow, at)
    flow.state, flow.state_changed_at, flow.next_look_at = "Stopped", at, None
    flow.failing_since = None


def _would_repeat(world: World, look: Look, at: datetime) -> bool:
    return (
        world.folds
        and look.repeats
        and not (look.turns_at is not None and at >= look.turns_at)
        and all(
            connection_use.outlook(world, world.connections.get(used.connection_id), at + used.offset)
            == used.code
            for used in look.uses
        )
    )


def execute(world: World, flow: Flow, at: datetime) -> None:
    """Really do the occurrence, and remember what it depended on."""
    close(world, flow, at - INSTANT)
    doing = occur(world, flow, at)
    _note(world, flow, doing, at)
    look = look_of(doing, at)
    _read_by(world, flow, look)
    flow.look = look
    for key in sorted(doing.trace.wrote):
        _disturb_readers(world, flow, key, at)
    look.fingerprint = fingerprint(world, flow, look, Marks(world))
    recurrence = recurrence_of(world, flow)
    if look.repeats and recurrence is not None and world.folds:
        flow.stretches.append(
            Stretch(
                recurrence=dict(recurrence),
                anchor=anchor_of(flow),
                after=at,
                run_id=look.run_ids[-1] if look.run_ids else None,
                failed=look.failed,
                is_ok=look.is_ok,
            )
        )


def _note(world: World, flow: Flow, doing: Doing, at: datetime) -> None:
    world.count("runs_executed")
    world.count("queries_failed", doing.trace.failed)
    flow.runs += doing.runs
    if doing.runs:
        flow.last_run_at, flow.last_run_ok = doing.runs[-1].started_at, doing.runs[-1].status != FAILED
    flow.failing_since = None if doing.is_ok else flow.failing_since or at
    forget(flow, at)


def forget(flow: Flow, now: datetime) -> None:
    """Drop what is older than the platform keeps."""
    edge = now - HISTORY
    if flow.stretches and flow.stretches[0].until is not None and flow.stretches[0].until < edge:
        flow.stretches = [one for one in flow.stretches if one.until is None or one.until >= edge]
    if flow.runs and flow.runs[0].started_at < edge:
        needed = {stretch.run_id for stretch in flow.stretches}
        flow.runs = [run for run in flow.runs if run.started_at >= edge or run.id in needed]


def _read_by(world: World, flow: Flow, look: Look) -> None:
    readers = agenda_of(world).readers
    if flow.look is not None:
        for key in flow.look.touched:
            readers.get(key, set()).discard(flow.id)
    for key in look.touched:
        readers.setdefault(key, set()).add(flow.id)


def _disturb_readers(world: World, writer: Flow, key: str, at: datetime) -> None:
    for flow_id in sorted(agenda_of(world).readers.get(key, ())):
        flow = world.flows[flow_id]
        schedule = schedule_for(world, flow)
        if flow is writer or flow.look is None or flow.state != "Started" or schedule is None:
            continue
        # At one instant flows come round in the order of their keys; a later one sees what the earlier one wrote.
        last_folded = at if flow.id < writer.id else at - INSTANT
        close(world, flow, last_folded)
        flow.look.repeats = False
        flow.look.fingerprint = fingerprint(world, flow, flow.look, Marks(world))
        _set_next(world, flow, schedule.after(last_folded))


def close(world: World, flow: Flow, until: datetime) -> None:
    """Nothing later than `until` belongs to the stretch that goes on."""
    if not flow.stretches or flow.stretches[-1].until is not None:
        return
    stretch = flow.stretches[-1]
    stretch.until = until
    count = count_of(stretch, until)
    if count:
        world.count("queries_failed", count * stretch.failed)
        world.count("runs_folded", count)
        last = schedule_of(stretch.recurrence, stretch.anchor).last(stretch.after, until)
        if stretch.run_id is not None and last is not None:
            flow.last_run_at, flow.last_run_ok = last, stretch.is_ok
    else:
        flow.stretches.pop()


def count_of(stretch: Stretch, now: datetime) -> int:
    """How many occurrences it stands for by `now`."""
    return schedule_of(stretch.recurrence, stretch.anchor).count(stretch.after, stretch.until or now)


def plan(world: World, flow: Flow, at: datetime) -> None:
    """Set when the flow has to be looked at next."""
    if flow.state != "Started":
        flow.next_look_at = None
        return
    schedule, look = schedule_for(world, flow), flow.look
    turns = [dormant_at(world, flow, at)]
    if schedule is not None and look is not None:
        turning = _turning(world, look, at) if look.repeats and world.folds else at
        if turning is not None:
            turns.append(schedule.after(max(turning - INSTANT, at)))
        if flow.failing_since is not None and world.holds(OFF_AFTER_FAILING):
            turns.append(schedule.after(max(flow.failing_since + FAILING_LIMIT - INSTANT, at)))
    elif schedule is not None:
        turns.append(schedule.after(at))
    following = min((one for one in turns if one is not None), default=None)
    _set_next(world, flow, following)


def _turning(world: World, look: Look, at: datetime) -> datetime | None:
    """The earliest instant at which an occurrence would need a token, or find another answer; None for never."""
    turns = [look.turns_at] if look.turns_at is not None else []
    for used in look.uses:
        connection = world.connections.get(used.connection_id)
        if connection is None or not connection_use.signs_in_through_entra(connection):
            continue
        ends = connection.token_expires_at
        turns.append(at if used.code != connection_use.FINE or ends is None else ends - used.offset)
    return min(turns, default=None)


def _set_next(world: World, flow: Flow, at: datetime | None) -> None:
    flow.next_look_at = at
    if at is not None:
        heapq.heappush(agenda_of(world).heap, (at, flow.id))


def run_now(world: World, flow: Flow, now: datetime, outputs: object = None) -> RunRecord:
    """Start a run outside the schedule, whatever the flow's trigger is.

    Raises:
        DefinitionError: the flow's definition cannot be run.
    """
    doing = Doing()
    record = start(world, flow, definition_of(world, flow), now, outputs, doing)
    _note(world, flow, doing, now)
    for key in sorted(doing.trace.wrote):
        _disturb_readers(world, flow, key, now)
    if doing.trace.wrote and flow.look is not None:
        world.changed()
    return record
