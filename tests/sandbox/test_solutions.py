"""Solutions: rows, components placed by a header, and the import of a zip that people carry by hand."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive
from holdfast.keepalive.solution import component_parameters, solution_zip, workflow_id
from holdfast.sandbox.records.platform import Share
from holdfast.sandbox.tenant import Host
from tests.builders import a_connection, an_environment
from tests.sandbox.rooms import Answer, Rooms
from tests.unit.keepalive.test_eligibility import a_case

API = "/contoso-finance/api/data/v9.2"
QUARTER = "Quarter close"


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


def ask(
    rooms: Rooms, path: str, method: str = "GET", body: Any = None, who: Any = None, **headers: str
) -> Answer:
    who = who or rooms.app("holdfast-operator")
    names = {name.replace("_", "."): value for name, value in headers.items()}
    return rooms.ask(Host.DATAVERSE, f"{API}/{path}", who=who, method=method, body=body, headers=names)


def a_plan(rooms: Rooms) -> Any:
    connection = rooms.connection(QUARTER)
    place = an_environment(connection.environment_id, dataverse_url="https://org.example")
    case = a_case(connection=a_connection(connection.id, environment=place.id), environment=place)
    choices = Choices("p1", "t", "Contoso", case.seen_at, Cadence.WEEKLY, 0.3, "op", "operator")
    return plan_keepalive([case], choices)


def staged(rooms: Rooms, content: bytes, who: Any = None) -> Any:
    body = {"CustomizationFile": b64encode(content).decode()}
    return ask(rooms, "StageSolution", "POST", body, who).json["StageSolutionResults"]


def imported(rooms: Rooms, content: bytes, parameters: Any = (), who: Any = None) -> Any:
    """What comes of the import."""
    upload = staged(rooms, content, who)
    assert upload["StageSolutionStatus"] == "Passed"
    body = {
        "PublishWorkflows": True,
        "OverwriteUnmanagedCustomizations": True,
        "SkipProductUpdateDependencies": False,
        "SolutionParameters": {"StageSolutionUploadId": upload["StageSolutionUploadId"]},
        "ComponentParameters": list(parameters),
    }
    job = ask(rooms, "ImportSolutionAsync", "POST", body, who).json
    under_way = ask(rooms, f"asyncoperations({job['AsyncOperationId']})", who=who).json
    assert under_way["completedon"] is None
    rooms.tenant.clock.advance(timedelta(minutes=1))
    assert ask(rooms, f"asyncoperations({job['AsyncOperationId']})", who=who).json["completedon"]
    told = ask(rooms, f"RetrieveSolutionImportResult(ImportJobId={job['ImportJobKey']})", who=who)
    return told.json["SolutionOperationResult"]


def changed(content: bytes, name: str, old: str, new: str) -> bytes:
    """The zip with a text replaced in one member; the member is dropped for an empty one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(packed, "w") as after:
        for member in before.namelist():
            text = before.read(member).decode()
            if member != name or old:
                after.writestr(member, text.replace(old, new) if member == name else text)
    return packed.getvalue()


def test_a_keep_alive_flow_is_imported_bound_and_on(rooms: Rooms):
    plan, owner = a_plan(rooms), rooms.account("Service account Reports")
    place = rooms.connection(QUARTER).environment_id

    told = imported(rooms, solution_zip(plan, place), component_parameters(plan, place), owner)

    assert (told["Status"], told["ErrorMessages"]) == ("Passed", [])
    flow = next(one for one in rooms.world.flows.values() if one.workflow_id == workflow_id("p1-1"))
    assert (flow.state, flow.owner_id) == ("Started", owner.object_id)
    [named] = ask(rooms, "solutions").json["value"]
    assert named["uniquename"] == "holdfast"


def test_it_arrives_off_for_somebody_who_may_not_use_the_connection(rooms: Rooms):
    plan, place = a_plan(rooms), rooms.connection(QUARTER).environment_id

    told = imported(rooms, solution_zip(plan, place), component_parameters(plan, place))

    assert told["Status"] == "Passed"
    assert (
        next(f for f in rooms.world.flows.values() if f.workflow_id == workflow_id("p1-1")).state == "Stopped"
    )


def test_it_arrives_on_for_whom_the_connection_was_shared_with(rooms: Rooms):
    plan, connection = a_plan(rooms), rooms.connection(QUARTER)
    operator = rooms.app("holdfast-operator").principal_id or ""
    connection.shares.append(
        Share(
            principal_id=operator,
            principal_type="ServicePrincipal",
            role="CanView",
            granted_at=rooms.tenant.now(),
        )
    )

    imported(
        rooms,
        solution_zip(plan, connection.environment_id),
        component_parameters(plan, connection.environment_id),
    )

    assert (
        next(f for f in rooms.world.flows.values() if f.workflow_id == workflow_id("p1-1")).state == "Started"
    )


