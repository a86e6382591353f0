"""The solution zip that people import by hand."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from holdfast.core.identity import Owner
from holdfast.keepalive.plan import plan_keepalive
from holdfast.keepalive.solution import (
    deployment_settings,
    environments_of,
    members,
    solution_zip,
)
from tests.builders import a_connection, an_environment
from tests.nasty import NASTY
from tests.unit.keepalive.test_eligibility import a_case
from tests.unit.keepalive.test_plan import case_of, choices

ELSEWHERE = an_environment("lab", dataverse_url="https://lab.example")
PLAN = plan_keepalive(
    [case_of("c1"), case_of("c2", "o2"), case_of("c3", "o2"), case_of("c4", environment=ELSEWHERE)], choices()
)


def test_the_same_plan_gives_the_same_bytes():
    assert solution_zip(PLAN, "sales") == solution_zip(replace(PLAN), "sales")


def test_a_zip_holds_the_flows_of_one_environment():
    assert environments_of(PLAN) == ("sales", "lab")
    assert sum(name.startswith("Workflows/") for name in members(PLAN, "sales")) == 2
    assert sum(name.startswith("Workflows/") for name in members(PLAN, "lab")) == 1


def test_every_reference_is_to_be_bound_to_its_connection():
    bound = deployment_settings(PLAN, "sales")["ConnectionReferences"]

    assert [each["ConnectionId"] for each in bound] == ["c1", "c2", "c3"]
    assert len({each["LogicalName"] for each in bound}) == 3


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY.keys())
def test_hostile_names_do_not_break_out_of_their_element(name: str):
    connection = a_connection(display_name=name, owner=Owner("o1", name))
    plan = plan_keepalive([a_case(connection=connection)], choices())
    found = members(plan, "sales")

    root = ElementTree.fromstring(found["customizations.xml"])

    [flow] = root.iterfind("Workflows/Workflow")
    assert flow.get("Name", "").startswith("holdfast/p1-1")
    assert len(list(root.iterfind("connectionreferences/connectionreference"))) == 1
    assert all(name.isascii() for name in found)


def test_its_parts_are_those_of_real_exports(fixtures: Path):
    recorded = ElementTree.parse(fixtures / "flows/solutions/s1/customizations.xml").getroot()
    manifest = ElementTree.parse(fixtures / "power-platform/solution_solution.xml").getroot()
    parts = json.loads((fixtures / "power-platform/solution_parts.json").read_text())
    ours = members(PLAN, "sales")
    made = ElementTree.fromstring(ours["customizations.xml"])

    assert ours["[Content_Types].xml"] == parts["[Content_Types].xml"]
    flow, known = made.find("Workflows/Workflow"), recorded.find("Workflows/Workflow")
    assert flow is not None
    assert known is not None
    assert [each.tag for each in flow] == [each.tag for each in known]
    assert {each.tag for each in made} >= {each.tag for each in recorded} - {"EntityDataProviders"}
    mine = ElementTree.fromstring(ours["solution.xml"]).find("SolutionManifest")
    theirs = manifest.find("SolutionManifest")
    assert mine is not None
    assert theirs is not None
    assert [each.tag for each in mine] == [each.tag for each in theirs]


def test_the_zip_can_be_read():
    with zipfile.ZipFile(io.BytesIO(solution_zip(PLAN, "sales"))) as file:
        assert file.testzip() is None
        assert all(member.date_time[0] == 1980 for member in file.infolist())
