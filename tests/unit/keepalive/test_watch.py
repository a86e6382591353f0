"""A keep-alive flow is believed by its witness, not by its runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from holdfast.compose.watching import performed
from holdfast.core.deed import Deed, Outcome, State, done, refused, waiting
from holdfast.core.horizon import Interval
from holdfast.core.inventory import FlowId, FlowRun
from holdfast.core.making import FlowRow
from holdfast.keepalive.deployed import claims, deployed, watched
from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive
from holdfast.keepalive.solution import workflow_id
from holdfast.keepalive.watch import Looked, findings, last_due, next_due, unseen
from tests.builders import SALES, a_flow, day
from tests.fakes.history import MemoryHistory
from tests.unit.keepalive.test_eligibility import a_case

PLAN = plan_keepalive(
    [a_case()], Choices("p1", "contoso", "Contoso", day(10), Cadence.WEEKLY, 0.5, "op", "op")
)
STEP = next(step for step in PLAN.steps if step.name == "flow")
START = datetime.fromisoformat(STEP.arguments["start_at"])
WEEK = timedelta(weeks=1)


def a_row(**changes: Any) -> FlowRow:
    given: dict[str, Any] = {
        "is_on": True,
        "is_suspended": False,
        "is_managed": False,
        "owner": "u1",
        "clientdata": "",
        "modified_at": None,
    }
    return FlowRow(FlowId("f1"), SALES, "holdfast/p1-1", **given | changes)


def a_run(at: datetime, status: str = "Succeeded") -> FlowRun:
    return FlowRun(
        "r",
        FlowId("f1"),
        status,
        at,
        at + timedelta(minutes=1),
        "" if status == "Succeeded" else "ActionFailed",
    )


def looked(*runs: FlowRun, refreshed: datetime | None = None, **changes: Any) -> Looked:
    seen = {"c1": None if refreshed is None else Interval(refreshed, refreshed + timedelta(minutes=30))}
    given: dict[str, Any] = {"flow": a_row(), "refreshed": seen, "seen_at": day(60), "on_since": day(10)}
    return Looked(**{"runs": runs, **given, **changes})


PROVEN = START + WEEK
CASES = {
    "before the first run": (looked(), START - timedelta(hours=1), ""),
    "ran and proven": (looked(a_run(PROVEN), refreshed=PROVEN), PROVEN + timedelta(hours=3), ""),
    "ran and the witness may still move": (looked(a_run(PROVEN), refreshed=day(0)), PROVEN + timedelta(hours=3), ""),
    "ran and no witness moved": (looked(a_run(PROVEN), refreshed=day(0)), PROVEN + timedelta(days=4), "no_proof"),
    "ran and nobody looked since": (looked(a_run(PROVEN), refreshed=day(0), seen_at=PROVEN - WEEK), PROVEN + timedelta(days=1), ""),
    "ran and nobody looked for long": (looked(a_run(PROVEN), refreshed=day(0), seen_at=PROVEN - WEEK), PROVEN + timedelta(days=4), "not_scanned"),
    "ran and something else used it since": (looked(a_run(PROVEN), refreshed=PROVEN + timedelta(days=2)), PROVEN + timedelta(days=4), ""),
    "the run before is proven and this one not": (looked(a_run(PROVEN), a_run(START), refreshed=START), PROVEN + timedelta(days=4), "no_proof"),
    "the newest failed and the one before is proven": (looked(a_run(PROVEN, "Failed"), a_run(START), refreshed=START), PROVEN + timedelta(days=4), ""),
    "another branch fails and this one is proven": (looked(a_run(PROVEN, "Failed"), a_run(START, "Failed"), refreshed=PROVEN), PROVEN + timedelta(hours=1), ""),
    "due a moment ago": (looked(a_run(START), refreshed=START), PROVEN + timedelta(hours=1), ""),
    "the run did not come": (looked(a_run(START), refreshed=START), PROVEN + timedelta(days=3), "run_overdue"),
    "two runs failed": (looked(a_run(PROVEN, "Failed"), a_run(START, "Failed")), PROVEN + timedelta(hours=1), "runs_failing"),
    "one run failed": (looked(a_run(PROVEN, "Failed"), a_run(START), refreshed=START), PROVEN + timedelta(hours=1), ""),
    "one run failed a month after the last refresh": (looked(a_run(PROVEN, "Failed"), a_run(START), refreshed=PROVEN - timedelta(days=31)), PROVEN + timedelta(hours=1), "runs_failing"),
    "one run failed and nobody looked since": (looked(a_run(PROVEN, "Failed"), a_run(START), refreshed=PROVEN - timedelta(days=31), seen_at=PROVEN - timedelta(days=1)), PROVEN + timedelta(hours=1), ""),
    "off": (looked(flow=a_row(is_on=False)), START, "flow_off"),
    "suspended": (looked(flow=a_row(is_on=False, is_suspended=True)), START, "flow_suspended"),
    "deleted": (looked(flow=None), START, "flow_gone"),
    "ownerless": (looked(owner_gone=True), START, "flow_ownerless"),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "now", "problem"), CASES.values(), ids=CASES.keys())
def test_a_flow_is_judged(seen: Looked, now: datetime, problem: str):
    [found] = findings("p1", STEP, "f1", seen, now)

    assert (found.problem, found.connection) == (problem, "c1")
    assert found.says


def test_only_a_moved_witness_is_proof():
    [with_run] = findings(
        "p1", STEP, "f1", looked(a_run(PROVEN), refreshed=day(0)), PROVEN + timedelta(hours=3)
    )
    [with_witness] = findings(
        "p1", STEP, "f1", looked(a_run(PROVEN), refreshed=PROVEN), PROVEN + timedelta(hours=3)
    )

    assert with_run.proven_at is None
    assert with_witness.proven_at is not None


def test_a_refresh_that_no_run_explains_proves_nothing_about_the_flow():
    [found] = findings(
        "p1",
        STEP,
        "f1",
        looked(a_run(PROVEN), refreshed=PROVEN + timedelta(days=2)),
        PROVEN + timedelta(days=3),
    )

    assert found.proven_at is None


def test_a_flow_that_failed_for_two_weeks_is_told_to_be_off_for_that():
    runs = [a_run(START + 2 * WEEK, "Failed"), a_run(PROVEN, "Failed"), a_run(START, "Failed")]

    [given_up] = findings("p1", STEP, "f1", looked(*runs, flow=a_row(is_on=False)), START + 3 * WEEK)
    [switched] = findings("p1", STEP, "f1", looked(a_run(START), flow=a_row(is_on=False)), START + 3 * WEEK)

    assert "failing for two weeks" in given_up.says
    assert "failing" not in switched.says


@pytest.mark.parametrize(("after", "due"), [(-1, None), (0, 0), (6, 0), (7, 1), (20, 2)])
def test_the_last_due_run(after: int, due: int | None):
    at = last_due(START, WEEK, day(0), START + timedelta(days=after))

    assert at == (None if due is None else START + due * WEEK)


def test_a_run_that_was_due_while_it_was_off_is_not_missed():
    assert last_due(START, WEEK, START + timedelta(days=1), START + timedelta(days=3)) is None


def test_the_next_due_run_is_later():
    assert next_due(START, WEEK, START) == START + WEEK


def a_deed(step: str, outcome: Any, way: str = "do", on: int = 11) -> Deed:
    return Deed(STEP.saga, step, way, outcome, day(on))


def on_since(on: int) -> Deed:
    return a_deed("switch_on", done(on_since=day(on).isoformat()))


MADE = (a_deed("flow", done(flow="f1")), on_since(12))


@pytest.mark.parametrize(
    ("deeds", "watched"),
    [
        ((), []),
        (MADE[:1], []),
        ((MADE[0], a_deed("switch_on", waiting("its owner"))), []),
        (MADE, [("f1", day(12))]),
        ((*MADE, on_since(14)), [("f1", day(14))]),
        ((*MADE, a_deed("switch_on", done(), "undo")), []),
    ],
    ids=["planned", "made", "waiting for its owner", "on", "on again", "undone"],
)
def test_a_flow_is_watched_from_when_it_is_on(deeds, watched):
    assert [(one.flow, one.on_since) for one in deployed(PLAN, deeds)] == watched


async def seen_by_scans(*scans: tuple[int, bool]) -> MemoryHistory:
    """The flow of the plan's export, imported by hand; on or off on these days."""
    history = MemoryHistory()
    for on, is_on in scans:
        record = await history.begin("contoso", day(on), day(on))
        flow = a_flow(workflow_id(STEP.saga), environment=STEP.environment, is_on=is_on)
        await history.observe(record.id, day(on), [flow])
        await history.finish(record.id, day(on), timedelta(0))
    return history


