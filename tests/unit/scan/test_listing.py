"""Flows that a person's list shows beside those that the reader is shown."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from holdfast.core.coverage import LISTED_FLOWS, Outcome
from holdfast.core.errors import MissingError, RefusedError, UnreachableError
from holdfast.core.inventory import SQL_CONNECTORS, Binding, ConnectionId, Flow, ListedFlow
from holdfast.scan.carried import carried, flows_are_complete, flows_were_read
from holdfast.scan.differences import Why, sources_of
from tests.builders import a_connection, a_flow, a_reference, an_environment, day
from tests.unit.scan.test_scan import Story

REFUSED = RefusedError("You may not.", "flow", "flow.flows.admin_list")


def a_listed_flow(id: str, *connections: str, has_row: bool = False, name: str = "") -> ListedFlow:
    bound = tuple(Binding(each, SQL_CONNECTORS[0], connection=ConnectionId(each)) for each in connections)
    plain = a_flow(id, modified_at=day(-3), bindings=bound)
    given = {field.name: getattr(plain, field.name) for field in fields(Flow)}
    return ListedFlow(**given, has_row=has_row, name=name)


class ToldList:
    """A person's list: its flows, and what is raised instead of a list or a definition."""

    def __init__(self, *flows: ListedFlow) -> None:
        self.flows_ = list(flows)
        self.breaks: dict[str, Exception] = {}
        self.read: list[str] = []
        self.lists = 0

    async def flows(self, environment):
        self.lists += 1
        for flow in self.flows_:
            if flow.environment == environment.id:
                yield replace(flow, bindings=(), is_readable=False)
        if environment.id in self.breaks:
            raise self.breaks[environment.id]

    async def flow(self, environment, flow):
        self.read.append(flow)
        if flow in self.breaks:
            raise self.breaks[flow]
        return next(each for each in self.flows_ if flow in (each.name, each.id))


@pytest.fixture
def story() -> Story:
    made = Story()
    made.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    made.cloud.held = [a_connection("c1"), a_connection("c2")]
    made.cloud.pointers = [a_reference("new_sql", "c1")]
    made.cloud.automations = [a_flow("f1", "new_sql")]
    return made


async def held(story: Story) -> dict[str, list[str]]:
    found = await carried(story.history, "contoso", "sales")
    return {connection: [flow.id for flow in flows] for connection, flows in found.items()}


async def differing(story: Story, record) -> dict[str, Why]:
    found = await sources_of(story.history, "contoso", record, ["sales"])
    assert found is not None
    return {each.flow.id: each.why for each in found.differences}


async def test_both_sources_together_are_every_flow(story):
    told = ToldList(a_listed_flow("f1", "c1", has_row=True), a_listed_flow("f2", "c1", "c2"))

    report = await story.scan(flow_list=told)

    assert await held(story) == {"c1": ["f1", "f2"], "c2": ["f2"]}
    assert flows_are_complete(report.record, "sales")
    assert await differing(story, report.record) == {"f2": Why.OUTSIDE_SOLUTIONS}
    assert told.read == ["f2"]  # the reader showed the other


async def test_a_flow_goes_by_the_name_of_its_list(story):
    told = ToldList(a_listed_flow("row-7", "c2", has_row=True, name="f7"))
    story.cloud.automations = []

    report = await story.scan(flow_list=told)

    assert told.read == ["f7"]
    assert await held(story) == {"c2": ["row-7"]}
    assert await differing(story, report.record) == {"row-7": Why.NOT_SHOWN_TO_READER}


async def test_a_flow_that_the_list_lacks_is_told(story):
    report = await story.scan(flow_list=ToldList())

    assert await differing(story, report.record) == {"f1": Why.NOT_LISTED}


async def test_where_dataverse_is_closed_the_list_tells_all(story):
    story.cloud.breaks["flows of sales"] = (REFUSED, 0)
    told = ToldList(a_listed_flow("f1", "c1", has_row=True), a_listed_flow("f2", "c2"))

    report = await story.scan(flow_list=told)

    assert await held(story) == {"c1": ["f1"], "c2": ["f2"]}
    assert flows_were_read(report.record, "sales")
    found = await sources_of(story.history, "contoso", report.record, ["sales"])
    assert found is not None
    assert (found.compared, found.uncompared) == ((), ("sales",))


async def test_a_definition_that_has_not_changed_is_not_read_again(story):
    told = ToldList(a_listed_flow("f2", "c2"), a_listed_flow("f3", "c2"))
    await story.scan(flow_list=told)
    told.flows_[1] = replace(told.flows_[1], modified_at=day(-1), bindings=())
    told.read.clear()

    await story.scan(flow_list=told, fresh=True)

    assert told.read == ["f3"]
    assert (await held(story))["c2"] == ["f2"]


@pytest.mark.parametrize(
    ("breaks", "outcome", "seen"),
    [
        ({"sales": REFUSED}, Outcome.DENIED, []),
        ({"f3": REFUSED}, Outcome.PARTIAL, ["f2", "f3"]),
        ({"f3": MissingError("Gone.", "flow", "x")}, Outcome.SCANNED, ["f2"]),
        ({"f3": UnreachableError("No answer.", "flow", "x")}, Outcome.TIMED_OUT, []),
    ],
    ids=["list broke off", "refused", "removed meanwhile", "no answer"],
)
async def test_what_broke_off_is_no_whole_list(story, breaks, outcome, seen):
    told = ToldList(a_listed_flow("f2", "c2"), a_listed_flow("f3", "c2"))
    told.breaks = breaks

    report = await story.scan(flow_list=told)

    assert report.record.sweep_of("sales", LISTED_FLOWS).outcome is outcome
    kept = [flow.id async for flow in story.history.current("contoso", ListedFlow, "sales")]
    assert kept == seen
    assert flows_are_complete(report.record, "sales") is (outcome is Outcome.SCANNED)


async def test_a_person_who_is_refused_everywhere_is_not_asked_everywhere(story):
    places = [f"place-{number}" for number in range(20)]
    story.cloud.listed = [an_environment(place) for place in places]
    told = ToldList()
    told.breaks = dict.fromkeys(places, REFUSED)

    report = await story.scan(flow_list=told)

    assert told.lists < len(places)
    assert {report.record.sweep_of(place, LISTED_FLOWS).outcome for place in places} == {Outcome.DENIED}


async def test_without_the_person_what_the_list_told_goes(story):
    await story.scan(flow_list=ToldList(a_listed_flow("f2", "c2")))

    for _ in range(2):
        report = await story.scan(fresh=True)

    assert await held(story) == {"c1": ["f1"]}
    assert not report.record.gaps
    assert await sources_of(story.history, "contoso", report.record, ["sales"]) is None
