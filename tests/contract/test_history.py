"""What every History does, in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.beliefs import NUMBERED
from holdfast.core.coverage import News, Outcome
from holdfast.core.errors import StoreError
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.inventory import Connection, ConnectionReference, Environment, Flow
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy, PolicyState, Scope
from holdfast.core.schedule import Recurrence
from holdfast.core.verdict import UNKNOWN, Cause, Verdict
from holdfast.core.witness import Source, Witness
from holdfast.diagnosis.grading import grades
from holdfast.ports import History, Thing
from tests.builders import SALES, START, a_connection, a_flow, a_reference, a_sweep, an_environment, day
from tests.fakes.history import MemoryHistory

NEVER = START - timedelta(days=9999)
KEY = "shared_sql/c1"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    if request.param == "memory":
        yield MemoryHistory()
    elif request.param == "postgresql":
        store = SqlHistory(request.getfixturevalue("database_url"))
        yield store
        store.close()
    else:
        store = SqlHistory(tmp_path / "state" / "holdfast.sqlite3")
        yield store
        store.close()


async def everything(history: History, kind: type, environment: str | None = None) -> list:
    return [thing async for thing in history.current("contoso", kind, environment)]


async def test_what_was_observed_is_there(history: History):
    scan = await history.begin("contoso", START, NEVER)

    await history.observe(scan.id, START, [an_environment("b"), an_environment("a")])

    assert await everything(history, Environment) == [an_environment("a"), an_environment("b")]


async def test_another_tenant_sees_nothing_of_it(history: History):
    scan = await history.begin("fabrikam", START, NEVER)

    await history.observe(scan.id, START, [an_environment()])

    assert await everything(history, Environment) == []


async def test_the_same_again_is_nothing_new(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection()])

    assert await history.observe(scan.id, day(1), [a_connection()]) == News()
    assert len([state async for state in history.past("contoso", Connection, SALES, KEY)]) == 1


async def test_every_state_stays_readable(history: History):
    scan = await history.begin("contoso", START, NEVER)
    states = [
        a_connection(),
        a_connection(token_expires_at=day(3), modified_at=day(3)),
        a_connection(status="Error", owner=None, token_expires_at=day(3)),
    ]

    for at, state in enumerate(states):
        await history.observe(scan.id, day(at), [state])

    past = [state async for state in history.past("contoso", Connection, SALES, KEY)]
    assert past == [(day(at), state) for at, state in enumerate(states)]


async def test_what_a_whole_sweep_did_not_meet_is_gone(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection("c1"), a_connection("c2")])

    gone = await history.conclude(
        scan.id, a_sweep(ended_at=day(1)), Connection, {"shared_sql/c2"}, "shared_sql/"
    )

    assert gone == News(gone=1)
    assert await everything(history, Connection) == [a_connection("c2")]
    assert [state async for state in history.past("contoso", Connection, SALES, KEY)][-1] == (day(1), None)


async def test_the_last_page_comes_with_the_conclusion(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection("c1")])
    page: list[Thing] = [
        a_connection("c2"),
        Judgement(SALES, a_connection().connector, a_connection("c2").id),
    ]

    news = await history.conclude(scan.id, a_sweep(), Connection, {"shared_sql/c2"}, "shared_sql/", last=page)

    assert news == News(things=1, judgements=1, gone=1)
    assert await everything(history, Connection) == [a_connection("c2")]


async def test_a_sweep_of_one_connector_says_nothing_about_another(history: History):
    scan = await history.begin("contoso", START, NEVER)
    other = a_connection(connector="shared_sqldw")
    await history.observe(scan.id, START, [other])

    await history.conclude(scan.id, a_sweep(), Connection, set(), "shared_sql/")

    assert await everything(history, Connection) == [other]


async def test_a_sweep_that_broke_off_loses_nothing(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection()])

    await history.conclude(scan.id, a_sweep(outcome=Outcome.PARTIAL, detail="It broke off."))

    assert await everything(history, Connection) == [a_connection()]


async def test_what_comes_back_is_there_again(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection()])
    await history.conclude(scan.id, a_sweep(ended_at=day(1)), Connection, set(), "shared_sql/")

    assert await history.observe(scan.id, day(2), [a_connection()]) == News(1)

    past = [state async for state in history.past("contoso", Connection, SALES, KEY)]
    assert past == [(START, a_connection()), (day(1), None), (day(2), a_connection())]


async def test_a_lookup_gives_those_that_are_there(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection("c1"), a_connection("c2")])
    await history.conclude(scan.id, a_sweep(), Connection, {KEY}, "shared_sql/")

    found = await history.lookup("contoso", Connection, SALES, [KEY, "shared_sql/c2", "shared_sql/c3"])

    assert found == {KEY: a_connection("c1")}


async def test_one_environment_can_be_asked_for(history: History):
    scan = await history.begin("contoso", START, NEVER)
    here, there = a_connection("c1"), a_connection("c1", environment="other")
    await history.observe(scan.id, START, [here, there])

    assert await everything(history, Connection, "other") == [there]
    assert await everything(history, Connection) == [there, here]


async def test_more_than_a_batch_comes_back_whole(history: History):
    scan = await history.begin("contoso", START, NEVER)
    many = [a_connection(f"c{number:04}") for number in range(1203)]

    await history.observe(scan.id, START, many)

    assert await everything(history, Connection) == many
    keys = [f"shared_sql/{connection.id}" for connection in many]
    assert len(await history.lookup("contoso", Connection, SALES, keys)) == 1203


async def test_a_judgement_comes_back_as_it_was(history: History):
    scan = await history.begin("contoso", START, NEVER)
    at = Interval(day(1), day(2))
    judgement = Judgement(
        SALES,
        a_connection().connector,
        a_connection().id,
        Verdict(UNKNOWN, 0.25, alternatives=("sql_firewall",)),
        (Horizon("token_inactive", Condition.IF_UNUSED, None, None, None, ("Nothing tells.",)),),
        (Witness(Source.EXPIRY, at, "The last refresh."),),
    )

    await history.observe(scan.id, START, [judgement])

    assert await everything(history, Judgement) == [judgement]


async def test_a_flow_comes_back_with_its_schedule(history: History):
    scan = await history.begin("contoso", START, NEVER)
    flow = a_flow("f1", "new_sql", recurrence=Recurrence("week", 1, START, "UTC", (3,), (), (6,)))

    await history.observe(scan.id, START, [flow, a_reference()])

    assert await everything(history, Flow) == [flow]
    assert await everything(history, ConnectionReference) == [a_reference()]


async def test_an_unfinished_scan_goes_on_with_what_it_had(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.conclude(scan.id, a_sweep())

    again = await history.begin("contoso", day(1), day(-1))

    assert again == replace(scan, sweeps=(a_sweep(),))


async def test_an_unfinished_scan_that_is_too_old_is_left(history: History):
    scan = await history.begin("contoso", START, NEVER)

    assert (await history.begin("contoso", day(1), day(0.5))).id != scan.id


async def test_a_finished_scan_is_not_resumed(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.finish(scan.id, day(1), timedelta(seconds=3))

    assert (await history.begin("contoso", day(1), NEVER)).id != scan.id


async def test_the_last_scan_is_the_last_that_ended(history: History):
    assert await history.last_scan("contoso") is None
    first = await history.begin("contoso", START, NEVER)
    await history.conclude(first.id, a_sweep(outcome=Outcome.DENIED, detail="No."))
    await history.finish(first.id, day(1), timedelta(seconds=3))
    await history.begin("contoso", day(2), day(2))

    found = await history.last_scan("contoso")

    assert found == replace(
        first,
        finished_at=day(1),
        skew=timedelta(seconds=3),
        sweeps=(a_sweep(outcome=Outcome.DENIED, detail="No."),),
    )


async def test_a_part_that_is_read_again_counts_once(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.conclude(scan.id, a_sweep(outcome=Outcome.TIMED_OUT))
    await history.conclude(scan.id, a_sweep(counted=4))
    await history.finish(scan.id, day(1), timedelta(0))

    found = await history.last_scan("contoso")

    assert found is not None
    assert found.sweeps == (a_sweep(counted=4),)


async def test_two_scans_of_a_tenant_do_not_run_at_once(history: History):
    async with history.scanning("contoso"), history.scanning("fabrikam"):
        with pytest.raises(StoreError, match="contoso"):
            async with history.scanning("contoso"):
                pass

    async with history.scanning("contoso"):
        pass


async def test_a_sentence_that_is_often_said_comes_back_whole(history: History):
    scan = await history.begin("contoso", START, NEVER)
    horizon = Horizon("token_inactive", Condition.IF_UNUSED, None, None, None, NUMBERED)
    judgement = Judgement(SALES, a_connection().connector, a_connection().id, None, (horizon,))
    await history.observe(scan.id, START, [Judgement(SALES, a_connection().connector, a_connection().id)])

    await history.observe(scan.id, day(1), [judgement])

    assert await everything(history, Judgement) == [judgement]
    past = [state async for state in history.past("contoso", Judgement, SALES, KEY)]
    assert past[-1] == (day(1), judgement)


async def test_what_is_older_than_is_kept_leaves_its_last_state_only(history: History):
    scan = await history.begin("contoso", START, NEVER)
    states = [a_connection(display_name=f"name {number}") for number in range(5)]
    for number, state in enumerate(states):
        await history.observe(scan.id, day(number), [state])

    dropped = await history.prune("contoso", day(3))

    past = [state async for state in history.past("contoso", Connection, SALES, KEY)]
    assert past == [(day(number), states[number]) for number in (2, 3, 4)]
    assert dropped == 2
    assert await everything(history, Connection) == [states[4]]
    assert await history.prune("contoso", day(3)) == 0


async def test_of_what_was_gone_before_that_nothing_is_kept(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection()])
    await history.conclude(scan.id, a_sweep(ended_at=day(1)), Connection, present=())

    assert await history.prune("contoso", day(2)) == 2

    assert [state async for state in history.past("contoso", Connection, SALES, KEY)] == []
    await history.observe(scan.id, day(3), [a_connection()])
    assert await everything(history, Connection) == [a_connection()]


async def test_what_went_and_came_back_is_told_from_where_history_begins(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.observe(scan.id, START, [a_connection()])
    await history.conclude(scan.id, a_sweep(ended_at=day(1)), Connection, present=())
    await history.observe(scan.id, day(3), [a_connection()])

    await history.prune("contoso", day(2))

    past = [state async for state in history.past("contoso", Connection, SALES, KEY)]
    assert past == [(day(1), None), (day(3), a_connection())]


async def test_pruning_one_tenant_leaves_the_others(history: History):
    scan = await history.begin("fabrikam", START, NEVER)
    for number in range(3):
        await history.observe(scan.id, day(number), [a_connection(display_name=str(number))])

    assert await history.prune("contoso", day(9)) == 0

    assert len([state async for state in history.past("fabrikam", Connection, SALES, KEY)]) == 3


async def test_the_newest_scan_is_still_told_when_all_of_it_is_old(history: History):
    scan = await history.begin("contoso", START, NEVER)
    await history.conclude(scan.id, a_sweep())
    await history.finish(scan.id, day(1), timedelta(0))

    await history.prune("contoso", day(900))

    told = await history.last_scan("contoso")
    assert told is not None
    assert told.sweeps == (a_sweep(),)


async def test_a_forecast_that_stood_where_history_begins_is_still_graded(history: History):
    ends = Interval(day(100), day(102))
    foreseen = Horizon("token_inactive", Condition.EXPECTED, ends.earliest, day(101), ends.latest)
    broken = Verdict(Cause("token_inactive", title="Sign-in unused"), 0.97)
    place = (SALES, a_connection().connector, a_connection().id)
    scan = await history.begin("contoso", START, NEVER)
    for at, judgement in (
        (day(0), Judgement(*place)),
        (day(1), Judgement(*place, horizons=(foreseen,))),
        (day(101), Judgement(*place, verdict=broken)),
    ):
        await history.observe(scan.id, at, [judgement])
    before = list(grades([s async for s in history.past("contoso", Judgement, SALES, KEY)], day(110)))

    await history.prune("contoso", day(90))

    after = list(grades([s async for s in history.past("contoso", Judgement, SALES, KEY)], day(110)))
    assert before
    assert after == before


async def test_a_policy_is_the_same_in_whatever_order_its_sets_come(history: History):
    scan = await history.begin("contoso", START, NEVER)
    names = [f"user-{number}" for number in range(40)]
    one = AccessPolicy(
        "p1", "Policy", PolicyState.OFF, users=Scope(frozenset(names)), controls=("mfa", "block")
    )
    other = AccessPolicy(
        "p1", "Policy", PolicyState.OFF, users=Scope(frozenset(names[::-1])), controls=("mfa", "block")
    )
    await history.observe(scan.id, START, [one])

    assert await history.observe(scan.id, day(1), [other]) == News()