@pytest.mark.parametrize(
    ("scans", "since"),
    [
        (((12, True),), 12),
        (((12, True), (13, False), (14, True)), 14),
        (((12, True), (13, False)), 13),
    ],
    ids=["on", "on again", "off"],
)
async def test_a_flow_that_somebody_imported_is_watched(scans, since: int):
    history = await seen_by_scans(*scans)

    [one] = await watched(history, PLAN, ())

    assert (one.flow, one.on_since, one.by_hand) == (workflow_id(STEP.saga), day(since), True)


async def test_a_flow_that_the_plan_made_is_watched_once():
    history = await seen_by_scans((12, True))

    assert [one.flow for one in await watched(history, PLAN, MADE)] == ["f1"]
    assert await watched(history, PLAN, MADE[:1]) == []


CLAIMS = {
    "planned": ((), None),
    "waiting": ((a_deed("shared:c1", waiting("a share")),), False),
    "refused": ((a_deed("shared:c1", refused("broken")),), None),
    "interrupted at the flow": ((a_deed("flow", Outcome(State.BEGUN)),), True),
    "refused after the flow": ((MADE[0], a_deed("switch_on", refused("suspended"))), True),
    "on": (MADE, True),
    "undone": ((*MADE, a_deed("switch_on", done(), "undo"), a_deed("flow", done(), "undo")), None),
    "being undone": ((*MADE, a_deed("switch_on", done(), "undo")), True),
}


