from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sandbox.chance import draw
from holdfast.sandbox.flows.definitions import DefinitionError, Operation, keys_used, read_definition
from holdfast.sandbox.flows.execution import Execution, Setting
from holdfast.sandbox.flows.steps import Step
from holdfast.sandbox.records.runs import RunRecord

START = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
MANUAL = {"manual": {"type": "Request", "kind": "Button"}}


def a_definition(actions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"triggers": MANUAL, "actions": actions, **more}


def compose(value: Any, *after: str, on: tuple[str, ...] = ("Succeeded",)) -> dict[str, Any]:
    return {"type": "Compose", "inputs": value, "runAfter": {name: list(on) for name in after}}


def query(text: str, *after: str) -> dict[str, Any]:
    return {
        "type": "OpenApiConnection",
        "inputs": {
            "host": {"connectionName": "shared_sql", "apiId": "/x/apis/shared_sql", "operationId": "Query"},
            "parameters": {"query/query": text},
        },
        "runAfter": {name: ["Succeeded"] for name in after},
    }


def run(definition: Mapping[str, Any], body: Any = None, fails: str = "never") -> tuple[RunRecord, list[Any]]:
    """Run; whatever query holds the text `fails` fails."""
    asked: list[Any] = []

    def operate(operation: Operation, parameters: Mapping[str, Any], at: datetime) -> Step:
        asked.append(parameters["query/query"])
        if fails in str(parameters["query/query"]):
            return Step("Failed", "BadRequest", outputs={"statusCode": 400, "body": {"status": 400}})
        return Step(outputs={"statusCode": 200, "body": {"resultsets": {"Table1": [{"n": 1}]}}})

    setting = Setting("run", START, {"body": body}, {"name": "flow"}, operate, lambda *names: draw(1, *names))
    return Execution(read_definition(definition), setting, START).run(), asked


def statuses(record: RunRecord) -> dict[str, str]:
    return {action.name: action.status for action in record.actions}


def test_actions_run_in_the_order_of_run_after_and_not_of_the_document():
    record, asked = run(a_definition({"B": query("b", "A"), "A": query("a")}))
    assert asked == ["a", "b"]
    assert record.status == "Succeeded"


def test_an_action_after_a_failed_one_is_skipped_and_the_run_fails():
    record, asked = run(a_definition({"A": query("a"), "B": query("b", "A")}), fails="a")
    assert asked == ["a"]
    assert statuses(record) == {"A": "Failed", "B": "Skipped"}
    assert (record.status, record.code) == ("Failed", "ActionFailed")
    assert record.error
    assert record.error["message"] == "An action failed. No dependent actions succeeded."


def test_a_failure_that_is_caught_leaves_the_run_succeeded():
    catch = compose("caught", "A", on=("Failed", "TimedOut"))
    record, _ = run(a_definition({"A": query("a"), "Catch": catch}), fails="a")
    assert statuses(record) == {"A": "Failed", "Catch": "Succeeded"}
    assert record.status == "Succeeded"


def test_a_skipped_last_action_counts_as_the_one_before_it():
    catch = compose("not needed", "A", on=("Failed",))
    record, _ = run(a_definition({"A": query("a"), "Catch": catch}))
    assert statuses(record)["Catch"] == "Skipped"
    assert record.status == "Succeeded"


def test_a_failing_scope_fails_as_a_whole_and_the_one_inside_tells_why():
    scope = {"type": "Scope", "actions": {"In": query("bad"), "After": compose(1, "In")}}
    record, _ = run(
        a_definition(
            {"Try": scope, "Log": compose("@result('Try')[0]['outputs']['body']", "Try", on=("Failed",))}
        ),
        fails="bad",
    )
    assert statuses(record) == {"Try": "Failed", "In": "Failed", "After": "Skipped", "Log": "Succeeded"}
    assert record.actions[-1].outputs == {"status": 400}


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ("@equals(triggerBody(), 'yes')", "Yes"),
        ({"and": [{"equals": ["@triggerBody()", "yes"]}, {"not": {"equals": [1, 2]}}]}, "Yes"),
        ({"or": [{"greater": [1, 2]}, {"contains": ["@triggerBody()", "x"]}]}, "No"),
    ],
)
def test_a_condition_runs_one_branch_and_skips_the_other(expression, taken):
    condition = {
        "type": "If",
        "expression": expression,
        "actions": {"Yes": query("yes")},
        "else": {"actions": {"No": query("no")}},
    }
    record, asked = run(a_definition({"If": condition}), body="yes")
    assert asked == [taken.lower()]
    assert statuses(record)["If"] == "Succeeded"
    assert {name for name, status in statuses(record).items() if status == "Skipped"} == {"Yes", "No"} - {
        taken
    }


@pytest.mark.parametrize(("value", "asked"), [("a", ["case a"]), (2, ["case 2"]), ("z", ["default"])])
def test_a_switch_runs_its_case(value, asked):
    switch = {
        "type": "Switch",
        "expression": "@triggerBody()",
        "cases": {
            "A": {"case": "a", "actions": {"QA": query("case a")}},
            "Two": {"case": 2, "actions": {"Q2": query("case 2")}},
        },
        "default": {"actions": {"QD": query("default")}},
    }
    assert run(a_definition({"Switch": switch}), body=value)[1] == asked