def test_imported_again_nothing_stands_there_twice(rooms: Rooms):
    plan, place = a_plan(rooms), rooms.connection(QUARTER).environment_id
    flows, references = len(rooms.world.flows), len(rooms.world.references)

    for _ in range(2):
        imported(rooms, solution_zip(plan, place), component_parameters(plan, place))

    assert (len(rooms.world.flows), len(rooms.world.references)) == (flows + 1, references + 1)
    assert len(ask(rooms, "solutions").json["value"]) == 1


def test_an_import_for_a_connection_that_is_not_there_is_refused_whole(rooms: Rooms):
    plan, place = a_plan(rooms), rooms.connection(QUARTER).environment_id
    flows = len(rooms.world.flows)
    parameters = component_parameters(plan, place)
    parameters[0]["connectionid"] = "0" * 32

    told = imported(rooms, solution_zip(plan, place), parameters)

    assert told["Status"] == "Failed"
    assert "was not found" in told["ErrorMessages"][0]["Message"]
    assert len(rooms.world.flows) == flows


BROKEN = {
    "no zip": lambda _: b"no zip",
    "no manifest": lambda content: changed(content, "solution.xml", "", ""),
    "no content types": lambda content: changed(content, "[Content_Types].xml", "", ""),
    "a flow that no root names": lambda content: changed(content, "solution.xml", 'type="29"', 'type="1"'),
    "no slash before the member": lambda content: changed(content, "customizations.xml", ">/Workflows", ">Workflows"),
    "entities": lambda content: changed(content, "solution.xml", "<ImportExportXml", "<!DOCTYPE x [<!ENTITY a 'b'>]><ImportExportXml"),
    "not XML": lambda content: changed(content, "solution.xml", "</SolutionManifest>", ""),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_solution_does_not_pass_the_staging(rooms: Rooms, broken: Any):
    plan, place = a_plan(rooms), rooms.connection(QUARTER).environment_id

    told = staged(rooms, broken(solution_zip(plan, place)))

    assert told["StageSolutionStatus"] == "Failed"
    assert told["SolutionValidationResults"][0]["Message"].endswith(".")


def test_unknown_parameters_are_refused(rooms: Rooms):
    assert ask(rooms, "ImportSolutionAsync", "POST", {"Publish": True}).status == 400


def test_a_row_is_placed_in_the_solution_that_the_header_names(rooms: Rooms):
    publisher = ask(
        rooms,
        "publishers",
        "POST",
        {
            "uniquename": "mine",
            "friendlyname": "Mine",
            "customizationprefix": "mine",
            "customizationoptionvalueprefix": 12345,
        },
        Prefer="return=representation",
    ).json
    solution = {
        "uniquename": "mine",
        "friendlyname": "Mine",
        "version": "1.0.0.0",
        "publisherid@odata.bind": f"/publishers({publisher['publisherid']})",
    }
    made = ask(rooms, "solutions", "POST", solution, Prefer="return=representation").json
    reference = {
        "connectionreferencelogicalname": "mine_a",
        "connectorid": "/providers/Microsoft.PowerApps/apis/shared_sql",
    }

    placed = ask(rooms, "connectionreferences", "POST", reference, MSCRM_SolutionUniqueName="mine")
    other = reference | {"connectionreferencelogicalname": "mine_b"}
    nowhere = ask(rooms, "connectionreferences", "POST", other, MSCRM_SolutionUniqueName="other")

    assert (placed.status, nowhere.status) == (204, 400)
    assert len(rooms.world.solutions[made["solutionid"]].components) == 1
    assert ask(rooms, f"publishers({publisher['publisherid']})", "DELETE").status == 400
    assert ask(rooms, f"solutions({made['solutionid']})", "DELETE").status == 204
    assert ask(rooms, f"publishers({publisher['publisherid']})", "DELETE").status == 204


def test_a_member_without_the_privilege_makes_no_solution(rooms: Rooms):
    body = {
        "uniquename": "x",
        "friendlyname": "X",
        "version": "1.0",
        "publisherid@odata.bind": "publishers(x)",
    }

    assert ask(rooms, "solutions", "POST", body, rooms.account("Dana Kim")).status == 403


def test_the_flow_in_the_zip_is_the_one_that_the_plan_shows(rooms: Rooms):
    plan, place = a_plan(rooms), rooms.connection(QUARTER).environment_id
    shown = next(show.text for step in plan.steps for show in step.shows)

    with zipfile.ZipFile(io.BytesIO(solution_zip(plan, place))) as file:
        [name] = [name for name in file.namelist() if name.startswith("Workflows/")]
        assert json.loads(file.read(name)) == json.loads(shown)
