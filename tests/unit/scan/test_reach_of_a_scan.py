from __future__ import annotations

import pytest

from holdfast.core.coverage import Outcome
from holdfast.core.errors import BudgetSpentError
from holdfast.core.inventory import EVERY_CONNECTOR, Connection, ConnectorId
from holdfast.scan.standing import picture
from tests.builders import a_connection
from tests.unit.scan.test_scan import Story

MAIL = ConnectorId("shared_office365")


@pytest.fixture
def story():
    story = Story()
    story.cloud.held = [a_connection("c1"), a_connection("m1", connector=MAIL)]
    return story


async def ids(story):
    return {each.id for each in await story.all(Connection)}


async def test_only_sql_is_read_unless_all_is_asked_for(story):
    await story.scan()
    assert await ids(story) == {"c1"}

    await story.scan(connectors=[EVERY_CONNECTOR])
    assert await ids(story) == {"c1", "m1"}


async def test_all_connectors_take_one_call_per_environment(story):
    await story.scan(connectors=[EVERY_CONNECTOR])

    assert story.cloud.asked.count("sales") == 1


async def test_a_later_scan_of_sql_alone_does_not_call_the_others_gone(story):
    await story.scan(connectors=[EVERY_CONNECTOR])
    await story.scan()

    assert await ids(story) == {"c1", "m1"}


async def test_a_connection_of_any_connector_that_is_no_longer_listed_is_gone(story):
    await story.scan(connectors=[EVERY_CONNECTOR])
    story.cloud.held = story.cloud.held[:1]
    await story.scan(connectors=[EVERY_CONNECTOR])

    assert await ids(story) == {"c1"}


async def test_what_was_read_with_all_others_counts_as_read(story):
    await story.scan(connectors=[EVERY_CONNECTOR])
    seen = await picture(story.history, "contoso", "contoso", story.clock.now())
    assert seen is not None

    for connection in await story.all(Connection):
        assert seen.outcome_of(connection) is Outcome.SCANNED


async def test_a_scan_whose_budget_is_spent_goes_on_where_it_stopped(story):
    story.cloud.breaks["stock"] = (BudgetSpentError("The budget is spent."), 0)
    with pytest.raises(BudgetSpentError):
        await story.scan(connectors=[EVERY_CONNECTOR])
    story.cloud.breaks.clear()
    story.cloud.asked.clear()

    report = await story.scan(connectors=[EVERY_CONNECTOR])

    assert report.resumed
    assert "sales" not in story.cloud.asked
