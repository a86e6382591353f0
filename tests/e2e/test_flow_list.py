"""A reader that is an application, and beside it a person by whose sign-in flows outside solutions are seen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.compose import secret_stores
from holdfast.compose.credentials import sign_in_name
from holdfast.core.identity import Role
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from holdfast.sandbox.steering import Steering
from holdfast.settings import load
from tests.e2e.tenants import app_of, settings_for
from tests.e2e.test_maker import tokens_of

Say = Callable[..., Any]


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.fixture
def say(ready, tmp_path, monkeypatch, capsys) -> Say:
    """A command with a signed-in person, by the beginning of the name: the rows of `-o json`, or what it prints."""
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    app = app_of(ready)
    reader = f'client_id = "{app["client_id"]}"\nsecret = "file:reader"'

    def settled(person: str | None) -> Path:
        account = next((a for a in ready["accounts"] if person and a["username"].startswith(person)), None)
        lines = [reader]
        if account is not None:
            lines += ["[tenants.c.flow_reader]", f'client_id = "{account["client_id"]}"', "sign_in = true"]
        file = settings_for(ready, tmp_path, reader="\n".join(lines))
        settings = load(file, {"HOLDFAST_STATE_DIR": str(tmp_path / "state")})
        store = secret_stores(settings)["file"]
        asyncio.run(store.write("reader", Secret(app["secret"])))
        if account is not None:
            name = sign_in_name(settings.chosen(), Role.FLOW_READER)
            asyncio.run(store.write(name, tokens_of(account, ready)))
        return file

    def said(*words: str, person: str | None = "lee") -> Any:
        code = run([*words, "--config", str(settled(person))])
        printed = capsys.readouterr()
        assert code <= 1, printed.err
        return json.loads(printed.out) if "json" in words else printed.out + printed.err

    return said


def sources_of(say: Say, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = say("scan", "-o", "json", **more)["scans"][0]["flow_sources"]
    return found


def truth_of(ready: dict[str, Any]) -> list[dict[str, Any]]:
    flows: list[dict[str, Any]] = Steering(ready["control"]).truth()["flows"]
    return flows


def test_flows_outside_solutions_are_the_difference(say, ready):
    found = sources_of(say)

    everything = {flow["id"]: flow for flow in truth_of(ready)}
    assert found["flow_list"] == len(everything)
    assert found["not_compared"] == []
    assert {each["reason"] for each in found["differences"]} == {"outside_solutions"}
    assert found["flow_list"] - found["dataverse"] == len(found["differences"]) > 0
    for each in found["differences"]:
        assert set(each["connections"]) <= set(everything[each["flow"]]["connections"])


def test_what_only_the_person_is_shown_carries_connections(say, ready):
    outside = sources_of(say)["differences"]
    held = {connection for each in outside for connection in each["connections"]}

    rows = {row["connection"]: row for row in say("status", "-o", "json")["rows"]}

    assert held
    assert all(row["flows_complete"] for row in rows.values())
    expected: dict[str, set[str]] = {}
    for flow in truth_of(ready):
        for connection in flow["connections"]:
            expected.setdefault(connection, set()).add(flow["workflow"] or flow["id"])
    assert {id: set(row["flows"]) for id, row in rows.items() if row["flows"]} == expected
    [one] = say("show", next(iter(held)), "-o", "json")["rows"]
    [flow] = [each for each in one["flows_held"] if each["outside_solutions"]]
    assert flow["shown_by"] == "flow_list"
    assert flow["owner"]["upn"].endswith("@contoso.example")


def test_people_read_where_the_sources_differ(say):
    printed = say("scan")

    assert "outside solutions" in printed
    assert "by the person's list" in printed
    assert "Flows: all were seen, also those outside solutions" in say("status")


def test_a_second_scan_reads_no_definition_again(say):
    first = say("scan", "-o", "json")["scans"][0]["requests"]["by_api"]["flow"]

    again = say("scan", "-o", "json")

    assert (
        again["scans"][0]["requests"]["by_api"]["flow"] == len(again["rows"]) < first
    )  # a list for each environment


def test_a_person_who_may_not_list_leaves_the_rest_whole(say, ready):
    printed = say("scan", "-o", "json", person=ready["accounts"][0]["username"])
    told = printed["scans"][0]

    refused = [gap for gap in told["gaps"] if gap["part"] == "flows_listed_for_a_person"]
    assert {gap["outcome"] for gap in refused} == {"denied"}
    assert len(refused) == len(printed["rows"])
    assert {gap["part"] for gap in told["gaps"]} == {"flows_listed_for_a_person"}
    assert told["flow_sources"]["compared"] == []
    printed = say("status", person=ready["accounts"][0]["username"])
    assert "those outside solutions could not be listed" in printed


def test_without_the_person_what_the_list_told_is_dropped(say):
    say("scan")

    assert say("scan", "-o", "json", person=None)["scans"][0]["flow_sources"] is None
    rows = say("status", "-o", "json", person=None)["rows"]
    assert not any(row["flows_complete"] for row in rows if not row["connection"].startswith("holdfast/"))


def test_the_persons_own_sign_in_is_watched_like_ours(say):
    say("scan")

    assert "holdfast/flow_reader" in {row["connection"] for row in say("status", "-o", "json")["rows"]}


def test_the_doctor_tells_what_the_person_may(say, ready):
    rows = [json.loads(line) for line in say("doctor", "-o", "jsonl").splitlines() if line.startswith("{")]

    told = {row["check"]: row["outcome"] for row in rows if row["role"] == "flow_reader"}
    assert told["flow.flows.admin_list"] == "allowed"
