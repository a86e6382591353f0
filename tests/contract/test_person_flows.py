"""Flows and failed runs as a person sees them, over recorded answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.cloud.person_flows import PersonFlows
from holdfast.core.errors import MissingError, RefusedError, UnfamiliarError
from holdfast.core.inventory import ActionFailure, Environment, EnvironmentId, FlowId
from tests.fakes.wire import Recorder, a_transport, said

SALES = Environment(EnvironmentId("sales"), "Sales")
FLOW = FlowId("f1")
LINK = "https://prod-12.westeurope.logic.azure.com/workflows/x/runs/y/contents/z?se=2026&sp=%2Fr&sig=the-secret-signature"


def person(*answers: Any) -> tuple[PersonFlows, Recorder]:
    transport, wire = a_transport(
        [answer if hasattr(answer, "status_code") else said(200, answer) for answer in answers]
    )
    return PersonFlows(transport), wire


def actions(*told: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": [{"name": name, "properties": rest} for name, rest in ((t.pop("name"), t) for t in told)]
    }


def failing(link: str = LINK, **more: Any) -> dict[str, Any]:
    return actions(
        {"name": "Query", "status": "Failed", "code": "BadRequest", "outputsLink": {"uri": link}, **more}
    )


async def test_recorded_flows_are_told_in_our_words(fixtures: Path):
    raw = (fixtures / "power-platform/flows_admin_v2_list.json").read_bytes()
    flows, wire = person(raw)

    told = [flow async for flow in flows.flows(SALES)]

    assert len(told) == len(json.loads(raw)["value"])
    assert not any(flow.is_readable or flow.bindings for flow in told)  # the list does not tell
    assert wire.asked[0].url.host == "api.flow.microsoft.com"


async def test_a_recorded_flow_tells_its_bindings(fixtures: Path):
    raw = (fixtures / "power-platform/flow_admin_get.json").read_bytes()
    recorded = json.loads(raw)["properties"]["connectionReferences"]
    flows, _ = person(raw)

    told = await flows.flow(SALES.id, FLOW)

    assert {b.key: b.connection for b in told.bindings} == {
        k: v["connectionName"] for k, v in recorded.items()
    }
    assert {b.connector for b in told.bindings} == {v["id"].split("/apis/")[1] for v in recorded.values()}


async def test_recorded_runs_are_told_newest_first(fixtures: Path):
    page = json.loads((fixtures / "power-platform/flow_runs_list.json").read_bytes())
    del page["nextLink"]
    flows, _ = person(page)

    told = [run async for run in flows.runs(SALES.id, FLOW)]

    assert [run.succeeded for run in told].count(False) == 1
    started = [run.started_at for run in told if run.started_at]
    assert started == sorted(started, reverse=True)
    assert len(started) == 3


async def test_what_a_recorded_action_met_with_lies_behind_its_link(fixtures: Path):
    listed = json.loads((fixtures / "power-platform/flow_run_actions_list.json").read_bytes())
    outputs = (fixtures / "power-platform/flow_run_action_outputs.json").read_bytes()
    flows, wire = person(listed, outputs)

    told = await flows.failure(SALES.id, FLOW, "r1")

    assert told is not None
    assert (told.action, told.code) == ("Probe_HTTP", "200")
    assert json.loads(told.text) == json.loads(outputs)["body"]
    assert wire.asked[1].url.host.endswith(".powerplatformusercontent.com")
    assert "authorization" not in wire.asked[1].headers


async def test_an_error_beside_the_action_needs_no_link():
    flows, wire = person(failing(error={"code": "Unauthorized", "message": "Login failed."}))

    assert await flows.failure(SALES.id, FLOW, "r1") == ActionFailure(
        "Query", "Unauthorized", "Login failed.", None
    )
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ([("Scope", "Failed", "ActionFailed", "1"), ("Query", "Failed", "BadRequest", "2")], "Query"),
        ([("Late", "Failed", "BadRequest", "9"), ("Early", "Failed", "NotFound", "2")], "Early"),
        ([("Next", "Skipped", "ActionSkipped", "1"), ("Query", "Failed", None, "2")], "Query"),
        ([("Query", "Succeeded", "OK", "1")], None),
        ([("Scope", "Failed", "ActionFailed", "1")], None),
        ([], None),
    ],
)
async def test_the_action_that_failed_by_itself_is_found(told, name):
    rows = [{"name": n, "status": s, "code": c, "endTime": e} for n, s, c, e in told]
    flows, _ = person(actions(*rows))

    found = await flows.failure(SALES.id, FLOW, "r1")

    assert (found.action if found else None) == name


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/contents?sig=x",
        "http://prod-12.westeurope.logic.azure.com/contents?sig=x",
        "https://logic.azure.com.evil.example/contents",
        "https://user@prod-12.westeurope.logic.azure.com/contents",
        "https://graph.microsoft.com/v1.0/me",
        "https://prod-12.westeurope.logic.azure.com:8443/contents",
    ],
)
async def test_a_link_elsewhere_is_not_followed(link):
    flows, wire = person(failing(link), {"statusCode": 200, "body": {}})

    with pytest.raises(UnfamiliarError, match="not on the list of hosts"):
        await flows.failure(SALES.id, FLOW, "r1")
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(302, "", location="https://evil.example/"), UnfamiliarError),
        (
            said(403, {"error": {"code": "AuthorizationFailed", "message": "The link has expired."}}),
            RefusedError,
        ),
        (said(404, {"error": {"code": "NotFound"}}), MissingError),
        (said(200, b'{"body": "' + b"x" * 2**20 + b'"}'), UnfamiliarError),
        (said(200, "<html>"), UnfamiliarError),
    ],
)
async def test_a_link_that_gives_nothing_is_an_error_that_hides_it(answer, kind):
    flows, _ = person(failing(), answer)

    with pytest.raises(kind) as caught:
        await flows.failure(SALES.id, FLOW, "r1")
    assert "the-secret-signature" not in f"{caught.value} {caught.value!r}"
    assert type(caught.value) is kind


async def test_a_signature_is_sent_as_it_was_told():
    flows, wire = person(failing(), {"statusCode": 401, "body": {"message": "No."}})

    await flows.failure(SALES.id, FLOW, "r1")

    assert str(wire.asked[1].url) == LINK