@pytest.mark.parametrize(("deeds", "has_flow"), CLAIMS.values(), ids=CLAIMS.keys())
async def test_a_plan_that_is_at_work_claims_its_connections(deeds, has_flow: bool | None):
    found = await claims(MemoryHistory(), None, PLAN, deeds)

    assert found == ({} if has_flow is None else {"c1": ("p1", has_flow)})


async def test_a_flow_that_the_next_scan_did_not_see_claims_nothing():
    history = MemoryHistory()

    assert await claims(history, day(12), PLAN, MADE)
    assert await claims(history, day(13), PLAN, MADE) == {}


async def test_a_flow_that_somebody_imported_claims_its_connections():
    history = await seen_by_scans((12, True))

    assert await claims(history, day(13), PLAN, ()) == {"c1": ("p1", True)}


def test_who_imported_a_flow_switches_it_on():
    [by_hand] = findings("p1", STEP, "f1", looked(flow=a_row(is_on=False), by_hand=True), START)

    assert "--switch-on" not in by_hand.says


def test_a_flow_that_is_off_runs_at_no_time():
    [off] = findings("p1", STEP, "f1", looked(flow=a_row(is_on=False)), START)
    [on] = findings("p1", STEP, "f1", looked(), START)

    assert (off.next_at, on.next_at) == (None, START + WEEK)


def test_a_flow_that_could_not_be_seen_is_looked_at_again():
    [one] = deployed(PLAN, MADE)
    found = unseen("p1", one, "not_looked_at", "It could not be looked at: no answer.")

    told = performed(found)

    assert told.again == {STEP.saga: "It could not be looked at: no answer."}
    assert told.attention == 0


def test_the_problems_of_a_look_are_counted_by_flow():
    found = findings("p1", STEP, "f1", looked(flow=a_row(is_on=False)), START)

    told = performed(found)

    assert told.attention == 1
    assert "1 flow_off" in told.said