def test_a_loop_runs_its_actions_for_each_item():
    loop = {
        "type": "Foreach",
        "foreach": "@triggerBody()",
        "actions": {"Q": query("@{items('Each')['id']}-@{item()?['id']}")},
    }
    record, asked = run(a_definition({"Each": loop}), body=[{"id": 1}, {"id": 2}], fails="2-")
    assert asked == ["1-1", "2-2"]
    assert [action.turn for action in record.actions if action.name == "Q"] == [[0], [1]]
    assert record.status == "Failed"


def test_a_loop_until_ends_by_its_condition():
    actions = {
        "Init": {
            "type": "InitializeVariable",
            "inputs": {"variables": [{"name": "i", "type": "integer", "value": 0}]},
        },
        "Until": {
            "type": "Until",
            "expression": "@greaterOrEquals(variables('i'), 3)",
            "limit": {"count": 60, "timeout": "PT1H"},
            "actions": {"Add": {"type": "IncrementVariable", "inputs": {"name": "i", "value": 1}}},
            "runAfter": {"Init": ["Succeeded"]},
        },
    }
    record, _ = run(a_definition(actions))
    assert sum(action.name == "Add" for action in record.actions) == 3
    assert record.status == "Succeeded"


def test_a_loop_until_ends_by_its_count():
    until = {"type": "Until", "expression": "@false", "limit": {"count": 4}, "actions": {"Q": query("again")}}
    assert run(a_definition({"Until": until}))[1] == ["again"] * 4


def test_a_loop_that_would_never_end_is_ended():
    inner = {"type": "Until", "expression": "@false", "limit": {"count": 5000}, "actions": {"C": compose(1)}}
    record, _ = run(
        a_definition({"Outer": {"type": "Foreach", "foreach": "@range(0,100)", "actions": {"Inner": inner}}})
    )
    assert (record.status, record.code) == ("Failed", "WorkflowRunLimitExceeded")


def test_a_terminated_run_has_the_status_that_it_was_given():
    end = {
        "type": "Terminate",
        "inputs": {"runStatus": "Failed", "runError": {"code": "42", "message": "no"}},
    }
    record, asked = run(a_definition({"End": end, "Q": query("never", "End")}))
    assert asked == []
    assert (record.status, record.error) == ("Failed", {"code": "42", "message": "no"})


def test_an_expression_that_cannot_be_evaluated_fails_its_action():
    record, _ = run(a_definition({"C": compose("@body('Nothing')")}))
    assert record.actions[0].error
    assert record.actions[0].error["code"] == "InvalidTemplate"


def test_data_operations_give_what_later_actions_read():
    actions = {
        "Select": {"type": "Select", "inputs": {"from": "@triggerBody()", "select": {"n": "@item()['id']"}}},
        "Filter": {
            "type": "Query",
            "inputs": {"from": "@body('Select')", "where": "@greater(item()['n'], 1)"},
            "runAfter": {"Select": ["Succeeded"]},
        },
        "Table": {
            "type": "Table",
            "inputs": {"from": "@body('Filter')", "format": "CSV"},
            "runAfter": {"Filter": ["Succeeded"]},
        },
        "Parse": {
            "type": "ParseJson",
            "inputs": {"content": "@string(body('Filter'))", "schema": {}},
            "runAfter": {"Table": ["Succeeded"]},
        },
        "Out": compose("@{body('Parse')?[0]?['n']}|@{body('Table')}", "Parse"),
    }
    record, _ = run(a_definition(actions), body=[{"id": 1}, {"id": 2}])
    assert record.actions[-1].outputs == "2|n\r\n2\r\n"


def test_a_run_that_looks_at_the_clock_is_volatile():
    assert run(a_definition({"C": compose("@utcNow()")}))[0].is_volatile
    assert not run(a_definition({"C": compose("@triggerBody()")}))[0].is_volatile


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"triggers": {}, "actions": {}},
        a_definition({"A": {"inputs": 1}}),
        a_definition({"A": compose(1, "B"), "B": compose(1, "A")}),
        a_definition({"A": compose(1, "Missing")}),
    ],
)
def test_a_definition_that_cannot_run_is_refused(definition):
    with pytest.raises(DefinitionError):
        read_definition(definition)


def test_published_definitions_can_be_read_with_their_connections(fixtures: Path):
    labels = {}
    for line in (fixtures / "flows/labels.jsonl").read_text().splitlines():
        label = json.loads(line)
        labels[label["file"]] = label
    read = 0
    for file in sorted((fixtures / "flows").glob("f*.json")):
        content = json.loads(file.read_text())
        written = content.get("properties", {}).get("definition") or content.get("definition")
        if not isinstance(written, dict) or labels[file.name]["cut"] or "triggers" not in written:
            continue
        keys = keys_used(read_definition(written))
        wanted = {
            one["connection_key"] for one in labels[file.name]["entries"] if one["form"] != "serviceprovider"
        }
        assert wanted <= set(keys), file.name
        read += 1
    assert read >= 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="@{}()'ab", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "Compose",
        "If",
        "Foreach",
        "Until",
        "Switch",
        "Scope",
        "SetVariable",
        "Query",
        "Nonsense",
        "OpenApiConnection",
    ]
)
ACTIONS = st.dictionaries(
    st.sampled_from("ABC"),
    st.fixed_dictionaries(
        {"type": TYPES},
        optional=dict.fromkeys(("inputs", "expression", "foreach", "runAfter", "limit"), JSON),
    ),
    max_size=3,
)


@settings(deadline=None)
@given(ACTIONS)
def test_random_definitions_run_or_are_refused(actions):
    try:
        record, _ = run(a_definition(actions))
    except DefinitionError:
        return
    assert record.status in ("Succeeded", "Failed", "Cancelled")
